/*
 * state_value.h - the value of a series as columns: value, time_ns, buckets; panes.
 *
 * Doubles come back bit for bit, except that all NaNs are one.  Buckets are text,
 * "3,0,1": the shortest numbers that read back the same.
 */
#ifndef DAEMON_STATE_VALUE_H
#define DAEMON_STATE_VALUE_H

#include "daemon/state.h"
#include "daemon/state_db.h"

/* What a value that was read points into. */
struct state_buckets {
	double list[METRIC_MAX_BUCKETS + 1];
};

/* To the parameters `first` to `first` + 2, and to one more. */
void state_value_bind(sqlite3_stmt *statement, int first,
		      const struct state_value *value);
void state_value_bind_panes(sqlite3_stmt *statement, int at,
			    const struct state_value *value);

/*
 * From the columns `first` to `first` + 2.  False if the buckets are not what
 * state_value_bind() writes.  `value` borrows `buckets`.
 */
bool state_value_read(sqlite3_stmt *statement, int first, struct state_value *value,
		      struct state_buckets *buckets);
/* After it.  Borrowed until the statement goes on or is reset. */
void state_value_read_panes(sqlite3_stmt *statement, int at, struct state_value *value);

#endif
