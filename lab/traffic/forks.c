// forks HOST PORT COUNT [RATE]: COUNT processes, each of which begins a TCP connection and ends at once, sixteen at a time, RATE a
// second (as fast as possible, when absent). Prints {"ms":DURATION,"pids":[...],"sports":[...]}. Their name is "the-brief".
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
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

static void wait_until(double ms)
{
	struct timespec time = { .tv_sec = ms / 1e3, .tv_nsec = ((long long)(ms * 1e6)) % 1000000000 };

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL);
}

static void connect_once(const struct sockaddr_in *to, int *sport)
{
	struct sockaddr_in own = {};
	socklen_t length = sizeof(own);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	prctl(PR_SET_NAME, "the-brief");
	connect(fd, (const struct sockaddr *)to, sizeof(*to));
	getsockname(fd, (struct sockaddr *)&own, &length);
	*sport = ntohs(own.sin_port);
	_exit(0);
}

static void print(const char *name, const int *numbers, int count)
{
	printf(",\"%s\":[", name);
	for (int i = 0; i < count; i++)
		printf("%s%d", i ? "," : "", numbers[i]);
	printf("]");
}

int main(int argc, char **argv)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	int count = argc >= 4 ? atoi(argv[3]) : 0, rate = argc >= 5 ? atoi(argv[4]) : 0, running = 0;
	double begin = now_ms();
	int *pids = calloc(count + 1, sizeof(*pids));
	/* Written by the children. */
	int *sports = mmap(NULL, (count + 1) * sizeof(*sports), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (count <= 0 || !pids || sports == MAP_FAILED || inet_pton(AF_INET, argv[1], &to.sin_addr) != 1)
		return 2;
	to.sin_port = htons(atoi(argv[2]));
	for (int i = 0; i < count; i++) {
		if (rate > 0)
			wait_until(begin + i * 1e3 / rate);
		if (running == AT_ONCE) {
			wait(NULL);
			running--;
		}
		pids[i] = fork();
		if (pids[i] == 0)
			connect_once(&to, &sports[i]);
		if (pids[i] < 0)
			return 1;
		running++;
	}
	while (running-- > 0)
		wait(NULL);
	printf("{\"ms\":%.0f", now_ms() - begin);
	print("pids", pids, count);
	print("sports", sports, count);
	printf("}\n");
	return 0;
}
