/*
 * daemon.h - everything put together: `logtally run`.
 */
#ifndef DAEMON_DAEMON_H
#define DAEMON_DAEMON_H

#include "daemon/options.h"

/*
 * Runs until SIGTERM or SIGINT; returns the exit status: 0 after a stop, 1
 * if it could not start, 2 if there is nothing to follow or no rule.  Errors are
 * printed on stderr.
 */
int daemon_run(const struct options *options);

#endif
