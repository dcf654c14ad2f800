/*
 * state_fold.h - carries the values in the delta table over to the series table.
 *
 * In steps of a few milliseconds, each in a transaction of the caller's: first it
 * reads what is in delta, then writes the newest value of each series in the order
 * of the series, so that each page is written about once, then deletes what it read,
 * oldest first.  The newest row of a series counts wherever it lies, so between any
 * two steps, and when a fold is never ended, every value is right.
 */
#ifndef DAEMON_STATE_FOLD_H
#define DAEMON_STATE_FOLD_H

#include "daemon/state_newest.h"

struct state_fold {
	enum { FOLD_IDLE, FOLD_READ, FOLD_WRITE, FOLD_DELETE } phase;
	struct state_newest newest;
	size_t written; /* of newest.list */
};

#define STATE_FOLD_INIT                         \
	{                                       \
		FOLD_IDLE, STATE_NEWEST_INIT, 0 \
	}

/*
 * True if a step has something to do: a fold is under way, or delta has more than
 * `least_rows` and a quarter of the series.
 */
bool state_fold_is_due(const struct state_fold *fold, struct state_db *db,
		       uint64_t least_rows);

/* One step.  Failures stay in `db`: then roll back and state_fold_finish(). */
void state_fold_step(struct state_fold *fold, struct state_db *db);

/* Forgets a fold that is under way; it may be begun anew. */
void state_fold_finish(struct state_fold *fold);

#endif
