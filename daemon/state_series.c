#include "daemon/state_series.h"

#include "daemon/state_value.h"

static void bind_labels(sqlite3_stmt *statement, int at, struct slice labels)
{
	sqlite3_bind_text(statement, at, labels.ptr ? labels.ptr : "", (int)labels.len,
			  SQLITE_STATIC);
}

void state_series_put_value(struct state_db *db, uint64_t family_id, uint32_t number,
			    const struct state_value *value)
{
	sqlite3_stmt *put =
		state_db_statement(db, "INSERT INTO delta (series, value, time_ns, "
				       "buckets, panes) VALUES (?, ?, ?, ?, ?)");

	sqlite3_bind_int64(put, 1, (sqlite3_int64)state_series_id(family_id, number));
	state_value_bind(put, 2, value);
	state_value_bind_panes(put, 5, value);
	state_db_step(db, put);
}

/* A row that is free has no sequence of birth. */
#define BORN_FREE (-1)

static void bind_born(sqlite3_stmt *statement, int at,
		      const struct state_series *series)
{
	sqlite3_bind_int64(statement, at,
			   series->is_free ? BORN_FREE : (sqlite3_int64)series->born);
}

static void forget_past(struct state_db *db, uint64_t id)
{
	sqlite3_stmt *forget =
		state_db_statement(db, "DELETE FROM past WHERE series = ?");

	sqlite3_bind_int64(forget, 1, (sqlite3_int64)id);
	state_db_step(db, forget);
}

/*
 * The row is another series' whose number it has now; or a commit that was told to have
 * failed was made after all.
 */
static void put_again(struct state_db *db, uint64_t family_id,
		      const struct state_series *series)
{
	sqlite3_stmt *again = state_db_statement(
		db, "UPDATE series SET labels = ?2, born = ?3 WHERE id = ?1");
	uint64_t id = state_series_id(family_id, series->number);

	sqlite3_bind_int64(again, 1, (sqlite3_int64)id);
	bind_labels(again, 2, series->labels);
	bind_born(again, 3, series);
	state_db_step(db, again);
	forget_past(db, id);
	state_series_put_value(db, family_id, series->number, &series->value);
}

void state_series_put(struct state_db *db, uint64_t family_id,
		      const struct state_series *series)
{
	sqlite3_stmt *put = state_db_statement(
		db, "INSERT INTO series (id, labels, born, value, time_ns, buckets,"
		    " panes) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING");
	uint64_t id = state_series_id(family_id, series->number);

	sqlite3_bind_int64(put, 1, (sqlite3_int64)id);
	bind_labels(put, 2, series->labels);
	bind_born(put, 3, series);
	state_value_bind(put, 4, &series->value);
	state_value_bind_panes(put, 7, &series->value);
	state_db_step(db, put);
	if (!state_db_failed(db) && sqlite3_changes(state_db_handle(db)) == 0)
		put_again(db, family_id, series);
}

void state_pasts_put(struct state_db *db, uint64_t family_id,
		     const struct state_past *past)
{
	sqlite3_stmt *put = state_db_statement(
		db, "INSERT OR REPLACE INTO past (series, sequence, value, time_ns,"
		    " buckets) VALUES (?, ?, ?, ?, ?)");

	sqlite3_bind_int64(put, 1,
			   (sqlite3_int64)state_series_id(family_id, past->number));
	sqlite3_bind_int64(put, 2, (sqlite3_int64)past->sequence);
	state_value_bind(put, 3, &past->value);
	state_db_step(db, put);
}

/* ---- reading ---- */

void state_pasts_each(struct state_db *db, uint64_t family_id,
		      void (*visit)(void *ctx, const struct state_past *past),
		      void *ctx)
{
	sqlite3_stmt *rows = state_db_statement(
		db, "SELECT series, sequence, value, time_ns, buckets FROM past"
		    " WHERE series BETWEEN ?1 << 32 AND (?1 << 32) + 4294967295"
		    " ORDER BY series");

	sqlite3_bind_int64(rows, 1, (sqlite3_int64)family_id);
	while (state_db_step(db, rows)) {
		struct state_past past = {
			.number = (uint32_t)sqlite3_column_int64(rows, 0),
			.sequence = (uint64_t)sqlite3_column_int64(rows, 1),
		};
		struct state_buckets buckets;

		if (state_value_read(rows, 2, &past.value, &buckets))
			visit(ctx, &past);
		else
			state_db_damaged(db, "what a series was makes no sense");
	}
}

static bool read_value(sqlite3_stmt *row, int first, struct state_value *value,
		       struct state_buckets *buckets)
{
	bool ok = state_value_read(row, first, value, buckets);

	state_value_read_panes(row, first + 3, value);
	return ok;
}

/* The caller resets it when done with the value. */
static bool read_newer_value(struct state_db *db, sqlite3_stmt *newer, int64_t row,
			     struct state_value *value, struct state_buckets *buckets)
{
	sqlite3_bind_int64(newer, 1, row);
	return state_db_step(db, newer) && read_value(newer, 0, value, buckets);
}

static struct state_series series_of(sqlite3_stmt *row)
{
	struct state_series series = {
		.number = (uint32_t)sqlite3_column_int64(row, 0),
		.born = (uint64_t)sqlite3_column_int64(row, 2),
		.is_free = sqlite3_column_int64(row, 2) == BORN_FREE,
	};

	series.labels.ptr = (const char *)sqlite3_column_text(row, 1);
	series.labels.len = (size_t)sqlite3_column_bytes(row, 1);
	return series;
}

void state_series_each(struct state_db *db, const struct state_newest *newest,
		       uint64_t family_id,
		       void (*visit)(void *ctx, const struct state_series *series),
		       void *ctx)
{
	sqlite3_stmt *rows = state_db_statement(
		db, "SELECT id, labels, born, value, time_ns, buckets, panes"
		    " FROM series WHERE id BETWEEN ?1 << 32 AND (?1 << 32) + 4294967295"
		    " ORDER BY id");
	sqlite3_stmt *newer = state_db_statement(
		db, "SELECT value, time_ns, buckets, panes FROM delta WHERE id = ?");
	uint64_t id = state_series_id(family_id, 0);
	size_t at = state_newest_find(newest, id);

	sqlite3_bind_int64(rows, 1, (sqlite3_int64)family_id);
	for (; state_db_step(db, rows); id++) {
		struct state_series series = series_of(rows);
		struct state_buckets buckets;
		bool ok = (uint64_t)sqlite3_column_int64(rows, 0) == id;

		while (at < newest->count && newest->list[at].series < id)
			at++;
		if (at < newest->count && newest->list[at].series == id)
			ok = ok && read_newer_value(db, newer, newest->list[at].row,
						    &series.value, &buckets);
		else
			ok = ok && read_value(rows, 3, &series.value, &buckets);
		if (ok)
			visit(ctx, &series);
		else
			state_db_damaged(db, "the series of a metric make no sense");
		sqlite3_reset(newer);
	}
}

uint64_t state_series_count(struct state_db *db)
{
	/* Numbers have no gaps, so the last one of each family tells. */
	return (uint64_t)state_db_number(
		db,
		"SELECT sum((SELECT coalesce(max(s.id) + 1, f.id << 32) FROM series s"
		" WHERE s.id BETWEEN f.id << 32 AND (f.id << 32) + 4294967295)"
		" - (f.id << 32)) FROM families f",
		0);
}

/* ---- forgetting ---- */

static void forget_pasts(struct state_db *db, uint64_t family_id)
{
	sqlite3_stmt *forget =
		state_db_statement(db, "DELETE FROM past WHERE series BETWEEN ?1 << 32"
				       " AND (?1 << 32) + 4294967295");

	sqlite3_bind_int64(forget, 1, (sqlite3_int64)family_id);
	state_db_step(db, forget);
}

bool state_series_forget(struct state_db *db, uint64_t family_id, int most)
{
	sqlite3_stmt *forget = state_db_statement(
		db, "DELETE FROM series WHERE id IN (SELECT id FROM series"
		    " WHERE id BETWEEN ?1 << 32 AND (?1 << 32) + 4294967295 LIMIT ?2)");

	sqlite3_bind_int64(forget, 1, (sqlite3_int64)family_id);
	sqlite3_bind_int(forget, 2, most);
	state_db_step(db, forget);
	if (state_db_failed(db) || sqlite3_changes(state_db_handle(db)) == most)
		return !state_db_failed(db);
	forget_pasts(db, family_id);
	return false;
}
