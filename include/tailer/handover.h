/*
 * handover.h - what discovery tells a follower.
 *
 * The other door of the follower, for discovery's thread; the worker takes
 * what is said here in follower_turn(), in the order in which it was said.
 */
#ifndef TAILER_HANDOVER_H
#define TAILER_HANDOVER_H

#include <stdbool.h>
#include <stdint.h>

#include "tailer/file.h"
#include "tailer/follower.h"

/*
 * Asks for room for one more descriptor; true: pass one to follower_adopt().
 * Without room the follower opens the file itself when it gets to it.
 */
bool follower_reserve(struct follower *follower);

struct adoption {
	struct file *file;    /* the follower takes a reference of its own */
	int fd;               /* the follower's from now on; -1: there was no room */
	uint64_t start_bytes; /* if that is in the middle of a line, its rest is passed
			       * over
			       */
	bool again;           /* the follower had it before, and released it */
	uint64_t size_bytes;
	int64_t mtime_ns;
	uint64_t backlog_bytes; /* counts as backlog until read so far; 0: does not */
};

/*
 * A file to read: the newest generation of its path if it is current, else
 * one that was not seen while it was, older by its mtime.
 */
void follower_adopt(struct follower *follower, const struct adoption *adoption);

/* Events that were marked wait to be taken: call when file_mark() says so. */
void follower_notify(struct follower *follower, struct file *file);

/* All of the backlog was adopted. */
void follower_end_backlog(struct follower *follower);

/* Any thread: true once the backlog has ended and all of it was read. */
bool follower_backlog_is_read(const struct follower *follower);

#endif
