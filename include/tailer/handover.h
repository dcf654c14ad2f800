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

#include "tailer/checkpoint.h"
#include "tailer/file.h"
#include "tailer/follower.h"

/*
 * Asks for room for one more descriptor; true: pass one to follower_adopt().
 * Without room the follower opens the file itself when it gets to it.
 */
bool follower_reserve(struct follower *follower);

enum adoption_kind {
	ADOPT_READ,    /* a generation of the path: to be read */
	ADOPT_SIBLING, /* its name says so; its content will tell if it is one that was
			  not seen, or a copy of one that was */
	ADOPT_RECORD,  /* all that is there now counts as read */
	ADOPT_LOST,    /* as above, and as lost: the state that knew it was */
};

struct adoption {
	enum adoption_kind kind;
	struct file *file; /* the follower takes a reference of its own */
	int fd;            /* the follower's from now on; -1: there was no room */
	/*
	 * What an earlier run left of it, or NULL.  Copied.  `reachable`: if the file
	 * has no name now, then because it is no more.
	 */
	const struct checkpoint *resume;
	bool reachable;
	uint64_t start_bytes; /* if that is in the middle of a line, its rest is passed
			       * over
			       */
	uint64_t size_bytes;
	int64_t mtime_ns;
	uint64_t backlog_bytes; /* counts as backlog until read so far; 0: does not */
	/*
	 * Of a sibling without a name that is watched: if it is no copy, it is read
	 * only if it was written later than that; 0: in any case.
	 */
	int64_t later_than_ns;
};

/*
 * Files to read: the newest generation of its path if it is current, else one that
 * was not seen while it was, older by its mtime.  None is read before all are known:
 * what was found by one look is to be told at once.
 */
void follower_adopt(struct follower *follower, const struct adoption *adoptions,
		    size_t count);

/* Events that were marked wait to be taken: call when file_mark() says so. */
void follower_notify(struct follower *follower, struct file *file);

/* Everything that file_ask() asked for has been told by now. */
void follower_looked(struct follower *follower, struct file *file);

/*
 * From follower_hold() on nothing is read, until follower_go_on(): what is
 * adopted meanwhile is known, so that it can be saved first.
 */
void follower_hold(struct follower *follower);
void follower_go_on(struct follower *follower);

/*
 * Generations get the numbers first, first + stride, ...: no two followers the
 * same.  Before anything is adopted.
 */
void follower_number_from(struct follower *follower, uint64_t first, uint64_t stride);

/* All of the backlog was adopted. */
void follower_end_backlog(struct follower *follower);

/* Any thread: true once the backlog has ended and all of it was read. */
bool follower_backlog_is_read(const struct follower *follower);

#endif
