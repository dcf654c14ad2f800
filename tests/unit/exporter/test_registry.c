#include "fixture.h"

static const char *const one_label[] = {"status"};
static const char *const other_label[] = {"code"};
static const double bounds[] = {1, 2}, other_bounds[] = {1, 3};

static const struct metric_def errors = {.kind = METRIC_COUNTER,
					 .name = "errors_total",
					 .help = "Old help.",
					 .labels = one_label,
					 .label_count = 1};
static const struct metric_def sizes = {.kind = METRIC_HISTOGRAM,
					.name = "sizes",
					.help = "",
					.buckets = bounds,
					.bucket_count = 2};
static const struct metric_def level = {
	.kind = METRIC_GAUGE, .name = "level", .help = ""};

static void setup(void)
{
	start(&(struct registry_options){0}, 1);
}

TestSuite(registry, .init = setup, .fini = stop);

static void bind_one(const struct metric_def *def, int64_t now_ns)
{
	const struct metric_def *defs[] = {def};

	bind_full(defs, 1, 0, NULL, 0, now_ns);
}

/* An errors_total with 3, on its own. */
static void count_3(void)
{
	bind_one(&errors, 0);
	add(0, 0, 3, LABELS(TEXT("500")));
}

Test(registry, a_metric_that_a_reload_does_not_change_keeps_its_values)
{
	const struct metric_def *defs[] = {&level, &errors};

	count_3();
	bind_full(defs, 2, 0, NULL, 0, 0);
	add(0, 1, 1, LABELS(TEXT("500")));
	cr_expect(strstr(scrape(EXPOSITION_ALL_SEEN), "{status=\"500\"} 4\n"));
}

Test(registry, a_reload_takes_help_limit_and_declared_sets_over)
{
	const struct slice declared[] = {TEXT("429"), TEXT("500")};
	struct metric_def def = errors;

	count_3();
	def.help = "New help.";
	def.max_series = 1;
	def.declared = declared;
	def.declared_count = 2;
	bind_one(&def, 0);
	cr_expect_eq(add(0, 0, 1, LABELS(TEXT("503"))), UPDATE_DONE,
		     "500 is declared now and no longer counts");
	cr_expect_eq(add(0, 0, 1, LABELS(TEXT("504"))), UPDATE_OVERFLOWED);
	cr_expect_str_eq(scrape(EXPOSITION_ALL_SEEN),
			 "# HELP errors_total New help.\n"
			 "# TYPE errors_total counter\n"
			 "errors_total{status=\"500\"} 3\n"
			 "errors_total{status=\"429\"} 0\n"
			 "errors_total{status=\"503\"} 1\n"
			 "errors_total{status=\"other\"} 1\n");
}

Test(registry, a_cut_keeps_the_help_that_it_was_made_with)
{
	struct metric_def def = errors;
	struct cut *cut;

	count_3();
	cut = make_cut();
	def.help = "New help.";
	bind_one(&def, 0);
	cr_expect(strstr(render(cut, EXPOSITION_ALL_SEEN), "Old help."));
	cut_unref(cut);
}

static void expect_starts_anew(const struct metric_def *before,
			       const struct metric_def *after, const char *what)
{
	struct family *family;

	bind_one(before, 0);
	family = schema_family(schema, 0);
	bind_one(after, 0);
	cr_expect_neq(schema_family(schema, 0), family, "%s", what);
	bind_one(before, 0);
	cr_expect_eq(schema_family(schema, 0), family, "%s and back", what);
}

Test(registry, a_changed_definition_starts_anew_and_resumes_when_it_is_put_back)
{
	struct metric_def label = errors, kind = errors, buckets = sizes, adds = level,
			  fewer = sizes;

	label.labels = other_label;
	kind.kind = METRIC_GAUGE;
	buckets.buckets = other_bounds;
	fewer.bucket_count = 1;
	adds.gauge_adds = true;
	expect_starts_anew(&errors, &label, "label");
	expect_starts_anew(&errors, &kind, "kind");
	expect_starts_anew(&sizes, &buckets, "buckets");
	expect_starts_anew(&sizes, &fewer, "fewer buckets");
	expect_starts_anew(&level, &adds, "gauge_adds");
}

Test(registry, other_const_labels_start_anew)
{
	const struct metric_def *defs[] = {&errors};
	const struct const_label a = {"site", "a"}, b = {"site", "b"};

	bind_full(defs, 1, 0, &a, 1, 0);
	add(0, 0, 3, LABELS(TEXT("500")));
	bind_full(defs, 1, 0, &b, 1, 0);
	add(0, 0, 1, LABELS(TEXT("500")));
	cr_expect(strstr(scrape(EXPOSITION_ALL_SEEN),
			 "errors_total{status=\"500\",site=\"b\"} 1\n"));
}

Test(registry, a_removed_metric_resumes_when_it_returns_in_time)
{
	count_3();
	bind_one(&level, 100);
	cr_expect_str_eq(scrape(EXPOSITION_ALL_SEEN), "");
	bind_one(&level, 900);
	bind_one(&errors, 1099);
	add(0, 0, 1, LABELS(TEXT("500")));
	cr_expect(strstr(scrape(EXPOSITION_ALL_SEEN), "{status=\"500\"} 4\n"));
}

Test(registry, a_removed_metric_is_forgotten_after_its_time)
{
	count_3();
	bind_one(&level, 100);
	bind_one(&errors, 1100);
	add(0, 0, 1, LABELS(TEXT("500")));
	cr_expect(strstr(scrape(EXPOSITION_ALL_SEEN), "{status=\"500\"} 1\n"));
}

Test(registry, a_forgotten_metric_frees_its_series)
{
	registry_set_limits(registry, &(struct registry_options){.series = 1});
	count_3();
	bind_one(&level, 100);
	bind_one(&level, 1100);
	bind_one(&errors, 1100);
	cr_expect_eq(add(0, 0, 1, LABELS(TEXT("429"))), UPDATE_DONE);
}

/* The worker is one reload behind. */
Test(registry, a_schema_in_use_keeps_a_metric_that_a_later_reload_forgot)
{
	const struct metric_def *defs[] = {&level};
	struct schema *later;

	count_3();
	later = registry_bind(registry, defs, 1, 0, NULL, 0, 0, 0);
	store_use(stores[0], schema);
	add(0, 0, 1, LABELS(TEXT("500")));
	cr_expect(strstr(scrape(EXPOSITION_ALL_SEEN), "{status=\"500\"} 4\n"));
	schema_unref(later);
}

Test(registry, series_that_nobody_asked_for_between_the_marks_are_hidden)
{
	struct family *family;

	bind_one(&errors, 0);
	family = schema_family(schema, 0);
	add(0, 0, 1, LABELS(TEXT("gone")));
	add(0, 0, 1, LABELS(TEXT("kept")));
	family_mark_begin(family);
	store_series(stores[0], 0, LABELS(TEXT("kept")));
	add(0, 0, 1, LABELS(TEXT("new")));
	family_mark_end(family);
	cr_expect_str_eq(scrape(EXPOSITION_ALL_SEEN),
			 "# HELP errors_total Old help.\n"
			 "# TYPE errors_total counter\n"
			 "errors_total{status=\"kept\"} 1\n"
			 "errors_total{status=\"new\"} 1\n");
	add(0, 0, 1, LABELS(TEXT("gone")));
	cr_expect(strstr(scrape(EXPOSITION_ALL_SEEN), "{status=\"gone\"} 2\n"),
		  "asked for again");
}

Test(registry, marks_hide_a_family_whose_series_are_all_gone)
{
	bind_one(&errors, 0);
	add(0, 0, 1, LABELS(TEXT("gone")));
	family_mark_begin(schema_family(schema, 0));
	family_mark_end(schema_family(schema, 0));
	cr_expect_str_eq(scrape(EXPOSITION_ALL_SEEN), "");
}

/* Enough for several segments of keys, and for tables to grow. */
Test(registry, ten_thousand_series_keep_their_numbers)
{
	bind_one(&errors, 0);
	registry_set_limits(registry,
			    &(struct registry_options){.series_per_metric = 20000});
	for (int round = 0; round < 2; round++)
		for (uint32_t i = 0; i < 10000; i++) {
			char text[16];
			struct slice label = {
				text, (size_t)snprintf(text, sizeof(text), "%u", i)};

			cr_assert_eq(store_series(stores[0], 0, &label), i);
		}
}
