// wire DEVICE_A DEVICE_B FAULT EVERY DELAY_MS: carries frames between two devices, as a cable or a switch that nobody
// can look into: what it loses, no kernel counts. FAULT hits every EVERYth TCP packet with payload on its way A to B:
//   none, drop, corrupt (its checksum is wrong at the receiver), delay (it is overtaken by those of the next DELAY_MS).
// Answers each line on stdin with {"carried":…,"hit":…}, and ends with stdin.
// The kernel's netem would do it; it is not in every kernel.
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define FRAME_SIZE (sizeof(struct virtio_net_hdr) + 65536 + ETH_HLEN)
#define HELD 256

enum fault { NONE, DROP, CORRUPT, DELAY };

struct held {
	double due;
	size_t length;
	unsigned char *frame;
};

static const char *const fault_names[] = { "none", "drop", "corrupt", "delay" };
static struct held held[HELD];
static unsigned first_held, after_held;
static unsigned char frame[FRAME_SIZE];
static unsigned long carried, hit, payloads;

static double milliseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1e3 + now.tv_nsec / 1e6;
}

// The virtio header keeps what the sender's kernel left to the device: checksums and segmentation.
static int open_device(const char *name)
{
	struct sockaddr_ll at = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL) };
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ALL)), on = 1, room = 16 << 20;

	at.sll_ifindex = if_nametoindex(name);
	if (fd < 0 || at.sll_ifindex == 0 || setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof(on)) != 0 ||
	    setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on)) != 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)) != 0 ||
	    bind(fd, (struct sockaddr *)&at, sizeof(at)) != 0) {
		perror(name);
		exit(1);
	}
	return fd;
}

// Where the TCP header of a frame begins, or 0 when it holds no TCP payload. Options of IPv6 are not expected here.
static size_t tcp_with_payload(const unsigned char *packet, size_t length)
{
	const struct ethhdr *ethernet = (const void *)packet;
	const struct iphdr *ip = (const void *)(ethernet + 1);
	const struct ip6_hdr *ip6 = (const void *)(ethernet + 1);
	size_t start, end;

	if (ethernet->h_proto == htons(ETH_P_IP) && ip->protocol == IPPROTO_TCP) {
		start = ETH_HLEN + ip->ihl * 4;
		end = ETH_HLEN + ntohs(ip->tot_len);
	} else if (ethernet->h_proto == htons(ETH_P_IPV6) && ip6->ip6_nxt == IPPROTO_TCP) {
		start = ETH_HLEN + sizeof(*ip6);
		end = start + ntohs(ip6->ip6_plen);
	} else {
		return 0;
	}
	if (end > length || start + sizeof(struct tcphdr) > end)
		return 0;
	return end - start > ((const struct tcphdr *)(packet + start))->doff * 4u ? start : 0;
}

static void put(int fd, const unsigned char *data, size_t length)
{
	while (write(fd, data, length) < 0)
		if (errno != EINTR && errno != ENOBUFS && errno != EAGAIN) {
			perror("wire");
			exit(1);
		}
}

static void hold(size_t length, double delay)
{
	struct held *slot = &held[after_held % HELD];

	if (after_held - first_held == HELD) {
		fprintf(stderr, "wire: more than %d frames wait\n", HELD);
		exit(1);
	}
	slot->due = milliseconds() + delay;
	slot->length = length;
	slot->frame = malloc(length);
	memcpy(slot->frame, frame, length);
	after_held++;
}

static void release_due(int fd)
{
	while (first_held != after_held && held[first_held % HELD].due <= milliseconds()) {
		struct held *slot = &held[first_held++ % HELD];

		put(fd, slot->frame, slot->length);
		free(slot->frame);
	}
}

// A checksum that the sender left to the device is only begun: taking that note off the frame makes it wrong. A whole
// one is damaged.
static void corrupt(size_t tcp)
{
	struct virtio_net_hdr *virtio = (void *)frame;

	if (virtio->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM)
		virtio->flags &= ~VIRTIO_NET_HDR_F_NEEDS_CSUM;
	virtio->flags &= ~VIRTIO_NET_HDR_F_DATA_VALID;
	frame[sizeof(*virtio) + tcp + 16] ^= 0x55;
}

static void carry(int from, int to, enum fault fault, unsigned long every, double delay)
{
	size_t skip = sizeof(struct virtio_net_hdr), tcp;
	ssize_t length = recv(from, frame, sizeof(frame), MSG_DONTWAIT);

	if (length < (ssize_t)(skip + ETH_HLEN))
		return;
	carried++;
	tcp = fault == NONE ? 0 : tcp_with_payload(frame + skip, length - skip);
	if (tcp == 0 || ++payloads % every != 0) {
		put(to, frame, length);
		return;
	}
	hit++;
	if (fault == DELAY)
		hold(length, delay);
	if (fault == CORRUPT) {
		corrupt(tcp);
		put(to, frame, length);
	}
}

static enum fault fault_of(const char *name)
{
	for (int i = NONE; i <= DELAY; i++)
		if (strcmp(name, fault_names[i]) == 0)
			return i;
	fprintf(stderr, "wire: no fault %s\n", name);
	exit(2);
}

int main(int argc, char **argv)
{
	struct pollfd wait[3];
	unsigned long every;
	enum fault fault;
	char line[256];
	double delay;

	if (argc != 6 || (every = strtoul(argv[4], NULL, 10)) == 0) {
		fprintf(stderr, "usage: wire DEVICE_A DEVICE_B none|drop|corrupt|delay EVERY DELAY_MS\n");
		return 2;
	}
	fault = fault_of(argv[3]);
	delay = atof(argv[5]);
	wait[0] = (struct pollfd){ .fd = open_device(argv[1]), .events = POLLIN };
	wait[1] = (struct pollfd){ .fd = open_device(argv[2]), .events = POLLIN };
	wait[2] = (struct pollfd){ .fd = 0, .events = POLLIN };
	for (;;) {
		printf("{\"carried\":%lu,\"hit\":%lu}\n", carried, hit);
		fflush(stdout);
		do {
			poll(wait, 3, first_held == after_held ? -1 : 1);
			release_due(wait[1].fd);
			if (wait[0].revents & POLLIN)
				carry(wait[0].fd, wait[1].fd, fault, every, delay);
			if (wait[1].revents & POLLIN)
				carry(wait[1].fd, wait[0].fd, NONE, every, delay);
		} while (!(wait[2].revents & (POLLIN | POLLHUP)));
		if (read(0, line, sizeof(line)) <= 0)
			return 0;
	}
}
