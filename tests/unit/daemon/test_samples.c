#include <criterion/criterion.h>

#include "daemon/samples.h"

static bool same(const char *expected, const char *got)
{
	struct strbuf difference = STRBUF_INIT;
	bool ok = samples_compare(slice_of(expected), slice_of(got), &difference);

	cr_expect_eq(ok, difference.len == 0);
	strbuf_finish(&difference);
	return ok;
}

Test(samples, order_of_lines_and_labels_and_form_of_numbers_do_not_matter)
{
	cr_expect(same("b 1\na{x=\"1\",y=\"2\"} 1e3\n",
		       "a{y=\"2\",x=\"1\"} 1000\nb 1.0\n"));
}

Test(samples, a_wrong_value_a_missing_and_an_unexpected_series_are_differences)
{
	cr_expect_not(same("a 1", "a 2"));
	cr_expect_not(same("a 1", ""));
	cr_expect_not(same("", "a 1"));
	cr_expect_not(same("a{x=\"1\"} 1", "a{x=\"2\"} 1"));
	cr_expect_not(same("a one", "a 1"));
}

Test(samples, zeros_that_came_out_need_not_be_expected_unless_a_gauge_was_set)
{
	cr_expect(same("", "# TYPE a_total counter\na_total 0\n"));
	cr_expect_not(same("", "# TYPE g gauge\ng 0\n"));
}

Test(samples, of_a_histogram_count_and_sum_are_enough)
{
	const char *got = "# TYPE h histogram\nh_bucket{a=\"b\",le=\"1.0\"} 1\n"
			  "h_bucket{a=\"b\",le=\"+Inf\"} 2\nh_sum{a=\"b\"} "
			  "3\nh_count{a=\"b\"} 2\n";

	cr_expect(same("h_sum{a=\"b\"} 3\nh_count{a=\"b\"} 2", got));
	cr_expect(same("h_bucket{le=\"1\",a=\"b\"} 1\nh_bucket{a=\"b\",le=\"+Inf\"} 2\n"
		       "h_sum{a=\"b\"} 3\nh_count{a=\"b\"} 2",
		       got));
	cr_expect_not(same(
		"h_bucket{le=\"1\",a=\"b\"} 1\nh_sum{a=\"b\"} 3\nh_count{a=\"b\"} 2",
		got));
	cr_expect_not(same("", got));
}

Test(samples, a_brace_in_a_label_value_ends_nothing)
{
	cr_expect(same("a{x=\"}\\\"{\"} 1", "a{x=\"}\\\"{\"} 1\n"));
}

Test(samples, a_difference_tells_both_values_and_puts_one_metric_together)
{
	struct strbuf difference = STRBUF_INIT;

	cr_expect_not(samples_compare(
		slice_of("b{x=\"1\"} 1\na_total{s=\"}\"} 2\nc 3\nd{} x\n"),
		slice_of("e 1\nb{x=\"2\"} 1\na_total{s=\"}\"} 3.5\nc 3\nd 4\n"),
		&difference));
	cr_expect_str_eq(difference.ptr,
			 "      - b{x=\"1\"} 1\n"
			 "      + b{x=\"2\"} 1\n"
			 "      ~ a_total{s=\"}\"}: expected 2, got 3.5\n"
			 "      ~ d{}: expected x, got 4\n"
			 "      + e 1\n",
			 "%s", difference.ptr);
	strbuf_finish(&difference);
}

Test(samples, a_quantile_is_as_exact_as_its_sketch)
{
	const char *got = "# TYPE s summary\ns{quantile=\"0.5\"} 0.1998\n"
			  "s{quantile=\"1.0\"} NaN\ns_sum 0.4\ns_count 2\n";

	cr_expect(same("s{quantile=\"0.50\"} 0.2\ns_sum 0.4\ns_count 2", got));
	cr_expect_not(same("s{quantile=\"0.50\"} 0.203\ns_sum 0.4\ns_count 2", got));
	cr_expect(same("s_sum 0.4\ns_count 2", got), "they may be left out");
	cr_expect_not(same("s_sum 0.4004\ns_count 2", got));
	cr_expect_not(same("", got));
	cr_expect_not(same("s_sum 0.4", got));
}

Test(samples, states_that_are_not_present_may_be_left_out)
{
	const char *got = "# TYPE job gauge\njob{a=\"1\",job=\"idle\"} 0\n"
			  "job{a=\"1\",job=\"running\"} 1\n";

	cr_expect(same("job{a=\"1\",job=\"running\"} 1", got));
	cr_expect(same("job{job=\"running\",a=\"1\"} 1\njob{job=\"idle\",a=\"1\"} 0",
		       got));
	cr_expect_not(same("job{a=\"1\",job=\"idle\"} 1", got));
	cr_expect_not(same("", got));
}
