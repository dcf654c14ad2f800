/*
 * Series expire, come back and go.  Log times lie in the past; time is made to pass by
 * binding the metrics with a shorter `expire`.
 */
#include "exporter/life.h"

#include "common/clock.h"
#include "common/xalloc.h"
#include "exporter/part.h"
#include "exporter/saved.h"
#include "fixture.h"

#define HOUR_NS (3600 * NS_PER_SECOND)
#define LONG (100 * HOUR_NS)
#define SHORT (10 * HOUR_NS)
#define ALL_SEEN EXPOSITION_ALL_SEEN

static const char *const labels[] = {"id"};
static const double bounds[] = {1, 10};
static const struct slice declared[] = {{"declared", 8}};

enum { EVENTS, LEVEL, SIZES, ALONE, IN_FLIGHT, DEFS };
static struct metric_def table[DEFS] = {
	[EVENTS] = {METRIC_COUNTER, "events_total", "", labels, 1, .max_series = 20},
	[LEVEL] = {METRIC_GAUGE, "level", "", labels, 1, .max_series = 20},
	[SIZES] = {METRIC_HISTOGRAM, "sizes", "", labels, 1, bounds, 2},
	[ALONE] = {METRIC_COUNTER, "alone_total", ""},
	[IN_FLIGHT] = {METRIC_GAUGE, "in_flight", "", .gauge_adds = true},
};
static size_t present; /* the metric that is bound */

static void expire_after(int64_t expire_ns)
{
	const struct metric_def *def = &table[present];

	table[present].expire_ns = expire_ns;
	bind_defs(&def, 1);
}

static void begin(size_t metric, size_t workers)
{
	start(&(struct registry_options){0}, workers);
	present = metric;
	expire_after(LONG);
}

static int64_t ago(int hours)
{
	return clock_wall_ns() - hours * HOUR_NS;
}

static enum update_result put_at(size_t worker, int64_t time_ns, const char *id,
				 double value)
{
	static const enum update_op ops[] = {[EVENTS] = UPDATE_ADD,
					     [LEVEL] = UPDATE_SET,
					     [SIZES] = UPDATE_OBSERVE,
					     [ALONE] = UPDATE_ADD,
					     [IN_FLIGHT] = UPDATE_ADD};
	struct slice label = slice_of(id);

	return apply(worker, 0, ops[present], value, time_ns, &label);
}

static void put(int hours_ago, const char *id, double value)
{
	cr_expect_eq(put_at(0, ago(hours_ago), id, value), UPDATE_DONE);
}

static struct family *family(void)
{
	return schema_family(schema, 0);
}

/* Everything that was begun is brought to an end. */
static void settle(void)
{
	for (int i = 0; i < 6; i++)
		cut_unref(make_cut());
}

#define GAUGE "# TYPE level gauge\n"
#define COUNTER "# TYPE events_total counter\n"

Test(life, an_expired_gauge_goes_and_comes_back_as_it_is)
{
	begin(LEVEL, 1);
	put(50, "a", 1);
	put(5, "b", 2);
	cr_expect_str_eq(scrape(0), GAUGE "level{id=\"a\"} 1\nlevel{id=\"b\"} 2\n");
	expire_after(SHORT);
	cr_expect_str_eq(scrape(0), GAUGE "level{id=\"b\"} 2\n");
	cr_expect_eq(family_live_series(family()), 1);
	settle();
	put(1, "a", 3);
	cr_expect_str_eq(scrape(0), GAUGE "level{id=\"a\"} 3\nlevel{id=\"b\"} 2\n");
	stop();
}

Test(life, a_gauge_is_not_born_with_an_update_that_has_expired)
{
	begin(LEVEL, 1);
	cr_expect_eq(put_at(0, ago(101), "a", 1), UPDATE_OLD);
	cr_expect_eq(family_series(family()), 0);
	put(99, "a", 2);
	cr_expect_eq(put_at(0, ago(101), "a", 1), UPDATE_OLD, "older than the value");
	cr_expect_str_eq(scrape(0), GAUGE "level{id=\"a\"} 2\n");
	stop();
}

Test(life, months_of_gauges_that_come_and_go_take_no_memory)
{
	char id[16];

	begin(LEVEL, 2);
	for (int day = 0; day < 300; day++) {
		expire_after(LONG);
		for (int i = 0; i < 10; i++) {
			snprintf(id, sizeof(id), "%d-%d", day, i);
			cr_assert_eq(put_at((size_t)i % 2, ago(50), id, day),
				     UPDATE_DONE, "no limit is met");
		}
		cr_expect_str_neq(scrape(0), "");
		expire_after(SHORT);
		settle();
		cr_expect_str_eq(scrape(0), "");
	}
	cr_expect_leq(family_series(family()), 20, "%zu numbers",
		      family_series(family()));
	cr_expect_eq(family_forgotten(family()), 0, "that is about counters");
	stop();
}

Test(life, an_expired_counter_comes_back_from_its_old_value_to_each_scraper)
{
	uint64_t before, after;

	begin(EVENTS, 1);
	put(50, "a", 7);
	cr_expect_str_eq(scrape(ALL_SEEN), COUNTER "events_total{id=\"a\"} 7\n");
	before = sequence;
	expire_after(SHORT);
	cr_expect_str_eq(scrape(before), "");
	settle();
	put(1, "a", 3);
	cr_expect_str_eq(scrape(before), COUNTER "events_total{id=\"a\"} 7\n");
	after = sequence;
	cr_expect_str_eq(scrape(before), COUNTER "events_total{id=\"a\"} 7\n",
			 "a scraper that was not there yet");
	cr_expect_str_eq(scrape(after), COUNTER "events_total{id=\"a\"} 10\n");
	cr_expect_str_eq(scrape(ALL_SEEN), COUNTER "events_total{id=\"a\"} 10\n");
	stop();
}

/* A slow reader has the cut still when the next one brings the series back. */
Test(life, a_cut_does_not_show_what_came_while_it_was_hidden)
{
	struct cut *slow;

	begin(EVENTS, 1);
	put(50, "a", 7);
	cut_unref(make_cut());
	expire_after(SHORT);
	cut_unref(make_cut());
	put(50, "a", 2);
	slow = make_cut();
	put(1, "a", 1);
	cut_unref(make_cut());
	cr_expect_str_eq(render(slow, 1), "");
	cut_unref(slow);
	cr_expect_str_eq(scrape(1), COUNTER "events_total{id=\"a\"} 7\n");
	stop();
}

Test(life, a_counter_may_expire_and_come_back_again_and_again)
{
	char line[64];
	uint64_t seen = 0;

	begin(EVENTS, 1);
	put(90, "a", 1);
	for (int i = 1; i < 9; i++) {
		struct cut *cut;

		cut_unref(make_cut());
		expire_after((int64_t)(100 - 10 * i) * HOUR_NS - HOUR_NS);
		cr_expect_str_eq(scrape(seen), "");
		put(90 - 10 * i, "a", 1);
		cut = make_cut();
		snprintf(line, sizeof(line), COUNTER "events_total{id=\"a\"} %d\n", i);
		cr_expect_str_eq(render(cut, seen), line);
		seen = sequence;
		snprintf(line, sizeof(line), COUNTER "events_total{id=\"a\"} %d\n",
			 i + 1);
		cr_expect_str_eq(render(cut, seen), line);
		cut_unref(cut);
	}
	stop();
}

Test(life, a_counter_that_was_never_shown_comes_back_from_0)
{
	begin(EVENTS, 1);
	expire_after(SHORT);
	put(50, "a", 7);
	cr_expect_str_eq(scrape(0), "");
	put(1, "a", 3);
	cr_expect_str_eq(scrape(sequence), COUNTER "events_total{id=\"a\"} 0\n");
	cr_expect_str_eq(scrape(sequence), COUNTER "events_total{id=\"a\"} 10\n");
	stop();
}

Test(life, what_expired_in_the_first_backlog_is_nothing_new)
{
	begin(EVENTS, 1);
	expire_after(SHORT);
	store_births_are_old(stores[0], true);
	put(60, "a", 7);
	cut_unref(make_cut_hiding(true));
	put(50, "a", 10);
	put(50, "b", 10);
	cut_unref(make_cut_hiding(true));
	put(1, "b", 1);
	cut_unref(make_cut_hiding(true));
	store_births_are_old(stores[0], false);
	cr_expect_str_eq(scrape(0), COUNTER "events_total{id=\"b\"} 11\n");
	put(1, "a", 1);
	cr_expect_str_eq(scrape(sequence), COUNTER
			 "events_total{id=\"a\"} 17\nevents_total{id=\"b\"} 11\n");
	stop();
}

Test(life, all_parts_of_a_histogram_come_back)
{
	begin(SIZES, 2);
	put_at(0, ago(50), "a", 0.5);
	put_at(1, ago(60), "a", 20);
	cut_unref(make_cut());
	expire_after(SHORT);
	cr_expect_str_eq(scrape(0), "");
	put_at(1, ago(1), "a", 5);
	cr_expect_str_eq(scrape(sequence), "# TYPE sizes histogram\n"
					   "sizes_bucket{id=\"a\",le=\"1.0\"} 1\n"
					   "sizes_bucket{id=\"a\",le=\"10.0\"} 1\n"
					   "sizes_bucket{id=\"a\",le=\"+Inf\"} 2\n"
					   "sizes_sum{id=\"a\"} 20.5\n"
					   "sizes_count{id=\"a\"} 2\n");
	cr_expect(strstr(scrape(sequence), "sizes_sum{id=\"a\"} 25.5\n"));
	stop();
}

Test(life, the_latest_of_all_workers_updates_counts)
{
	begin(EVENTS, 2);
	expire_after(SHORT);
	put_at(0, ago(50), "a", 1);
	put_at(1, ago(5), "a", 2);
	cr_expect_str_eq(scrape(ALL_SEEN), COUNTER "events_total{id=\"a\"} 3\n");
	put_at(0, ago(50), "a", 4);
	cr_expect_str_eq(scrape(ALL_SEEN), COUNTER "events_total{id=\"a\"} 7\n");
	stop();
}

Test(life, what_is_declared_or_alone_stays)
{
	table[EVENTS].declared = declared;
	table[EVENTS].declared_count = 1;
	begin(EVENTS, 1);
	put(50, "declared", 3);
	cut_unref(make_cut());
	expire_after(SHORT);
	settle();
	cr_expect_str_eq(scrape(ALL_SEEN), COUNTER "events_total{id=\"declared\"} 3\n");
	stop();
	rendered = (struct strbuf)STRBUF_INIT;
	begin(ALONE, 1);
	put(50, "", 3);
	cut_unref(make_cut());
	expire_after(SHORT);
	settle();
	cr_expect_str_eq(scrape(ALL_SEEN), "# TYPE alone_total counter\n"
					   "alone_total 3\n");
	stop();
}

Test(life, a_gauge_without_labels_goes_too)
{
	begin(IN_FLIGHT, 2);
	put_at(0, ago(50), "", 3);
	put_at(1, ago(60), "", 4);
	cr_expect_str_eq(scrape(0), "# TYPE in_flight gauge\nin_flight 7\n");
	expire_after(SHORT);
	settle();
	cr_expect_str_eq(scrape(0), "");
	put_at(0, ago(1), "", 1);
	settle();
	cr_expect_str_eq(scrape(0), "# TYPE in_flight gauge\nin_flight 8\n");
	stop();
}

Test(life, a_longer_time_brings_back_what_is_still_known)
{
	begin(EVENTS, 1);
	put(50, "a", 7);
	cut_unref(make_cut());
	expire_after(SHORT);
	cr_expect_str_eq(scrape(0), "");
	expire_after(0);
	cr_expect_str_eq(scrape(ALL_SEEN), COUNTER "events_total{id=\"a\"} 7\n");
	stop();
}

/* ---- limits ---- */

static void put_many(int hours_ago, int from, int until)
{
	char id[16];

	for (int i = from; i < until; i++) {
		snprintf(id, sizeof(id), "%04d", i);
		put(hours_ago, id, 1);
	}
}

Test(life, hidden_ones_do_not_count_but_come_back_whatever_the_limit_says)
{
	begin(EVENTS, 1);
	put_many(50, 0, 20);
	expire_after(SHORT);
	cut_unref(make_cut());
	put_many(1, 100, 120);
	cr_expect_eq(family_overflows(family()), 0);
	put(1, "0000", 1);
	cut_unref(make_cut());
	cr_expect_eq(family_live_series(family()), 21);
	cr_expect(strstr(scrape(ALL_SEEN), "events_total{id=\"0000\"} 2\n"));
	cr_expect_eq(put_at(0, ago(1), "new", 1), UPDATE_OVERFLOWED);
	stop();
}

Test(life, as_many_are_hidden_as_may_be_shown_and_the_oldest_go)
{
	begin(EVENTS, 1);
	for (int i = 0; i < 200; i += 10) {
		expire_after(LONG);
		put_many(60 - i / 10, i, i + 10);
		expire_after(SHORT);
		settle();
	}
	cr_expect_leq(family_series(family()), 60, "%zu", family_series(family()));
	cr_expect_eq(family_forgotten(family()), 180);
	put_many(1, 170, 200);
	cut_unref(make_cut());
	cr_expect(strstr(scrape(ALL_SEEN), "events_total{id=\"0180\"} 2\n"));
	cr_expect(strstr(scrape(ALL_SEEN), "events_total{id=\"0179\"} 1\n"));
	stop();
}

Test(life, numbers_are_bounded_even_while_an_old_cut_is_read)
{
	struct cut *old;

	begin(LEVEL, 1);
	put_many(50, 0, 1);
	old = make_cut();
	for (int i = 1; i < 1000; i += 10) {
		char id[16];

		expire_after(LONG);
		for (int j = 0; j < 10; j++) {
			snprintf(id, sizeof(id), "%d", i + j);
			put_at(0, ago(50), id, 1);
		}
		cut_unref(make_cut());
		expire_after(SHORT);
		settle();
	}
	cr_expect_leq(family_series(family()), 80, "%zu", family_series(family()));
	cr_expect_gt(family_overflows(family()), 0);
	cut_unref(old);
	settle();
	put(1, "late", 1);
	cr_expect_str_eq(scrape(0), GAUGE "level{id=\"late\"} 1\n");
	stop();
}

/* ---- who meets whom ---- */

Test(life, who_asks_for_one_that_is_about_to_go_keeps_it)
{
	begin(LEVEL, 2);
	put_at(0, ago(50), "a", 1);
	put_at(1, ago(51), "b", 1);
	cut_unref(make_cut());
	expire_after(SHORT);
	cut_unref(make_cut()); /* they are to go */
	cut_unref(make_cut()); /* the stores have forgotten them: they are gone */
	put_at(1, ago(1), "a", 2);
	cut_unref(make_cut());
	cr_expect_str_eq(scrape(0), GAUGE "level{id=\"a\"} 2\n");
	settle();
	put_at(0, ago(1), "b", 3);
	put_at(0, ago(0), "a", 4);
	cr_expect_str_eq(scrape(0), GAUGE "level{id=\"b\"} 3\nlevel{id=\"a\"} 4\n");
	cr_expect_leq(family_series(family()), 3);
	stop();
}

/* Two workers' parts of the value: both stay, or both went before the update. */
static void update_late(int late)
{
	struct part *parts[2];

	begin(EVENTS, 2);
	put_many(50, 0, 20);
	put_at(1, ago(50), "0003", 1);
	expire_after(SHORT);
	cut_unref(make_cut());
	put_many(40, 100, 120);
	for (int i = 0; i < 6; i++) {
		sequence++;
		for (size_t w = 0; w < 2; w++) {
			parts[w] = store_cut(stores[w], sequence);
			if (i * 2 + (int)w == late / 2)
				put_at((size_t)late % 2, ago(1), "0003", 1);
		}
		cut_unref(cut_create(sequence, schema, parts, 2, false));
	}
	settle();
}

Test(life, an_update_in_the_middle_of_it_loses_nothing_and_brings_nothing_half_back)
{
	bool stayed = false, went = false;

	for (int late = 0; late < 24; late++) {
		update_late(late);
		if (strcmp(scrape(ALL_SEEN), COUNTER "events_total{id=\"0003\"} 3\n") ==
		    0)
			stayed = true;
		else if (strcmp(scrape(ALL_SEEN),
				COUNTER "events_total{id=\"0003\"} 1\n") == 0)
			went = true;
		else
			cr_expect(false, "%d: %s", late, scrape(ALL_SEEN));
		stop();
		rendered = (struct strbuf)STRBUF_INIT;
	}
	cr_expect(stayed && went);
}

Test(life, an_old_cut_does_not_show_who_has_the_number_now)
{
	struct cut *between, *old;

	begin(LEVEL, 1);
	put(50, "a", 1);
	old = make_cut();
	expire_after(SHORT);
	settle();
	put(1, "b", 2);
	cut_unref(make_cut());
	cr_expect_str_eq(render(old, 0), "", "it expired meanwhile");
	cr_expect_eq(family_series(family()), 2, "its number is not free yet");
	cut_unref(old);
	cut_unref(make_cut());
	between = make_cut();
	put(1, "c", 3);
	cut_unref(make_cut());
	cr_expect_eq(family_series(family()), 2);
	cr_expect_str_eq(render(between, 0), GAUGE "level{id=\"b\"} 2\n");
	cr_expect_str_eq(scrape(0), GAUGE "level{id=\"c\"} 3\nlevel{id=\"b\"} 2\n");
	cut_unref(between);
	stop();
}

Test(life, what_never_expires_does_not)
{
	start(&(struct registry_options){.never_expires = true}, 1);
	present = LEVEL;
	expire_after(SHORT);
	put(5000, "a", 1);
	cr_expect_str_eq(scrape(0), GAUGE "level{id=\"a\"} 1\n");
	stop();
}

/* ---- what is saved ---- */

static size_t free_count, series_count, value_count, past_count;

static void visit_series(void *ctx, struct family *f, uint32_t number,
			 const struct saved_series *series)
{
	(void)ctx;
	(void)f;
	(void)number;
	free_count += series->is_free;
	series_count += !series->is_free;
	cr_expect_eq(series->labels.len == 0, series->is_free);
}

static void visit_value(void *ctx, struct family *f, uint32_t number,
			const struct slots_value *value)
{
	(void)ctx;
	(void)f;
	(void)number;
	(void)value;
	value_count++;
}

static void visit_past(void *ctx, struct family *f, uint32_t number, uint64_t at,
		       const struct slots_value *value)
{
	(void)ctx;
	(void)f;
	(void)number;
	(void)at;
	(void)value;
	past_count++;
}

/* Saves the cut; what is said of how many numbers. */
static void expect_changes(struct cut *cut, struct cut *since, size_t series,
			   size_t frees, size_t values)
{
	static const struct cut_visitor visitor = {visit_series, visit_value,
						   visit_past};

	free_count = series_count = value_count = past_count = 0;
	cut_each_change(cut, since, &visitor, NULL);
	cr_expect_eq(series_count, series, "%zu series", series_count);
	cr_expect_eq(free_count, frees, "%zu free", free_count);
	cr_expect_eq(value_count, values, "%zu values", value_count);
	family_note_saved(family(), cut, 0);
}

Test(life, a_number_that_changes_hands_is_said_to_once)
{
	struct cut *a, *b, *c, *d;

	begin(LEVEL, 1);
	put(50, "a", 1);
	put(1, "stays", 1);
	a = make_cut();
	expect_changes(a, a, 2, 0, 0);
	expire_after(SHORT);
	settle();
	b = make_cut();
	expect_changes(b, a, 0, 1, 0);
	cut_unref(a);
	settle();
	put(1, "b", 2);
	c = make_cut();
	expect_changes(c, b, 1, 0, 0);
	put(1, "b", 3);
	d = make_cut();
	expect_changes(d, c, 0, 0, 1);
	cut_unref(b);
	cut_unref(c);
	cut_unref(d);
	stop();
}

/* It is all put again, in a new database, while the number is given to another. */
Test(life, what_is_born_after_the_cut_is_saved_with_the_next)
{
	struct cut *cut, *next;

	begin(LEVEL, 1);
	put(50, "a", 1);
	put(1, "stays", 1);
	expire_after(SHORT);
	settle();
	cut = make_cut();
	put(1, "b", 2);
	cr_assert_eq(family_series(family()), 2);
	family_note_unsaved(family());
	expect_changes(cut, cut, 1, 1, 0);
	next = make_cut();
	expect_changes(next, cut, 1, 0, 0);
	cut_unref(cut);
	cut_unref(next);
	stop();
}

Test(life, what_is_hidden_after_the_cut_is_saved_with_the_next)
{
	struct cut *cut, *next;

	begin(EVENTS, 1);
	put(50, "a", 1);
	cut = make_cut();
	expire_after(SHORT);
	next = make_cut();
	expect_changes(cut, cut, 1, 0, 0);
	cr_expect_eq(past_count, 0);
	expect_changes(next, cut, 0, 0, 0);
	cr_expect_eq(past_count, 1);
	expect_changes(next, next, 0, 0, 0);
	cr_expect_eq(past_count, 0);
	cut_unref(cut);
	cut_unref(next);
	stop();
}

Test(life, a_cut_does_not_show_who_was_born_after_it_in_an_old_place)
{
	struct cut *cut;

	begin(EVENTS, 1);
	put_many(50, 0, 20);
	expire_after(SHORT);
	cut_unref(make_cut());
	put_many(49, 20, 40);
	settle();
	cut = make_cut();
	put(1, "new", 1);
	cr_expect_str_eq(render(cut, 0), "");
	cr_expect_eq(family_series(family()), 40);
	cr_expect_str_eq(scrape(ALL_SEEN), COUNTER "events_total{id=\"new\"} 1\n");
	cut_unref(cut);
	stop();
}

/* ---- anything in any order ---- */

#define IDS 40
#define WORKERS 3

/* Each update of an id adds twice what the one before did. */
struct told {
	int updates;
	bool fresh; /* one was: it must be there */
};
static struct told told[IDS];
static struct part *early[WORKERS]; /* of the next cut */
static uint64_t random_state;

static unsigned below(unsigned most)
{
	random_state = random_state * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(random_state >> 33) % most;
}

static void tell(void)
{
	unsigned id = below(4) > 0 ? below(8) : below(IDS);
	bool fresh = below(6) == 0;
	char name[8];

	if (told[id].updates == 50)
		return;
	snprintf(name, sizeof(name), "%u", id);
	if (put_at(below(WORKERS), ago(fresh ? 1 : (int)(20 + below(50))), name,
		   (double)(UINT64_C(1) << told[id].updates)) != UPDATE_DONE)
		return; /* went to `other` */
	told[id].updates++;
	told[id].fresh |= fresh;
}

/* A value is what some of the last updates added, all of them in a row. */
static bool is_possible(const struct told *t, uint64_t value)
{
	uint64_t all = (UINT64_C(1) << t->updates) - 1;

	return value <= all && ((all ^ value) & ((all ^ value) + 1)) == 0;
}

static void check(struct cut *cut)
{
	bool seen[IDS] = {false};
	char *save,
		*line = strtok_r((char *)(uintptr_t)render(cut, ALL_SEEN), "\n", &save);

	for (; line; line = strtok_r(NULL, "\n", &save)) {
		unsigned id;
		unsigned long long value;

		if (sscanf(line, "events_total{id=\"%u\"} %llu", &id, &value) != 2)
			continue;
		cr_assert_not(seen[id], "%u stands twice", id);
		seen[id] = true;
		cr_assert(is_possible(&told[id], value), "%u: %llx after %d", id, value,
			  told[id].updates);
	}
	for (unsigned id = 0; id < IDS; id++)
		cr_assert(seen[id] || !told[id].fresh, "%u is missing", id);
}

/* Parts are taken early or late, as by workers that are slow. */
static struct cut *make_uneven_cut(void)
{
	struct part *parts[WORKERS];
	struct cut *cut;

	sequence++;
	for (size_t w = 0; w < WORKERS; w++) {
		parts[w] = early[w] ? early[w] : store_cut(stores[w], sequence);
		early[w] = NULL;
	}
	for (size_t w = 0; w < WORKERS; w++)
		if (below(3) == 0)
			early[w] = store_cut(stores[w], sequence + 1);
	cut = cut_create(sequence, schema, parts, WORKERS, false);
	return cut;
}

/* Those that tell something after their part was taken are not in the cut. */
static void check_all(void)
{
	for (int i = 0; i < 2; i++) {
		struct cut *cut = make_uneven_cut();

		for (size_t w = 0; w < WORKERS; w++) {
			part_unref(early[w]);
			early[w] = NULL;
		}
		sequence++;
		if (i == 1)
			check(cut);
		cut_unref(cut);
	}
}

static void run_randomly(uint64_t seed)
{
	struct cut *held = NULL;

	random_state = seed;
	memset(told, 0, sizeof(told));
	begin(EVENTS, WORKERS);
	expire_after(SHORT);
	for (int step = 0; step < 600; step++) {
		if (below(3) > 0)
			tell();
		else
			cut_unref(make_uneven_cut());
		if (below(40) == 0) {
			cut_unref(held);
			held = below(2) ? make_uneven_cut() : NULL;
		}
		if (below(20) == 0)
			check_all();
	}
	cut_unref(held);
	check_all();
	stop();
	rendered = (struct strbuf)STRBUF_INIT;
}

Test(life, whatever_happens_in_whatever_order_no_value_is_half_lost)
{
	table[EVENTS].max_series = 6;
	for (uint64_t seed = 1; seed <= 300; seed++)
		run_randomly(seed);
}
