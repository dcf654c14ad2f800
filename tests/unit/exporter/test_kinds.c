/*
 * Summaries, uniques, states, and gauges with the least or greatest of a window: as
 * they are shown, and that nothing counts but times and values: neither who saw what,
 * nor when it was saved and brought back.
 */
#include <math.h>

#include "common/clock.h"
#include "common/xalloc.h"
#include "exporter/saved.h"
#include "fixture.h"

#define SECOND NS_PER_SECOND
#define ALL_SEEN EXPOSITION_ALL_SEEN
#define AT_12 (1763640000 * SECOND) /* 2025-11-20T12:00:00Z, where a pane begins */

static const char *const labels[] = {"id"};
static const double quantiles[] = {0.5, 1};
static const char *const states[] = {"idle", "running", "failed"};

enum { TOOK, USERS, JOB, LEAST, GREATEST, DEFS };
static const struct metric_def table[DEFS] = {
	[TOOK] = {METRIC_SUMMARY, "took", "", labels, 1, .window_ns = 600 * SECOND,
		  .quantiles = quantiles, .quantile_count = 2, .max_series = 20},
	[USERS] = {METRIC_UNIQUE, "users", "", labels, 1, .window_ns = 600 * SECOND,
		   .max_series = 20, .track_age = true},
	[JOB] = {METRIC_STATE, "job", "", labels, 1, .states = states, .state_count = 3,
		 .max_series = 20, .track_age = true},
	[LEAST] = {METRIC_GAUGE, "least", "", labels, 1, .extreme = EXTREME_LEAST,
		   .window_ns = 600 * SECOND},
	[GREATEST] = {METRIC_GAUGE, "greatest", "", labels, 1,
		      .extreme = EXTREME_GREATEST, .window_ns = 600 * SECOND},
};

static struct metric_def defs[DEFS];

static void bind_all(void)
{
	const struct metric_def *list[DEFS];

	for (size_t i = 0; i < DEFS; i++)
		list[i] = &defs[i];
	bind_defs(list, DEFS);
}

static void begin(size_t workers)
{
	memcpy(defs, table, sizeof(defs));
	start(&(struct registry_options){0}, workers);
	bind_all();
}

/* Only one metric, whose index is then 0. */
static void bind_one(size_t metric)
{
	const struct metric_def *def = &defs[metric];

	bind_defs(&def, 1);
}

static enum update_result see(size_t worker, size_t metric, const char *text,
			      int64_t time_ns, const char *id)
{
	struct slice label = slice_of(id);
	struct update update = {.metric = metric,
				.op = UPDATE_SEE,
				.text = slice_of(text),
				.time_ns = time_ns,
				.labels = &label};

	return store_update(stores[worker], &update);
}

static enum update_result put(size_t worker, size_t metric, double value,
			      int64_t time_ns, const char *id)
{
	struct slice label = slice_of(id);

	return apply(worker, metric, metric == JOB ? UPDATE_SET : UPDATE_OBSERVE, value,
		     time_ns, &label);
}

/* ---- as text ---- */

Test(kinds, a_summary_has_quantiles_of_its_window_and_sums_of_all_time)
{
	begin(1);
	put(0, TOOK, 1000, AT_12 - 3600 * SECOND, "a");
	put(0, TOOK, 0, AT_12, "a");
	put(0, TOOK, 2, AT_12 + SECOND, "a");
	put(0, TOOK, -0.5, AT_12, "a");
	put(0, TOOK, 500, AT_12 - 601 * SECOND, "a");
	cr_expect(strstr(scrape(ALL_SEEN), "# TYPE took summary\n"
					   "took{id=\"a\",quantile=\"0.5\"} 0\n"
					   "took{id=\"a\",quantile=\"1.0\"} 1.99366"));
	cr_expect(strstr(rendered.ptr, "\ntook_sum{id=\"a\"} 1501.5\n"
				       "took_count{id=\"a\"} 5\n"));
	stop();
}

Test(kinds, a_unique_counts_different_texts)
{
	begin(1);
	see(0, USERS, "p1", AT_12, "a");
	see(0, USERS, "p2", AT_12 + SECOND / 2, "a");
	see(0, USERS, "p1", AT_12 - SECOND, "a");
	cr_expect_str_eq(scrape(ALL_SEEN),
			 "# TYPE users gauge\n"
			 "users{id=\"a\"} 2\n"
			 "# HELP users_last_update_timestamp_seconds When users was "
			 "last updated, in the time of the log.\n"
			 "# TYPE users_last_update_timestamp_seconds gauge\n"
			 "users_last_update_timestamp_seconds{id=\"a\"} "
			 "1.7636400005e+09\n");
	see(0, USERS, "p3", AT_12 + 700 * SECOND, "a");
	cr_expect(strstr(scrape(ALL_SEEN), "users{id=\"a\"} 1\n"));
	stop();
}

Test(kinds, a_state_shows_each_state_and_the_latest_is_1)
{
	begin(2);
	put(0, JOB, 2, AT_12 + 5 * SECOND, "a");
	put(1, JOB, 1, AT_12, "a");
	cr_expect_str_eq(scrape(ALL_SEEN),
			 "# TYPE job gauge\n"
			 "job{id=\"a\",job=\"idle\"} 0\n"
			 "job{id=\"a\",job=\"running\"} 0\n"
			 "job{id=\"a\",job=\"failed\"} 1\n"
			 "# HELP job_last_update_timestamp_seconds When job was last "
			 "updated, in the time of the log.\n"
			 "# TYPE job_last_update_timestamp_seconds gauge\n"
			 "job_last_update_timestamp_seconds{id=\"a\"} 1763640005\n");
	cr_expect_eq(put(0, JOB, 0, AT_12, "a"), UPDATE_OLD);
	stop();
}

Test(kinds, the_least_and_the_greatest_leave_with_the_window)
{
	begin(1);
	put(0, LEAST, 3, AT_12, "a");
	put(0, GREATEST, 3, AT_12, "a");
	put(0, LEAST, 5, AT_12 + 700 * SECOND - 1, "a");
	put(0, GREATEST, -5, AT_12 + 700 * SECOND - 1, "a");
	cr_expect_str_eq(scrape(ALL_SEEN),
			 "# TYPE greatest gauge\ngreatest{id=\"a\"} 3\n"
			 "# TYPE least gauge\nleast{id=\"a\"} 3\n");
	put(0, LEAST, 7, AT_12 + 700 * SECOND, "a");
	put(0, GREATEST, -7, AT_12 + 700 * SECOND, "a");
	cr_expect_str_eq(scrape(ALL_SEEN),
			 "# TYPE greatest gauge\ngreatest{id=\"a\"} -5\n"
			 "# TYPE least gauge\nleast{id=\"a\"} 5\n");
	cr_expect_eq(put(0, LEAST, NAN, AT_12, "a"), UPDATE_NOT_FINITE);
	cr_expect_eq(put(0, GREATEST, INFINITY, AT_12, "a"), UPDATE_NOT_FINITE);
	cr_expect_eq(put(0, TOOK, INFINITY, AT_12, "b"), UPDATE_NOT_FINITE);
	stop();
}

static const char *as_json(void)
{
	struct cut *cut = make_cut();
	struct exposition *e = exposition_create(cut, ALL_SEEN, TEXT(""));
	size_t n;

	exposition_set_options(e,
			       &(struct exposition_options){.format = EXPOSITION_JSON});
	strbuf_clear(&rendered);
	while ((n = exposition_read(e, strbuf_room(&rendered, 4096), 4096)) > 0) {
		rendered.len += n;
		rendered.ptr[rendered.len] = '\0';
	}
	exposition_destroy(e);
	cut_unref(cut);
	return rendered.ptr;
}

Test(kinds, json_has_them_as_prom2json_would)
{
	begin(1);
	put(0, TOOK, 0, AT_12, "a");
	see(0, USERS, "x", AT_12, "a");
	put(0, JOB, 1, AT_12, "a");
	defs[JOB].track_age = defs[USERS].track_age = false;
	bind_all();
	cr_expect_str_eq(
		as_json(),
		"[{\"name\":\"job\",\"help\":\"\",\"type\":\"GAUGE\",\"metrics\":[\n"
		"{\"labels\":{\"id\":\"a\",\"job\":\"idle\"},\"value\":\"0\"},\n"
		"{\"labels\":{\"id\":\"a\",\"job\":\"running\"},\"value\":\"1\"},\n"
		"{\"labels\":{\"id\":\"a\",\"job\":\"failed\"},\"value\":\"0\"}]},\n"
		"{\"name\":\"took\",\"help\":\"\",\"type\":\"SUMMARY\",\"metrics\":[\n"
		"{\"labels\":{\"id\":\"a\"},\"quantiles\":{\"0.5\":\"0\",\"1.0\":\"0\"}"
		","
		"\"count\":\"1\",\"sum\":\"0\"}]},\n"
		"{\"name\":\"users\",\"help\":\"\",\"type\":\"GAUGE\",\"metrics\":[\n"
		"{\"labels\":{\"id\":\"a\"},\"value\":\"1\"}]}]\n");
	stop();
}

/* ---- as counters and gauges ---- */

Test(kinds, a_summary_that_is_born_is_shown_at_0_once_with_its_quantiles)
{
	const char *text;

	begin(1);
	scrape(0);
	put(0, TOOK, 0, AT_12, "a");
	text = scrape(1);
	cr_expect(strstr(text, "took_count{id=\"a\"} 0\n"), "%s", text);
	cr_expect(strstr(text, "took_sum{id=\"a\"} 0\n"));
	cr_expect(strstr(text, "took{id=\"a\",quantile=\"0.5\"} 0\n"));
	cr_expect(strstr(scrape(2), "took_count{id=\"a\"} 1\n"));
	stop();
}

Test(kinds, a_declared_summary_has_no_quantiles_yet)
{
	static const struct slice declared[] = {{"a", 1}};

	begin(1);
	defs[TOOK].declared = declared;
	defs[TOOK].declared_count = 1;
	bind_all();
	cr_expect_str_eq(scrape(ALL_SEEN), "# TYPE took summary\n"
					   "took{id=\"a\",quantile=\"0.5\"} NaN\n"
					   "took{id=\"a\",quantile=\"1.0\"} NaN\n"
					   "took_sum{id=\"a\"} 0\n"
					   "took_count{id=\"a\"} 0\n");
	stop();
}

Test(kinds, over_the_limit_summaries_go_to_other_and_gauges_go)
{
	begin(1);
	defs[TOOK].max_series = defs[USERS].max_series = defs[JOB].max_series = 1;
	bind_all();
	for (int i = 0; i < 3; i++) {
		char id[2] = {(char)('a' + i), 0};
		enum update_result wanted = i == 0 ? UPDATE_DONE : UPDATE_OVERFLOWED;

		cr_expect_eq(put(0, TOOK, i, AT_12, id), wanted);
		cr_expect_eq(see(0, USERS, "x", AT_12, id), wanted);
		cr_expect_eq(put(0, JOB, 1, AT_12, id), wanted);
	}
	cr_expect(strstr(scrape(ALL_SEEN), "took_sum{id=\"other\"} 3\n"));
	cr_expect(strstr(rendered.ptr, "took_count{id=\"other\"} 2\n"));
	cr_expect_null(strstr(rendered.ptr, "users{id=\"other\"}"));
	cr_expect_null(strstr(rendered.ptr, "job{id=\"other\""));
	stop();
}

static void expire_after(size_t metric, int64_t expire_ns)
{
	defs[metric].expire_ns = expire_ns;
	bind_one(metric);
}

static int64_t ago(int hours)
{
	return clock_wall_ns() - hours * 3600 * SECOND;
}

Test(kinds, an_expired_summary_comes_back_from_its_old_sums)
{
	const char *text;

	begin(2);
	expire_after(TOOK, 100 * 3600 * SECOND);
	put(0, 0, 5, ago(20), "a");
	put(1, 0, 6, ago(20), "a");
	scrape(0);
	expire_after(TOOK, 10 * 3600 * SECOND);
	cr_expect_str_eq(scrape(sequence), "");
	put(0, 0, 0, ago(1), "a");
	text = scrape(sequence);
	cr_expect(strstr(text, "took_sum{id=\"a\"} 11\n"), "%s", text);
	cr_expect(strstr(text, "took_count{id=\"a\"} 2\n"));
	cr_expect(strstr(text, "took{id=\"a\",quantile=\"0.5\"} 0\n"), "as they are");
	cr_expect(strstr(scrape(sequence), "took_count{id=\"a\"} 3\n"));
	stop();
}

Test(kinds, an_expired_unique_and_state_go_and_begin_anew)
{
	static const size_t metrics[] = {USERS, JOB, LEAST};

	for (size_t i = 0; i < 3; i++) {
		bool is_unique = metrics[i] == USERS;

		begin(2);
		expire_after(metrics[i], 100 * 3600 * SECOND);
		for (size_t w = 0; w < 2; w++)
			is_unique
				? see(w, 0, "x", ago(20), "a")
				: apply(w, 0,
					metrics[i] == JOB ? UPDATE_SET : UPDATE_OBSERVE,
					1, ago(20), LABELS(TEXT("a")));
		cr_expect_str_neq(scrape(0), "");
		expire_after(metrics[i], 10 * 3600 * SECOND);
		for (int cuts = 0; cuts < 8; cuts++)
			cr_expect_str_eq(scrape(ALL_SEEN), "");
		is_unique ? see(0, 0, "y", ago(1), "b")
			  : apply(0, 0, metrics[i] == JOB ? UPDATE_SET : UPDATE_OBSERVE,
				  2, ago(1), LABELS(TEXT("b")));
		cr_expect_eq(family_series(schema_family(schema, 0)), 1,
			     "its number is given away");
		cr_expect(strstr(scrape(ALL_SEEN), "{id=\"b\"") &&
				  !strstr(rendered.ptr, "id=\"a\""),
			  "%s", rendered.ptr);
		if (is_unique)
			cr_expect(strstr(rendered.ptr, "users{id=\"b\"} 1\n"));
		if (metrics[i] == LEAST)
			cr_expect(strstr(rendered.ptr, "least{id=\"b\"} 2\n"));
		stop();
		rendered = (struct strbuf)STRBUF_INIT;
	}
}

Test(kinds, a_reload_may_change_quantiles_and_track_age_without_losing_values)
{
	static const double other[] = {0};

	begin(1);
	put(0, TOOK, 0, AT_12, "a");
	put(0, LEAST, 4, AT_12, "a");
	defs[TOOK].quantiles = other;
	defs[TOOK].quantile_count = 1;
	defs[LEAST].track_age = true;
	bind_all();
	cr_expect_str_eq(
		scrape(ALL_SEEN),
		"# TYPE least gauge\nleast{id=\"a\"} 4\n"
		"# HELP least_last_update_timestamp_seconds When least was last "
		"updated, in the time of the log.\n"
		"# TYPE least_last_update_timestamp_seconds gauge\n"
		"least_last_update_timestamp_seconds{id=\"a\"} 1763640000\n"
		"# TYPE took summary\ntook{id=\"a\",quantile=\"0.0\"} 0\n"
		"took_sum{id=\"a\"} 0\ntook_count{id=\"a\"} 1\n");
	stop();
}

Test(kinds, another_window_or_other_states_start_anew)
{
	static const char *const fewer[] = {"idle", "failed"};

	begin(1);
	put(0, LEAST, 4, AT_12, "a");
	put(0, JOB, 2, AT_12, "a");
	defs[LEAST].window_ns *= 2;
	defs[JOB].states = fewer;
	defs[JOB].state_count = 2;
	bind_all();
	cr_expect_str_eq(scrape(ALL_SEEN), "");
	memcpy(defs, table, sizeof(defs));
	bind_all();
	cr_expect(strstr(scrape(ALL_SEEN), "least{id=\"a\"} 4\n"));
	cr_expect(strstr(rendered.ptr, "job{id=\"a\",job=\"failed\"} 1\n"));
	stop();
}

/* ---- who saw what, what was saved when ---- */

#define ROWS 64
#define EVENTS 1500

struct row {
	char *labels;
	uint64_t born;
	double number, buckets;
	size_t bucket_count;
	int64_t time_ns;
	struct strbuf panes;
};

static struct row rows[DEFS][ROWS];
static uint32_t row_count[DEFS];
static struct cut *saved;

static size_t table_of(const struct family *family)
{
	size_t i = 0;

	while (strcmp(family_name(family), table[i].name) != 0)
		i++;
	return i;
}

static void put_value(void *ctx, struct family *family, uint32_t number,
		      const struct slots_value *value)
{
	struct row *row = &rows[table_of(family)][number];

	(void)ctx;
	row->number = value->number;
	row->bucket_count = value->bucket_count;
	row->buckets = value->bucket_count ? *value->buckets : 0;
	row->time_ns = value->time_ns;
	strbuf_clear(&row->panes);
	strbuf_add_slice(&row->panes, value->panes);
}

static void put_series(void *ctx, struct family *family, uint32_t number,
		       const struct saved_series *series)
{
	struct row *row = &rows[table_of(family)][number];

	cr_assert_lt(number, ROWS);
	*row = (struct row){.labels = xstrndup(series->labels.ptr, series->labels.len),
			    .born = series->born,
			    .panes = STRBUF_INIT};
	row_count[table_of(family)] = number + 1;
	put_value(ctx, family, number, &series->value);
}

static void save(void)
{
	static const struct cut_visitor visitor = {put_series, put_value};
	struct cut *cut = make_cut();

	cut_each_change(cut, saved ? saved : cut, &visitor, NULL);
	for (size_t i = 0; i < DEFS; i++)
		family_note_saved(schema_family(schema, i), cut, i);
	cut_unref(saved);
	saved = cut;
}

static void restore(void *ctx, struct family *family, struct slice signature)
{
	size_t t = table_of(family);

	(void)ctx;
	(void)signature;
	for (uint32_t i = 0; i < row_count[t]; i++) {
		const struct row *row = &rows[t][i];
		struct saved_series series = {slice_of(row->labels),
					      row->born,
					      {row->number, row->time_ns, &row->buckets,
					       row->bucket_count,
					       strbuf_slice(&row->panes)}};

		cr_assert(family_restore(family, &series));
	}
	family_saved(family)->series = row_count[t];
}

static void begin_again(size_t workers)
{
	memcpy(defs, table, sizeof(defs));
	start(&(struct registry_options){0}, workers);
	registry_set_restore(registry, restore, NULL);
	bind_all();
	saved = NULL;
	save();
}

static void end(void)
{
	uint64_t last = sequence;

	cut_unref(saved);
	saved = NULL;
	stop();
	rendered = (struct strbuf)STRBUF_INIT;
	sequence = last;
}

static void forget_rows(void)
{
	for (size_t t = 0; t < DEFS; t++)
		for (uint32_t i = 0; i < row_count[t]; i++) {
			free(rows[t][i].labels);
			strbuf_finish(&rows[t][i].panes);
		}
	memset(row_count, 0, sizeof(row_count));
}

/* Each time is met once, so that which state is latest is no matter of order. */
struct event {
	size_t metric;
	double value;
	int64_t time_ns;
	char id[2];
};
static struct event events[EVENTS];

static void make_events(void)
{
	for (size_t i = 0; i < EVENTS; i++)
		events[i] =
			(struct event){.metric = (size_t)rand() % DEFS,
				       .value = (double)(rand() % 1000 - 200),
				       .time_ns = AT_12 + (int64_t)(i * SECOND) +
						  rand() % 300 * 1000 * SECOND / 1000,
				       .id = {(char)('a' + rand() % 5), 0}};
	for (size_t i = 0; i < EVENTS; i++)
		events[i].time_ns = events[i].time_ns / 10000 * 10000 + (int64_t)i;
}

static void happen(size_t worker, const struct event *event)
{
	char text[16];

	snprintf(text, sizeof(text), "%g", event->value);
	if (event->metric == USERS)
		see(worker, USERS, text, event->time_ns, event->id);
	else
		put(worker, event->metric,
		    event->metric == JOB ? (double)((int)(event->value + 200) % 3)
					 : event->value,
		    event->time_ns, event->id);
}

static char *shown_by_labels(void)
{
	struct cut *cut = make_cut();
	struct exposition *e = exposition_create(cut, ALL_SEEN, TEXT(""));
	struct strbuf text = STRBUF_INIT;
	size_t n;

	exposition_set_options(e, &(struct exposition_options){.by_labels = true});
	while ((n = exposition_read(e, strbuf_room(&text, 4096), 4096)) > 0) {
		text.len += n;
		text.ptr[text.len] = '\0';
	}
	exposition_destroy(e);
	cut_unref(cut);
	return text.ptr;
}

/* With saves, and kills after which what was not saved is told again. */
static char *play(size_t workers, bool dies)
{
	size_t safe = 0;
	char *text;

	begin_again(workers);
	for (size_t i = 0; i < EVENTS; i++) {
		happen((size_t)rand() % workers, &events[i]);
		if (rand() % 50 == 0) {
			save();
			safe = i + 1;
		}
		if (dies && rand() % 200 == 0) {
			end();
			workers = 1 + (size_t)rand() % MAX_STORES;
			begin_again(workers);
			i = safe - 1;
		}
	}
	text = shown_by_labels();
	end();
	forget_rows();
	return text;
}

Test(kinds, workers_and_restarts_make_no_difference)
{
	for (unsigned seed = 0; seed < 15; seed++) {
		char *alone;

		srand(seed);
		make_events();
		alone = play(1, false);
		cr_assert(strstr(alone, "took{id=\"c\",quantile=\"0.5\"}"));
		for (size_t workers = 1; workers <= MAX_STORES; workers++) {
			char *text = play(workers, workers != 2);

			cr_expect_str_eq(text, alone, "seed %u, %zu workers", seed,
					 workers);
			free(text);
		}
		free(alone);
	}
}

Test(kinds, a_cut_stays_as_it_is_while_values_go_on)
{
	char *before;
	struct cut *cut;

	begin(2);
	srand(7);
	make_events();
	for (size_t i = 0; i < EVENTS / 2; i++)
		happen(i % 2, &events[i]);
	cut = make_cut();
	before = xstrdup(render(cut, ALL_SEEN));
	for (size_t i = EVENTS / 2; i < EVENTS; i++)
		happen(i % 2, &events[i]);
	cr_expect_str_neq(scrape(ALL_SEEN), before);
	cr_expect_str_eq(render(cut, ALL_SEEN), before);
	cut_unref(cut);
	free(before);
	stop();
}

Test(kinds, what_does_not_go_with_the_definition_is_refused)
{
	const double count = 1;
	struct saved_series series = {
		TEXT("id=\"a\""), 1, {1, AT_12, &count, 1, TEXT("garbage")}};

	begin(1);
	cr_expect_not(family_restore(schema_family(schema, TOOK), &series));
	cr_expect_not(family_restore(schema_family(schema, JOB), &series));
	cr_expect_eq(family_series(schema_family(schema, TOOK)), 0);
	series.value.panes = TEXT("");
	cr_expect(family_restore(schema_family(schema, TOOK), &series));
	stop();
}
