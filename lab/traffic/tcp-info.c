// tcp-info HOST PORT BYTES CHUNK PAUSE_MS: sends BYTES over one TCP connection, CHUNK at a time, waits until all is
// acknowledged, and answers each line on stdin with what the kernel says of the socket (TCP_INFO, SO_COOKIE). At the end of stdin it closes.
#include <linux/tcp.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

// The end of struct tcp_info as of Linux 6.7; older headers have less of it, and older kernels fill less.
struct whole_tcp_info {
	struct tcp_info known;
	char room[256];
};
#define TOTAL_RTO_OFFSET (offsetof(struct tcp_info, tcpi_snd_wnd) + 3 * sizeof(uint32_t))

static int connect_to(const char *host, const char *port)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST }, *to;
	int fd;

	if (getaddrinfo(host, port, &hints, &to) != 0)
		return -1;
	fd = socket(to->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	return fd < 0 || connect(fd, to->ai_addr, to->ai_addrlen) != 0 ? -1 : fd;
}

static socklen_t read_info(int fd, struct whole_tcp_info *info)
{
	socklen_t length = sizeof(*info);

	memset(info, 0, sizeof(*info));
	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, info, &length) != 0) {
		perror("TCP_INFO");
		exit(1);
	}
	return length;
}

static void send_all(int fd, long bytes, long chunk, long pause_ms)
{
	char *data = calloc(1, chunk);
	struct whole_tcp_info info;

	for (long part; bytes > 0; bytes -= part) {
		part = send(fd, data, bytes < chunk ? bytes : chunk, MSG_NOSIGNAL);
		if (part <= 0) {
			perror("send");
			exit(1);
		}
		usleep(pause_ms * 1000);
	}
	do {
		usleep(10 * 1000);
		read_info(fd, &info);
	} while (info.known.tcpi_unacked > 0 || info.known.tcpi_notsent_bytes > 0);
	free(data);
}

static void print_info(int fd)
{
	struct whole_tcp_info whole;
	const struct tcp_info *info = &whole.known;
	socklen_t filled = read_info(fd, &whole), length = sizeof(uint64_t);
	uint64_t cookie = 0;
	uint16_t total_rto;

	getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &length);
	printf("{\"cookie\":%llu,\"segments\":%u,\"bytes\":%llu,\"retransmitted\":%u,\"bytesRetransmitted\":%llu,"
	       "\"spurious\":%u,\"reordered\":%u,\"minRttUs\":%u,\"srttUs\":%u",
	       (unsigned long long)cookie, info->tcpi_data_segs_out, (unsigned long long)info->tcpi_bytes_sent,
	       info->tcpi_total_retrans, (unsigned long long)info->tcpi_bytes_retrans, info->tcpi_dsack_dups,
	       info->tcpi_reord_seen, info->tcpi_min_rtt, info->tcpi_rtt);
	if (filled >= TOTAL_RTO_OFFSET + sizeof(total_rto)) {
		memcpy(&total_rto, (const char *)&whole + TOTAL_RTO_OFFSET, sizeof(total_rto));
		printf(",\"timeouts\":%u", total_rto);
	}
	printf("}\n");
	fflush(stdout);
}

int main(int argc, char **argv)
{
	char line[256];
	int fd;

	if (argc != 6 || (fd = connect_to(argv[1], argv[2])) < 0) {
		perror("tcp-info");
		return 1;
	}
	send_all(fd, atol(argv[3]), atol(argv[4]), atol(argv[5]));
	while (read(0, line, sizeof(line)) > 0)
		print_info(fd);
	return 0;
}
