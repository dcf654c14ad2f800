#include "fixture.h"

static const char *const one_label[] = {"status"};
static const double bounds[] = {1};

static const struct metric_def errors = {.kind = METRIC_COUNTER,
					 .name = "errors_total",
					 .help = "",
					 .labels = one_label,
					 .label_count = 1};
static const struct metric_def level = {.kind = METRIC_GAUGE,
					.name = "level",
					.help = "",
					.labels = one_label,
					.label_count = 1};
static const struct metric_def sizes = {.kind = METRIC_HISTOGRAM,
					.name = "sizes",
					.help = "",
					.labels = one_label,
					.label_count = 1,
					.buckets = bounds,
					.bucket_count = 1};

enum { ERRORS, LEVEL, SIZES };
static const struct metric_def *const all[] = {&errors, &level, &sizes};

static void begin(size_t workers)
{
	start(&(struct registry_options){0}, workers);
	bind_defs(all, 3);
}

static void setup(void)
{
	begin(1);
}

TestSuite(cut, .init = setup, .fini = stop);

/* Asks whether a text has the line. */
static bool has(const char *text, const char *line)
{
	const char *at = strstr(text, line);

	return at && (at == text || at[-1] == '\n') && at[strlen(line)] == '\n';
}

static void update_all(size_t worker, int count)
{
	for (int i = 0; i < count; i++) {
		char text[16];
		struct slice label = {text,
				      (size_t)snprintf(text, sizeof(text), "%d", i)};

		add(worker, ERRORS, 1, &label);
		apply(worker, LEVEL, UPDATE_SET, i, sequence + 1, &label);
		apply(worker, SIZES, UPDATE_OBSERVE, i, METRIC_NO_TIME, &label);
	}
}

Test(cut, what_comes_later_does_not_change_it)
{
	struct cut *cut;
	char *text;

	update_all(0, 150);
	cut = make_cut();
	text = strdup(render(cut, EXPOSITION_ALL_SEEN));
	update_all(0, 300);
	cr_expect(strcmp(render(cut, EXPOSITION_ALL_SEEN), text) == 0, "after updates");
	cut_unref(make_cut());
	update_all(0, 150);
	cr_expect(strcmp(render(cut, EXPOSITION_ALL_SEEN), text) == 0, "after a cut");
	cr_expect(has(text, "errors_total{status=\"149\"} 1"));
	cr_expect(has(scrape(EXPOSITION_ALL_SEEN), "errors_total{status=\"149\"} 3"));
	free(text);
	cut_unref(cut);
}

Test(cut, outlives_the_store_and_the_schema)
{
	const struct metric_def *defs[] = {&level};
	struct cut *cut;

	add(0, ERRORS, 5, LABELS(TEXT("a")));
	cut = make_cut();
	bind_defs(defs, 1);
	store_destroy(stores[0]);
	store_count = 0;
	cr_expect_str_eq(render(cut, EXPOSITION_ALL_SEEN),
			 "# TYPE errors_total counter\nerrors_total{status=\"a\"} 5\n");
	cut_unref(cut);
}

Test(cut, alive_ones_are_counted)
{
	struct cut *a = make_cut(), *b = make_cut();

	cr_expect_eq(cuts_alive(), 2);
	cut_unref(cut_ref(a));
	cr_expect_eq(cuts_alive(), 2);
	cut_unref(a);
	cr_expect_eq(cuts_alive(), 1);
	cut_unref(b);
	cut_unref(NULL);
	cr_expect_eq(cuts_alive(), 0);
}

Test(cut, a_worker_without_a_part_is_left_out)
{
	struct part *parts[2];
	struct cut *cut;

	stop();
	begin(2);
	add(0, ERRORS, 1, LABELS(TEXT("a")));
	add(1, ERRORS, 2, LABELS(TEXT("a")));
	parts[0] = NULL;
	parts[1] = store_cut(stores[1], 1);
	cut = cut_create(1, schema, parts, 2, false);
	cr_expect(
		has(render(cut, EXPOSITION_ALL_SEEN), "errors_total{status=\"a\"} 2"));
	cut_unref(cut);
}

/* One worker has taken the new configuration over, the other has not yet. */
Test(cut, parts_of_two_schemas_meet_by_family)
{
	const struct metric_def *defs[] = {&sizes, &errors};
	struct part *parts[2];
	struct schema *next;
	struct cut *cut;

	stop();
	begin(2);
	add(0, ERRORS, 1, LABELS(TEXT("a")));
	add(1, ERRORS, 2, LABELS(TEXT("a")));
	next = registry_bind(registry, defs, 2, 0, NULL, 0, 0, 1000);
	store_use(stores[1], next);
	parts[0] = store_cut(stores[0], 1);
	parts[1] = store_cut(stores[1], 1);
	cut = cut_create(1, next, parts, 2, false);
	cr_expect(
		has(render(cut, EXPOSITION_ALL_SEEN), "errors_total{status=\"a\"} 3"));
	cut_unref(cut);
	schema_unref(next);
}

/* ---- the first event is visible ---- */

Test(cut, a_new_series_is_shown_at_0_once_then_at_its_value)
{
	struct cut *cut;

	cut_unref(make_cut());
	add(0, ERRORS, 3, LABELS(TEXT("a")));
	apply(0, SIZES, UPDATE_OBSERVE, 9, METRIC_NO_TIME, LABELS(TEXT("a")));
	apply(0, LEVEL, UPDATE_SET, 7, 1, LABELS(TEXT("a")));
	cut = make_cut();
	cr_expect_str_eq(render(cut, 1), "# TYPE errors_total counter\n"
					 "errors_total{status=\"a\"} 0\n"
					 "# TYPE level gauge\n"
					 "level{status=\"a\"} 7\n"
					 "# TYPE sizes histogram\n"
					 "sizes_bucket{status=\"a\",le=\"1.0\"} 0\n"
					 "sizes_bucket{status=\"a\",le=\"+Inf\"} 0\n"
					 "sizes_sum{status=\"a\"} 0\n"
					 "sizes_count{status=\"a\"} 0\n");
	cr_expect(
		has(render(cut, EXPOSITION_ALL_SEEN), "errors_total{status=\"a\"} 3"));
	cr_expect(has(render(cut, 2), "errors_total{status=\"a\"} 3"));
	cut_unref(cut);
	cr_expect(has(scrape(2), "sizes_sum{status=\"a\"} 9"));
}

/* Cuts are made for other reasons too: what counts is what it was shown. */
Test(cut, a_scraper_that_missed_the_birth_is_shown_0_later)
{
	cut_unref(make_cut());
	add(0, ERRORS, 3, LABELS(TEXT("a")));
	cut_unref(make_cut());
	cut_unref(make_cut());
	cr_expect(has(scrape(1), "errors_total{status=\"a\"} 0"));
	cr_expect(has(scrape(2), "errors_total{status=\"a\"} 3"));
}

Test(cut, a_series_born_between_two_workers_parts_starts_at_0)
{
	struct part *parts[2];
	struct cut *cut;

	stop();
	begin(2);
	cut_unref(make_cut());
	parts[0] = store_cut(stores[0], 2);
	add(0, ERRORS, 5, LABELS(TEXT("a")));
	parts[1] = store_cut(stores[1], 2);
	cut = cut_create(2, schema, parts, 2, false);
	sequence = 2;
	cr_expect(has(render(cut, 1), "errors_total{status=\"a\"} 0"));
	cut_unref(cut);
	cr_expect(has(scrape(1), "errors_total{status=\"a\"} 0"));
	cr_expect(has(scrape(2), "errors_total{status=\"a\"} 5"));
}

Test(cut, a_series_of_a_worker_whose_first_part_comes_late_starts_at_0)
{
	struct part *parts[2] = {NULL, NULL};

	stop();
	begin(2);
	cut_unref(cut_create(++sequence, schema, parts, 2, false));
	add(0, ERRORS, 5, LABELS(TEXT("a")));
	cut_unref(cut_create(++sequence, schema, parts, 2, false));
	cr_expect(has(scrape(2), "errors_total{status=\"a\"} 0"));
	cr_expect(has(scrape(3), "errors_total{status=\"a\"} 5"));
}

Test(cut, series_of_the_backlog_are_shown_at_their_value)
{
	cut_unref(make_cut());
	store_births_are_old(stores[0], true);
	add(0, ERRORS, 3, LABELS(TEXT("a")));
	store_births_are_old(stores[0], false);
	add(0, ERRORS, 3, LABELS(TEXT("b")));
	cr_expect_str_eq(scrape(1), "# TYPE errors_total counter\n"
				    "errors_total{status=\"a\"} 3\n"
				    "errors_total{status=\"b\"} 0\n");
}

static void bind_declared(void)
{
	static const struct slice declared[] = {TEXT("429")};
	static struct metric_def def;
	static const struct metric_def *const defs[] = {&def};

	def = errors;
	def.declared = declared;
	def.declared_count = 1;
	bind_defs(defs, 1);
}

Test(cut, a_set_declared_by_a_reload_starts_at_0)
{
	cut_unref(make_cut());
	bind_declared();
	add(0, ERRORS, 1, LABELS(TEXT("429")));
	cr_expect(has(scrape(1), "errors_total{status=\"429\"} 0"));
	cr_expect(has(scrape(2), "errors_total{status=\"429\"} 1"));
}

/* The cut in between is one that this scraper was not shown. */
Test(cut, a_declared_set_that_the_backlog_counted_is_no_burst)
{
	cut_unref(make_cut_hiding(true));
	bind_declared();
	cut_unref(make_cut_hiding(true));
	add(0, ERRORS, 1000, LABELS(TEXT("429")));
	cr_expect(has(scrape(1), "errors_total{status=\"429\"} 1000"));
}
