// sockets COUNT: opens COUNT UDP sockets, prints {"count":COUNT}, and holds them until stdin ends.
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int count = argc == 2 ? atoi(argv[1]) : 0, opened = 0;
	struct rlimit limit = { .rlim_cur = count + 64, .rlim_max = count + 64 };
	char byte;

	if (count <= 0 || setrlimit(RLIMIT_NOFILE, &limit) != 0)
		return 2;
	while (opened < count && socket(AF_INET, SOCK_DGRAM, 0) >= 0)
		opened++;
	printf("{\"count\":%d}\n", opened);
	fflush(stdout);
	while (read(0, &byte, 1) > 0)
		;
	return 0;
}
