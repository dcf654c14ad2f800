/*
 * state_schema.h - the tables of state.db, and how older ones become them.
 *
 * The schema's version is the number of steps that were taken, in user_version;
 * a new database takes all of them.  Views are those of the newest version, made anew
 * whenever steps are taken: a view that changes needs a step, be it an empty one.
 * state_tables.c has our schema; docs/state.md describes the tables.
 */
#ifndef DAEMON_STATE_SCHEMA_H
#define DAEMON_STATE_SCHEMA_H

#include <stddef.h>

#include "daemon/state_db.h"

#define STATE_APPLICATION_ID 0x6c67746c /* "lgtl" */

struct state_schema {
	const char *const *steps; /* steps[n] leads from version n to n + 1 */
	size_t count;
	/* Before and after the steps; NULL: there are no views. */
	const char *drop_views, *make_views;
};

extern const struct state_schema state_schema_ours;

/*
 * Makes the tables in an empty file and puts it into WAL mode.  Failures stay in
 * `db`.
 */
void state_schema_create(struct state_db *db, const struct state_schema *schema);

/*
 * Takes the steps that lack, all in one transaction, and looks at every table.
 * Returns NULL if the file can be used or the failure is not its fault, else what
 * it is: "foreign", "newer", "corrupt".  Failures stay in `db`.
 */
const char *state_schema_adopt(struct state_db *db, const struct state_schema *schema);

#endif
