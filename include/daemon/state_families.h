/*
 * state_families.h - which metrics there are, and which ids their series go by.
 *
 * Ids are handed out in memory, before a commit makes the row.  A family that a
 * commit leaves out is marked as removed, and forgotten when it has been so for
 * long; an id is never used for another.
 *
 * Failures stay in `db`.  Times are Unix seconds.
 */
#ifndef DAEMON_STATE_FAMILIES_H
#define DAEMON_STATE_FAMILIES_H

#include "daemon/state.h"
#include "daemon/state_db.h"

struct state_families;

/* Of the database `db`. */
struct state_families *state_families_create(struct state_db *db);
void state_families_destroy(struct state_families *families);

/* The id of the family with this definition, which is in use from now; 0 on failure. */
uint64_t state_families_ask(struct state_families *families, struct state_db *db,
			    const struct state_family *family, int64_t now);

/* In a commit: begin, put any number, end; after a rollback the same again. */
void state_families_begin(struct state_families *families);
void state_families_put(struct state_families *families, struct state_db *db,
			uint64_t id, const struct state_family *family);
/* Those left out are removed since `now`; if none was put, all stay as they are. */
void state_families_end(struct state_families *families, struct state_db *db,
			int64_t now);

/*
 * True if one is to be forgotten: it was removed, and last asked for, before `since`.
 * Then state_families_forget_step() does a little of it, in a transaction of the
 * caller's.
 */
bool state_families_may_forget(struct state_families *families, struct state_db *db,
			       int64_t since);
void state_families_forget_step(struct state_families *families, struct state_db *db,
				int64_t since);

#endif
