#include "daemon/state_open_records.h"

#include <stdlib.h>
#include <string.h>

#include "common/xalloc.h"

static struct slice column_slice(sqlite3_stmt *row, int at)
{
	const char *bytes = sqlite3_column_blob(row, at);
	size_t len = (size_t)sqlite3_column_bytes(row, at);

	return (struct slice){len > 0 ? bytes : "", len};
}

/* The lines are copied: a column may lie anywhere. */
static bool read_record(sqlite3_stmt *row, struct open_record *open, uint32_t **lines)
{
	struct slice packed = column_slice(row, 7);
	int stream = sqlite3_column_int(row, 2);

	*open = (struct open_record){
		.patterns = column_slice(row, 1),
		.stream = (enum envelope_stream)stream,
		.state = (unsigned)sqlite3_column_int(row, 3),
		.time_ns = sqlite3_column_int64(row, 4),
		.read_time_ns = sqlite3_column_int64(row, 5),
		.mtime_ns = sqlite3_column_int64(row, 6),
		.text = column_slice(row, 8),
		.line_count = packed.len / sizeof(**lines),
	};
	*lines = xcalloc(open->line_count, sizeof(**lines));
	memcpy(*lines, packed.ptr, open->line_count * sizeof(**lines));
	open->lines = *lines;
	return sqlite3_column_text(row, 0) && stream >= 0 && stream < STREAMS &&
	       open->line_count > 0 && packed.len % sizeof(**lines) == 0;
}

void state_open_records_each(struct state_db *db,
			     void (*visit)(void *ctx, const char *path,
					   const struct open_record *open),
			     void *ctx)
{
	sqlite3_stmt *rows = state_db_statement(
		db, "SELECT path, patterns, stream, state, time_ns, read_time_ns,"
		    " mtime_ns, lines, text FROM open_records ORDER BY rowid");

	while (state_db_step(db, rows)) {
		struct open_record open;
		uint32_t *lines;

		if (read_record(rows, &open, &lines))
			visit(ctx, (const char *)sqlite3_column_text(rows, 0), &open);
		else
			state_db_damaged(db, "an open record makes no sense");
		free(lines);
	}
}

static void bind_slice(sqlite3_stmt *statement, int at, struct slice bytes)
{
	sqlite3_bind_blob64(statement, at, bytes.len > 0 ? bytes.ptr : "", bytes.len,
			    SQLITE_STATIC);
}

void state_open_records_put(struct state_db *db, const char *path,
			    const struct open_record *open)
{
	sqlite3_stmt *put = state_db_statement(
		db, "INSERT INTO open_records VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)");

	sqlite3_bind_text(put, 1, path, -1, SQLITE_STATIC);
	sqlite3_bind_text(put, 2, open->patterns.len > 0 ? open->patterns.ptr : "",
			  (int)open->patterns.len, SQLITE_STATIC);
	sqlite3_bind_int(put, 3, open->stream);
	sqlite3_bind_int(put, 4, (int)open->state);
	sqlite3_bind_int64(put, 5, open->time_ns);
	sqlite3_bind_int64(put, 6, open->read_time_ns);
	sqlite3_bind_int64(put, 7, open->mtime_ns);
	bind_slice(put, 8,
		   (struct slice){(const char *)open->lines,
				  open->line_count * sizeof(*open->lines)});
	bind_slice(put, 9, open->text);
	state_db_step(db, put);
}

void state_open_records_drop(struct state_db *db, const char *path)
{
	sqlite3_stmt *drop =
		state_db_statement(db, "DELETE FROM open_records WHERE path = ?");

	sqlite3_bind_text(drop, 1, path, -1, SQLITE_STATIC);
	state_db_step(db, drop);
}
