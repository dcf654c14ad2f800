#include "fixture.h"

#include <math.h>

static const char *const one_label[] = {"status"};
static const char *const two_labels[] = {"method", "route"};
static const double bounds[] = {0.5, 1, 2500000};

static const struct metric_def errors = {.kind = METRIC_COUNTER,
					 .name = "errors_total",
					 .help = "Errors.",
					 .labels = one_label,
					 .label_count = 1};
static const struct metric_def requests = {.kind = METRIC_COUNTER,
					   .name = "api_requests_total",
					   .help = "Requests.",
					   .labels = two_labels,
					   .label_count = 2};
static const struct metric_def starts = {
	.kind = METRIC_COUNTER, .name = "starts_total", .help = ""};
static const struct metric_def level = {.kind = METRIC_GAUGE,
					.name = "level",
					.help = "A level.",
					.labels = one_label,
					.label_count = 1};
static const struct metric_def latency = {.kind = METRIC_HISTOGRAM,
					  .name = "latency_seconds",
					  .help = "Latency.",
					  .labels = one_label,
					  .label_count = 1,
					  .buckets = bounds,
					  .bucket_count = 3};
static const struct metric_def waits = {.kind = METRIC_HISTOGRAM,
					.name = "waits_seconds",
					.help = "Waits.",
					.buckets = bounds,
					.bucket_count = 1};

static void setup(void)
{
	start(&(struct registry_options){0}, 1);
}

TestSuite(exposition, .init = setup, .fini = stop);

static void bind_one(const struct metric_def *def)
{
	const struct metric_def *defs[] = {def};

	bind_defs(defs, 1);
}

Test(exposition, a_counter_is_help_type_and_series_in_the_order_of_their_birth)
{
	bind_one(&errors);
	add(0, 0, 2, LABELS(TEXT("500")));
	add(0, 0, 1, LABELS(TEXT("429")));
	add(0, 0, 1, LABELS(TEXT("500")));
	cr_expect_str_eq(scrape(EXPOSITION_ALL_SEEN),
			 "# HELP errors_total Errors.\n"
			 "# TYPE errors_total counter\n"
			 "errors_total{status=\"500\"} 3\n"
			 "errors_total{status=\"429\"} 1\n");
}

Test(exposition, families_come_in_the_order_of_their_names)
{
	const struct metric_def *defs[] = {&starts, &errors, &requests};

	bind_defs(defs, 3);
	add(0, 1, 1, LABELS(TEXT("500")));
	add(0, 2, 1, LABELS(TEXT("GET"), TEXT("/")));
	cr_expect_str_eq(scrape(EXPOSITION_ALL_SEEN),
			 "# HELP api_requests_total Requests.\n"
			 "# TYPE api_requests_total counter\n"
			 "api_requests_total{method=\"GET\",route=\"/\"} 1\n"
			 "# HELP errors_total Errors.\n"
			 "# TYPE errors_total counter\n"
			 "errors_total{status=\"500\"} 1\n"
			 "# TYPE starts_total counter\n"
			 "starts_total 0\n");
}

Test(exposition, a_histogram_is_cumulative_with_le_last)
{
	const double seen[] = {0.25, 0.5, 0.75, 3e6, 1};

	bind_one(&latency);
	for (size_t i = 0; i < 5; i++)
		apply(0, 0, UPDATE_OBSERVE, seen[i], METRIC_NO_TIME,
		      LABELS(TEXT("200")));
	cr_expect_str_eq(scrape(EXPOSITION_ALL_SEEN),
			 "# HELP latency_seconds Latency.\n"
			 "# TYPE latency_seconds histogram\n"
			 "latency_seconds_bucket{status=\"200\",le=\"0.5\"} 2\n"
			 "latency_seconds_bucket{status=\"200\",le=\"1.0\"} 4\n"
			 "latency_seconds_bucket{status=\"200\",le=\"2.5e+06\"} 4\n"
			 "latency_seconds_bucket{status=\"200\",le=\"+Inf\"} 5\n"
			 "latency_seconds_sum{status=\"200\"} 3.0000025e+06\n"
			 "latency_seconds_count{status=\"200\"} 5\n");
}

Test(exposition, an_unlabelled_histogram_is_there_from_the_start)
{
	bind_one(&waits);
	cr_expect_str_eq(scrape(EXPOSITION_ALL_SEEN),
			 "# HELP waits_seconds Waits.\n"
			 "# TYPE waits_seconds histogram\n"
			 "waits_seconds_bucket{le=\"0.5\"} 0\n"
			 "waits_seconds_bucket{le=\"+Inf\"} 0\n"
			 "waits_seconds_sum 0\n"
			 "waits_seconds_count 0\n");
}

Test(exposition, a_family_without_series_prints_nothing)
{
	const struct metric_def *defs[] = {&errors, &level};

	bind_defs(defs, 2);
	cr_expect_str_eq(scrape(EXPOSITION_ALL_SEEN), "");
}

Test(exposition, a_gauge_may_have_any_value)
{
	bind_one(&level);
	apply(0, 0, UPDATE_SET, NAN, 1, LABELS(TEXT("a")));
	apply(0, 0, UPDATE_SET, INFINITY, 1, LABELS(TEXT("b")));
	apply(0, 0, UPDATE_SET, -INFINITY, 1, LABELS(TEXT("c")));
	apply(0, 0, UPDATE_SET, 0, 1, LABELS(TEXT("d")));
	cr_expect_str_eq(scrape(EXPOSITION_ALL_SEEN), "# HELP level A level.\n"
						      "# TYPE level gauge\n"
						      "level{status=\"a\"} NaN\n"
						      "level{status=\"b\"} +Inf\n"
						      "level{status=\"c\"} -Inf\n"
						      "level{status=\"d\"} 0\n");
}

Test(exposition, label_values_are_escaped)
{
	bind_one(&errors);
	add(0, 0, 1, LABELS(TEXT("a\\b\"c\nd} 9\t")));
	add(0, 0, 1, LABELS(TEXT("")));
	cr_expect_str_eq(scrape(EXPOSITION_ALL_SEEN),
			 "# HELP errors_total Errors.\n"
			 "# TYPE errors_total counter\n"
			 "errors_total{status=\"a\\\\b\\\"c\\nd} 9\t\"} 1\n"
			 "errors_total{status=\"\"} 1\n");
}

Test(exposition, help_is_escaped_but_for_quotes)
{
	struct metric_def def = starts;

	def.help = "Back\\slash, \"quotes\" and\na new line.";
	bind_one(&def);
	cr_expect_str_eq(
		scrape(EXPOSITION_ALL_SEEN),
		"# HELP starts_total Back\\\\slash, \"quotes\" and\\na new line.\n"
		"# TYPE starts_total counter\n"
		"starts_total 0\n");
}

Test(exposition, bytes_that_are_no_utf8_become_replacement_characters)
{
	bind_one(&errors);
	add(0, 0, 1, LABELS(TEXT("caf\xE9")));
	add(0, 0, 1, LABELS(TEXT("caf\xE8")));
	add(0, 0, 1, LABELS(TEXT("nul\0")));
	cr_expect_str_eq(scrape(EXPOSITION_ALL_SEEN),
			 "# HELP errors_total Errors.\n"
			 "# TYPE errors_total counter\n"
			 "errors_total{status=\"caf\xEF\xBF\xBD\"} 2\n"
			 "errors_total{status=\"nul\xEF\xBF\xBD\"} 1\n");
}

Test(exposition, const_labels_follow_the_metrics_own)
{
	const struct metric_def *defs[] = {&starts, &errors, &latency};
	const struct const_label site[] = {{"site", "lab \"1\""}, {"status", "hidden"}};

	bind_full(defs, 3, 1, site, 2, 0);
	add(0, 1, 1, LABELS(TEXT("500")));
	cr_expect_str_eq(scrape(EXPOSITION_ALL_SEEN),
			 "# HELP errors_total Errors.\n"
			 "# TYPE errors_total counter\n"
			 "errors_total{status=\"500\",site=\"lab \\\"1\\\"\"} 1\n"
			 "# TYPE starts_total counter\n"
			 "starts_total 0\n");
}

Test(exposition, while_catching_up_only_own_metrics_are_shown)
{
	const struct metric_def *defs[] = {&starts, &errors};
	struct cut *cut;

	bind_full(defs, 2, 1, NULL, 0, 0);
	add(0, 1, 1, LABELS(TEXT("500")));
	cut = make_cut_hiding(true);
	cr_expect_str_eq(render(cut, EXPOSITION_ALL_SEEN),
			 "# TYPE starts_total counter\nstarts_total 0\n");
	cut_unref(cut);
}

Test(exposition, the_tail_comes_last)
{
	struct strbuf tail = STRBUF_INIT, labels = STRBUF_INIT;
	struct cut *cut;

	bind_one(&starts);
	exposition_add_label(&labels, "version", TEXT("1.0"));
	exposition_add_label(&labels, "path", TEXT("a\"\xFF"));
	exposition_add_header(&tail, "build_info", METRIC_GAUGE, "Build.");
	exposition_add_sample(&tail, "build_info", labels.ptr, 1);
	exposition_add_sample(&tail, "bare", "", 0.5);
	cut = make_cut();
	cr_expect_str_eq(
		render_pieces(cut, EXPOSITION_ALL_SEEN, strbuf_slice(&tail), 64),
		"# TYPE starts_total counter\n"
		"starts_total 0\n"
		"# HELP build_info Build.\n"
		"# TYPE build_info gauge\n"
		"build_info{version=\"1.0\",path=\"a\\\"\xEF\xBF\xBD\"} 1\n"
		"bare 0.5\n");
	cut_unref(cut);
	strbuf_finish(&tail);
	strbuf_finish(&labels);
}

/* Over several batches. */
Test(exposition, the_text_does_not_depend_on_the_size_of_the_pieces)
{
	static const size_t sizes[] = {1, 2, 7, 64, 4093, 32 * 1024, 1 << 20};
	const struct metric_def *defs[] = {&errors, &latency, &starts};
	char *whole = NULL;
	struct cut *cut;

	bind_defs(defs, 3);
	for (int i = 0; i < 2000; i++) {
		char text[32];
		struct slice label = {text,
				      (size_t)snprintf(text, sizeof(text), "%d", i)};

		add(0, 0, i, &label);
		apply(0, 1, UPDATE_OBSERVE, i, METRIC_NO_TIME, &label);
	}
	cut = make_cut();
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		const char *text = render_pieces(cut, EXPOSITION_ALL_SEEN,
						 TEXT("tail 1\n"), sizes[i]);

		if (!whole)
			whole = strdup(text);
		cr_expect(strcmp(text, whole) == 0, "in pieces of %zu bytes", sizes[i]);
	}
	cr_expect_gt(strlen(whole), 100000);
	cr_expect_str_eq(whole + strlen(whole) - 22, "starts_total 0\ntail 1\n");
	free(whole);
	cut_unref(cut);
}

static bool all_but_starts(size_t metric)
{
	return metric != 2;
}

static void render_with(struct cut *cut, const struct exposition_options *options)
{
	struct exposition *e = exposition_create(cut, EXPOSITION_ALL_SEEN, TEXT(""));
	char piece[7];
	size_t n;

	exposition_set_options(e, options);
	strbuf_clear(&rendered);
	while ((n = exposition_read(e, piece, sizeof(piece))) > 0)
		strbuf_add(&rendered, piece, n);
	exposition_destroy(e);
}

Test(exposition, series_can_be_in_the_order_of_their_labels)
{
	const struct metric_def *defs[] = {&errors, &latency, &starts};
	struct cut *cut;

	bind_defs(defs, 3);
	add(0, 0, 1, LABELS(TEXT("b")));
	add(0, 0, 2, LABELS(TEXT("a")));
	cut = make_cut();
	render_with(cut, &(struct exposition_options){.by_labels = true,
						      .shows = all_but_starts});
	cr_expect(strstr(rendered.ptr, "\"a\"} 2\n"));
	cr_expect_lt(strstr(rendered.ptr, "\"a\"} 2\n"),
		     strstr(rendered.ptr, "\"b\"} 1\n"));
	cr_expect_null(strstr(rendered.ptr, "starts_total"));
	cut_unref(cut);
}

/* As prom2json writes it; the text format's escapes are JSON's. */
Test(exposition, json_has_the_same_series)
{
	const struct metric_def *defs[] = {&requests, &level, &waits, &errors};
	struct cut *cut;

	bind_defs(defs, 4);
	add(0, 0, 1, LABELS(TEXT("GET"), TEXT("a\"\\\n\t")));
	add(0, 0, 2, LABELS(TEXT(""), TEXT("=,")));
	apply(0, 1, UPDATE_SET, NAN, 5, LABELS(TEXT("x")));
	apply(0, 2, UPDATE_OBSERVE, 0.25, METRIC_NO_TIME, NULL);
	apply(0, 2, UPDATE_OBSERVE, 7, METRIC_NO_TIME, NULL);
	cut = make_cut();
	render_with(cut, &(struct exposition_options){.format = EXPOSITION_JSON});
	cr_expect_str_eq(
		rendered.ptr,
		"[{\"name\":\"api_requests_total\",\"help\":\"Requests.\",\"type\":"
		"\"COUNTER\",\"metrics\":[\n"
		"{\"labels\":{\"method\":\"GET\",\"route\":\"a\\\"\\\\\\n\\u0009\"},"
		"\"value\":\"1\"},\n"
		"{\"labels\":{\"method\":\"\",\"route\":\"=,\"},\"value\":\"2\"}]},\n"
		"{\"name\":\"level\",\"help\":\"A level.\",\"type\":\"GAUGE\","
		"\"metrics\":[\n"
		"{\"labels\":{\"status\":\"x\"},\"value\":\"NaN\"}]},\n"
		"{\"name\":\"waits_seconds\",\"help\":\"Waits.\",\"type\":"
		"\"HISTOGRAM\",\"metrics\":[\n"
		"{\"buckets\":{\"0.5\":\"1\",\"+Inf\":\"2\"},\"count\":\"2\",\"sum\":"
		"\"7.25\"}]}]\n");
	cut_unref(cut);
}

Test(exposition, json_of_nothing_is_an_empty_list)
{
	struct cut *cut;

	bind_one(&level);
	cut = make_cut();
	render_with(cut, &(struct exposition_options){.format = EXPOSITION_JSON});
	cr_expect_str_eq(rendered.ptr, "[]\n");
	cut_unref(cut);
}
