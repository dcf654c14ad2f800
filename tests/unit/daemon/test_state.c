#include <float.h>
#include <math.h>
#include <signal.h>
#include <sys/resource.h>

#include "state_fixture.h"

TestSuite(state, .init = start, .fini = stop);

/* ---- values ---- */

static const double odd[] = {0,          -0.0,      1,
			     0.1,        -0.1,      1.0 / 3,
			     INFINITY,   -INFINITY, DBL_MAX,
			     DBL_MIN,    4.9e-324,  9007199254740993.0,
			     1e15,       -7,        123456789012345.0,
			     1234567.75, 1e22,      -1e-300};
#define ODD (sizeof(odd) / sizeof(odd[0]))

static uint64_t bits(double value)
{
	uint64_t n;

	memcpy(&n, &value, sizeof(n));
	return n;
}

static unsigned seen;

static void expect_odd(void *ctx, const struct state_series *series)
{
	uint32_t i = series->number;
	const uint64_t *born = ctx;

	cr_assert_eq(i, seen++);
	if (i < ODD)
		cr_expect_eq(bits(series->value.value), bits(odd[i]), "of %u", i);
	else
		cr_expect(isnan(series->value.value));
	cr_expect_eq(series->born, *born);
	cr_expect_eq(series->value.time_ns, i % 2 ? INT64_MIN : INT64_MAX);
}

Test(state, every_double_time_and_birth_comes_back_bit_for_bit)
{
	uint64_t id, born = UINT64_MAX - 1;

	open_state();
	id = id_of(&level);
	for (int appended = 0; appended < 2; appended++) {
		state_begin(state);
		state_put_family(state, id, &level);
		for (uint32_t i = 0; i <= ODD; i++) {
			struct state_series series = {
				.number = i,
				.born = born,
				.value = {.value = i < ODD ? odd[i] : NAN,
					  .time_ns = i % 2 ? INT64_MIN : INT64_MAX}};

			if (appended)
				state_put_value(state, id, i, &series.value);
			else
				state_put_series(state, id, &series);
		}
		commit();
		reopen();
		seen = 0;
		cr_assert(
			state_load_family(state, &level, expect_odd, &born, &id, &err));
		cr_expect_eq(seen, ODD + 1);
	}
}

static void expect_buckets(void *ctx, const struct state_series *series)
{
	const double *list = ctx;

	cr_assert_eq(series->value.bucket_count, METRIC_MAX_BUCKETS + 1);
	for (size_t i = 0; i <= METRIC_MAX_BUCKETS; i++)
		cr_expect_eq(bits(series->value.buckets[i]), bits(list[i]));
}

Test(state, as_many_buckets_as_there_can_be_come_back)
{
	double list[METRIC_MAX_BUCKETS + 1];
	struct state_series series = {
		.value = {.buckets = list, .bucket_count = METRIC_MAX_BUCKETS + 1}};
	uint64_t id;

	for (size_t i = 0; i <= METRIC_MAX_BUCKETS; i++)
		list[i] = i % 3 ? (double)i * 1e14 : i < ODD ? fabs(odd[i]) : 0.3;
	open_state();
	id = id_of(&took);
	state_begin(state);
	state_put_family(state, id, &took);
	state_put_series(state, id, &series);
	commit();
	reopen();
	cr_expect(state_load_family(state, &took, expect_buckets, list, &id, &err));
	state_begin(state);
	state_put_value(state, id, 0, &series.value);
	commit();
	cr_expect(state_load_family(state, &took, expect_buckets, list, &id, &err));
}

static void expect_labels(void *ctx, const struct state_series *series)
{
	cr_expect(slice_eq(series->labels, *(struct slice *)ctx));
}

Test(state, labels_may_have_any_bytes)
{
	static const char bytes[] = "a=\"\xf0\x9f\x92\x93\\\"\n\",b=\"\0'\xff\"";
	struct slice labels = {bytes, sizeof(bytes) - 1};
	struct state_series series = {.labels = labels};
	uint64_t id;

	open_state();
	id = id_of(&level);
	state_begin(state);
	state_put_family(state, id, &level);
	state_put_series(state, id, &series);
	commit();
	reopen();
	cr_expect(state_load_family(state, &level, expect_labels, &labels, &id, &err));
}

Test(state, of_several_values_the_last_that_was_put_counts)
{
	uint64_t id;

	open_state();
	save_some();
	id = id_of(&hits);
	for (int i = 0; i < 3; i++) {
		state_begin(state);
		put(id, 1, 10 * i);
		put(id, 1, 10 * i + 1);
		commit();
		cr_expect_str_eq(loaded(&hits), i == 0   ? "a=1 b=1"
						: i == 1 ? "a=1 b=11"
							 : "a=1 b=21");
	}
	reopen();
	cr_expect_str_eq(loaded(&hits), "a=1 b=21");
	cr_expect_str_eq(loaded(&level), "=3");
}

Test(state, a_series_may_be_born_and_change_in_one_commit)
{
	uint64_t id;

	open_state();
	id = id_of(&hits);
	state_begin(state);
	state_put_family(state, id, &hits);
	put_new(id, 0, "a", 1);
	put(id, 0, 2);
	commit();
	cr_expect_str_eq(loaded(&hits), "a=2");
}

Test(state, series_come_in_the_order_of_their_numbers_each_in_its_family)
{
	uint64_t hits_id, level_id;

	open_state();
	hits_id = id_of(&hits);
	level_id = id_of(&level);
	state_begin(state);
	state_put_family(state, level_id, &level);
	state_put_family(state, hits_id, &hits);
	for (uint32_t i = 4; i-- > 0;) {
		put_new(level_id, i, "l", i);
		put_new(hits_id, i, "h", i);
		put(hits_id, i, 10 + i);
	}
	put(level_id, 2, 7);
	commit();
	cr_expect_str_eq(loaded(&hits), "h=10 h=11 h=12 h=13");
	cr_expect_str_eq(loaded(&level), "l=0 l=1 l=7 l=3");
}

/* ---- the rest of a commit ---- */

static void keep_checkpoint(void *ctx, const struct checkpoint *checkpoint)
{
	struct checkpoint *list = ctx;

	cr_assert(seen < 2);
	list[seen] = *checkpoint;
	list[seen++].path = xstrdup(checkpoint->path);
}

static struct checkpoint full_checkpoint(uint64_t id, const char *path)
{
	struct checkpoint c = {.id = id,
			       .path = path,
			       .state = CHECKPOINT_FINISHED,
			       .inode = UINT64_MAX,
			       .offset_bytes = UINT64_MAX - 1,
			       .size_bytes = UINT64_MAX - 2,
			       .mtime_ns = INT64_MIN,
			       .copy_of = UINT64_MAX - 3,
			       .head_bytes = CHECKPOINT_HEAD_BYTES,
			       .guard_bytes = 3};

	memset(c.identity.bytes, 0xfe, sizeof(c.identity.bytes));
	for (int i = 0; i < CHECKPOINT_HEAD_BYTES; i++)
		c.head[i] = (char)i;
	memcpy(c.guard, "\0\xff\n", 3);
	return c;
}

static bool same_checkpoint(const struct checkpoint *a, const struct checkpoint *b)
{
	return a->id == b->id && strcmp(a->path, b->path) == 0 &&
	       a->state == b->state && identity_eq(&a->identity, &b->identity) &&
	       a->inode == b->inode && a->offset_bytes == b->offset_bytes &&
	       a->size_bytes == b->size_bytes && a->mtime_ns == b->mtime_ns &&
	       a->copy_of == b->copy_of && a->head_bytes == b->head_bytes &&
	       a->guard_bytes == b->guard_bytes &&
	       memcmp(a->head, b->head, a->head_bytes) == 0 &&
	       memcmp(a->guard, b->guard, a->guard_bytes) == 0;
}

static size_t read_checkpoints(struct checkpoint *list)
{
	seen = 0;
	cr_assert(state_each_checkpoint(state, keep_checkpoint, list, &err), "%s",
		  err.text);
	return seen;
}

Test(state, checkpoints_come_back_whole_are_replaced_and_dropped)
{
	struct checkpoint put[2] = {full_checkpoint(UINT64_MAX, "/var/log/\xff a'.log"),
				    {.id = 3, .path = "/b"}};
	struct checkpoint got[2];

	open_state();
	state_begin(state);
	state_put_checkpoint(state, &put[0]);
	state_put_checkpoint(state, &put[1]);
	commit();
	reopen();
	cr_assert_eq(read_checkpoints(got), 2);
	cr_expect(same_checkpoint(&got[0], &put[0]));
	cr_expect(same_checkpoint(&got[1], &put[1]));
	free((char *)got[0].path);
	free((char *)got[1].path);

	put[1] = full_checkpoint(3, "/c");
	state_begin(state);
	state_drop_checkpoint(state, UINT64_MAX);
	state_put_checkpoint(state, &put[1]);
	commit();
	reopen();
	cr_assert_eq(read_checkpoints(got), 1);
	cr_expect(same_checkpoint(&got[0], &put[1]));
	free((char *)got[0].path);
}

static void show_root(void *ctx, const char *path)
{
	(void)ctx;
	strbuf_addf(&text, "%s ", path);
}

Test(state, roots_stay_and_may_be_put_again)
{
	open_state();
	state_begin(state);
	state_put_root(state, "/var/log");
	state_put_root(state, "/a b");
	commit();
	state_begin(state);
	state_put_root(state, "/var/log");
	commit();
	reopen();
	strbuf_clear(&text);
	cr_expect(state_each_root(state, show_root, NULL, &err));
	cr_expect_str_eq(text.ptr, "/a b /var/log ");
}

static void show_scraper(void *ctx, const struct state_scraper *scraper)
{
	(void)ctx;
	strbuf_addf(&text, "%02x:%" PRIu64 " ", scraper->client[15], scraper->sequence);
}

Test(state, scrapers_are_replaced_and_come_in_the_order_they_were_heard)
{
	struct state_scraper list[3] = {
		{{[15] = 1}, UINT64_MAX, 9}, {{[15] = 2}, 5, 7}, {{[15] = 0xff}, 6, 8}};

	open_state();
	state_begin(state);
	state_put_scrapers(state, list, 2);
	commit();
	state_begin(state);
	state_put_scrapers(state, list + 1, 2);
	commit();
	reopen();
	strbuf_clear(&text);
	cr_expect(state_each_scraper(state, show_scraper, NULL, &err));
	cr_expect_str_eq(text.ptr, "02:5 ff:6 ");
}

Test(state, the_sequence_and_being_caught_up_are_remembered)
{
	open_state();
	cr_expect_eq(found, STATE_NEW);
	cr_expect_eq(state_sequence(state), 0);
	cr_expect_not(state_is_caught_up(state));
	reopen();
	cr_expect_eq(found, STATE_NEW, "nothing was committed yet");
	state_begin(state);
	cr_assert(state_commit(state, UINT64_MAX - 5, &err));
	cr_expect_eq(state_sequence(state), UINT64_MAX - 5);
	reopen();
	cr_expect_eq(found, STATE_RESUMED);
	cr_expect_eq(state_sequence(state), UINT64_MAX - 5);
	cr_expect_not(state_is_caught_up(state));
	state_begin(state);
	state_put_caught_up(state);
	commit();
	cr_expect(state_is_caught_up(state));
	reopen();
	cr_expect(state_is_caught_up(state));
}

/* ---- failures ---- */

/* Appending to files fails meanwhile: what is in them may be written anew. */
static bool commit_on_a_full_disk(void)
{
	struct rlimit limit, full;
	bool ok;

	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &limit);
	full = limit;
	full.rlim_cur = (rlim_t)size_of("state.db-wal");
	setrlimit(RLIMIT_FSIZE, &full);
	ok = state_commit(state, 2, &err);
	setrlimit(RLIMIT_FSIZE, &limit);
	return ok;
}

static void put_much(uint64_t hits_id, uint64_t new_id)
{
	struct checkpoint checkpoint = full_checkpoint(9, "/a");

	state_begin(state);
	state_put_family(state, hits_id, &hits);
	state_put_family(state, new_id, &took);
	put(hits_id, 0, 100);
	put_new(hits_id, 2, "c", 5);
	put_new(new_id, 0, "n", 6);
	state_put_checkpoint(state, &checkpoint);
	state_put_root(state, "/r");
	state_put_caught_up(state);
}

Test(state, a_commit_to_a_full_disk_leaves_nothing_and_can_be_made_again)
{
	struct checkpoint got[2];
	uint64_t hits_id, new_id;
	char expected[128];

	open_state();
	save_some();
	hits_id = id_of(&hits);
	new_id = id_of(&took);
	for (int i = 0; i < 3; i++) {
		put_much(hits_id, new_id);
		cr_assert_not(commit_on_a_full_disk());
		snprintf(expected, sizeof(expected),
			 "save state in %s/state.db: ", dir);
		cr_expect_eq(strncmp(err.text, expected, strlen(expected)), 0, "%s",
			     err.text);
		cr_expect_str_eq(loaded(&hits), "a=1 b=2");
		cr_expect_str_eq(loaded(&took), "");
		cr_expect_eq(id_of(&took), new_id);
		cr_expect_eq(read_checkpoints(got), 0);
		cr_expect_eq(state_sequence(state), 1);
		cr_expect_not(state_is_caught_up(state));
	}
	cr_expect_not(state_is_damaged(state));
	put_much(hits_id, new_id);
	commit();
	reopen();
	cr_expect_str_eq(loaded(&hits), "a=100 b=2 c=5");
	cr_expect_str_eq(loaded(&took), "n=6");
	cr_expect_eq(read_checkpoints(got), 1);
	free((char *)got[0].path);
	cr_expect(state_is_caught_up(state));
}

Test(state, the_sequence_may_be_asked_for_in_the_middle_of_a_commit)
{
	open_state();
	save_some();
	state_begin(state);
	cr_expect_eq(state_sequence(state), 1);
	cr_expect_not(state_is_caught_up(state));
	cr_expect_not(state_is_damaged(state));
	commit();
	cr_expect_eq(state_sequence(state), 2);
}

Test(state, the_first_failure_sticks_until_the_end_of_the_commit)
{
	struct checkpoint nowhere = {.id = 5};
	uint64_t id;

	open_state();
	save_some();
	id = id_of(&hits);
	state_begin(state);
	put(id, 0, 7);
	state_put_checkpoint(state, &nowhere);
	put_new(id, 2, "c", 9);
	put(id, 1, 10);
	cr_expect_not(state_commit(state, 2, &err));
	cr_expect(strstr(err.text, "files.path"), "%s", err.text);
	cr_expect_not(state_is_damaged(state));
	cr_expect_str_eq(loaded(&hits), "a=1 b=2");
	state_begin(state);
	put_new(id, 2, "c", 9);
	commit();
	cr_expect_str_eq(loaded(&hits), "a=1 b=2 c=9");
}

Test(state, a_commit_that_was_made_although_it_failed_may_be_put_again)
{
	uint64_t id;

	open_state();
	save_some();
	id = id_of(&hits);
	for (int i = 0; i < 2; i++) {
		state_begin(state);
		state_put_family(state, id, &hits);
		put_new(id, 1, "b", 20 + i);
		put_new(id, 2, "c", 30 + i);
		put(id, 2, 40 + i);
		commit();
	}
	state_begin(state);
	put_new(id, 2, "c", 50);
	commit();
	cr_expect_str_eq(loaded(&hits), "a=1 b=21 c=50");
	cr_expect_str_eq(query("SELECT count(*) FROM series"), "4");
}

Test(state, of_an_abandoned_commit_nothing_is_left)
{
	uint64_t id;

	open_state();
	save_some();
	id = id_of(&hits);
	state_begin(state);
	put(id, 0, 7);
	put_new(id, 2, "c", 9);
	state_put_caught_up(state);
	state_abandon(state);
	cr_expect_str_eq(loaded(&hits), "a=1 b=2");
	cr_expect_not(state_is_caught_up(state));
	state_begin(state);
	commit();
	cr_expect_not(state_is_caught_up(state));
}

Test(state, a_directory_that_is_not_there_is_an_error)
{
	options.directory = "/nonexistent";
	cr_expect_null(state_open(&options, &found, &err));
	cr_expect(strstr(err.text, "/nonexistent/state.db"), "%s", err.text);
	cr_expect(strstr(err.text, "No such file"), "%s", err.text);
}

/* ---- windows and free numbers ---- */

Test(state, what_windows_hold_is_kept_with_the_value)
{
	uint64_t id;

	open_state();
	id = id_of(&delay);
	state_begin(state);
	state_put_family(state, id, &delay);
	put_delay(id, 0, "first", true);
	put_delay(id, 1, "", true);
	commit();
	reopen();
	cr_expect_str_eq(loaded(&delay), "a=0.5[3]<first> b=0.5[3]");
	state_begin(state);
	put_delay(id, 0, "second", false);
	put_delay(id, 1, "its own", false);
	put_delay(id, 0, "third", false);
	commit();
	reopen();
	cr_expect_str_eq(loaded(&delay), "a=0.5[3]<third> b=0.5[3]<its own>");
}

static void put_free(uint64_t id, uint32_t number)
{
	struct state_series series = {.number = number, .is_free = true};

	state_put_series(state, id, &series);
}

static void show_past(void *ctx, const struct state_past *past)
{
	(void)ctx;
	strbuf_addf(&text, "%u since %d: %g at %d;", past->number, (int)past->sequence,
		    past->value.value, (int)past->value.time_ns);
}

static const char *pasts(uint64_t id)
{
	strbuf_clear(&text);
	cr_assert(state_load_pasts(state, id, show_past, NULL, &err));
	return text.ptr;
}

static void put_past(uint64_t id, uint32_t number, uint64_t at, double value)
{
	struct state_past past = {.number = number,
				  .sequence = at,
				  .value = {.value = value, .time_ns = 5}};

	state_put_past(state, id, &past);
}

Test(state, a_number_that_is_free_has_a_row_but_nothing_in_it)
{
	uint64_t id;

	open_state();
	save_some();
	id = id_of(&hits);
	state_begin(state);
	put_free(id, 0);
	commit();
	reopen();
	cr_expect_str_eq(query("SELECT id & 255, labels, born FROM series"
			       " WHERE labels != 'b' ORDER BY id LIMIT 1"),
			 "0||-1");
	cr_expect_str_eq(loaded(&hits), "=0 b=2");
	cr_expect_str_eq(query("SELECT metric FROM metrics"), "hits_total{b}",
			 "neither has a gauge without a time a value");
	state_begin(state);
	put_new(id, 0, "c", 7);
	commit();
	reopen();
	cr_expect_str_eq(loaded(&hits), "c=7 b=2", "another took the number");
}

Test(state, what_a_series_was_goes_with_it)
{
	uint64_t id;

	open_state();
	save_some();
	id = id_of(&hits);
	state_begin(state);
	put_past(id, 0, 3, 0.5);
	put_past(id, 1, 4, 1.5);
	put_past(id, 1, 6, 1.75);
	commit();
	reopen();
	cr_expect_str_eq(pasts(id), "0 since 3: 0.5 at 5;1 since 6: 1.75 at 5;");
	cr_expect_str_eq(pasts(id + 1), "");
	state_begin(state);
	put_free(id, 0);
	commit();
	cr_expect_str_eq(pasts(id), "1 since 6: 1.75 at 5;");
}
