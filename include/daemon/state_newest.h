/*
 * state_newest.h - of each series in the delta table, the newest row.
 *
 * A sorted list in memory, 16 bytes a series, made when it is needed: an index in
 * the database would cost each commit what the delta table saves it.
 */
#ifndef DAEMON_STATE_NEWEST_H
#define DAEMON_STATE_NEWEST_H

#include <stddef.h>
#include <stdint.h>

#include "daemon/state_db.h"

struct state_newest_entry {
	uint64_t series; /* family << 32 | number */
	int64_t row;     /* delta.id */
};

struct state_newest {
	struct state_newest_entry *list;
	size_t count;
	int64_t last_row; /* the newest that was read */
};

#define STATE_NEWEST_INIT          \
	{                          \
		NULL, 0, INT64_MIN \
	}

/*
 * Reads at most `most` rows more, in the order they were written.  True if there
 * are others.  Failures stay in `db`.
 */
bool state_newest_read(struct state_newest *newest, struct state_db *db, size_t most);

/* After reading: in the order of series, only the newest row of each. */
void state_newest_sort(struct state_newest *newest);

/* The first entry that is not before `series`; `count` if there is none. */
size_t state_newest_find(const struct state_newest *newest, uint64_t series);

/* Empty and usable again. */
void state_newest_finish(struct state_newest *newest);

#endif
