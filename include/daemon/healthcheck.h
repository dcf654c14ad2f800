/*
 * healthcheck.h - asks a running daemon whether it is ready.
 *
 * For containers that have no curl.  Plain sockets and HTTP/1.0.
 */
#ifndef DAEMON_HEALTHCHECK_H
#define DAEMON_HEALTHCHECK_H

#include <stdbool.h>

#include "common/error.h"

/*
 * GETs /-/ready.  `address` is what --web.listen-address takes, or that as a
 * URL, http://HOST:PORT/; without a host it asks this machine.  True if the
 * answer is 200 within `timeout_ms` in all (looking up a name excepted);
 * otherwise the error says what came instead.
 */
bool healthcheck(const char *address, int timeout_ms, struct error *err);

#endif
