/* Databases of older versions. */
#include "daemon/state_schema.h"

#include "state_fixture.h"

TestSuite(state_schema, .init = start, .fini = stop);

#define MAKE_META "CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;"

static const char *const planted[] = {
	(MAKE_META "CREATE TABLE old (x); INSERT INTO old VALUES (1)"),
	"ALTER TABLE old RENAME TO young; UPDATE young SET x = x + 1",
	"UPDATE young SET x = x * 10",
	"UPDATE young SET x = x + 5; UPDATE there_is_no_such_table SET x = 1",
};

/* A file made by a program that knew the first steps only. */
static void plant(const struct state_schema *schema)
{
	const char *path = path_of("state.db");
	int fd = open(path, O_WRONLY | O_CREAT, 0640);
	struct state_db *db;

	close(fd);
	db = state_db_open(path, true);
	state_schema_create(db, schema);
	cr_assert(state_db_settle(db, "create", &err), "%s", err.text);
	state_db_close(db);
}

static const char *adopt(const struct state_schema *schema)
{
	struct state_db *db = state_db_open(path_of("state.db"), true);
	const char *why = state_schema_adopt(db, schema);

	state_db_settle(db, "open", &err);
	state_db_close(db);
	return why;
}

Test(state_schema, a_new_database_takes_every_step)
{
	plant(&(struct state_schema){planted, 3});
	cr_expect_str_eq(query("SELECT x FROM young"), "20");
	cr_expect_str_eq(query("PRAGMA user_version"), "3");
	cr_expect_str_eq(query("PRAGMA application_id"), "1818719340");
	cr_expect_str_eq(query("PRAGMA journal_mode"), "wal");
}

Test(state_schema, an_older_database_takes_the_steps_that_lack)
{
	plant(&(struct state_schema){planted, 1});
	cr_expect_str_eq(query("SELECT x FROM old"), "1");
	adopt(&(struct state_schema){planted, 3});
	cr_expect_str_eq(query("SELECT x FROM young"), "20");
	cr_expect_str_eq(query("PRAGMA user_version"), "3");
	adopt(&(struct state_schema){planted, 3});
	cr_expect_str_eq(query("SELECT x FROM young"), "20", "each step once");
}

Test(state_schema, views_are_those_of_the_newest_version)
{
	const char *drop = "DROP VIEW IF EXISTS seen";

	plant(&(struct state_schema){planted, 1, drop,
				     "CREATE VIEW seen AS SELECT x FROM old"});
	cr_expect_str_eq(query("SELECT * FROM seen"), "1");
	adopt(&(struct state_schema){planted, 2, drop,
				     "CREATE VIEW seen AS SELECT x + 100 FROM young"});
	cr_expect_str_eq(query("SELECT * FROM seen"), "102");
}

Test(state_schema, of_steps_that_fail_none_is_taken)
{
	plant(&(struct state_schema){planted, 1});
	cr_expect_str_eq(adopt(&(struct state_schema){planted, 4}), "corrupt");
	cr_expect_str_eq(query("SELECT x FROM old"), "1");
	cr_expect_str_eq(query("PRAGMA user_version"), "1");
}

Test(state_schema, a_newer_one_is_left_alone)
{
	plant(&(struct state_schema){planted, 3});
	cr_expect_str_eq(adopt(&(struct state_schema){planted, 2}), "newer");
	cr_expect_str_eq(query("SELECT x FROM young"), "20");
}

Test(state_schema, state_of_the_first_version_is_resumed_with_the_views_of_today)
{
	struct state_schema first = {state_schema_ours.steps, 1};

	plant(&first);
	query("INSERT INTO meta VALUES ('sequence', 7), ('last_family', 1);"
	      "INSERT INTO families VALUES (1, 'hits_total', 'counter',"
	      " CAST('sig-hits' AS BLOB), NULL);"
	      "INSERT INTO series VALUES (1 << 32, 'a', 0, 5, 0, NULL);"
	      "INSERT INTO delta VALUES (1, 1 << 32, 6, 0, NULL)");
	open_state();
	cr_expect_eq(found, STATE_RESUMED);
	cr_expect_eq(state_sequence(state), 7);
	cr_expect_str_eq(loaded(&hits), "a=6");
	cr_expect_str_eq(query("SELECT * FROM metrics"), "hits_total{a}|6|");
	cr_expect_str_eq(query("SELECT states, panes FROM families JOIN series"), "|",
			 "what it could not have has no window and no states");
	cr_expect_eq(names_with("state.db."), 0);
}

Test(state_schema, what_had_no_time_is_as_old_as_the_step_to_version_4)
{
	struct state_schema third = {state_schema_ours.steps, 3};
	const char *times = "SELECT (time_ns / 1000000000 - strftime('%s', 'now')) / 60"
			    " FROM (SELECT id, time_ns FROM series UNION ALL SELECT"
			    " series, time_ns FROM delta)"
			    " ORDER BY id, time_ns";

	plant(&third);
	query("INSERT INTO meta VALUES ('sequence', 7), ('last_family', 3);"
	      "INSERT INTO families VALUES"
	      " (1, 'hits_total', 'counter', CAST('sig-hits' AS BLOB), NULL),"
	      " (2, 'level', 'gauge', CAST('sig-level' AS BLOB), NULL),"
	      " (3, 'in_flight', 'gauge', CAST('sig' AS BLOB), NULL);"
	      "INSERT INTO series VALUES (1 << 32, 'a', 0, 5, 0, NULL),"
	      " (2 << 32, '', 0, 3, 60000000000, NULL),"
	      " ((2 << 32) + 1, 'never', 0, 0, 0, NULL),"
	      " (3 << 32, '', 0, 3, -9223372036854775808, NULL);"
	      "INSERT INTO delta VALUES (1, 1 << 32, 6, 0, NULL)");
	open_state();
	cr_expect_eq(found, STATE_RESUMED);
	cr_expect_str_eq(loaded(&hits), "a=6");
	close_state();
	cr_expect(strstr(query(times), "0 0 -") == text.ptr, "%s", text.ptr);
	cr_expect_str_eq(query("SELECT metric, value FROM metrics ORDER BY metric"),
			 "hits_total{a}|6 in_flight|3 level|3");
	cr_expect_str_eq(query("SELECT count(*) FROM series WHERE time_ns IN"
			       " (0, 60000000000)"),
			 "2", "what has a time, or no value, stays");
}
