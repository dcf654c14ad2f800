#include <malloc.h>
#include <stdio.h>

#include "daemon/commands.h"
#include "daemon/daemon.h"
#include "daemon/version.h"

static int run_command(enum command command, const struct options *options)
{
	switch (command) {
	case COMMAND_RUN:
		return daemon_run(options);
	case COMMAND_CHECK:
		return command_check(options);
	case COMMAND_TEST:
		return command_test(options);
	case COMMAND_EXPLAIN:
		return command_explain(options);
	case COMMAND_REPLAY:
		return command_replay(options);
	case COMMAND_HEALTHCHECK:
		return command_healthcheck(options);
	case COMMAND_COMPLETION:
		return command_completion(options);
	default:
		puts("logtally " LOGTALLY_VERSION);
		return 0;
	}
}

/*
 * By itself glibc keeps a heap for each thread, and what is big and short-lived
 * (positions of all files at a start) stays in them.
 */
static void keep_heap_small(void)
{
	mallopt(M_ARENA_MAX, 2);
	mallopt(M_MMAP_THRESHOLD, 128 * 1024);
	mallopt(M_TRIM_THRESHOLD, 256 * 1024);
}

int main(int argc, char **argv)
{
	struct options options;
	enum command command;
	struct error err;
	int status = 0;

	keep_heap_small();
	if (!options_parse(argc, argv, &command, &options, &err)) {
		fprintf(stderr, "logtally: %s\n", err.text);
		status = 2;
	} else if (options.help) {
		options_help(command, stdout);
	} else {
		status = run_command(command, &options);
	}
	options_finish(&options);
	return status;
}
