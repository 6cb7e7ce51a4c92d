// blast HOST PORT COUNT BYTES SPORT RATE: sends COUNT UDP packets of BYTES payload as fast as it can, or RATE a second.
// SPORT 0: any. RATE 0: no limit. Prints {"sent":…,"failed":…}: failed ones were refused by this host (EPERM, ENOBUFS).
// The socket is not connected, so that no ICMP error from the other end fails a send.
#define _GNU_SOURCE
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define BATCH 64

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

static int open_socket(const struct addrinfo *to, int sport)
{
	struct sockaddr_storage from = { .ss_family = to->ai_family };
	int fd = socket(to->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int on = 1;

	if (to->ai_family == AF_INET6)
		((struct sockaddr_in6 *)&from)->sin6_port = htons(sport);
	else
		((struct sockaddr_in *)&from)->sin_port = htons(sport);
	/* the blast before this one may not have exited yet */
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
	    bind(fd, (struct sockaddr *)&from, to->ai_addrlen) != 0)
		return -1;
	return fd;
}

static void pause_until(double due)
{
	double left = due - seconds();
	struct timespec nap = { .tv_sec = (time_t)left, .tv_nsec = (long)((left - (time_t)left) * 1e9) };

	if (left > 0)
		nanosleep(&nap, NULL);
}

int main(int argc, char **argv)
{
	struct addrinfo hints = { .ai_socktype = SOCK_DGRAM, .ai_flags = AI_NUMERICHOST }, *to;
	struct mmsghdr messages[BATCH];
	struct iovec payload;
	long count, sent = 0, failed = 0;
	double rate, start;
	int fd;

	if (argc != 7 || getaddrinfo(argv[1], argv[2], &hints, &to) != 0) {
		fprintf(stderr, "usage: blast HOST PORT COUNT BYTES SPORT RATE\n");
		return 2;
	}
	count = atol(argv[3]);
	payload.iov_len = atol(argv[4]);
	payload.iov_base = calloc(1, payload.iov_len + 1);
	rate = atof(argv[6]);
	fd = open_socket(to, atoi(argv[5]));
	if (fd < 0 || payload.iov_base == NULL) {
		perror("blast");
		return 1;
	}
	memset(messages, 0, sizeof(messages));
	for (int i = 0; i < BATCH; i++) {
		messages[i].msg_hdr.msg_name = to->ai_addr;
		messages[i].msg_hdr.msg_namelen = to->ai_addrlen;
		messages[i].msg_hdr.msg_iov = &payload;
		messages[i].msg_hdr.msg_iovlen = 1;
	}
	start = seconds();
	while (sent + failed < count) {
		long left = count - sent - failed;
		int done = sendmmsg(fd, messages, left < BATCH ? left : BATCH, 0);

		if (done > 0)
			sent += done;
		else if (errno != EINTR)
			failed++;
		if (rate > 0)
			pause_until(start + (sent + failed) / rate);
	}
	printf("{\"sent\":%ld,\"failed\":%ld}\n", sent, failed);
	return 0;
}
