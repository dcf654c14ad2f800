/*
 * A run saves what changed between its cuts into a model of a database; the
 * next run is restored from it.  What the two show must be the same text.
 */
#include "exporter/saved.h"

#include "common/clock.h"
#include "common/xalloc.h"
#include "fixture.h"

static const char *const labels[] = {"id"};
static const double bounds[] = {1, 10};

enum { EVENTS, SIZES, LEVEL, IN_FLIGHT, DEFS };
static const struct metric_def table[DEFS] = {
	[EVENTS] = {METRIC_COUNTER, "events_total", "", labels, 1, .max_series = 200},
	[SIZES] = {METRIC_HISTOGRAM, "sizes", "", labels, 1, bounds, 2},
	[LEVEL] = {METRIC_GAUGE, "level", "", labels, 1},
	[IN_FLIGHT] = {METRIC_GAUGE, "in_flight", "", NULL, 0, .gauge_adds = true},
};

/* ---- the model of a database ---- */

struct row {
	char *labels;
	uint64_t born;
	struct slots_value value;
};

struct table {
	char *signature;
	struct row *rows;
	uint32_t count;
};

static struct table tables[16];
static size_t table_count;
static size_t put_count; /* of the last save */
static struct cut *saved;

static struct table *find_table(struct slice signature)
{
	for (size_t i = 0; i < table_count; i++)
		if (slice_is(signature, tables[i].signature))
			return &tables[i];
	tables[table_count].signature = xstrndup(signature.ptr, signature.len);
	return &tables[table_count++];
}

static void set_value(struct row *row, const struct slots_value *value)
{
	double *buckets = NULL;

	if (value->bucket_count > 0) {
		buckets = xcalloc(value->bucket_count, sizeof(*buckets));
		memcpy(buckets, value->buckets, value->bucket_count * sizeof(*buckets));
	}
	free((void *)row->value.buckets);
	row->value = *value;
	row->value.buckets = buckets;
	put_count++;
}

static void put_series(void *ctx, struct family *family, uint32_t number,
		       const struct saved_series *series)
{
	struct table *t = find_table(family_signature(family));

	(void)ctx;
	cr_assert_eq(number, t->count, "numbers have no gap");
	t->rows = xgrow(t->rows, t->count, sizeof(*t->rows));
	t->rows[t->count] =
		(struct row){.labels = xstrndup(series->labels.ptr, series->labels.len),
			     .born = series->born};
	set_value(&t->rows[t->count++], &series->value);
}

static void put_value(void *ctx, struct family *family, uint32_t number,
		      const struct slots_value *value)
{
	struct table *t = find_table(family_signature(family));

	(void)ctx;
	cr_assert_lt(number, t->count, "only of series that are there");
	set_value(&t->rows[number], value);
}

static const struct cut_visitor visitor = {put_series, put_value};

static void note_saved(struct cut *cut)
{
	for (size_t i = 0; i < schema_total(cut_schema(cut)); i++)
		family_note_saved(schema_family(cut_schema(cut), i), cut, i);
	cut_unref(saved);
	saved = cut;
}

/* Returns how many values were put. */
static size_t save(void)
{
	struct cut *cut = make_cut();

	put_count = 0;
	cut_each_change(cut, saved ? saved : cut, &visitor, NULL);
	note_saved(cut);
	return put_count;
}

static void restore(void *ctx, struct family *family, struct slice signature)
{
	struct table *t = find_table(signature);

	(void)ctx;
	for (uint32_t i = 0; i < t->count; i++) {
		struct saved_series series = {slice_of(t->rows[i].labels),
					      t->rows[i].born, t->rows[i].value};

		cr_assert(family_restore(family, &series));
	}
	family_saved(family)->series = t->count;
}

static void bind_mask(unsigned mask)
{
	const struct metric_def *defs[DEFS];
	size_t count = 0;

	for (unsigned i = 0; i < DEFS; i++)
		if (mask & (1u << i))
			defs[count++] = &table[i];
	bind_defs(defs, count);
}

#define ALL 15u

static void begin(size_t workers, unsigned mask)
{
	start(&(struct registry_options){0}, workers);
	registry_set_restore(registry, restore, NULL);
	bind_mask(mask);
	if (table_count == 0)
		save();
	else
		saved = make_cut();
}

/* The process dies: what was not saved is gone. */
static void end(void)
{
	uint64_t last = sequence;

	cut_unref(saved);
	saved = NULL;
	stop();
	rendered = (struct strbuf)STRBUF_INIT;
	sequence = last;
}

static void setup(void)
{
	begin(2, ALL);
}

static void teardown(void)
{
	end();
	for (size_t i = 0; i < table_count; i++) {
		for (uint32_t j = 0; j < tables[i].count; j++) {
			free(tables[i].rows[j].labels);
			free((void *)tables[i].rows[j].value.buckets);
		}
		free(tables[i].rows);
		free(tables[i].signature);
	}
	table_count = 0;
}

TestSuite(saved, .init = setup, .fini = teardown);

static void count_up(size_t worker, const char *id, double value)
{
	struct slice label = slice_of(id);

	add(worker, EVENTS, value, &label);
	apply(worker, SIZES, UPDATE_OBSERVE, value, METRIC_NO_TIME, &label);
	apply(worker, LEVEL, UPDATE_SET, value, (int64_t)value, &label);
	apply(worker, IN_FLIGHT, UPDATE_ADD, value, METRIC_NO_TIME, NULL);
}

static char *shown(void)
{
	return xstrdup(scrape(EXPOSITION_ALL_SEEN));
}

static void expect_survives(size_t workers)
{
	char *before = shown();

	save();
	end();
	begin(workers, ALL);
	cr_expect_str_eq(scrape(EXPOSITION_ALL_SEEN), before, "with %zu workers",
			 workers);
	free(before);
}

Test(saved, every_kind_comes_back_as_it_was)
{
	count_up(0, "a", 5);
	count_up(1, "a", 0.25);
	count_up(1, "b \" \\ quoted", 70);
	expect_survives(2);
	count_up(1, "a", 6);
	expect_survives(1);
	count_up(0, "c", 1e300);
	expect_survives(4);
	cr_expect(
		strstr(scrape(EXPOSITION_ALL_SEEN), "events_total{id=\"a\"} 11.25\n"));
}

Test(saved, only_what_changed_is_put)
{
	for (int i = 0; i < 150; i++) {
		char id[16];

		snprintf(id, sizeof(id), "%d", i);
		count_up(0, id, 1);
	}
	cr_expect_eq(save(), 3 * 150 + 1);
	cr_expect_eq(save(), 0, "nothing changed");
	add(1, EVENTS, 1, LABELS(TEXT("7")));
	add(0, EVENTS, 1, LABELS(TEXT("149")));
	apply(0, SIZES, UPDATE_OBSERVE, 3, METRIC_NO_TIME, LABELS(TEXT("9")));
	cr_expect_eq(save(), 3);
}

Test(saved, what_is_restored_is_not_put_again)
{
	count_up(0, "a", 5);
	save();
	end();
	begin(2, ALL);
	cr_expect_eq(save(), 0);
	count_up(1, "a", 1);
	count_up(0, "new", 1);
	cr_expect_eq(save(), 7);
}

Test(saved, what_failed_to_be_saved_is_put_with_the_next)
{
	struct cut *cut;

	count_up(0, "a", 5);
	cut = make_cut(); /* and nobody saves it */
	count_up(0, "b", 5);
	cr_expect_eq(save(), 7);
	cut_unref(cut);
}

Test(saved, a_series_keeps_its_birth)
{
	const char *text;
	uint64_t seen;

	save();
	seen = sequence;
	count_up(0, "a", 5);
	save();
	end();
	begin(2, ALL);
	text = scrape(seen);
	cr_expect(strstr(text, "events_total{id=\"a\"} 0\n"), "born after it was seen");
	cr_expect(strstr(text, "level{id=\"a\"} 5\n"), "gauges are as they are");
	cr_expect(strstr(scrape(seen + 1), "events_total{id=\"a\"} 5\n"));
}

Test(saved, a_removed_metric_is_saved_as_it_was_when_it_was_removed)
{
	save();
	count_up(0, "a", 5);
	bind_mask(ALL & ~1u); /* nothing was saved in between */
	cr_expect_null(strstr(scrape(EXPOSITION_ALL_SEEN), "events_total"));
	save();
	end();
	begin(2, ALL & ~1u);
	save();
	bind_mask(ALL);
	cr_expect(strstr(scrape(EXPOSITION_ALL_SEEN), "events_total{id=\"a\"} 5\n"));
	count_up(0, "a", 1);
	save();
	end();
	begin(1, ALL);
	cr_expect(strstr(scrape(EXPOSITION_ALL_SEEN), "events_total{id=\"a\"} 6\n"));
}

Test(saved, a_removed_metric_that_returns_is_put_only_where_it_changed)
{
	count_up(0, "a", 5);
	count_up(0, "b", 5);
	save();
	bind_mask(ALL & ~1u);
	cr_expect_eq(save(), 0);
	bind_mask(ALL);
	cr_expect_eq(save(), 0);
	add(0, EVENTS, 1, LABELS(TEXT("a")));
	cr_expect_eq(save(), 1);
}

/* Restored series count, declared ones and `other` do not. */
Test(saved, limits_hold_over_a_restart)
{
	const struct slice declared[] = {TEXT("0")};
	struct metric_def small = table[EVENTS];
	const struct metric_def *defs[] = {&small};
	char id[2] = "0";

	small.max_series = 3;
	small.declared = declared;
	small.declared_count = 1;
	bind_defs(defs, 1);
	for (; *id < '9'; ++*id)
		add(0, 0, 1, LABELS({id, 1}));
	save();
	end();
	begin(2, 0);
	bind_defs(defs, 1);
	cr_expect_str_eq(scrape(EXPOSITION_ALL_SEEN), "# TYPE events_total counter\n"
						      "events_total{id=\"0\"} 1\n"
						      "events_total{id=\"1\"} 1\n"
						      "events_total{id=\"2\"} 1\n"
						      "events_total{id=\"3\"} 1\n"
						      "events_total{id=\"other\"} 5\n");
	cr_expect_eq(add(0, 0, 1, LABELS(TEXT("new"))), UPDATE_OVERFLOWED);
	cr_expect_eq(add(0, 0, 1, LABELS(TEXT("3"))), UPDATE_DONE);
	small.max_series = 4;
	bind_defs(defs, 1);
	cr_expect_eq(add(0, 0, 1, LABELS(TEXT("new"))), UPDATE_DONE);
	cr_expect_eq(add(0, 0, 1, LABELS(TEXT("newer"))), UPDATE_OVERFLOWED);
}

Test(saved, what_does_not_go_with_the_definition_is_refused)
{
	struct family *family = schema_family(schema, SIZES);
	const double buckets[] = {1, 2, 3};
	struct saved_series series = {TEXT("id=\"a\""), 1, {.number = 1}};

	cr_expect_not(family_restore(family, &series), "too few buckets");
	series.value.buckets = buckets;
	series.value.bucket_count = 3;
	cr_expect(family_restore(family, &series));
	cr_expect_not(family_restore(family, &series), "twice the same labels");
	cr_expect_eq(family_series(family), 1);
}

Test(saved, a_gauge_set_without_log_time_is_replaced_after_a_restart)
{
	apply(1, LEVEL, UPDATE_SET, 5, METRIC_NO_TIME, LABELS(TEXT("a")));
	save();
	end();
	begin(2, ALL);
	apply(1, LEVEL, UPDATE_SET, 4, METRIC_NO_TIME, LABELS(TEXT("a")));
	cr_expect(strstr(scrape(EXPOSITION_ALL_SEEN), "level{id=\"a\"} 4\n"));
}

/* Two workers that a reload reaches in another order than theirs. */
Test(saved, values_come_back_to_the_first_worker_whoever_is_first_to_reload)
{
	const struct metric_def *defs[] = {&table[LEVEL]};
	struct schema *old;

	apply(1, LEVEL, UPDATE_SET, 5, METRIC_NO_TIME, LABELS(TEXT("a")));
	save();
	end();
	begin(2, 1);
	old = schema;
	schema = registry_bind(registry, defs, 1, 0, NULL, 0, 0, 1000);
	store_use(stores[1], schema);
	store_use(stores[0], schema);
	schema_unref(old);
	cr_expect(strstr(scrape(EXPOSITION_ALL_SEEN), "level{id=\"a\"} 5\n"));
	apply(0, 0, UPDATE_SET, 4, METRIC_NO_TIME, LABELS(TEXT("a")));
	cr_expect(strstr(scrape(EXPOSITION_ALL_SEEN), "level{id=\"a\"} 4\n"));
	apply(1, 0, UPDATE_SET, 3, METRIC_NO_TIME, LABELS(TEXT("a")));
	cr_expect(strstr(scrape(EXPOSITION_ALL_SEEN), "level{id=\"a\"} 3\n"));
}

static void count_value(void *ctx, struct family *family, uint32_t number,
			const struct slots_value *value)
{
	(void)ctx;
	(void)family;
	(void)number;
	(void)value;
	put_count++;
}

static void add_numbered(int number)
{
	char id[16];
	size_t len = (size_t)snprintf(id, sizeof(id), "%d", number);

	add(0, 0, 1, LABELS({id, len}));
}

/* Its figure is in the log; the bound is wide. */
Test(saved, ten_thousand_changes_among_a_million_series_are_found_soon)
{
	const struct cut_visitor counter = {put_series, count_value};
	struct metric_def many = table[EVENTS];
	const struct metric_def *defs[] = {&many};
	struct cut *cut;
	int64_t start_ns, took_ns;

	many.max_series = 1000000;
	bind_defs(defs, 1);
	for (int i = 0; i < 1000000; i++)
		add_numbered(i);
	note_saved(make_cut());
	for (int i = 0; i < 10000; i++)
		add_numbered((int)(i * 7919LL % 1000000));
	cut = make_cut();
	put_count = 0;
	start_ns = clock_monotonic_ns();
	cut_each_change(cut, saved, &counter, NULL);
	took_ns = clock_monotonic_ns() - start_ns;
	cut_unref(cut);
	cr_expect_eq(put_count, 10000);
	cr_log_info("%.1f ms", (double)took_ns / 1e6);
	cr_expect_lt(took_ns, NS_PER_SECOND);
}
