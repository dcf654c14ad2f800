#include "daemon/state_rows.h"

#include <string.h>

/* uint64_t is stored as the signed number of the same bits. */
static uint64_t column_uint64(sqlite3_stmt *row, int at)
{
	return (uint64_t)sqlite3_column_int64(row, at);
}

static void bind_uint64(sqlite3_stmt *statement, int at, uint64_t number)
{
	sqlite3_bind_int64(statement, at, (sqlite3_int64)number);
}

static bool column_blob(sqlite3_stmt *row, int at, void *out, size_t most_bytes,
			size_t *bytes)
{
	const void *blob = sqlite3_column_blob(row, at);

	*bytes = (size_t)sqlite3_column_bytes(row, at);
	if (*bytes > most_bytes)
		return false;
	if (*bytes > 0)
		memcpy(out, blob, *bytes);
	return true;
}

/* ---- meta ---- */

struct state_meta state_meta_read(struct state_db *db)
{
	return (struct state_meta){
		.sequence = (uint64_t)state_db_number(
			db, "SELECT value FROM meta WHERE key = 'sequence'", 0),
		.caught_up = state_db_number(
			db, "SELECT value FROM meta WHERE key = 'caught_up'", 0),
		.lost = state_db_number(db, "SELECT value FROM meta WHERE key = 'lost'",
					0),
	};
}

static void put_meta(struct state_db *db, const char *key, uint64_t value)
{
	sqlite3_stmt *put =
		state_db_statement(db, "INSERT OR REPLACE INTO meta VALUES (?, ?)");

	sqlite3_bind_text(put, 1, key, -1, SQLITE_STATIC);
	bind_uint64(put, 2, value);
	state_db_step(db, put);
}

void state_meta_write(struct state_db *db, const struct state_meta *before,
		      const struct state_meta *now)
{
	if (now->sequence != before->sequence)
		put_meta(db, "sequence", now->sequence);
	if (now->caught_up != before->caught_up)
		put_meta(db, "caught_up", now->caught_up);
	if (now->lost != before->lost)
		put_meta(db, "lost", now->lost);
}

/* ---- files ---- */

/* In the order in which they came to be. */
static const enum checkpoint_state states[] = {CHECKPOINT_ACTIVE, CHECKPOINT_FINISHED,
					       CHECKPOINT_ROTATED};
#define STATES (sizeof(states) / sizeof(states[0]))

static enum checkpoint_state state_of(int number)
{
	return number >= 0 && number < (int)STATES ? states[number] : CHECKPOINT_ACTIVE;
}

static int number_of(enum checkpoint_state state)
{
	int number = 0;

	while (number + 1 < (int)STATES && states[number] != state)
		number++;
	return number;
}

static bool read_checkpoint(sqlite3_stmt *row, struct checkpoint *c)
{
	size_t identity, head, guard;

	*c = (struct checkpoint){
		.id = column_uint64(row, 0),
		.path = (const char *)sqlite3_column_text(row, 1),
		.state = state_of(sqlite3_column_int(row, 2)),
		.inode = column_uint64(row, 4),
		.offset_bytes = column_uint64(row, 5),
		.size_bytes = column_uint64(row, 6),
		.mtime_ns = sqlite3_column_int64(row, 7),
		.place = (const char *)sqlite3_column_text(row, 10),
		.copy_of = column_uint64(row, 11),
	};
	if (!c->path ||
	    !column_blob(row, 3, c->identity.bytes, sizeof(c->identity.bytes),
			 &identity) ||
	    identity != sizeof(c->identity.bytes) ||
	    !column_blob(row, 8, c->head, sizeof(c->head), &head) ||
	    !column_blob(row, 9, c->guard, sizeof(c->guard), &guard))
		return false;
	c->head_bytes = (unsigned char)head;
	c->guard_bytes = (unsigned char)guard;
	return true;
}

void state_files_each(struct state_db *db,
		      void (*visit)(void *ctx, const struct checkpoint *checkpoint),
		      void *ctx)
{
	sqlite3_stmt *rows = state_db_statement(
		db, "SELECT id, path, state, identity, inode, offset_bytes,"
		    " size_bytes, mtime_ns, head, guard, place, copy_of FROM files"
		    " ORDER BY id");

	while (state_db_step(db, rows)) {
		struct checkpoint checkpoint;

		if (read_checkpoint(rows, &checkpoint))
			visit(ctx, &checkpoint);
		else
			state_db_damaged(db, "the position in a file makes no sense");
	}
}

void state_files_put(struct state_db *db, const struct checkpoint *c)
{
	sqlite3_stmt *put =
		state_db_statement(db, "INSERT OR REPLACE INTO files"
				       " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");

	bind_uint64(put, 1, c->id);
	sqlite3_bind_text(put, 2, c->path, -1, SQLITE_STATIC);
	sqlite3_bind_int(put, 3, number_of(c->state));
	sqlite3_bind_blob(put, 4, c->identity.bytes, sizeof(c->identity.bytes),
			  SQLITE_STATIC);
	bind_uint64(put, 5, c->inode);
	bind_uint64(put, 6, c->offset_bytes);
	bind_uint64(put, 7, c->size_bytes);
	sqlite3_bind_int64(put, 8, c->mtime_ns);
	sqlite3_bind_blob(put, 9, c->head, c->head_bytes, SQLITE_STATIC);
	sqlite3_bind_blob(put, 10, c->guard, c->guard_bytes, SQLITE_STATIC);
	sqlite3_bind_text(put, 11, c->place, -1, SQLITE_STATIC);
	bind_uint64(put, 12, c->copy_of);
	state_db_step(db, put);
}

void state_files_drop(struct state_db *db, uint64_t id)
{
	sqlite3_stmt *drop = state_db_statement(db, "DELETE FROM files WHERE id = ?");

	bind_uint64(drop, 1, id);
	state_db_step(db, drop);
}

/* ---- roots ---- */

void state_roots_each(struct state_db *db, void (*visit)(void *ctx, const char *path),
		      void *ctx)
{
	sqlite3_stmt *rows =
		state_db_statement(db, "SELECT path FROM roots ORDER BY path");

	while (state_db_step(db, rows))
		visit(ctx, (const char *)sqlite3_column_text(rows, 0));
}

void state_roots_put(struct state_db *db, const char *path)
{
	sqlite3_stmt *put =
		state_db_statement(db, "INSERT OR IGNORE INTO roots VALUES (?)");

	sqlite3_bind_text(put, 1, path, -1, SQLITE_STATIC);
	state_db_step(db, put);
}

/* ---- scrapers ---- */

void state_scrapers_each(struct state_db *db,
			 void (*visit)(void *ctx, const struct state_scraper *scraper),
			 void *ctx)
{
	sqlite3_stmt *rows = state_db_statement(
		db, "SELECT client, sequence, heard FROM scrapers ORDER BY heard");

	while (state_db_step(db, rows)) {
		struct state_scraper scraper = {
			.sequence = column_uint64(rows, 1),
			.heard = column_uint64(rows, 2),
		};
		size_t bytes;

		if (column_blob(rows, 0, scraper.client, sizeof(scraper.client),
				&bytes) &&
		    bytes == sizeof(scraper.client))
			visit(ctx, &scraper);
		else
			state_db_damaged(db, "a scraper makes no sense");
	}
}

static void put_scraper(struct state_db *db, const struct state_scraper *scraper)
{
	sqlite3_stmt *put = state_db_statement(
		db, "INSERT OR REPLACE INTO scrapers VALUES (?, ?, ?)");

	sqlite3_bind_blob(put, 1, scraper->client, sizeof(scraper->client),
			  SQLITE_STATIC);
	bind_uint64(put, 2, scraper->sequence);
	bind_uint64(put, 3, scraper->heard);
	state_db_step(db, put);
}

void state_scrapers_replace(struct state_db *db, const struct state_scraper *scrapers,
			    size_t count)
{
	state_db_step(db, state_db_statement(db, "DELETE FROM scrapers"));
	for (size_t i = 0; i < count; i++)
		put_scraper(db, &scrapers[i]);
}
