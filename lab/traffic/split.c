// split MODE HOST PORT: the task that connects is not the one that sends.
//   thread: the main thread connects, a thread of another name sends every 200 ms.
//   fork:   the process connects and forks, gives its copy of the socket away; the child sends every 200 ms.
// Prints {"leader":PID}, then runs until stdin ends. The names are "the-leader", "the-thread", "the-child".
#define _GNU_SOURCE
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

static int fd;

static void *send_often(void *name)
{
	prctl(PR_SET_NAME, name);
	for (;;) {
		if (send(fd, "1009", 4, MSG_NOSIGNAL) < 0)
			return NULL;
		usleep(200 * 1000);
	}
}

static int connect_to(const char *host, const char *port)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST }, *to;

	if (getaddrinfo(host, port, &hints, &to) != 0)
		return -1;
	fd = socket(to->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	return fd < 0 ? -1 : connect(fd, to->ai_addr, to->ai_addrlen);
}

static void start_sender(const char *mode)
{
	pthread_t thread;

	if (strcmp(mode, "thread") == 0) {
		pthread_create(&thread, NULL, send_often, "the-thread");
		return;
	}
	if (fork() == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		send_often("the-child");
		_exit(0);
	}
	close(fd);
}

int main(int argc, char **argv)
{
	char ignored[64];

	prctl(PR_SET_NAME, "the-leader");
	if (argc != 4 || connect_to(argv[2], argv[3]) != 0) {
		perror("split");
		return 1;
	}
	start_sender(argv[1]);
	printf("{\"leader\":%d}\n", getpid());
	fflush(stdout);
	while (read(0, ignored, sizeof(ignored)) > 0)
		continue;
	return 0;
}
