// track DEVICE ROUTER_MAC COUNT: has a router track COUNT established TCP connections (conntrack) that nobody has. Three
// packets each, to and fro, go out by DEVICE: the router takes the first for one of the middle of a connection
// (nf_conntrack_tcp_loose), and after the third does not give the entry up for a new one (IPS_ASSURED).
// The router must route 10.200.0.0/16 and 10.201.0.0/16 back to DEVICE. Prints {"connections":…}.
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

struct packet {
	struct ethhdr ethernet;
	struct iphdr ip;
	struct tcphdr tcp;
} __attribute__((packed));

static struct packet packet = {
	.ethernet = { .h_proto = 0x0008 },
	.ip = { .ihl = 5, .version = 4, .ttl = 8, .protocol = IPPROTO_TCP },
	.tcp = { .doff = 5, .ack = 1, .window = 0xffff },
};

// RFC 1071, of words in network byte order.
static uint16_t checksum(uint32_t sum, const void *data, size_t bytes)
{
	const uint16_t *words = data;

	for (size_t i = 0; i < bytes / 2; i++)
		sum += words[i];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

static void put(int fd, const struct sockaddr_ll *to, uint32_t src, uint32_t dst, uint16_t sport, uint16_t dport)
{
	struct {
		uint32_t src, dst;
		uint16_t protocol, length;
	} pseudo = { htonl(src), htonl(dst), htons(IPPROTO_TCP), htons(sizeof(packet.tcp)) };

	packet.ip.saddr = pseudo.src;
	packet.ip.daddr = pseudo.dst;
	packet.ip.tot_len = htons(sizeof(packet.ip) + sizeof(packet.tcp));
	packet.ip.check = 0;
	packet.ip.check = checksum(0, &packet.ip, sizeof(packet.ip));
	packet.tcp.source = htons(sport);
	packet.tcp.dest = htons(dport);
	packet.tcp.check = 0;
	packet.tcp.check = checksum((uint16_t)~checksum(0, &pseudo, sizeof(pseudo)), &packet.tcp, sizeof(packet.tcp));
	while (sendto(fd, &packet, sizeof(packet), 0, (const struct sockaddr *)to, sizeof(*to)) < 0)
		if (errno != ENOBUFS && errno != EAGAIN && errno != EINTR) {
			perror("track");
			exit(1);
		}
}

int main(int argc, char **argv)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_halen = ETH_ALEN };
	unsigned char *mac = packet.ethernet.h_dest;
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	unsigned long count;

	if (argc != 4 || (to.sll_ifindex = if_nametoindex(argv[1])) == 0 ||
	    sscanf(argv[2], "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", mac, mac + 1, mac + 2, mac + 3, mac + 4, mac + 5) != 6) {
		fprintf(stderr, "usage: track DEVICE ROUTER_MAC COUNT\n");
		return 2;
	}
	count = strtoul(argv[3], NULL, 10);
	for (unsigned long i = 0; i < count; i++) {
		uint32_t a = 0x0ac80000 | (i & 0xff), b = 0x0ac90000 | ((i >> 8) & 0xff);
		uint16_t port = 1024 + (i >> 16);

		put(fd, &to, a, b, port, 80);
		put(fd, &to, b, a, 80, port);
		put(fd, &to, a, b, port, 80);
	}
	printf("{\"connections\":%lu}\n", count);
	return 0;
}
