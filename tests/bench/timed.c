/*
 * timed - run a command and say what it took.
 *
 *     timed OUT COMMAND...
 *
 * Prints seconds of wall clock, seconds of CPU and the peak of resident memory in
 * KiB; the command's output goes to OUT.  Small itself: the peak that the kernel
 * reports is at least that of the process that forked, so a script cannot ask.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static double seconds(struct timeval tv)
{
	return (double)tv.tv_sec + (double)tv.tv_usec / 1e6;
}

static void become(char *const *command, const char *out)
{
	int fd = open(out, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	int null = open("/dev/null", O_WRONLY);

	if (fd != -1 && dup2(fd, STDOUT_FILENO) != -1 &&
	    dup2(null, STDERR_FILENO) != -1)
		execvp(command[0], command);
	_exit(127);
}

int main(int argc, char **argv)
{
	double began = now();
	struct rusage usage;
	int status;
	pid_t pid;

	if (argc < 3) {
		fputs("usage: timed OUT COMMAND...\n", stderr);
		return 2;
	}
	pid = fork();
	if (pid == 0)
		become(argv + 2, argv[1]);
	if (pid == -1 || wait4(pid, &status, 0, &usage) == -1) {
		fprintf(stderr, "timed: %s: %s\n", argv[2], strerror(errno));
		return 1;
	}
	printf("%.6f %.6f %ld\n", now() - began,
	       seconds(usage.ru_utime) + seconds(usage.ru_stime), usage.ru_maxrss);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
