#include "daemon/state_schema.h"

#include <stdio.h>

/*
 * `value` has no type, so that SQLite keeps each double as it is: a column of
 * reals would store -0 as the integer 0.  NULL is NaN.
 */
static const char make_tables[] =
	"CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;"
	"CREATE TABLE families ("
	" id INTEGER PRIMARY KEY,"
	" name TEXT NOT NULL,"
	" kind TEXT NOT NULL,"
	" signature BLOB," /* NULL: being deleted */
	" removed_at INTEGER);"
	"CREATE INDEX families_by_name ON families (name);"
	"CREATE TABLE series ("
	" id INTEGER PRIMARY KEY," /* family << 32 | number */
	" labels TEXT NOT NULL,"
	" born INTEGER NOT NULL,"
	" value,"
	" time_ns INTEGER NOT NULL,"
	" buckets TEXT);"
	"CREATE TABLE delta ("
	" id INTEGER PRIMARY KEY," /* the larger, the newer; without gaps */
	" series INTEGER NOT NULL,"
	" value,"
	" time_ns INTEGER NOT NULL,"
	" buckets TEXT);"
	"CREATE TABLE files ("
	" id INTEGER PRIMARY KEY,"
	" path TEXT NOT NULL,"
	" state INTEGER NOT NULL," /* 0: being read, 1: finished */
	" identity BLOB NOT NULL,"
	" inode INTEGER NOT NULL,"
	" offset_bytes INTEGER NOT NULL,"
	" size_bytes INTEGER NOT NULL,"
	" mtime_ns INTEGER NOT NULL,"
	" head BLOB NOT NULL,"
	" guard BLOB NOT NULL);"
	"CREATE TABLE roots (path TEXT PRIMARY KEY) WITHOUT ROWID;"
	"CREATE TABLE scrapers ("
	" client BLOB PRIMARY KEY,"
	" sequence INTEGER NOT NULL,"
	" heard INTEGER NOT NULL) WITHOUT ROWID;";

/* max() picks the row that the other columns are taken from. */
static const char make_views[] =
	"CREATE VIEW current AS"
	" SELECT f.name AS name, f.kind AS kind, s.labels AS labels,"
	"  CASE WHEN d.id IS NULL THEN s.value ELSE d.value END AS value,"
	"  CASE WHEN d.id IS NULL THEN s.time_ns ELSE d.time_ns END AS time_ns,"
	"  CASE WHEN d.id IS NULL THEN s.buckets ELSE d.buckets END AS buckets"
	" FROM families f"
	" JOIN series s ON s.id BETWEEN f.id << 32 AND (f.id << 32) + 4294967295"
	" LEFT JOIN (SELECT series, max(id) AS id, value, time_ns, buckets"
	"  FROM delta GROUP BY series) d ON d.series = s.id"
	" WHERE f.removed_at IS NULL AND f.signature IS NOT NULL;"

	"CREATE VIEW metrics AS"
	" SELECT name || iif(kind = 'histogram', '_sum', '') ||"
	"  iif(labels = '', '', '{' || labels || '}') AS metric,"
	"  CASE WHEN value IS NULL THEN 'NaN'"
	"   WHEN value = CAST(value AS INTEGER) THEN CAST(value AS INTEGER)"
	"   ELSE value END AS value,"
	"  NULL AS buckets FROM current"
	" UNION ALL"
	" SELECT name || '_count' || iif(labels = '', '', '{' || labels || '}'),"
	"  (SELECT CAST(sum(b.value) AS INTEGER)"
	"   FROM json_each('[' || buckets || ']') b), buckets"
	" FROM current WHERE kind = 'histogram';"

	"CREATE VIEW positions AS"
	" SELECT path, iif(state = 0, 'reading', 'finished') AS state,"
	"  offset_bytes, size_bytes,"
	"  iif(state = 0, max(size_bytes - offset_bytes, 0), 0) AS unread_bytes,"
	"  datetime(mtime_ns / 1000000000, 'unixepoch') AS modified,"
	"  inode, id AS generation"
	" FROM files ORDER BY path, id;";

/* Where a file that a link led to was when it was opened. */
static const char add_place[] =
	"ALTER TABLE files ADD COLUMN place TEXT;" /* state 2: rotated, being read */
	"DROP VIEW positions;"
	"CREATE VIEW positions AS"
	" SELECT path,"
	"  CASE state WHEN 0 THEN 'reading' WHEN 1 THEN 'finished'"
	"   ELSE 'rotated' END AS state,"
	"  offset_bytes, size_bytes,"
	"  iif(state = 1, 0, max(size_bytes - offset_bytes, 0)) AS unread_bytes,"
	"  datetime(mtime_ns / 1000000000, 'unixepoch') AS modified,"
	"  inode, id AS generation, place"
	" FROM files ORDER BY path, id;";

/*
 * Counters, histograms and gauges that add had no time: theirs is that of the step.
 * The row of a number that no series has (born is -1) tells nobody anything.
 */
static const char add_past[] =
	"CREATE TABLE past ("
	" series INTEGER PRIMARY KEY,"
	" sequence INTEGER NOT NULL,"
	" value,"
	" time_ns INTEGER NOT NULL,"
	" buckets TEXT);"

	"UPDATE series SET time_ns = strftime('%s', 'now') * 1000000000"
	" WHERE time_ns < -9000000000000000000 OR (time_ns = 0"
	"  AND id >> 32 IN (SELECT id FROM families WHERE kind != 'gauge'));"
	"UPDATE delta SET time_ns = strftime('%s', 'now') * 1000000000"
	" WHERE time_ns < -9000000000000000000 OR (time_ns = 0"
	"  AND series >> 32 IN (SELECT id FROM families WHERE kind != 'gauge'));"

	"DROP VIEW current;"
	"CREATE VIEW current AS"
	" SELECT name, kind, labels, value, time_ns, buckets FROM ("
	"  SELECT f.name AS name, f.kind AS kind, s.labels AS labels,"
	"   CASE WHEN d.id IS NULL THEN s.value ELSE d.value END AS value,"
	"   CASE WHEN d.id IS NULL THEN s.time_ns ELSE d.time_ns END AS time_ns,"
	"   CASE WHEN d.id IS NULL THEN s.buckets ELSE d.buckets END AS buckets"
	"  FROM families f"
	"  JOIN series s ON s.id BETWEEN f.id << 32 AND (f.id << 32) + 4294967295"
	"  LEFT JOIN (SELECT series, max(id) AS id, value, time_ns, buckets"
	"   FROM delta GROUP BY series) d ON d.series = s.id"
	"  WHERE f.removed_at IS NULL AND f.signature IS NOT NULL AND f.kind != 'base'"
	"   AND s.born != -1)"
	" WHERE kind != 'gauge' OR time_ns != 0;";

static const char *const steps[] = {make_tables, make_views, add_place, add_past};

const struct state_schema state_schema_ours = {steps, sizeof(steps) / sizeof(steps[0])};

static const char look_at_files[] =
	"SELECT id, path, state, identity, inode, offset_bytes, size_bytes, mtime_ns,"
	" head, guard, place FROM files LIMIT 1";

/* Each is made ready and finds its first row: the tables are there and readable. */
static const char *const looks[] = {
	"SELECT key, value FROM meta LIMIT 1",
	"SELECT id, name, kind, signature, removed_at FROM families LIMIT 1",
	"SELECT id, labels, born, value, time_ns, buckets FROM series LIMIT 1",
	"SELECT id, series, value, time_ns, buckets FROM delta LIMIT 1",
	"SELECT series, sequence, value, time_ns, buckets FROM past LIMIT 1",
	look_at_files,
	"SELECT path FROM roots LIMIT 1",
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
	for (; version < schema->count; version++)
		state_db_run(db, schema->steps[version]);
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
