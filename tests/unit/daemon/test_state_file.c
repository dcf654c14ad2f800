/* What is found in the directory at the start, and what becomes of it. */
#include "state_fixture.h"

TestSuite(state_file, .init = start, .fini = stop);

static void write_file(const char *name, const char *bytes, size_t len)
{
	int fd = open(path_of(name), O_WRONLY | O_CREAT | O_TRUNC, 0644);

	cr_assert_neq(fd, -1);
	cr_assert_eq(write(fd, bytes, len), (ssize_t)len);
	close(fd);
}

static void copy_file(const char *from, const char *to)
{
	char *command = xasprintf("cp %s/%s %s/%s", dir, from, dir, to);

	cr_assert_eq(system(command), 0);
	free(command);
}

/* A database with the values of save_some(); nothing open, no -wal. */
static void leave_saved(void)
{
	open_state();
	save_some();
	close_state();
}

/* As a process that was killed leaves it: all of it is in the -wal only. */
static void leave_unfinished(void)
{
	open_state();
	save_some();
	copy_file("state.db", "db");
	copy_file("state.db-wal", "wal");
	close_state();
	cr_assert_eq(rename(path_of("db"), path_of("state.db")), 0);
	cr_assert_eq(rename(path_of("wal"), path_of("state.db-wal")), 0);
}

/* The new one has nothing, and remembers why until something is committed. */
static void expect_lost(const char *why)
{
	char prefix[32];

	snprintf(prefix, sizeof(prefix), "state.db.%s-2", why);
	open_state();
	cr_expect_eq(found, STATE_LOST);
	cr_expect_geq(names_with(prefix), 1);
	cr_expect_eq(size_of("state.db.new"), -1);
	cr_expect_eq(size_of("state.db.next"), -1);
	cr_expect_str_eq(loaded(&hits), "");
	reopen();
	cr_expect_eq(found, STATE_LOST, "until there is a commit");
	cr_expect_str_eq(loaded(&hits), "");
	save_some();
	reopen();
	cr_expect_eq(found, STATE_RESUMED);
	cr_expect_str_eq(loaded(&hits), "a=1 b=2");
}

Test(state_file, what_a_killed_process_committed_is_resumed)
{
	leave_unfinished();
	open_state();
	cr_expect_eq(found, STATE_RESUMED);
	cr_expect_str_eq(loaded(&hits), "a=1 b=2");
}

Test(state_file, an_empty_file_is_a_lost_database)
{
	leave_saved();
	cr_assert_eq(truncate(path_of("state.db"), 0), 0);
	expect_lost("corrupt");
}

Test(state_file, an_empty_file_keeps_its_wal_when_it_is_set_aside)
{
	int64_t wal;

	leave_unfinished();
	wal = size_of("state.db-wal");
	cr_assert_eq(truncate(path_of("state.db"), 0), 0);
	open_state();
	cr_expect_eq(found, STATE_LOST);
	cr_expect_eq(names_with("state.db.corrupt-"), 2);
	close_state();
	cr_expect_gt(wal, 0);
	cr_expect_eq(names_with("state.db-wal"), 0);
}

Test(state_file, garbage_is_a_lost_database)
{
	char garbage[10000];

	memset(garbage, 'x', sizeof(garbage));
	write_file("state.db", garbage, sizeof(garbage));
	expect_lost("corrupt");
	cr_expect_eq(names_with("state.db.corrupt-"), 1);
}

Test(state_file, a_few_bytes_are_a_lost_database)
{
	write_file("state.db", "SQLite format 3", 15);
	expect_lost("corrupt");
}

Test(state_file, a_truncated_database_is_lost)
{
	leave_saved();
	cr_assert_eq(truncate(path_of("state.db"), 8192 + 100), 0);
	expect_lost("corrupt");
}

Test(state_file, a_database_without_one_of_the_tables_is_lost)
{
	leave_saved();
	query("DROP TABLE delta");
	expect_lost("corrupt");
}

Test(state_file, a_wal_whose_database_is_gone_is_a_lost_database)
{
	leave_unfinished();
	cr_assert_eq(unlink(path_of("state.db")), 0);
	expect_lost("corrupt");
	cr_expect_eq(names_with("state.db.corrupt-"), 1);
}

Test(state_file, without_anything_or_an_empty_wal_it_is_new)
{
	write_file("state.db-wal", "", 0);
	open_state();
	cr_expect_eq(found, STATE_NEW);
	cr_expect_eq(names_with("state.db."), 0);
}

Test(state_file, a_database_of_another_program_is_set_aside_whole)
{
	char *command = xasprintf("cd %s && sqlite3 state.db 'CREATE TABLE t (x); "
				  "INSERT INTO t VALUES (42)'",
				  dir);

	cr_assert_eq(system(command), 0);
	free(command);
	expect_lost("foreign");
	close_state();
	command = xasprintf("cd %s && test $(sqlite3 state.db.foreign-* "
			    "'SELECT x FROM t') = 42",
			    dir);
	cr_expect_eq(system(command), 0);
	free(command);
}

Test(state_file, a_newer_schema_is_set_aside)
{
	leave_saved();
	query("PRAGMA user_version = 1000000");
	expect_lost("newer");
}

Test(state_file, what_is_set_aside_keeps_its_content)
{
	char *command;

	leave_unfinished();
	query("PRAGMA user_version = 1000000");
	expect_lost("newer");
	command = xasprintf("cd %s && test $(sqlite3 state.db.newer-*Z "
			    "'SELECT count(*) FROM series') = 3",
			    dir);
	cr_expect_eq(system(command), 0);
	free(command);
}

Test(state_file, two_in_one_second_get_different_names)
{
	for (int i = 0; i < 3; i++) {
		write_file("state.db", "garbage", 7);
		open_state();
		cr_expect_eq(found, STATE_LOST);
		close_state();
	}
	cr_expect_eq(names_with("state.db.corrupt-"), 3);
}

Test(state_file, a_disk_that_fails_is_not_a_lost_database)
{
	leave_saved();
	cr_assert_eq(rename(path_of("state.db"), path_of("kept")), 0);
	cr_assert_eq(mkdir(path_of("state.db"), 0750), 0);
	cr_expect_null(state_open(&options, &found, &err));
	cr_expect(strstr(err.text, "/state.db: "), "%s", err.text);
	cr_expect_eq(names_with("state.db."), 0);
}

/* ---- replacing, ended in its middle ---- */

/* state.db.next is as state_file_replace() makes it. */
static void leave_next(void)
{
	write_file("state.db", "garbage", 7);
	open_state();
	close_state();
	cr_assert_eq(rename(path_of("state.db"), path_of("state.db.next")), 0);
}

Test(state_file, a_replacement_ended_before_anything_was_renamed_goes_on)
{
	leave_next();
	leave_saved();
	cr_expect_eq(names_with("state.db.next"), 0);
	leave_next();
	write_file("state.db", "garbage", 7);
	expect_lost("corrupt");
	cr_expect_eq(names_with("state.db.corrupt-"), 3);
}

Test(state_file, a_replacement_ended_before_the_wal_was_renamed_goes_on)
{
	leave_unfinished();
	cr_assert_eq(rename(path_of("state.db-wal"), path_of("wal")), 0);
	leave_next();
	cr_assert_eq(rename(path_of("wal"), path_of("state.db-wal")), 0);
	expect_lost("corrupt");
	cr_expect_eq(names_with("state.db.corrupt-"), 2);
}

Test(state_file, a_database_that_was_not_made_to_its_end_is_made_again)
{
	write_file("state.db.new", "half", 4);
	write_file("state.db.new-wal", "half", 4);
	open_state();
	cr_expect_eq(found, STATE_NEW);
	save_some();
	reopen();
	cr_expect_str_eq(loaded(&hits), "a=1 b=2");
	cr_expect_eq(names_with("state.db.new"), 0);
}

/* ---- damage that is found late ---- */

/* All pages but the first few: opening does not read them. */
static void damage_pages(void)
{
	char garbage[4096];
	int fd = open(path_of("state.db"), O_WRONLY);
	int64_t size = size_of("state.db");

	memset(garbage, 0x5a, sizeof(garbage));
	cr_assert_gt(size, 4096 * 40);
	for (int64_t at = 4096 * 30; at < size; at += 4096)
		cr_assert_eq(pwrite(fd, garbage, sizeof(garbage), at), 4096);
	close(fd);
}

Test(state_file, damage_found_by_loading_is_told_and_a_new_one_goes_on)
{
	uint64_t id = 0;

	open_state();
	save_many(20000);
	close_state();
	damage_pages();
	open_state();
	cr_expect_eq(found, STATE_RESUMED);
	strbuf_clear(&text);
	cr_expect_not(state_load_family(state, &hits, show_series, NULL, &id, &err));
	cr_expect(strstr(err.text, "read state from "), "%s", err.text);
	cr_expect(state_is_damaged(state));

	cr_assert(state_start_anew(state, &err), "%s", err.text);
	cr_expect_not(state_is_damaged(state));
	cr_expect_eq(names_with("state.db.corrupt-"), 1);
	cr_expect_eq(state_sequence(state), 0);
	cr_expect_str_eq(loaded(&hits), "");
	save_some();
	cr_expect_str_eq(loaded(&hits), "a=1 b=2");
	reopen();
	cr_expect_eq(found, STATE_RESUMED);
	cr_expect_str_eq(loaded(&hits), "a=1 b=2");
}

Test(state_file, ids_stay_when_a_new_one_goes_on)
{
	uint64_t level_id, hits_id;

	open_state();
	save_some();
	level_id = id_of(&level);
	hits_id = id_of(&hits);
	cr_assert(state_start_anew(state, &err), "%s", err.text);
	cr_expect_eq(id_of(&level), level_id);
	state_begin(state);
	state_put_family(state, level_id, &level);
	put_new(level_id, 0, "x", 1);
	commit();
	cr_expect_str_eq(loaded(&level), "x=1");
	reopen();
	cr_expect_str_eq(loaded(&level), "x=1");
	cr_expect_neq(id_of(&took), level_id);
	cr_expect_neq(hits_id, level_id);
}

Test(state_file, a_value_that_makes_no_sense_is_damage)
{
	uint64_t id = 0;

	leave_saved();
	query("UPDATE series SET buckets = '1,x' WHERE labels = 'b'");
	open_state();
	strbuf_clear(&text);
	cr_expect_not(state_load_family(state, &hits, show_series, NULL, &id, &err));
	cr_expect(state_is_damaged(state));
}

Test(state_file, a_gap_in_the_numbers_is_damage)
{
	uint64_t id = 0;

	leave_saved();
	query("DELETE FROM series WHERE labels = 'a'");
	open_state();
	strbuf_clear(&text);
	cr_expect_not(state_load_family(state, &hits, show_series, NULL, &id, &err));
	cr_expect(state_is_damaged(state));
}

static void ignore_checkpoint(void *ctx, const struct checkpoint *checkpoint)
{
	(void)ctx, (void)checkpoint;
}

Test(state_file, a_position_that_makes_no_sense_is_damage)
{
	leave_saved();
	query("INSERT INTO files VALUES (1, '/a', 0, x'00', 0, 0, 0, 0, x'', x'', NULL, 0)");
	open_state();
	cr_expect_not(state_each_checkpoint(state, ignore_checkpoint, NULL, &err));
	cr_expect(state_is_damaged(state));
}
