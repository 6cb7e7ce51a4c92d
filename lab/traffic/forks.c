// forks HOST PORT COUNT: COUNT processes, each of which begins a TCP connection and ends at once, sixteen at a time.
// Prints {"ms":DURATION,"pids":[...]}. Their name is "the-brief".
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define AT_ONCE 16

static double now_ms(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1e3 + time.tv_nsec / 1e6;
}

static void connect_once(const struct sockaddr_in *to)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	prctl(PR_SET_NAME, "the-brief");
	connect(fd, (const struct sockaddr *)to, sizeof(*to));
	_exit(0);
}

int main(int argc, char **argv)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	int count = argc == 4 ? atoi(argv[3]) : 0, running = 0;
	double begin = now_ms();
	int *pids = calloc(count + 1, sizeof(*pids));

	if (count <= 0 || !pids || inet_pton(AF_INET, argv[1], &to.sin_addr) != 1)
		return 2;
	to.sin_port = htons(atoi(argv[2]));
	for (int i = 0; i < count; i++) {
		if (running == AT_ONCE) {
			wait(NULL);
			running--;
		}
		pids[i] = fork();
		if (pids[i] == 0)
			connect_once(&to);
		if (pids[i] < 0)
			return 1;
		running++;
	}
	while (running-- > 0)
		wait(NULL);
	printf("{\"ms\":%.0f,\"pids\":[", now_ms() - begin);
	for (int i = 0; i < count; i++)
		printf("%s%d", i ? "," : "", pids[i]);
	printf("]}\n");
	return 0;
}
