// no-offload DEVICE: switches off TCP segmentation offload, GSO and GRO of a device, as `ethtool -K` would.
// The ethtool package is not on every machine.
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

int main(int argc, char **argv)
{
	static const unsigned int commands[] = { ETHTOOL_STSO, ETHTOOL_SGSO, ETHTOOL_SGRO };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (argc != 2 || fd < 0) {
		fprintf(stderr, "usage: no-offload DEVICE\n");
		return 2;
	}
	for (unsigned int i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		struct ethtool_value value = { .cmd = commands[i], .data = 0 };
		struct ifreq request = { .ifr_data = (void *)&value };

		strncpy(request.ifr_name, argv[1], IFNAMSIZ - 1);
		if (ioctl(fd, SIOCETHTOOL, &request) != 0) {
			perror(argv[1]);
			return 1;
		}
	}
	return 0;
}
