// inject DEVICE COUNT HEX...: puts raw Ethernet frames on a device, each COUNT times, in turn. Prints
// {"sent":…,"failed":…}: failed ones were refused by this host's own queue. For packets that no socket makes: VLAN tags,
// IPv6 extension headers, fragments, wrong checksums.
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static unsigned char frame[65536];

static size_t parse_hex(const char *text)
{
	size_t length = strlen(text) / 2;

	if (length > sizeof(frame))
		return 0;
	for (size_t i = 0; i < length; i++)
		if (sscanf(text + 2 * i, "%2hhx", &frame[i]) != 1)
			return 0;
	return length;
}

int main(int argc, char **argv)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_halen = ETH_ALEN };
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	long count, sent = 0, failed = 0;

	if (argc < 4 || (to.sll_ifindex = if_nametoindex(argv[1])) == 0) {
		fprintf(stderr, "usage: inject DEVICE COUNT HEX...\n");
		return 2;
	}
	count = atol(argv[2]);
	for (long round = 0; round < count; round++) {
		for (int i = 3; i < argc; i++) {
			size_t length = parse_hex(argv[i]);

			if (length >= ETH_HLEN && sendto(fd, frame, length, 0, (struct sockaddr *)&to, sizeof(to)) >= 0) {
				sent++;
			} else if (length >= ETH_HLEN && errno == ENOBUFS) {
				failed++;
			} else {
				perror(argv[i]);
				return 1;
			}
		}
	}
	printf("{\"sent\":%ld,\"failed\":%ld}\n", sent, failed);
	return 0;
}
