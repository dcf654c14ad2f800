#include "daemon/state_fold.h"

#include "common/clock.h"
#include "daemon/state_series.h"

#define STEP_NS (2 * NS_PER_MS)

/* So many rows between two looks at the clock. */
#define READ_ROWS 4096
#define WRITE_ROWS 64
#define DELETE_ROWS 1024

/* Deleted from the low end, appended at the high one: no gaps. */
static uint64_t delta_rows(struct state_db *db)
{
	sqlite3_int64 first = state_db_number(db, "SELECT min(id) FROM delta", 1);

	return (uint64_t)(state_db_number(db, "SELECT max(id) FROM delta", 0) + 1 -
			  first);
}

bool state_fold_is_due(const struct state_fold *fold, struct state_db *db,
		       uint64_t least_rows)
{
	uint64_t rows;

	if (fold->phase != FOLD_IDLE)
		return true;
	rows = delta_rows(db);
	return rows > least_rows && rows > state_series_count(db) / 4;
}

/* True if the phase has more to do. */
static bool read_rows(struct state_fold *fold, struct state_db *db)
{
	if (state_newest_read(&fold->newest, db, READ_ROWS))
		return true;
	state_newest_sort(&fold->newest);
	return false;
}

static bool write_values(struct state_fold *fold, struct state_db *db)
{
	sqlite3_stmt *write = state_db_statement(
		db, "UPDATE series SET (value, time_ns, buckets, panes) = (SELECT"
		    " value, time_ns, buckets, panes FROM delta WHERE id = ?2)"
		    " WHERE id = ?1");
	size_t until = fold->written + WRITE_ROWS;

	for (; fold->written < until && fold->written < fold->newest.count;
	     fold->written++) {
		const struct state_newest_entry *entry =
			&fold->newest.list[fold->written];

		sqlite3_bind_int64(write, 1, (sqlite3_int64)entry->series);
		sqlite3_bind_int64(write, 2, entry->row);
		state_db_step(db, write);
	}
	return fold->written < fold->newest.count;
}

static bool delete_rows(struct state_fold *fold, struct state_db *db)
{
	int64_t first = state_db_number(db, "SELECT min(id) FROM delta", INT64_MAX);
	sqlite3_stmt *delete =
		state_db_statement(db, "DELETE FROM delta WHERE id < ?1 AND id <= ?2");

	if (first > fold->newest.last_row)
		return false;
	sqlite3_bind_int64(delete, 1, first + DELETE_ROWS);
	sqlite3_bind_int64(delete, 2, fold->newest.last_row);
	state_db_step(db, delete);
	return true;
}

static bool (*const phases[])(struct state_fold *fold, struct state_db *db) = {
	[FOLD_READ] = read_rows,
	[FOLD_WRITE] = write_values,
	[FOLD_DELETE] = delete_rows,
};

void state_fold_step(struct state_fold *fold, struct state_db *db)
{
	int64_t until_ns = clock_monotonic_ns() + STEP_NS;

	if (fold->phase == FOLD_IDLE)
		fold->phase = FOLD_READ;
	do {
		if (phases[fold->phase](fold, db))
			continue;
		if (fold->phase == FOLD_DELETE) {
			state_fold_finish(fold);
			return;
		}
		fold->phase++;
	} while (!state_db_failed(db) && clock_monotonic_ns() < until_ns);
}

void state_fold_finish(struct state_fold *fold)
{
	state_newest_finish(&fold->newest);
	*fold = (struct state_fold)STATE_FOLD_INIT;
}
