#include "daemon/state_newest.h"

#include <stdlib.h>
#include <string.h>

#include "common/xalloc.h"

bool state_newest_read(struct state_newest *newest, struct state_db *db, size_t most)
{
	sqlite3_stmt *rows = state_db_statement(
		db, "SELECT id, series FROM delta WHERE id > ? ORDER BY id");
	size_t done = 0;

	sqlite3_bind_int64(rows, 1, newest->last_row);
	while (done < most && state_db_step(db, rows)) {
		newest->list =
			xgrow(newest->list, newest->count, sizeof(*newest->list));
		newest->last_row = sqlite3_column_int64(rows, 0);
		newest->list[newest->count++] = (struct state_newest_entry){
			(uint64_t)sqlite3_column_int64(rows, 1), newest->last_row};
		done++;
	}
	sqlite3_reset(rows);
	return done == most;
}

/* One digit of a radix sort: stable, so that rows stay in their order. */
static void sort_by_byte(const struct state_newest_entry *from,
			 struct state_newest_entry *to, size_t count, unsigned shift)
{
	size_t place[257] = {0};

	for (size_t i = 0; i < count; i++)
		place[(from[i].series >> shift & 0xff) + 1]++;
	for (size_t i = 1; i < 257; i++)
		place[i] += place[i - 1];
	for (size_t i = 0; i < count; i++)
		to[place[from[i].series >> shift & 0xff]++] = from[i];
}

static void keep_last_of_each(struct state_newest *newest)
{
	size_t kept = 0;

	for (size_t i = 0; i < newest->count; i++) {
		if (kept > 0 && newest->list[kept - 1].series == newest->list[i].series)
			kept--;
		newest->list[kept++] = newest->list[i];
	}
	newest->count = kept;
}

void state_newest_sort(struct state_newest *newest)
{
	struct state_newest_entry *spare = xcalloc(newest->count, sizeof(*spare));
	uint64_t differing = 0;

	for (size_t i = 1; i < newest->count; i++)
		differing |= newest->list[i].series ^ newest->list[0].series;
	for (unsigned shift = 0; shift < 64; shift += 8) {
		struct state_newest_entry *sorted = spare;

		if ((differing >> shift & 0xff) == 0)
			continue;
		sort_by_byte(newest->list, sorted, newest->count, shift);
		spare = newest->list;
		newest->list = sorted;
	}
	free(spare);
	keep_last_of_each(newest);
}

size_t state_newest_find(const struct state_newest *newest, uint64_t series)
{
	size_t from = 0, until = newest->count;

	while (from < until) {
		size_t middle = from + (until - from) / 2;

		if (newest->list[middle].series < series)
			from = middle + 1;
		else
			until = middle;
	}
	return from;
}

void state_newest_finish(struct state_newest *newest)
{
	free(newest->list);
	*newest = (struct state_newest)STATE_NEWEST_INIT;
}
