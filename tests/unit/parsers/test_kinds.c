/* Keys of the kinds that have a window or states: each mistake is named, all at once.
 */
#include "common/clock.h"

#include "fixture.h"

static struct patterns *load(const char *metrics, struct strbuf *errors, size_t *count)
{
	static const char *const labels[] = {"site"};
	struct strbuf yaml = STRBUF_INIT;
	struct diag *diag = diag_create();
	struct patterns *patterns;

	strbuf_addf(&yaml,
		    "rules:\n  - name: r\n    pattern: '(?<v>\\d+)'\n    metrics:\n%s",
		    metrics);
	patterns = patterns_of_text(yaml.ptr,
				    (struct patterns_options){.global_labels = labels,
							      .global_label_count = 1,
							      .default_zone = "UTC"},
				    diag);
	strbuf_finish(&yaml);
	*count = diag_errors(diag);
	diag_render(diag, errors);
	diag_destroy(diag);
	return patterns;
}

/* One error, in which `want` stands. */
static void expect(const char *metric, const char *want)
{
	struct strbuf errors = STRBUF_INIT, yaml = STRBUF_INIT;
	size_t count;

	strbuf_addf(&yaml, "      - {%s}\n", metric);
	cr_expect_not(load(yaml.ptr, &errors, &count));
	cr_expect(strstr(errors.ptr, want), "wanted %s, got:\n%s", want, errors.ptr);
	cr_expect_eq(count, 1, "got:\n%s", errors.ptr);
	strbuf_finish(&errors);
	strbuf_finish(&yaml);
}

static const struct metric_def *find(const struct patterns *patterns, const char *name)
{
	size_t count;
	const struct metric_def *const *defs = patterns_metrics(patterns, &count);

	for (size_t i = 0; i < count; i++)
		if (strcmp(defs[i]->name, name) == 0)
			return defs[i];
	cr_assert_fail("no %s", name);
	return NULL;
}

static struct patterns *load_good(const char *metrics)
{
	struct strbuf errors = STRBUF_INIT;
	size_t count;
	struct patterns *patterns = load(metrics, &errors, &count);

	cr_assert(patterns, "%s", errors.ptr);
	strbuf_finish(&errors);
	return patterns;
}

Test(kinds, each_has_its_defaults)
{
	struct patterns *p = load_good("      - {summary: s, value: $v}\n"
				       "      - {unique: u, from: $v}\n"
				       "      - {state: j, value: $v, states: [a, b]}\n"
				       "      - {gauge: g, value: $v, op: min}\n");

	cr_expect_eq(find(p, "s")->window_ns, 600 * NS_PER_SECOND);
	cr_expect_eq(find(p, "s")->quantile_count, 3);
	cr_expect_eq(find(p, "s")->quantiles[1], 0.9);
	cr_expect_eq(find(p, "u")->window_ns, 600 * NS_PER_SECOND);
	cr_expect_eq(find(p, "g")->window_ns, 600 * NS_PER_SECOND);
	cr_expect_eq(find(p, "g")->extreme, EXTREME_LEAST);
	cr_expect_eq(find(p, "j")->window_ns, 0);
	cr_expect_str_eq(find(p, "j")->states[1], "b");
	cr_expect_not(find(p, "j")->track_age);
	patterns_destroy(p);
}

Test(kinds, what_the_first_rule_says_of_a_metric_need_not_be_said_again)
{
	struct patterns *p = load_good(
		"      - {summary: s, value: 1, window: 1h, quantiles: [1, 0.25]}\n"
		"      - {summary: s, value: 2}\n"
		"      - {state: j, value: a, states: [a, b]}\n"
		"      - {state: j, value: b, track_age: true}\n"
		"      - {state: j, value: b, track_age: false}\n");

	cr_expect_eq(find(p, "s")->window_ns, 3600 * NS_PER_SECOND);
	cr_expect_eq(find(p, "s")->quantiles[0], 0.25, "in their order");
	cr_expect(find(p, "j")->track_age);
	patterns_destroy(p);
}

Test(kinds, a_window_is_a_duration_and_of_those_that_have_one)
{
	expect("counter: n_total, window: 10m", "only a summary, a unique, and a gauge "
						"with op: min or max have a window");
	expect("histogram: h, value: $v, window: 10m",
	       "have a window: leave the key out");
	expect("gauge: g, value: $v, window: 10m",
	       "have a window: add op: min or op: max, or leave it out");
	expect("gauge: g, op: add, window: 10m", "add op: min or op: max");
	expect("state: j, value: a, states: [a], window: 10m", "have a window");
	expect("summary: s, value: $v, window: 10", "window: 10 is not a duration");
	expect("summary: s, value: $v, window: 0", "no length of a window");
	expect("unique: u, from: v, window: 200ms", "write 1s or more");
	expect("unique: u, from: v, window: 1000000d", "up to 100 years");
	expect("summary: s, value: $v, window: [1m]", "window");
}

Test(kinds, quantiles_are_ratios_each_once)
{
	expect("summary: s, value: $v, quantiles: [0.5, 99]",
	       "the quantile 99 is not between 0 and 1: write it as a ratio: the 99th "
	       "percentile is 0.99");
	expect("summary: s, value: $v, quantiles: [-0.1]", "is not between 0 and 1");
	expect("summary: s, value: $v, quantiles: [0.5, 0.50]",
	       "the quantile 0.50 is there already");
	expect("summary: s, value: $v, quantiles: [p99]", "p99 is not a number");
	expect("summary: s, value: $v, quantiles: []", "there must be 1 to 32");
	expect("summary: s, value: $v, quantiles: 0.5", "quantiles");
	expect("histogram: h, value: $v, quantiles: [0.5]",
	       "only a summary has quantiles");
	expect("summary: s", "a summary needs a value");
	expect("summary: s, value: $v, buckets: [1]", "only a histogram has buckets");
}

Test(kinds, a_unique_counts_a_field)
{
	expect("unique: u", "a unique needs the field whose different texts it counts");
	expect("unique: u, from: w", "nothing supplies the field w");
	expect("unique: u, from: v, value: $v",
	       "a unique has no value: write from: and a field's name");
	expect("unique: u, from: v, as: bytes", "only numbers are read in some way");
	expect("unique: u, from: v, scale: 2", "only numbers have a scale");
	expect("unique: u, from: v, declare: [{}]", "a unique has no value before it");
	expect("counter: n_total, from: v",
	       "only a unique counts the texts of a field");
}

Test(kinds, a_state_has_states)
{
	expect("state: j, value: $v",
	       "a state needs the states that there are: add states: [idle, running");
	expect("state: j, states: [a]",
	       "a state needs a value: add value: $name or one");
	expect("state: j, value: c, states: [a, b]",
	       "c is none of the states of j: write one of them");
	expect("state: j, value: $v, states: [a, b, a]",
	       "the state a is there already");
	expect("state: j, value: $v, states: []", "there must be 1 to 64");
	expect("state: j, value: $v, states: a", "states");
	expect("state: j, value: $v, states: [a, '']", "a state has no text");
	expect("state: j, value: $v, states: [a, \"x\\ty\"]", "a control character");
	expect("gauge: g, value: $v, states: [a]", "only a state has states");
	expect("state: j, value: $v, states: [a], op: set", "only a gauge has an op");
	expect("state: j, value: $v, states: [a], scale: 2",
	       "only numbers have a scale");
	expect("state: j, value: $v, states: [a], declare: [{}]",
	       "a state has no value before it is set");
}

Test(kinds, the_label_of_a_state_is_called_as_the_metric)
{
	expect("state: j, value: a, states: [a], labels: {j: $v}",
	       "the label j tells which state it is: rename one");
	expect("state: site, value: a, states: [a]",
	       "the configuration's labels have site, which tells");
	expect("state: 'a:b', value: a, states: [a]",
	       "a:b cannot be a state: a label has the same name");
	expect("state: quantile, value: a, states: [a]",
	       "quantile cannot be a state: a label has the same name, which belongs");
}

Test(kinds, the_age_is_that_of_a_gauge_and_takes_a_name)
{
	expect("counter: n_total, track_age: true",
	       "only a gauge, a unique and a state have an age");
	expect("summary: s, value: $v, track_age: true", "have an age");
	expect("gauge: g, value: $v, track_age: yes", "track_age is yes: write true");
	expect("gauge: g, value: $v, track_age: true}\n"
	       "      - {gauge: g_last_update_timestamp_seconds, value: $v",
	       "g_last_update_timestamp_seconds is a series of the gauge g");
	expect("summary: s, value: $v}\n      - {gauge: s_count, value: $v",
	       "s_count is a series of the summary s");
}

Test(kinds, two_rules_must_agree)
{
	expect("summary: s, value: 1, window: 1h}\n"
	       "      - {summary: s, value: 1, window: 2h",
	       "s differs in window");
	expect("summary: s, value: 1}\n"
	       "      - {summary: s, value: 1, quantiles: [0.5]",
	       "s differs in quantiles");
	expect("state: j, value: a, states: [a, b]}\n"
	       "      - {state: j, value: a, states: [b, a]",
	       "j differs in states");
	expect("gauge: g, value: 1, op: max}\n      - {gauge: g, value: 1, op: min",
	       "g differs in op: min and max go with no other");
	expect("gauge: g, value: 1, op: max}\n      - {gauge: g, value: 1",
	       "g differs in op: min and max go with no other");
}

Test(kinds, all_mistakes_are_named_at_once)
{
	struct strbuf errors = STRBUF_INIT;
	size_t count;

	cr_expect_not(load("      - {summary: s, quantiles: [2, 0.5, 0.5], window: x}\n"
			   "      - {state: j, value: c, states: [a, a], op: add}\n"
			   "      - {unique: u, value: 1, track_age: 1}\n",
			   &errors, &count));
	cr_expect_eq(count, 4 + 3 + 3, "got:\n%s", errors.ptr);
	strbuf_finish(&errors);
}
