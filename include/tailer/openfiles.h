/*
 * openfiles.h - a bounded number of open descriptors, the longest idle first.
 *
 * Counts and orders; opening and closing is the caller's.  For one thread,
 * except where "any thread" is said.
 */
#ifndef TAILER_OPENFILES_H
#define TAILER_OPENFILES_H

#include <stdbool.h>
#include <stddef.h>

struct openfiles;

/* Part of what holds the descriptor; all zero: not in the list. */
struct openfiles_link {
	struct openfiles_link *older, *newer;
};

struct openfiles *openfiles_create(size_t limit);
void openfiles_destroy(struct openfiles *open); /* NULL is accepted */

/* Any thread: counts one more; false if the limit is reached. */
bool openfiles_reserve(struct openfiles *open);
/* As above, over the limit: where no descriptor can be spared. */
void openfiles_reserve_anyway(struct openfiles *open);
/* What was reserved is not needed. */
void openfiles_cancel(struct openfiles *open);

/* Adds what was reserved, as the most recently used. */
void openfiles_add(struct openfiles *open, struct openfiles_link *link);
/* It was used just now. */
void openfiles_touch(struct openfiles *open, struct openfiles_link *link);
/* The descriptor is another holder's now. */
void openfiles_move(struct openfiles *open, struct openfiles_link *from,
		    struct openfiles_link *to);
/* It was closed. */
void openfiles_remove(struct openfiles *open, struct openfiles_link *link);

/* The longest idle, or NULL; go on with link->newer. */
struct openfiles_link *openfiles_oldest(const struct openfiles *open);

#endif
