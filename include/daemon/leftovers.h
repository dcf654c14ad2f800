/*
 * leftovers.h - the open records of an earlier run, until somebody goes on with them.
 *
 * Each path's go to the worker that gets the path.  Any thread.
 */
#ifndef DAEMON_LEFTOVERS_H
#define DAEMON_LEFTOVERS_H

#include <stdbool.h>

#include "daemon/open_records.h"

struct leftovers;

struct leftovers *leftovers_create(void);
void leftovers_destroy(struct leftovers *leftovers); /* NULL is accepted */

void leftovers_add(struct leftovers *leftovers, const char *path,
		   const struct open_record *open);

/* Takes those of a path, the caller's then; false: there are none. */
bool leftovers_take(struct leftovers *leftovers, const char *path,
		    struct open_records *records);

/* Likewise, of some path. */
bool leftovers_take_any(struct leftovers *leftovers, struct open_records *records);

bool leftovers_are_gone(struct leftovers *leftovers);

#endif
