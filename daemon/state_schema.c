#include "daemon/state_schema.h"

#include <stdio.h>

static const char look_at_files[] =
	"SELECT id, path, state, identity, inode, offset_bytes, size_bytes, mtime_ns,"
	" head, guard, place, copy_of FROM files LIMIT 1";

/* Each is made ready and finds its first row: the tables are there and readable. */
static const char *const looks[] = {
	"SELECT key, value FROM meta LIMIT 1",
	"SELECT id, name, kind, signature, removed_at, states FROM families LIMIT 1",
	"SELECT id, labels, born, value, time_ns, buckets, panes FROM series LIMIT 1",
	"SELECT id, series, value, time_ns, buckets, panes FROM delta LIMIT 1",
	"SELECT series, sequence, value, time_ns, buckets FROM past LIMIT 1",
	look_at_files,
	"SELECT path FROM roots LIMIT 1",
	"SELECT path, patterns, text FROM open_records LIMIT 1",
	"SELECT client, sequence, heard FROM scrapers LIMIT 1",
};

static void set_number(struct state_db *db, const char *pragma, size_t number)
{
	char text[64];

	snprintf(text, sizeof(text), "PRAGMA %s = %zu", pragma, number);
	state_db_run(db, text);
}

static void migrate(struct state_db *db, const struct state_schema *schema,
		    size_t version)
{
	state_db_run(db, "BEGIN IMMEDIATE");
	if (schema->drop_views)
		state_db_run(db, schema->drop_views);
	for (; version < schema->count; version++)
		state_db_run(db, schema->steps[version]);
	if (schema->make_views)
		state_db_run(db, schema->make_views);
	set_number(db, "application_id", STATE_APPLICATION_ID);
	set_number(db, "user_version", schema->count);
	state_db_run(db, "COMMIT");
}

static void enter_wal_mode(struct state_db *db)
{
	sqlite3_stmt *mode = state_db_statement(db, "PRAGMA journal_mode = WAL");

	if (!state_db_step(db, mode))
		return;
	/* Its file system cannot share memory, or there is a reader. */
	if (sqlite3_stricmp((const char *)sqlite3_column_text(mode, 0), "wal") != 0)
		state_db_refuse(db, "the file system does not allow a write-ahead log");
	sqlite3_reset(mode);
}

void state_schema_create(struct state_db *db, const struct state_schema *schema)
{
	/* Nobody sees the file before it is complete: a journal would be waste. */
	state_db_run(db, "PRAGMA journal_mode = MEMORY");
	migrate(db, schema, 0);
	enter_wal_mode(db);
}

static void look_at_tables(struct state_db *db)
{
	for (size_t i = 0; i < sizeof(looks) / sizeof(looks[0]); i++)
		state_db_number(db, looks[i], 0);
}

const char *state_schema_adopt(struct state_db *db, const struct state_schema *schema)
{
	sqlite3_int64 id = state_db_number(db, "PRAGMA application_id", 0);
	sqlite3_int64 version = state_db_number(db, "PRAGMA user_version", 0);

	if (!state_db_failed(db) && id != STATE_APPLICATION_ID)
		return "foreign";
	if (version > (sqlite3_int64)schema->count)
		return "newer";
	enter_wal_mode(db);
	if (version < (sqlite3_int64)schema->count)
		migrate(db, schema, version > 0 ? (size_t)version : 0);
	look_at_tables(db);
	return state_db_damage(db) != STATE_DB_SOUND ? "corrupt" : NULL;
}
