/* commands.h - the subcommands; each returns the exit status. */
#ifndef DAEMON_COMMANDS_H
#define DAEMON_COMMANDS_H

#include "daemon/options.h"

int command_check(const struct options *options);
int command_test(const struct options *options);
int command_explain(const struct options *options);
int command_replay(const struct options *options);
int command_healthcheck(const struct options *options);
int command_completion(const struct options *options);

#endif
