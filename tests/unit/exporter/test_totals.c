/* Running totals: a counter goes up by what they grow, file by file. */
#include "common/clock.h"
#include "common/xalloc.h"
#include "exporter/base.h"
#include "fixture.h"

static const char *const labels[] = {"job", ":path"};
static struct metric_def counter = {METRIC_COUNTER, "done_total", "", labels, 1};
static struct metric_def base = {METRIC_GAUGE,   "done_total:base", "", labels, 2,
				 .is_base = true};

static void begin(size_t workers)
{
	const struct metric_def *defs[] = {&counter, &base};

	start(&(struct registry_options){0}, workers);
	bind_defs(defs, 2);
}

static enum update_result total(size_t worker, const char *path, double value,
				bool first_counts)
{
	struct slice values[] = {TEXT("a"), slice_of(path)};
	struct update update = {.op = UPDATE_TOTAL,
				.value = value,
				.time_ns = clock_wall_ns(),
				.labels = values,
				.base_after = 1,
				.first_counts = first_counts};

	return store_update(stores[worker], &update);
}

static double counted(void)
{
	struct cut *cut = make_cut();
	double value = -1;

	cut_value(cut, 0, 0, &value);
	cut_unref(cut);
	return value;
}

Test(totals, a_counter_goes_up_by_what_the_total_grows)
{
	begin(1);
	total(0, "/a", 1000, false);
	cr_expect_eq(counted(), 0, "the first says nothing, but is there");
	total(0, "/a", 1234, false);
	total(0, "/a", 1234, false);
	cr_expect_eq(counted(), 234);
	total(0, "/a", 50, false);
	cr_expect_eq(counted(), 284, "it was begun anew");
	total(0, "/a", 60, false);
	cr_expect_eq(counted(), 294);
	stop();
}

Test(totals, the_first_may_count)
{
	begin(1);
	total(0, "/a", 1000, true);
	total(0, "/a", 1001, true);
	cr_expect_eq(counted(), 1001);
	stop();
}

Test(totals, each_file_has_its_own)
{
	begin(2);
	total(0, "/a", 100, false);
	total(1, "/b", 7, false);
	total(0, "/a", 110, false);
	total(1, "/b", 8, false);
	total(0, "/c", 1, false);
	total(0, "/c", 3, false);
	cr_expect_eq(counted(), 13);
	stop();
}

Test(totals, what_is_none_changes_nothing)
{
	begin(1);
	total(0, "/a", 100, false);
	cr_expect_eq(total(0, "/a", -1, false), UPDATE_NEGATIVE);
	cr_expect_eq(total(0, "/a", 0.0 / 0.0, false), UPDATE_NOT_FINITE);
	total(0, "/a", 101, false);
	cr_expect_eq(counted(), 1);
	stop();
}

Test(totals, they_are_never_shown)
{
	begin(1);
	total(0, "/a", 100, false);
	cr_expect_str_eq(scrape(EXPOSITION_ALL_SEEN), "# TYPE done_total counter\n"
						      "done_total{job=\"a\"} 0\n");
	stop();
}

Test(totals, a_path_that_goes_to_another_worker_takes_its_total_along)
{
	begin(3);
	total(0, "/a", 100, false);
	total(1, "/a", 110, false);
	counted();
	total(2, "/a", 115, false);
	total(0, "/a", 116, false);
	cr_expect_eq(counted(), 16);
	stop();
}

Test(totals, a_path_may_be_longer_than_a_label)
{
	char path[3000];

	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	begin(1);
	total(0, path, 1, false);
	cr_expect_eq(total(0, path, 3, false), UPDATE_DONE);
	cr_expect_eq(counted(), 2);
	stop();
}

Test(totals, those_of_many_files_are_bounded_and_the_last_are_kept)
{
	char path[32];
	double expected = 0;

	base.max_series = 20;
	begin(1);
	for (int i = 0; i < 1000; i++) {
		snprintf(path, sizeof(path), "/log-%d", i);
		total(0, path, 5, false);
		total(0, path, 8, false);
		total(0, "/always", i, false);
		expected += 3 + (i > 0);
		if (i % 7 == 0)
			cr_expect_eq(counted(), expected);
	}
	for (int i = 0; i < 8; i++)
		cr_expect_eq(counted(), expected);
	cr_expect_leq(family_series(schema_family(schema, 1)), 80);
	cr_expect_geq(family_forgotten(schema_family(schema, 1)), 900);
	total(0, "/log-990", 9, false);
	cr_expect_eq(counted(), expected + 1, "a recent one is known");
	total(0, "/log-1", 9, false);
	cr_expect_eq(counted(), expected + 1, "an old one is not");
	stop();
}

/* It is chosen to go, and then grows. */
Test(totals, one_that_grows_meanwhile_is_kept)
{
	char path[32];

	base.max_series = 2;
	begin(1);
	total(0, "/a", 5, false);
	counted();
	for (int i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "/log-%d", i);
		total(0, path, 5, false);
	}
	counted();
	total(0, "/a", 6, false);
	cr_expect_eq(counted(), 1);
	for (int i = 0; i < 8; i++)
		counted();
	total(0, "/a", 9, false);
	cr_expect_eq(counted(), 4);
	stop();
}
