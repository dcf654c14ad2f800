/*
 * state_open_records.h - the table of records that may go on.
 *
 * Failures stay in `db`.  What is visited is borrowed until the visit returns.
 */
#ifndef DAEMON_STATE_OPEN_RECORDS_H
#define DAEMON_STATE_OPEN_RECORDS_H

#include "daemon/state_db.h"
#include "parsers/open_record.h"

void state_open_records_each(struct state_db *db,
			     void (*visit)(void *ctx, const char *path,
					   const struct open_record *open),
			     void *ctx);
void state_open_records_put(struct state_db *db, const char *path,
			    const struct open_record *open);

/* All of a path's. */
void state_open_records_drop(struct state_db *db, const char *path);

#endif
