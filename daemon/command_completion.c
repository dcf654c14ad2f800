#include <string.h>

#include "daemon/commands.h"
#include "daemon/completion.h"

int command_completion(const struct options *options)
{
	const char *shell = options->argument_count > 0 ? options->arguments[0] : "";

	if (options->argument_count != 1 ||
	    (strcmp(shell, "bash") != 0 && strcmp(shell, "zsh") != 0)) {
		fprintf(stderr, "logtally: completion takes the name of a shell: bash "
				"or zsh\n");
		return 2;
	}
	if (strcmp(shell, "bash") == 0)
		completion_bash(stdout);
	else
		completion_zsh(stdout);
	return 0;
}
