// flood HOST PORT COUNT BYTES: sends COUNT UDP packets of BYTES payload as fast as it can, each from another IPv4 address and
// port, none of them this host's. Prints {"sent":…,"failed":…,"cpuMs":…}: failed ones were refused by this host; the CPU time is what it
// took itself, the way of its packets through a veth included.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>

#define BATCH 64
#define MAX_BYTES 1400

struct packet {
	struct iphdr ip;
	struct udphdr udp;
	unsigned char payload[MAX_BYTES];
} __attribute__((packed));

static struct packet packets[BATCH];
static uint64_t state = 88172645463325252ULL;

// xorshift64 (G. Marsaglia, 2003)
static uint64_t next(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	return state ^= state << 17;
}

static void scatter(struct packet *packet)
{
	uint64_t random = next();

	// 11.0.0.0 to 11.255.255.255; the kernel writes the checksum of the IP header, and a UDP checksum of 0 means none
	packet->ip.saddr = htonl(0x0b000000 | (random & 0xffffff));
	packet->udp.source = htons(1024 + (random >> 32) % 60000);
}

int main(int argc, char **argv)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	struct mmsghdr messages[BATCH];
	struct iovec parts[BATCH];
	struct rusage usage;
	long count, bytes, sent = 0, failed = 0;
	int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);

	if (argc != 5 || inet_pton(AF_INET, argv[1], &to.sin_addr) != 1 || (bytes = atol(argv[4])) > MAX_BYTES) {
		fprintf(stderr, "usage: flood HOST PORT COUNT BYTES\n");
		return 2;
	}
	if (fd < 0) {
		perror("flood");
		return 1;
	}
	count = atol(argv[3]);
	memset(messages, 0, sizeof(messages));
	for (int i = 0; i < BATCH; i++) {
		struct packet *packet = &packets[i];

		packet->ip = (struct iphdr){ .version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_UDP };
		packet->ip.daddr = to.sin_addr.s_addr;
		packet->udp.dest = htons(atoi(argv[2]));
		packet->udp.len = htons(sizeof(packet->udp) + bytes);
		parts[i].iov_base = packet;
		parts[i].iov_len = sizeof(packet->ip) + sizeof(packet->udp) + bytes;
		messages[i].msg_hdr = (struct msghdr){ .msg_name = &to, .msg_namelen = sizeof(to), .msg_iov = &parts[i], .msg_iovlen = 1 };
	}
	while (sent + failed < count) {
		long left = count - sent - failed;
		int size = left < BATCH ? left : BATCH, done;

		for (int i = 0; i < size; i++)
			scatter(&packets[i]);
		done = sendmmsg(fd, messages, size, 0);
		if (done > 0)
			sent += done;
		else if (errno != EINTR)
			failed++;
	}
	getrusage(RUSAGE_SELF, &usage);
	printf("{\"sent\":%ld,\"failed\":%ld,\"cpuMs\":%.3f}\n", sent, failed,
	       (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e3 + (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e3);
	return 0;
}
