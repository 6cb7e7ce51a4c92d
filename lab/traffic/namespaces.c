// namespaces COUNT BUSY: COUNT processes, each in a network namespace of its own, until stdin ends. Prints {"ms":DURATION,"pids":[...]}.
// At the first line on stdin the first BUSY of them, which have a loopback device, each begin three connections to a listener of theirs that
// has room for one: the SYNs of the others are dropped (ListenOverflows) and sent again (TcpRetransSegs).
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define CONNECTIONS 3

static double now_ms(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1e3 + time.tv_nsec / 1e6;
}

static void raise_loopback(void)
{
	struct ifreq request = { .ifr_flags = IFF_UP };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	strcpy(request.ifr_name, "lo");
	if (ioctl(fd, SIOCSIFFLAGS, &request) != 0)
		_exit(1);
	close(fd);
}

/* Of the namespace that this process is in. */
static void set_syn_retries(const char *count)
{
	FILE *file = fopen("/proc/sys/net/ipv4/tcp_syn_retries", "w");

	if (!file || fputs(count, file) < 0 || fclose(file) != 0)
		_exit(1);
}

static void be_busy(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(7777) };
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(listener, (struct sockaddr *)&address, sizeof(address)) != 0 || listen(listener, 0) != 0)
		_exit(1);
	for (int i = 0; i < CONNECTIONS; i++)
		connect(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), (struct sockaddr *)&address, sizeof(address));
}

static void live(int is_busy, const int go[2])
{
	char byte;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	close(go[1]);
	if (is_busy) {
		raise_loopback();
		set_syn_retries("1");
		if (read(go[0], &byte, 1) == 0)
			be_busy();
	}
	for (;;)
		pause();
}

int main(int argc, char **argv)
{
	int count = argc == 3 ? atoi(argv[1]) : 0, busy = argc == 3 ? atoi(argv[2]) : 0, go[2];
	int *pids = calloc(count + 1, sizeof(*pids));
	double begin = now_ms();
	char bytes[64];

	if (count <= 0 || !pids || pipe(go) != 0)
		return 2;
	for (int i = 0; i < count; i++) {
		/* One system call, unlike fork() and unshare(): nothing is ever seen in the namespace of the parent. */
		pids[i] = syscall(SYS_clone, CLONE_NEWNET | SIGCHLD, NULL, NULL, NULL, NULL);
		if (pids[i] == 0)
			live(i < busy, go);
		if (pids[i] < 0)
			return 1;
	}
	printf("{\"ms\":%.0f,\"pids\":[", now_ms() - begin);
	for (int i = 0; i < count; i++)
		printf("%s%d", i ? "," : "", pids[i]);
	printf("]}\n");
	fflush(stdout);
	for (int is_told = 0; read(0, bytes, sizeof(bytes)) > 0; is_told = 1)
		if (!is_told)
			close(go[1]);
	return 0;
}
