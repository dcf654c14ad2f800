/*
 * A registry with two stores and a database: what commits save is what the next
 * start shows.
 */
#include "daemon/commit.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/xalloc.h"
#include "daemon/past.h"
#include "exporter/saved.h"

#include "../exporter/fixture.h"

static const char *const labels[] = {"id"};
static const double bounds[] = {1, 10};

static const char *const base_labels[] = {"id", ":path"};

enum { EVENTS, SIZES, LEVEL, BASE, DEFS };
static struct metric_def table[DEFS] = {
	[EVENTS] = {METRIC_COUNTER, "events_total", "", labels, 1,
		    .max_series = 100000},
	[SIZES] = {METRIC_HISTOGRAM, "sizes", "", labels, 1, bounds, 2,
		   .max_series = 100000},
	[LEVEL] = {METRIC_GAUGE, "level", "", labels, 1},
	[BASE] = {METRIC_GAUGE, "events_total:base", "", base_labels, 2,
		  .is_base = true},
};
#define ALL 15u

static char directory[] = "/tmp/logtally-commit-XXXXXX";
static struct state *state;
static enum state_found found;
static struct scrapers *scrapers;
static struct commit *commit;
static struct past past;
static struct error err;
static struct checkpoint *moved; /* goes with the next snapshot */

static void bind_mask(unsigned mask)
{
	const struct metric_def *defs[DEFS];
	size_t count = 0;

	for (unsigned i = 0; i < DEFS; i++)
		if (mask & (1u << i))
			defs[count++] = &table[i];
	bind_defs(defs, count);
}

static struct snapshot snap(void)
{
	struct snapshot snapshot = {.cut = make_cut(), .worker_count = 1};

	snapshot.positions = xcalloc(1, sizeof(*snapshot.positions));
	snapshot.positions[0] = (struct positions)POSITIONS_INIT;
	if (moved)
		positions_add(&snapshot.positions[0], moved, false);
	return snapshot;
}

static enum commit_result save(void)
{
	struct snapshot snapshot = snap();
	enum commit_result result = commit_save(commit, &snapshot, &err);

	snapshot_finish(&snapshot);
	return result;
}

static void begin(unsigned mask)
{
	struct state_options options = {.directory = directory};
	struct snapshot first;

	state = state_open(&options, &found, &err);
	cr_assert(state, "%s", err.text);
	start(&(struct registry_options){0}, 2);
	scrapers = scrapers_create();
	commit = commit_create(state, scrapers);
	registry_set_restore(registry, commit_family, commit);
	sequence = state_sequence(state);
	cr_assert(past_load(&past, state, scrapers, &err), "%s", err.text);
	bind_mask(mask);
	first = snap();
	commit_begin_with(commit, first.cut);
	cr_expect_neq(commit_save(commit, &first, &err), COMMIT_FAILED, "%s", err.text);
	snapshot_finish(&first);
}

/* The process dies: what was not saved is gone. */
static void end(void)
{
	commit_destroy(commit);
	scrapers_destroy(scrapers);
	past_finish(&past);
	stop();
	rendered = (struct strbuf)STRBUF_INIT;
	state_close(state);
	moved = NULL;
}

static void again(unsigned mask)
{
	end();
	begin(mask);
}

static void setup(void)
{
	cr_assert(mkdtemp(directory));
	begin(ALL);
}

static void teardown(void)
{
	char *command = xasprintf("rm -r %s", directory);

	end();
	cr_expect_eq(system(command), 0);
	free(command);
}

TestSuite(commit, .init = setup, .fini = teardown);

static void count_up(const char *id, double value)
{
	struct slice label = slice_of(id);

	add(0, 0, value, &label);
}

static bool shows(const char *line)
{
	return strstr(scrape(EXPOSITION_ALL_SEEN), line) != NULL;
}

Test(commit, what_is_saved_comes_back)
{
	struct slice label = TEXT("a");

	cr_expect_eq(found, STATE_NEW);
	count_up("a", 5);
	apply(1, SIZES, UPDATE_OBSERVE, 3, METRIC_NO_TIME, &label);
	apply(1, LEVEL, UPDATE_SET, -7, 1000, &label);
	cr_expect_eq(save(), COMMIT_DONE);
	again(ALL);
	cr_expect_eq(found, STATE_RESUMED);
	cr_expect(shows("events_total{id=\"a\"} 5\n"));
	cr_expect(shows("sizes_bucket{id=\"a\",le=\"10.0\"} 1\n"));
	cr_expect(shows("level{id=\"a\"} -7\n"));
	cr_expect_eq(apply(0, LEVEL, UPDATE_SET, 0, 999, &label), UPDATE_OLD,
		     "its time came back, too");
}

Test(commit, nothing_new_is_no_transaction)
{
	uint64_t before = state_sequence(state);

	cr_expect_eq(save(), COMMIT_NEEDLESS);
	cr_expect_eq(state_sequence(state), before);
}

Test(commit, what_scrapers_were_shown_is_saved_but_shows_nothing_more)
{
	scrapers_shown(scrapers, "::1", "a", 1);
	cr_expect_eq(save(), COMMIT_SAME);
	cr_expect_eq(save(), COMMIT_NEEDLESS);
	again(ALL);
	cr_expect_eq(scrapers_seen(scrapers, "::1", "a", true), 1);
}

Test(commit, positions_are_saved_with_the_values)
{
	struct checkpoint here = {.id = 7, .path = "/var/log/a", .offset_bytes = 100};

	moved = &here;
	cr_expect_eq(save(), COMMIT_SAME);
	cr_expect_eq(commit_saved_sequence(commit), sequence);
	again(ALL);
	cr_assert_eq(past.discovery.checkpoint_count, 1);
	cr_expect_eq(past.discovery.checkpoints[0].id, 7);
	cr_expect_eq(past.discovery.checkpoints[0].offset_bytes, 100);
	cr_expect_str_eq(past.discovery.checkpoints[0].path, "/var/log/a");
}

Test(commit, roots_and_the_end_of_the_first_backlog_are_saved)
{
	cr_expect_not(past.caught_up);
	commit_add_root(commit, "/var/log");
	commit_add_root(commit, "/srv");
	commit_add_root(commit, "/srv");
	commit_set_caught_up(commit);
	cr_expect_eq(save(), COMMIT_DONE);
	cr_expect_eq(save(), COMMIT_NEEDLESS);
	again(ALL);
	cr_expect(past.caught_up);
	cr_expect_eq(past.discovery.root_count, 2);
}

/* SQLite cannot write: as on a full disk. */
static void allow_bytes(rlim_t most)
{
	struct rlimit limit;

	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &limit);
	limit.rlim_cur = most;
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

Test(commit, what_failed_is_saved_with_the_next)
{
	struct checkpoint here = {.id = 7, .path = "/var/log/a", .offset_bytes = 100};

	count_up("a", 5);
	commit_add_root(commit, "/srv");
	scrapers_shown(scrapers, "::1", "a", 1);
	moved = &here;
	allow_bytes(0);
	cr_expect_eq(save(), COMMIT_FAILED);
	count_up("b", 1);
	cr_expect_eq(save(), COMMIT_FAILED);
	cr_expect_lt(commit_saved_sequence(commit), sequence - 1);
	allow_bytes(RLIM_INFINITY);
	cr_expect_eq(save(), COMMIT_DONE);
	again(ALL);
	cr_expect(shows("events_total{id=\"a\"} 5\n"));
	cr_expect(shows("events_total{id=\"b\"} 1\n"));
	cr_expect_eq(past.discovery.root_count, 1);
	cr_expect_eq(past.discovery.checkpoint_count, 1);
	cr_expect_eq(scrapers_seen(scrapers, "::1", "a", true), 1);
}

/* ---- metrics that come and go ---- */

Test(commit, a_metric_that_a_reload_removes_is_saved_as_it_was)
{
	count_up("a", 5);
	bind_mask(ALL & ~1u);
	cr_expect_eq(save(), COMMIT_DONE);
	again(ALL & ~1u);
	cr_expect_not(shows("events_total"));
	again(ALL);
	cr_expect(shows("events_total{id=\"a\"} 5\n"));
}

/* Its row has to be there before it can be said to be removed. */
Test(commit, a_metric_that_came_and_went_between_two_commits_resumes_too)
{
	again(0);
	bind_mask(1);
	count_up("a", 5);
	bind_mask(2);
	cr_expect_eq(save(), COMMIT_DONE);
	cr_expect_eq(save(), COMMIT_DONE, "says that it was removed");
	cr_expect_eq(save(), COMMIT_NEEDLESS);
	again(4);
	count_up("x", 1); /* takes an id of its own */
	save();
	again(1);
	cr_expect(shows("events_total{id=\"a\"} 5\n"));
}

Test(commit, a_metric_that_a_reload_brings_back_is_read_from_the_database)
{
	count_up("a", 5);
	save();
	again(2);
	bind_mask(ALL);
	cr_expect(shows("events_total{id=\"a\"} 5\n"));
	count_up("a", 1);
	count_up("b", 1);
	cr_expect_eq(save(), COMMIT_DONE);
	again(ALL);
	cr_expect(shows("events_total{id=\"a\"} 6\n"));
	cr_expect(shows("events_total{id=\"b\"} 1\n"));
}

static void ruin_the_database(void)
{
	static const char *const names[] = {"state.db", "state.db-wal"};
	static const char garbage[4096] = "\x5a\x5a\x5a\x5a";

	for (size_t i = 0; i < 2; i++) {
		char *path = xasprintf("%s/%s", directory, names[i]);
		int fd = open(path, O_RDWR);

		off_t left = fd == -1 ? 0 : lseek(fd, 0, SEEK_END);

		for (lseek(fd, 0, SEEK_SET); left > 0; left -= (off_t)sizeof(garbage))
			cr_assert_eq(write(fd, garbage, sizeof(garbage)),
				     sizeof(garbage));
		close(fd);
		free(path);
	}
}

/* More than the database keeps in memory. */
static void count_many(size_t metric)
{
	enum update_op op = metric == EVENTS ? UPDATE_ADD : UPDATE_OBSERVE;
	char id[200];

	memset(id, 'x', sizeof(id));
	for (int i = 0; i < 50000; i++) {
		snprintf(id + 190, 10, "%d", i);
		apply(0, metric, op, 1, METRIC_NO_TIME, LABELS(slice_of(id)));
	}
}

/* ---- series that expire ---- */

#define HOUR_NS (3600 * NS_PER_SECOND)

static void put_at(size_t metric, int hours_ago, const char *id, double value)
{
	static const enum update_op ops[] = {UPDATE_ADD, UPDATE_OBSERVE, UPDATE_SET};
	struct slice label = slice_of(id);

	cr_expect_eq(apply(0, metric, ops[metric], value,
			   clock_wall_ns() - hours_ago * HOUR_NS, &label),
		     UPDATE_DONE);
}

/* Of the next start or bind. */
static void expire_after(int hours)
{
	for (size_t i = 0; i < DEFS; i++)
		table[i].expire_ns = hours * HOUR_NS;
}

Test(commit, what_expires_while_stopped_is_not_shown_and_comes_back_from_its_value)
{
	struct cut *cut;

	put_at(EVENTS, 50, "a", 5);
	put_at(SIZES, 50, "a", 5);
	put_at(LEVEL, 50, "a", 5);
	put_at(EVENTS, 1, "b", 6);
	cr_expect_eq(save(), COMMIT_DONE);
	expire_after(10);
	again(ALL);
	cr_expect_str_eq(scrape(EXPOSITION_ALL_SEEN), "# TYPE events_total counter\n"
						      "events_total{id=\"b\"} 6\n");
	put_at(EVENTS, 1, "a", 1);
	put_at(SIZES, 1, "a", 20);
	put_at(LEVEL, 1, "a", 1);
	cut = make_cut();
	render(cut, sequence - 1);
	cr_expect(strstr(rendered.ptr, "events_total{id=\"a\"} 5\n"));
	cr_expect(strstr(rendered.ptr, "sizes_sum{id=\"a\"} 5\n"));
	cr_expect(strstr(rendered.ptr, "level{id=\"a\"} 1\n"));
	render(cut, sequence);
	cr_expect(strstr(rendered.ptr, "events_total{id=\"a\"} 6\n"));
	cr_expect(strstr(rendered.ptr, "sizes_sum{id=\"a\"} 25\n"));
	cut_unref(cut);
}

Test(commit, a_crash_before_the_scraper_saw_it_come_back_changes_nothing)
{
	uint64_t hidden_at;

	put_at(EVENTS, 50, "a", 5);
	put_at(SIZES, 50, "a", 5);
	save();
	expire_after(10);
	bind_mask(ALL);
	save();
	hidden_at = sequence;
	put_at(EVENTS, 1, "a", 1);
	put_at(SIZES, 1, "a", 20);
	cr_expect_eq(save(), COMMIT_DONE);
	again(ALL);
	scrape(hidden_at);
	cr_expect(strstr(rendered.ptr, "events_total{id=\"a\"} 5\n"), "%s",
		  rendered.ptr);
	cr_expect(strstr(rendered.ptr, "sizes_sum{id=\"a\"} 5\n"));
	cr_expect(shows("events_total{id=\"a\"} 6\n"));
	cr_expect(shows("sizes_sum{id=\"a\"} 25\n"));
}

/* Before it shows `after`; the cut is one that a scraper sees now. */
static void expect_back(double before, double after)
{
	char line[64];

	put_at(EVENTS, 1, "a", 1);
	scrape(sequence);
	snprintf(line, sizeof(line), "events_total{id=\"a\"} %g\n", before);
	cr_expect(strstr(rendered.ptr, line), "%g: %s", before, rendered.ptr);
	snprintf(line, sizeof(line), "events_total{id=\"a\"} %g\n", after);
	cr_expect(shows(line), "%s", rendered.ptr);
}

Test(commit, what_comes_while_it_is_hidden_is_new_after_a_crash_too)
{
	put_at(EVENTS, 50, "a", 5);
	put_at(SIZES, 50, "a", 5);
	save();
	expire_after(10);
	bind_mask(ALL);
	save();
	put_at(EVENTS, 40, "a", 2);
	put_at(SIZES, 40, "a", 20);
	cr_expect_eq(save(), COMMIT_DONE);
	again(ALL);
	cr_expect_str_eq(scrape(EXPOSITION_ALL_SEEN), "");
	put_at(EVENTS, 40, "a", 2);
	save();
	again(ALL);
	expect_back(5, 10);
	again(ALL);
	expect_back(5, 10);
	put_at(SIZES, 1, "a", 1);
	scrape(sequence);
	cr_expect(strstr(rendered.ptr, "sizes_sum{id=\"a\"} 5\n"));
	cr_expect(shows("sizes_sum{id=\"a\"} 26\n"));
}

/* It is back although no line came; then it is shown as it is, also when killed. */
Test(commit, what_a_longer_time_brought_back_is_not_shown_as_it_was_before_again)
{
	put_at(EVENTS, 50, "a", 5);
	save();
	expire_after(10);
	bind_mask(ALL);
	put_at(EVENTS, 50, "a", 2);
	save();
	put_at(EVENTS, 50, "a", 2);
	save();
	expire_after(100);
	bind_mask(ALL);
	save();
	cr_expect(shows("events_total{id=\"a\"} 9\n"));
	expire_after(10);
	again(ALL);
	expect_back(9, 10);
}

/* As above, but it is the next start that knows the longer time. */
Test(commit, what_a_start_with_a_longer_time_brings_back_was_hidden_until_then)
{
	put_at(EVENTS, 50, "a", 5);
	save();
	expire_after(10);
	bind_mask(ALL);
	save();
	put_at(EVENTS, 50, "a", 2);
	save();
	expire_after(0);
	end();
	begin(ALL);
	scrape(state_sequence(state) - 1);
	cr_expect(strstr(rendered.ptr, "events_total{id=\"a\"} 5\n"), "%s",
		  rendered.ptr);
	cr_expect(shows("events_total{id=\"a\"} 7\n"));
	cr_expect_eq(family_live_series(schema_family(schema, EVENTS)), 1);
}

static void settle(void)
{
	for (int i = 0; i < 8; i++)
		cr_expect_neq(save(), COMMIT_FAILED);
}

Test(commit, numbers_that_are_free_come_back_free)
{
	struct family *family;

	for (int day = 0; day < 30; day++) {
		char id[16];

		expire_after(100);
		bind_mask(ALL);
		snprintf(id, sizeof(id), "p%d", day);
		put_at(LEVEL, 50, id, day);
		put_at(LEVEL, 50, "twice", day);
		save();
		expire_after(10);
		if (day % 3 == 0)
			again(ALL);
		else
			bind_mask(ALL);
		settle();
		cr_expect_not(shows("level"));
	}
	family = schema_family(schema, LEVEL);
	cr_expect_leq(family_series(family), 4, "%zu numbers", family_series(family));
	put_at(LEVEL, 1, "new", 7);
	save();
	again(ALL);
	cr_expect_str_eq(scrape(0), "# TYPE level gauge\nlevel{id=\"new\"} 7\n");
}

Test(commit, who_takes_a_number_while_commits_fail_has_it_in_the_end)
{
	put_at(LEVEL, 50, "old", 1);
	put_at(EVENTS, 1, "a", 1);
	save();
	expire_after(10);
	bind_mask(ALL);
	allow_bytes(0);
	for (int i = 0; i < 8; i++) {
		put_at(EVENTS, 1, "a", 1);
		cr_expect_eq(save(), COMMIT_FAILED);
	}
	put_at(LEVEL, 1, "new", 2);
	cr_expect_eq(save(), COMMIT_FAILED);
	allow_bytes(RLIM_INFINITY);
	cr_expect_eq(save(), COMMIT_DONE);
	settle();
	put_at(LEVEL, 1, "newer", 3);
	save();
	again(ALL);
	cr_expect(shows("level{id=\"new\"} 2\n"));
	cr_expect(shows("level{id=\"newer\"} 3\n"));
	cr_expect(shows("events_total{id=\"a\"} 9\n"));
	cr_expect_eq(family_series(schema_family(schema, LEVEL)), 2);
}

Test(commit, a_new_database_gets_free_numbers_and_pasts_too)
{
	put_at(LEVEL, 50, "old", 1);
	put_at(LEVEL, 1, "b", 1);
	put_at(EVENTS, 50, "a", 5);
	count_many(SIZES);
	save();
	expire_after(10);
	bind_mask(ALL);
	settle();
	put_at(EVENTS, 1, "a", 1);
	save();
	again(ALL & ~(1u << SIZES));
	ruin_the_database();
	bind_mask(ALL);
	cr_assert(commit_restore_failed(commit, &err));
	cr_expect_eq(save(), COMMIT_ANEW, "%s", err.text);
	cr_expect_eq(save(), COMMIT_DONE, "%s", err.text);
	again(ALL);
	cr_expect_eq(found, STATE_RESUMED);
	scrape(0);
	cr_expect(strstr(rendered.ptr, "events_total{id=\"a\"} 5\n"), "%s",
		  rendered.ptr);
	cr_expect(strstr(rendered.ptr, "level{id=\"b\"} 1\n"), "%.300s", rendered.ptr);
	put_at(LEVEL, 1, "c", 2);
	cut_unref(make_cut());
	cr_expect_eq(family_series(schema_family(schema, LEVEL)), 2);
}

/* ---- running totals ---- */

static void total(size_t worker, const char *path, double value)
{
	struct slice values[] = {TEXT("a"), slice_of(path)};
	struct update update = {.metric = EVENTS,
				.op = UPDATE_TOTAL,
				.value = value,
				.time_ns = clock_wall_ns(),
				.labels = values,
				.base_after = BASE - EVENTS};

	cr_expect_eq(store_update(stores[worker], &update), UPDATE_DONE);
}

Test(commit, the_last_totals_are_those_of_the_commit)
{
	total(0, "/a", 100);
	total(1, "/b", 1);
	total(0, "/a", 105);
	save();
	total(0, "/a", 107); /* is read again after the crash */
	again(ALL);
	total(1, "/a", 107);
	total(1, "/a", 108);
	total(0, "/b", 4);
	cr_expect(shows("events_total{id=\"a\"} 11\n"));
	save();
	again(ALL);
	total(0, "/a", 109);
	total(1, "/b", 5);
	cr_expect(shows("events_total{id=\"a\"} 13\n"), "%s", rendered.ptr);
	cr_expect_not(strstr(rendered.ptr, "base"));
}

/* ---- damage ---- */

Test(commit, a_damaged_database_is_replaced_by_one_with_everything)
{
	again(ALL);
	count_many(EVENTS);
	commit_add_root(commit, "/srv");
	commit_set_caught_up(commit);
	scrapers_shown(scrapers, "::1", "a", 1);
	save();
	again(ALL & ~1u);
	apply(0, 0, UPDATE_OBSERVE, 3, METRIC_NO_TIME, LABELS(TEXT("a")));
	commit_add_root(commit, "/srv");
	commit_set_caught_up(commit);
	save();
	bind_mask(4); /* a removed one is kept, too */
	ruin_the_database();
	bind_mask(5);
	cr_assert(commit_restore_failed(commit, &err));
	cr_expect_eq(save(), COMMIT_ANEW, "%s", err.text);
	cr_expect_eq(commit_saved_sequence(commit), 0, "all positions are asked for");
	cr_expect_eq(save(), COMMIT_DONE, "%s", err.text);
	again(ALL);
	cr_expect_eq(found, STATE_RESUMED);
	cr_expect(shows("sizes_count{id=\"a\"} 1\n"));
	cr_expect(past.caught_up);
	cr_expect_eq(past.discovery.root_count, 1);
	cr_expect_eq(scrapers_seen(scrapers, "::1", "a", true), 1);
}
