#include "fixture.h"

#include <math.h>

static const char *const one_label[] = {"status"};
static const char *const two_labels[] = {"a", "b"};
static const double bounds[] = {1, 10};

static const struct metric_def errors = {.kind = METRIC_COUNTER,
					 .name = "errors_total",
					 .help = "",
					 .labels = one_label,
					 .label_count = 1};
static const struct metric_def pairs = {.kind = METRIC_COUNTER,
					.name = "pairs_total",
					.help = "",
					.labels = two_labels,
					.label_count = 2};
static const struct metric_def level = {
	.kind = METRIC_GAUGE, .name = "level", .help = ""};
static const struct metric_def in_flight = {
	.kind = METRIC_GAUGE, .name = "in_flight", .help = "", .gauge_adds = true};
static const struct metric_def sizes = {.kind = METRIC_HISTOGRAM,
					.name = "sizes",
					.help = "",
					.buckets = bounds,
					.bucket_count = 2};

enum { ERRORS, PAIRS, LEVEL, IN_FLIGHT, SIZES };
static const struct metric_def *const all[] = {&errors, &pairs, &level, &in_flight,
					       &sizes};

static void begin(const struct registry_options *options, size_t workers)
{
	start(options, workers);
	bind_defs(all, 5);
}

static void setup(void)
{
	begin(&(struct registry_options){.series_per_metric = 3,
					 .label_value_bytes = 8},
	      1);
}

TestSuite(store, .init = setup, .fini = stop);

static enum update_result set(size_t worker, double value, int64_t time_ns)
{
	return apply(worker, LEVEL, UPDATE_SET, value, time_ns, NULL);
}

/* The value after a new cut; NAN if there is none. */
static double value_of(size_t metric, uint32_t series)
{
	struct cut *cut = make_cut();
	double value;

	if (!cut_value(cut, metric, series, &value))
		value = NAN;
	cut_unref(cut);
	return value;
}

Test(store, neighbouring_values_that_join_alike_are_different_series)
{
	add(0, PAIRS, 1, LABELS(TEXT("a"), TEXT("bc")));
	add(0, PAIRS, 1, LABELS(TEXT("ab"), TEXT("c")));
	add(0, PAIRS, 1, LABELS(TEXT("abc"), TEXT("")));
	cr_expect_eq(family_series(schema_family(schema, PAIRS)), 3);
}

Test(store, a_counter_refuses_to_go_down_and_what_it_could_not_recover_from)
{
	add(0, ERRORS, 2, LABELS(TEXT("500")));
	cr_expect_eq(add(0, ERRORS, -1, LABELS(TEXT("500"))), UPDATE_NEGATIVE);
	cr_expect_eq(add(0, ERRORS, NAN, LABELS(TEXT("500"))), UPDATE_NOT_FINITE);
	cr_expect_eq(add(0, ERRORS, INFINITY, LABELS(TEXT("new"))), UPDATE_NOT_FINITE);
	cr_expect_eq(add(0, ERRORS, 0, LABELS(TEXT("500"))), UPDATE_DONE);
	cr_expect_eq(value_of(ERRORS, 0), 2);
	cr_expect_eq(family_series(schema_family(schema, ERRORS)), 1,
		     "a refused update gives birth to nothing");
}

Test(store, a_histogram_refuses_what_its_sum_could_not_recover_from)
{
	cr_expect_eq(apply(0, SIZES, UPDATE_OBSERVE, NAN, METRIC_NO_TIME, NULL),
		     UPDATE_NOT_FINITE);
	cr_expect_eq(apply(0, SIZES, UPDATE_OBSERVE, -3, METRIC_NO_TIME, NULL),
		     UPDATE_DONE);
	cr_expect(strstr(scrape(EXPOSITION_ALL_SEEN), "sizes_sum -3\nsizes_count 1\n"));
}

Test(store, a_gauge_that_was_never_set_has_no_value)
{
	cr_expect(isnan(value_of(LEVEL, 0)));
	set(0, 5, 100);
	cr_expect_eq(value_of(LEVEL, 0), 5);
}

Test(store, a_set_from_before_the_present_log_time_is_old)
{
	cr_expect_eq(set(0, 5, 100), UPDATE_DONE);
	cr_expect_eq(set(0, 6, 99), UPDATE_OLD);
	cr_expect_eq(value_of(LEVEL, 0), 5);
	cr_expect_eq(set(0, 7, 100), UPDATE_DONE);
	cr_expect_eq(value_of(LEVEL, 0), 7);
}

Test(store, a_set_without_log_time_applies_and_leaves_the_time)
{
	cr_expect_eq(set(0, 1, METRIC_NO_TIME), UPDATE_DONE);
	cr_expect_eq(set(0, 2, -100), UPDATE_DONE, "any log time is later than none");
	cr_expect_eq(set(0, 3, METRIC_NO_TIME), UPDATE_DONE);
	cr_expect_eq(set(0, 4, -101), UPDATE_OLD);
	cr_expect_eq(value_of(LEVEL, 0), 3);
}

Test(store, a_gauge_may_be_set_at_the_epoch)
{
	cr_expect_eq(set(0, 8, 0), UPDATE_DONE);
	cr_expect_eq(value_of(LEVEL, 0), 8);
}

Test(store, the_latest_log_time_of_all_workers_wins)
{
	stop();
	begin(&(struct registry_options){0}, 3);
	set(2, 30, 100);
	set(0, 10, 300);
	set(1, 20, 200);
	cr_expect_eq(value_of(LEVEL, 0), 10);
	set(1, 21, 300);
	cr_expect_eq(value_of(LEVEL, 0), 21, "of equals the higher worker's");
	set(2, 31, METRIC_NO_TIME);
	cr_expect_eq(value_of(LEVEL, 0), 21, "it took over the time 100");
}

Test(store, a_gauge_that_adds_sums_up_over_the_workers)
{
	stop();
	begin(&(struct registry_options){0}, 2);
	apply(0, IN_FLIGHT, UPDATE_ADD, 5, METRIC_NO_TIME, NULL);
	apply(1, IN_FLIGHT, UPDATE_SUBTRACT, 2, 77, NULL);
	cr_expect_eq(value_of(IN_FLIGHT, 0), 3);
	store_set(stores[0], IN_FLIGHT, 0, 10, METRIC_NO_TIME);
	cr_expect_eq(value_of(IN_FLIGHT, 0), 8, "a set is the worker's share");
	cr_expect_eq(apply(0, IN_FLIGHT, UPDATE_ADD, INFINITY, METRIC_NO_TIME, NULL),
		     UPDATE_NOT_FINITE);
}

Test(store, series_are_added_to_by_number)
{
	uint32_t series = store_series(stores[0], ERRORS, LABELS(TEXT("500")));

	store_add(stores[0], ERRORS, series, 4);
	store_add(stores[0], ERRORS, series, -1);
	store_add(stores[0], ERRORS, STORE_NO_SERIES, 1);
	cr_expect_eq(add(0, ERRORS, 1, LABELS(TEXT("500"))), UPDATE_DONE);
	cr_expect_eq(value_of(ERRORS, series), 5);
}

Test(store, too_long_label_values_update_nothing)
{
	cr_expect_eq(add(0, ERRORS, 1, LABELS(TEXT("12345678"))), UPDATE_DONE);
	cr_expect_eq(add(0, ERRORS, 1, LABELS(TEXT("123456789"))),
		     UPDATE_LABEL_TOO_LONG);
	cr_expect_eq(add(0, ERRORS, 1, LABELS(TEXT("12345\xFF"))), UPDATE_DONE,
		     "8 bytes once it is valid");
	cr_expect_eq(add(0, ERRORS, 1, LABELS(TEXT("123456\xFF"))),
		     UPDATE_LABEL_TOO_LONG, "9 bytes once it is valid");
	cr_expect_eq(store_series(stores[0], ERRORS, LABELS(TEXT("123456789"))),
		     STORE_NO_SERIES);
	cr_expect_eq(family_series(schema_family(schema, ERRORS)), 2);
}

Test(store, label_values_of_any_length_are_told_apart)
{
	static char long_value[4000];
	struct slice label = {long_value, sizeof(long_value)};

	stop();
	begin(&(struct registry_options){.label_value_bytes = 4000}, 1);
	memset(long_value, 'x', sizeof(long_value));
	add(0, ERRORS, 1, &label);
	long_value[3999] = 'y';
	add(0, ERRORS, 1, &label);
	add(0, ERRORS, 1, &label);
	cr_expect_eq(value_of(ERRORS, 0), 1);
	cr_expect_eq(value_of(ERRORS, 1), 2);
}

/* ---- equal totals ---- */

/* Whole numbers, so that sums do not depend on their order. */
static void spread_updates(size_t workers)
{
	uint32_t random = 12345;

	for (int i = 0; i < 5000; i++) {
		char text[16];
		struct slice label = {text, 0};

		random = random * 1664525 + 1013904223;
		label.len = (size_t)snprintf(text, sizeof(text), "%u", random >> 26);
		add((size_t)i % workers, ERRORS, random >> 20, &label);
		apply((size_t)i % workers, SIZES, UPDATE_OBSERVE, random >> 28,
		      METRIC_NO_TIME, NULL);
		apply((size_t)i % workers, IN_FLIGHT,
		      i % 3 ? UPDATE_ADD : UPDATE_SUBTRACT, random >> 29,
		      METRIC_NO_TIME, NULL);
		apply((size_t)i % workers, LEVEL, UPDATE_SET, i, i, NULL);
		if (i % 1000 == 0)
			cut_unref(make_cut());
	}
}

Test(store, totals_are_the_same_with_1_2_and_4_workers)
{
	char *alone;

	stop();
	begin(&(struct registry_options){0}, 1);
	spread_updates(1);
	alone = strdup(scrape(EXPOSITION_ALL_SEEN));
	for (size_t workers = 2; workers <= 4; workers += 2) {
		stop();
		begin(&(struct registry_options){0}, workers);
		spread_updates(workers);
		cr_expect_str_eq(scrape(EXPOSITION_ALL_SEEN), alone, "%zu workers",
				 workers);
	}
	cr_expect(strstr(alone, "sizes_count 5000\n"));
	cr_expect(strstr(alone, "level 4999\n"));
	free(alone);
}

/* ---- limits ---- */

Test(store, over_its_limit_a_counter_goes_to_other)
{
	struct family *family = schema_family(schema, PAIRS);

	cr_expect_eq(add(0, PAIRS, 1, LABELS(TEXT("1"), TEXT("x"))), UPDATE_DONE);
	cr_expect_eq(add(0, PAIRS, 1, LABELS(TEXT("2"), TEXT("x"))), UPDATE_DONE);
	cr_expect_eq(add(0, PAIRS, 1, LABELS(TEXT("3"), TEXT("x"))), UPDATE_DONE);
	for (int i = 0; i < 3; i++)
		cr_expect_eq(add(0, PAIRS, 10, LABELS(TEXT("4"), TEXT("x"))),
			     UPDATE_OVERFLOWED);
	cr_expect_eq(add(0, PAIRS, 1, LABELS(TEXT("1"), TEXT("x"))), UPDATE_DONE);
	cr_expect_eq(family_overflows(family), 3);
	cr_expect_eq(family_series(family), 4);
	cr_expect(strstr(scrape(EXPOSITION_ALL_SEEN),
			 "pairs_total{a=\"1\",b=\"x\"} 2\n"
			 "pairs_total{a=\"2\",b=\"x\"} 1\n"
			 "pairs_total{a=\"3\",b=\"x\"} 1\n"
			 "pairs_total{a=\"other\",b=\"other\"} 30\n"));
}

Test(store, over_its_limit_a_gauge_drops_the_update)
{
	const struct metric_def gauge = {.kind = METRIC_GAUGE,
					 .name = "gauge",
					 .help = "",
					 .labels = one_label,
					 .label_count = 1,
					 .max_series = 1};
	const struct metric_def *defs[] = {&gauge};

	bind_defs(defs, 1);
	apply(0, 0, UPDATE_SET, 1, 1, LABELS(TEXT("a")));
	cr_expect_eq(apply(0, 0, UPDATE_SET, 2, 2, LABELS(TEXT("b"))),
		     UPDATE_OVERFLOWED);
	cr_expect_eq(store_series(stores[0], 0, LABELS(TEXT("c"))), STORE_NO_SERIES);
	cr_expect_str_eq(scrape(EXPOSITION_ALL_SEEN),
			 "# TYPE gauge gauge\ngauge{status=\"a\"} 1\n");
	cr_expect_eq(family_overflows(schema_family(schema, 0)), 2);
}

Test(store, declared_sets_always_fit_and_do_not_count)
{
	const struct slice declared[] = {TEXT("1"), TEXT("2"), TEXT("3")};
	struct metric_def def = errors;
	const struct metric_def *defs[] = {&def};

	def.max_series = 1;
	def.declared = declared;
	def.declared_count = 3;
	bind_defs(defs, 1);
	cr_expect_eq(add(0, 0, 1, LABELS(TEXT("2"))), UPDATE_DONE);
	cr_expect_eq(add(0, 0, 1, LABELS(TEXT("a"))), UPDATE_DONE);
	cr_expect_eq(add(0, 0, 1, LABELS(TEXT("b"))), UPDATE_OVERFLOWED);
	cr_expect_str_eq(scrape(EXPOSITION_ALL_SEEN),
			 "# TYPE errors_total counter\n"
			 "errors_total{status=\"1\"} 0\n"
			 "errors_total{status=\"2\"} 1\n"
			 "errors_total{status=\"3\"} 0\n"
			 "errors_total{status=\"a\"} 1\n"
			 "errors_total{status=\"other\"} 1\n");
}

Test(store, the_limit_of_all_series_holds_over_metrics)
{
	stop();
	begin(&(struct registry_options){.series = 2}, 1);
	cr_expect_eq(add(0, ERRORS, 1, LABELS(TEXT("1"))), UPDATE_DONE);
	cr_expect_eq(add(0, PAIRS, 1, LABELS(TEXT("1"), TEXT("1"))), UPDATE_DONE);
	cr_expect_eq(add(0, ERRORS, 1, LABELS(TEXT("2"))), UPDATE_OVERFLOWED);
	cr_expect_eq(add(0, PAIRS, 1, LABELS(TEXT("2"), TEXT("2"))), UPDATE_OVERFLOWED);
	cr_expect_eq(set(0, 1, 1), UPDATE_DONE, "unlabelled ones always fit");
	registry_set_limits(registry, &(struct registry_options){.series = 3});
	cr_expect_eq(add(0, ERRORS, 1, LABELS(TEXT("2"))), UPDATE_DONE);
	cr_expect_eq(add(0, ERRORS, 1, LABELS(TEXT("3"))), UPDATE_OVERFLOWED);
}

Test(store, own_metrics_know_no_limits)
{
	const struct metric_def *defs[] = {&errors, &pairs};

	bind_full(defs, 2, 1, NULL, 0, 0);
	for (char i = 'a'; i < 'k'; i++)
		cr_expect_eq(add(0, 0, 1, &(struct slice){&i, 1}), UPDATE_DONE);
	cr_expect_eq(add(0, 0, 1, LABELS(TEXT("/a/path/longer/than/that"))),
		     UPDATE_DONE);
	cr_expect_eq(family_series(schema_family(schema, 0)), 11);
}

/* Two workers may ask for it at the same time, with bytes of their own. */
Test(store, workers_share_the_series)
{
	stop();
	begin(&(struct registry_options){0}, 2);
	cr_expect_eq(store_series(stores[0], ERRORS, LABELS(TEXT("a"))), 0);
	cr_expect_eq(store_series(stores[1], ERRORS, LABELS(TEXT("b"))), 1);
	cr_expect_eq(store_series(stores[1], ERRORS, LABELS(TEXT("a"))), 0);
	cr_expect_eq(store_series(stores[0], ERRORS, LABELS(TEXT("b"))), 1);
}

Test(store, garbage_that_becomes_one_text_is_one_series)
{
	stop();
	begin(&(struct registry_options){0}, 1);
	for (int i = 0; i < 5000; i++) {
		unsigned char bytes[4] = {(unsigned char)(0x80 + i % 64),
					  (unsigned char)(0x80 + i / 64 % 64),
					  (unsigned char)(0xF8 + i / 4096), 'x'};

		add(0, ERRORS, 1, &(struct slice){(const char *)bytes, 4});
	}
	cr_expect_eq(family_series(schema_family(schema, ERRORS)), 1);
	cr_expect_eq(value_of(ERRORS, 0), 5000);
}
