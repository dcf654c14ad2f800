/*
 * state_series.h - the series and their values: the tables series, delta, past.
 *
 * A series has one row, written when it is born; new values are appended to
 * delta, where the newest row counts.  state_fold.h carries them over.  The row of one
 * that went stays, marked as free, until another takes its number.
 *
 * Failures stay in `db`.
 */
#ifndef DAEMON_STATE_SERIES_H
#define DAEMON_STATE_SERIES_H

#include "daemon/state.h"
#include "daemon/state_newest.h"

static inline uint64_t state_series_id(uint64_t family_id, uint32_t number)
{
	return family_id << 32 | number;
}

void state_series_put(struct state_db *db, uint64_t family_id,
		      const struct state_series *series);
void state_series_put_value(struct state_db *db, uint64_t family_id, uint32_t number,
			    const struct state_value *value);

void state_pasts_put(struct state_db *db, uint64_t family_id,
		     const struct state_past *past);
void state_pasts_each(struct state_db *db, uint64_t family_id,
		      void (*visit)(void *ctx, const struct state_past *past),
		      void *ctx);

/* In the order of numbers; `newest` has all of delta, sorted. */
void state_series_each(struct state_db *db, const struct state_newest *newest,
		       uint64_t family_id,
		       void (*visit)(void *ctx, const struct state_series *series),
		       void *ctx);

/*
 * Deletes at most `most` series of a family; true if there were so many.  Their rows
 * in delta are left to the fold.  The last call deletes the family's pasts.
 */
bool state_series_forget(struct state_db *db, uint64_t family_id, int most);

/* How many there are in all families. */
uint64_t state_series_count(struct state_db *db);

#endif
