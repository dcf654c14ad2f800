/* Who else is at the file: a thread that loads, a person who looks with sqlite3, and
 * who may not. */
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>

#include "state_fixture.h"

TestSuite(state_readers, .init = start, .fini = stop);

static atomic_bool asked, done;

static void *load_in_thread(void *unused)
{
	uint64_t id;
	struct error error;

	(void)unused;
	asked = true;
	cr_assert(state_load_family(state, &hits, show_series, NULL, &id, &error));
	done = true;
	return NULL;
}

Test(state_readers, loading_waits_for_a_commit_of_another_thread)
{
	pthread_t thread;
	uint64_t id;

	open_state();
	save_some();
	id = id_of(&hits);
	state_begin(state);
	put(id, 0, 7);
	strbuf_clear(&text);
	pthread_create(&thread, NULL, load_in_thread, NULL);
	while (!asked)
		usleep(1000);
	usleep(20000);
	cr_expect_not(done);
	commit();
	pthread_join(thread, NULL);
	cr_expect_str_eq(text.ptr, "a=7 b=2");
}

Test(state_readers, a_person_who_reads_for_long_holds_up_no_commit)
{
	sqlite3 *person;
	uint64_t id;

	open_state();
	save_some();
	id = id_of(&hits);
	cr_assert_eq(sqlite3_open(path_of("state.db"), &person), SQLITE_OK);
	cr_assert_eq(
		sqlite3_exec(person, "BEGIN; SELECT * FROM metrics", NULL, NULL, NULL),
		SQLITE_OK);
	for (int i = 0; i < 50; i++) {
		state_begin(state);
		put(id, 0, i);
		commit();
		state_tidy(state);
	}
	reopen();
	cr_expect_str_eq(loaded(&hits), "a=49 b=2");
	sqlite3_close(person);
}

Test(state_readers, only_owner_and_group_may_read_the_files)
{
	struct stat st;

	umask(0);
	open_state();
	save_some();
	cr_assert_eq(stat(path_of("state.db"), &st), 0);
	cr_expect_eq(st.st_mode & 07777, 0640);
	cr_assert_eq(stat(path_of("state.db-wal"), &st), 0);
	cr_expect_eq(st.st_mode & 07777, 0640);
	cr_assert_eq(stat(path_of("state.db-shm"), &st), 0);
	cr_expect_eq(st.st_mode & 07777, 0640);
}

Test(state_readers, a_person_sees_sum_and_count_of_a_summary_and_the_name_of_a_state)
{
	struct state_series series = {.labels = slice_of("id=\"x\""),
				      .value = {.value = 1, .time_ns = 7}};
	uint64_t delay_id, job_id;

	open_state();
	delay_id = id_of(&delay);
	job_id = id_of(&job);
	state_begin(state);
	state_put_family(state, delay_id, &delay);
	state_put_family(state, job_id, &job);
	put_delay(delay_id, 0, "p", true);
	state_put_series(state, job_id, &series);
	series = (struct state_series){.number = 1, .labels = slice_of("never")};
	state_put_series(state, job_id, &series);
	commit();
	cr_expect_str_eq(query("SELECT metric, value FROM metrics ORDER BY metric"),
			 "delay_seconds_count{a}|3 delay_seconds_sum{a}|0.5 "
			 "job{id=\"x\"}|running");
}

Test(state_readers, after_an_orderly_end_there_is_one_file)
{
	open_state();
	save_some();
	close_state();
	cr_expect_eq(names_with("state.db"), 1);
}

Test(state_readers, a_person_sees_current_values_in_the_view)
{
	double buckets[] = {3, 0, 1};
	struct state_series series = {
		.labels = slice_of("path=\"/x\""),
		.value = {.value = 0.5, .buckets = buckets, .bucket_count = 3}};
	struct checkpoint checkpoint = {.id = 4,
					.path = "/var/log/a.log",
					.offset_bytes = 70,
					.size_bytes = 100,
					.mtime_ns = 1700000000 * NS_PER_SECOND};
	uint64_t hits_id, took_id, level_id;

	open_state();
	save_some();
	hits_id = id_of(&hits);
	level_id = id_of(&level);
	took_id = id_of(&took);
	state_begin(state);
	state_put_family(state, hits_id, &hits);
	state_put_family(state, level_id, &level);
	state_put_family(state, took_id, &took);
	put(hits_id, 1, 7);
	state_put_value(state, level_id, 0,
			&(struct state_value){.value = NAN, .time_ns = 1});
	state_put_series(state, took_id, &series);
	state_put_checkpoint(state, &checkpoint);
	commit();
	cr_expect_str_eq(query("SELECT * FROM metrics ORDER BY metric"),
			 "hits_total{a}|1| hits_total{b}|7| level|NaN| "
			 "took_seconds_count{path=\"/x\"}|4|3,0,1 "
			 "took_seconds_sum{path=\"/x\"}|0.5|");
	cr_expect_str_eq(query("SELECT * FROM positions"),
			 "/var/log/a.log|reading|70|100|30|2023-11-14 22:13:20|0|4|");
	state_begin(state);
	state_put_family(state, level_id, &level);
	commit();
	cr_expect_str_eq(query("SELECT metric FROM metrics"), "level",
			 "what was removed is not current");
}
