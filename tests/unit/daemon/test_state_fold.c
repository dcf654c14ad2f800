/* What is put off: folding, forgetting, and moving the WAL into the file. */
#include "state_fixture.h"

TestSuite(state_fold, .init = start, .fini = stop);

#define MANY 3000

static uint64_t xorshift = 88172645463325252;

static uint32_t random_below(uint32_t below)
{
	xorshift ^= xorshift << 13;
	xorshift ^= xorshift >> 7;
	xorshift ^= xorshift << 17;
	return (uint32_t)(xorshift % below);
}

static double expected[MANY];
static uint32_t visited, right;

/* An assertion of Criterion's for each of so many would take most of the time. */
static void compare(void *ctx, const struct state_series *series)
{
	(void)ctx;
	if (series->number == visited && visited == right && right < MANY &&
	    series->value.value == expected[right])
		right++;
	visited++;
}

static void expect_all(void)
{
	uint64_t id;

	visited = right = 0;
	cr_assert(state_load_family(state, &hits, compare, NULL, &id, &err), "%s",
		  err.text);
	cr_assert_eq(visited, MANY);
	cr_assert_eq(right, MANY, "number %u is not %g", right, expected[right]);
}

static void change(uint64_t id, uint32_t count)
{
	state_begin(state);
	for (uint32_t i = 0; i < count; i++) {
		uint32_t number = random_below(MANY);

		put(id, number, expected[number] += 1);
	}
	commit();
}

Test(state_fold, every_value_is_right_after_every_step_of_a_fold)
{
	uint64_t id;
	int steps = 0;

	options.fold_rows = 1000;
	open_state();
	id = save_many(MANY);
	for (int round = 0; round < 4; round++) {
		bool more = true;

		change(id, 20000);
		while (more) {
			more = state_tidy(state);
			steps++;
			expect_all();
			if (steps % 5 == 0)
				change(id, 10);
			if (steps % 7 == 0)
				reopen();
		}
	}
	cr_expect_gt(steps, 10);
	cr_expect_lt(atoi(query("SELECT count(*) FROM delta")), 1001);
	expect_all();
}

Test(state_fold, a_fold_ends_although_commits_go_on_and_leaves_their_rows)
{
	uint64_t id;
	int commits = 0;

	options.fold_rows = 1000;
	open_state();
	id = save_many(MANY);
	change(id, 20000);
	while (state_tidy(state) && commits < 1000) {
		change(id, 1);
		commits++;
	}
	cr_expect_gt(commits, 0);
	cr_expect_lt(commits, 1000);
	cr_expect_leq(atoi(query("SELECT count(*) FROM delta")), commits);
	expect_all();
}

Test(state_fold, a_little_is_left_alone)
{
	uint64_t id;

	open_state();
	id = save_many(MANY);
	change(id, 10000);
	cr_expect_not(state_tidy(state));
	cr_expect_str_eq(query("SELECT count(*) FROM delta"), "10000");
	change(id, 1);
	cr_expect(state_tidy(state));
	while (state_tidy(state))
		;
	cr_expect_str_eq(query("SELECT count(*) FROM delta"), "0");
	expect_all();
}

Test(state_fold, a_quarter_of_the_series_is_left_alone)
{
	uint64_t id;

	options.fold_rows = 1;
	open_state();
	id = save_many(MANY);
	change(id, MANY / 4);
	cr_expect_not(state_tidy(state));
	change(id, 1);
	while (state_tidy(state))
		;
	cr_expect_str_eq(query("SELECT count(*) FROM delta"), "0");
}

Test(state_fold, a_step_holds_up_a_commit_for_some_milliseconds)
{
	int64_t longest_ns = 0;
	uint64_t id;
	bool more = true;

	open_state();
	id = save_many(MANY);
	change(id, 100000);
	while (more) {
		int64_t from_ns = clock_thread_cpu_ns();

		more = state_tidy(state);
		if (clock_thread_cpu_ns() - from_ns > longest_ns)
			longest_ns = clock_thread_cpu_ns() - from_ns;
	}
	/* Two, as planned; sanitizers make it more. */
	cr_expect_lt(longest_ns, 100 * NS_PER_MS);
	expect_all();
}

/* ---- removed families ---- */

static void commit_families(uint64_t a, const struct state_family *first, uint64_t b,
			    const struct state_family *second)
{
	state_begin(state);
	state_put_family(state, a, first);
	if (second)
		state_put_family(state, b, second);
	commit();
}

static void tidy_all(void)
{
	while (state_tidy(state))
		;
}

/* As if the removal and this process's last use of all of them were long ago. */
static void wait_a_week(void)
{
	close_state();
	query("UPDATE families SET removed_at = removed_at - 7 * 24 * 3600 - 1");
	open_state();
}

Test(state_fold, a_family_left_out_is_kept_for_a_week_and_resumed)
{
	uint64_t hits_id, level_id;

	open_state();
	save_some();
	hits_id = id_of(&hits);
	level_id = id_of(&level);
	commit_families(level_id, &level, 0, NULL);
	tidy_all();
	reopen();
	cr_expect_eq(id_of(&hits), hits_id);
	cr_expect_str_eq(text.ptr, "a=1 b=2");
	cr_expect_str_eq(query("SELECT count(removed_at) FROM families"), "1");
	commit_families(hits_id, &hits, level_id, &level);
	cr_expect_str_eq(query("SELECT count(removed_at) FROM families"), "0");
	tidy_all();
	cr_expect_str_eq(loaded(&hits), "a=1 b=2");
}

Test(state_fold, a_commit_without_families_removes_none)
{
	open_state();
	save_some();
	state_begin(state);
	commit();
	cr_expect_str_eq(query("SELECT count(removed_at) FROM families"), "0");
}

Test(state_fold, a_family_left_out_for_a_week_is_forgotten)
{
	uint64_t level_id, old_id;

	options.fold_rows = 1;
	open_state();
	save_some();
	level_id = id_of(&level);
	old_id = id_of(&hits);
	state_begin(state);
	put(old_id, 0, 5);
	commit();
	commit_families(level_id, &level, 0, NULL);
	wait_a_week();
	tidy_all();
	cr_expect_str_eq(query("SELECT name FROM families"), "level");
	cr_expect_str_eq(query("SELECT count(*) FROM series"), "1");
	cr_expect_str_eq(loaded(&level), "=3");
	cr_expect_gt(id_of(&hits), old_id, "an id is never used again");
	cr_expect_str_eq(text.ptr, "");
}

Test(state_fold, ids_are_not_used_again_in_the_next_run_either)
{
	uint64_t level_id, old_id;

	open_state();
	level_id = id_of(&level);
	old_id = id_of(&hits);
	commit_families(level_id, &level, old_id, &hits);
	commit_families(level_id, &level, 0, NULL);
	wait_a_week();
	tidy_all();
	reopen();
	cr_expect_gt(id_of(&took), old_id);
}

Test(state_fold, half_a_family_is_never_resumed)
{
	uint64_t level_id;
	int steps = 0;
	bool more = true;

	open_state();
	save_many(MANY);
	level_id = id_of(&level);
	commit_families(level_id, &level, 0, NULL);
	wait_a_week();
	while (more) {
		more = state_tidy(state);
		steps++;
		reopen();
		cr_expect_str_eq(loaded(&hits), "");
	}
	cr_expect_gt(steps, 5);
	cr_expect_str_eq(query("SELECT count(*) FROM series"), "0");
}

Test(state_fold, a_family_that_was_just_loaded_is_not_forgotten_before_it_is_put)
{
	uint64_t level_id, hits_id;

	open_state();
	save_some();
	level_id = id_of(&level);
	commit_families(level_id, &level, 0, NULL);
	wait_a_week();
	hits_id = id_of(&hits);
	tidy_all();
	commit_families(level_id, &level, hits_id, &hits);
	cr_expect_str_eq(loaded(&hits), "a=1 b=2");
}

/* ---- ids ---- */

Test(state_fold, a_new_family_has_an_id_at_once_and_a_like_one_the_same)
{
	struct state_family other_kind = level, other_signature = level, shorter = took;
	uint64_t id;

	other_kind.kind = "counter";
	other_signature.signature = slice_of("sig-Level");
	shorter.signature.len = 1;
	open_state();
	id = id_of(&level);
	cr_expect_neq(id, 0);
	cr_expect_eq(id_of(&level), id);
	cr_expect_neq(id_of(&other_kind), id);
	cr_expect_neq(id_of(&other_signature), id);
	cr_expect_neq(id_of(&took), id_of(&shorter));
	id = id_of(&took);
	commit_families(id, &took, id_of(&shorter), &shorter);
	reopen();
	cr_expect_eq(id_of(&took), id);
	cr_expect_neq(id_of(&shorter), id);
}

/* ---- the WAL ---- */

/* Each time that the WAL starts over it gets new salts. */
static uint64_t wal_salts(void)
{
	int fd = open(path_of("state.db-wal"), O_RDONLY);
	uint64_t salts = 0;

	cr_assert_eq(pread(fd, &salts, sizeof(salts), 16), sizeof(salts));
	close(fd);
	return salts;
}

Test(state_fold, however_fast_the_commits_the_wal_starts_over)
{
	int64_t until_ns = clock_monotonic_ns() + 30 * NS_PER_SECOND;
	uint64_t id, salts;
	int times = 0;

	options.checkpoint_bytes = 256 << 10;
	open_state();
	id = save_many(MANY);
	salts = wal_salts();
	while (times < 5 && clock_monotonic_ns() < until_ns) {
		change(id, 1000);
		times += wal_salts() != salts;
		salts = wal_salts();
	}
	cr_expect_eq(times, 5);
	cr_expect_gt(size_of("state.db"), 256 << 10);
	expect_all();
	reopen();
	expect_all();
}

Test(state_fold, the_wal_is_moved_soon_after_it_grew)
{
	int64_t until_ns = clock_monotonic_ns() + 10 * NS_PER_SECOND;
	char *command;

	options.checkpoint_bytes = 64 << 10;
	open_state();
	save_many(MANY);
	/* Another process sees all in the file alone, without the WAL. */
	command = xasprintf("cp %s/state.db %s/copy && test $(sqlite3 %s/copy 'SELECT "
			    "count(*) FROM series') = %d",
			    dir, dir, dir, MANY);
	while (system(command) != 0 && clock_monotonic_ns() < until_ns)
		usleep(20000);
	cr_expect_lt(clock_monotonic_ns(), until_ns);
	free(command);
}

Test(state_fold, while_somebody_reads_for_long_nothing_is_folded_into_the_wal)
{
	sqlite3 *person;
	uint64_t id;
	int64_t size;

	options.checkpoint_bytes = 64 << 10;
	options.fold_rows = 100;
	open_state();
	id = save_many(MANY);
	change(id, 1);
	cr_assert_eq(sqlite3_open(path_of("state.db"), &person), SQLITE_OK);
	cr_assert_eq(
		sqlite3_exec(person, "BEGIN; SELECT * FROM meta", NULL, NULL, NULL),
		SQLITE_OK);
	change(id, 20000);
	while (state_tidy(state))
		;
	size = size_of("state.db-wal");
	cr_expect_not(state_tidy(state), "it does not ask to be called again");
	cr_expect_str_eq(query("SELECT count(*) FROM delta"), "20001");
	cr_expect_eq(size_of("state.db-wal"), size);
	expect_all();
	sqlite3_close(person);
	change(id, 1);
	while (state_tidy(state))
		;
	for (int i = 0; i < 500 && atoi(query("SELECT count(*) FROM delta")) > 1; i++) {
		change(id, 1);
		usleep(1000);
		tidy_all();
	}
	cr_expect_leq(atoi(query("SELECT count(*) FROM delta")), 750);
	expect_all();
}
