// shrink BYTES: accepts one TCP connection and never reads. Prints {"port":N}; at a line on stdin it sets the receive
// buffer of the connection to BYTES (which the kernel doubles, socket(7)), less than the window that it has announced,
// and answers {"buffer":N}. Ends with stdin.
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct sockaddr_in6 at = { .sin6_family = AF_INET6, .sin6_addr = in6addr_any };
	socklen_t length = sizeof(at), value_length = sizeof(int);
	int listener = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0), fd, bytes;
	char line[256];

	if (argc != 2 || (bytes = atoi(argv[1])) <= 0) {
		fprintf(stderr, "usage: shrink BYTES\n");
		return 2;
	}
	if (listener < 0 || bind(listener, (struct sockaddr *)&at, sizeof(at)) != 0 || listen(listener, 1) != 0 ||
	    getsockname(listener, (struct sockaddr *)&at, &length) != 0) {
		perror("shrink");
		return 1;
	}
	printf("{\"port\":%d}\n", ntohs(at.sin6_port));
	fflush(stdout);
	fd = accept(listener, NULL, NULL);
	if (fd < 0 || read(0, line, sizeof(line)) <= 0)
		return 1;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes)) != 0 ||
	    getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, &value_length) != 0) {
		perror("SO_RCVBUF");
		return 1;
	}
	printf("{\"buffer\":%d}\n", bytes);
	fflush(stdout);
	while (read(0, line, sizeof(line)) > 0)
		continue;
	return 0;
}
