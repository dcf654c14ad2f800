#include "daemon/state_schema.h"

/* ---- tables ---- */

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

/* It made views, which are made after the last step now. */
static const char make_first_views[] = "";

/* Where a file that a link led to was when it was opened. */
static const char add_place[] =
	"ALTER TABLE files ADD COLUMN place TEXT;"; /* state 2: rotated, being read */

/*
 * Counters, histograms and gauges that add had no time: theirs is that of the step.
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
	"  AND series >> 32 IN (SELECT id FROM families WHERE kind != 'gauge'));";

/* Records that were not complete when they were saved. */
static const char add_open_records[] =
	"CREATE TABLE open_records ("
	" path TEXT NOT NULL,"
	" patterns TEXT NOT NULL,"  /* '': a line that its envelope cut up */
	" stream INTEGER NOT NULL," /* 0: none, 1: stdout, 2: stderr */
	" state INTEGER NOT NULL,"
	" time_ns INTEGER NOT NULL,"
	" read_time_ns INTEGER NOT NULL,"
	" mtime_ns INTEGER NOT NULL,"
	" lines BLOB NOT NULL,"
	" text BLOB NOT NULL);"
	"CREATE INDEX open_records_by_path ON open_records (path);";

/* What the windows of summaries and the like hold; what numbers of states mean. */
static const char add_panes[] =
	"ALTER TABLE series ADD COLUMN panes BLOB;"
	"ALTER TABLE delta ADD COLUMN panes BLOB;"
	"ALTER TABLE families ADD COLUMN states TEXT;"; /* a list, as JSON */

/* What a copy is of: where that was truncated, reading goes on in the copy. */
static const char add_copy_of[] =
	"ALTER TABLE files ADD COLUMN copy_of INTEGER NOT NULL DEFAULT 0;";

static const char *const steps[] = {make_tables, make_first_views, add_place,
				    add_past,    add_open_records, add_panes,
				    add_copy_of};

/* ---- views ---- */

static const char drop_views[] = "DROP VIEW IF EXISTS metrics;"
				 "DROP VIEW IF EXISTS current;"
				 "DROP VIEW IF EXISTS positions;";

/*
 * max() picks the row that the other columns are taken from.  The row of a number that
 * no series has (born is -1) tells nobody anything.
 */
static const char make_views[] =
	"CREATE VIEW current AS"
	" SELECT name, kind, labels, value, time_ns, buckets, states FROM ("
	"  SELECT f.name AS name, f.kind AS kind, f.states AS states,"
	"   s.labels AS labels,"
	"   CASE WHEN d.id IS NULL THEN s.value ELSE d.value END AS value,"
	"   CASE WHEN d.id IS NULL THEN s.time_ns ELSE d.time_ns END AS time_ns,"
	"   CASE WHEN d.id IS NULL THEN s.buckets ELSE d.buckets END AS buckets"
	"  FROM families f"
	"  JOIN series s ON s.id BETWEEN f.id << 32 AND (f.id << 32) + 4294967295"
	"  LEFT JOIN (SELECT series, max(id) AS id, value, time_ns, buckets"
	"   FROM delta GROUP BY series) d ON d.series = s.id"
	"  WHERE f.removed_at IS NULL AND f.signature IS NOT NULL AND f.kind != 'base'"
	"   AND s.born != -1)"
	" WHERE kind NOT IN ('gauge', 'unique', 'state') OR time_ns != 0;"

	"CREATE VIEW metrics AS"
	" SELECT name || iif(kind IN ('histogram', 'summary'), '_sum', '') ||"
	"  iif(labels = '', '', '{' || labels || '}') AS metric,"
	"  CASE WHEN states NOT NULL"
	"   THEN json_extract(states, '$[' || CAST(value AS INTEGER) || ']')"
	"   WHEN value IS NULL THEN 'NaN'"
	"   WHEN value = CAST(value AS INTEGER) THEN CAST(value AS INTEGER)"
	"   ELSE value END AS value,"
	"  NULL AS buckets FROM current"
	" UNION ALL"
	" SELECT name || '_count' || iif(labels = '', '', '{' || labels || '}'),"
	"  (SELECT CAST(sum(b.value) AS INTEGER)"
	"   FROM json_each('[' || buckets || ']') b), buckets"
	" FROM current WHERE kind IN ('histogram', 'summary');"

	"CREATE VIEW positions AS"
	" SELECT path,"
	"  CASE state WHEN 0 THEN 'reading' WHEN 1 THEN 'finished'"
	"   ELSE 'rotated' END AS state,"
	"  offset_bytes, size_bytes,"
	"  iif(state = 1, 0, max(size_bytes - offset_bytes, 0)) AS unread_bytes,"
	"  datetime(mtime_ns / 1000000000, 'unixepoch') AS modified,"
	"  inode, id AS generation, place"
	" FROM files ORDER BY path, id;";

const struct state_schema state_schema_ours = {steps, sizeof(steps) / sizeof(steps[0]),
					       drop_views, make_views};
