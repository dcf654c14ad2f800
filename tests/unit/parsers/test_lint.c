/*
 * Warnings about what works and may be regretted: each has a file that it is for, and
 * one that is nearly the same and is left alone.
 */
#include <stdio.h>

#include "parsers/regex_shape.h"

#include "fixture.h"

/* -- shapes --------------------------------------------------------------- */

static void on_flaw(void *ctx, enum shape_flaw flaw, size_t at)
{
	char *said = ctx;

	sprintf(said + strlen(said), "%s%zu ",
		flaw == SHAPE_NESTED ? "nested " : "twice ", at);
}

static const char *flaws(const char *pattern)
{
	static char said[256];

	said[0] = '\0';
	regex_flaws(slice_of(pattern), on_flaw, said);
	return said;
}

#define flawed(pattern, want) \
	cr_expect_str_eq(flaws(pattern), want, "%s: %s", pattern, flaws(pattern))
#define sound(pattern) flawed(pattern, "")

Test(lint, a_repetition_that_can_take_what_the_next_one_could_is_found)
{
	flawed("^(a+)+$", "nested 2 ");
	flawed("^(?:\\w+\\s?)*$", "nested 4 ");
	flawed("(.*,)*x", "nested 1 ");
	flawed("(?:a|b+|c)*d", "nested 5 ");
	flawed("(?:(?:ab)+)*c", "nested 8 ");
	flawed("((?:x*)y?){3,}", "nested 4 ");
	flawed("x(?i:a+)*", "nested 5 ");
	flawed("(?:[^x]+|\\d)+y", "nested 3 ");
}

Test(lint, a_repetition_that_begins_with_something_else_is_sound)
{
	sound("^(?:\\w+\\s)*$");
	sound("(?:[^,]*,)*x");
	sound("(?:,\\d+)*");
	sound("(?:\\.\\w+)+");
	sound("(?:/[A-Za-z0-9]*)+");
	sound("(?:\\s+\\S+)*");
	sound("(?>a+)+b");
	sound("(?:a++)+b");
	sound("(?:a+)++b");
	sound("(?:a+){2,5}");
	sound("(a+)?b");
	sound("(?:(?!END).)*END");
	sound("(?:\\w+\\b\\s*)*");
	sound("[+*]+\\+{2}(a\\+)+");
	sound("(?:\\d{2}:)+\\d{1,3}");
}

Test(lint, the_same_twice_in_a_row_is_found_and_other_neighbours_are_not)
{
	flawed("a.*.*b", "twice 3 ");
	flawed("\\d+\\d*", "twice 3 ");
	flawed("\\S+x?\\S+", "twice 5 ");
	sound(".* .*");
	sound("\\s*.*");
	sound("\\d+\\.\\d+");
	sound("\\w+\\W+\\w+");
	sound("a*+a*");
}

Test(lint, a_group_is_unbounded_if_it_takes_any_text_of_any_length)
{
#define unbounded(pattern) regex_group_is_unbounded(slice_of(pattern), "x")
	cr_expect(unbounded("a(?<x>\\S+)b"));
	cr_expect(unbounded("(?P<x>/.*)"));
	cr_expect(unbounded("(?'x'[^,]{3,})"));
	cr_expect_not(unbounded("(?<x>\\d+) \\S+"));
	cr_expect_not(unbounded("(?<x>[a-z_]+)"));
	cr_expect_not(unbounded("(?<x>\\S{1,8})"));
	cr_expect_not(unbounded("(?<x>GET|POST)"));
	cr_expect_not(unbounded("(?<y>\\S+)(?<x>a)(?<xx>.*)"));
}

/* -- files ---------------------------------------------------------------- */

static const char *lint(const char *yaml)
{
	static struct strbuf said = STRBUF_INIT;
	struct diag *diag = diag_create();
	struct patterns *patterns =
		patterns_of_text(yaml, (struct patterns_options){.lint = true}, diag);

	strbuf_clear(&said);
	diag_render(diag, &said);
	cr_assert(patterns, "%s", said.ptr);
	patterns_destroy(patterns);
	diag_destroy(diag);
	return said.ptr;
}

#define warns(yaml, want) cr_expect(strstr(lint(yaml), want), "%s", lint(yaml))
#define silent(yaml) cr_expect_str_eq(lint(yaml), "", "%s", lint(yaml))

#define METRIC(name)                                              \
	"rules: [{name: a, pattern: 'x', metrics: [{gauge: " name \
	", help: h, value: 1}]}]\n"
#define COUNTER(more) "    metrics: [{counter: n_total, help: h" more "}]\n"

Test(lint, a_pattern_that_can_explode_is_shown_where_it_is_written)
{
	warns("definitions: {W: '(?:\\w+\\s?)*'}\nrules:\n  - name: a\n    pattern: "
	      "'^x %{W}$'\n",
	      ".yml:4:14: warning: a line that does not match can take very many "
	      "steps");
	warns("definitions: {W: '(?:\\w+\\s?)*'}\nrules:\n  - name: a\n    pattern: "
	      "'^x %{W}$'\n",
	      "    ^x %{W}$\n       ^\n");
	warns("rules: [{name: a, where: {_file: {matches: '(a*)*b'}}}]\n",
	      "very many steps");
	warns("rules: [{name: a, pattern: 'x', unless: '.*.*y'}]\n", "twice in a row");
	silent("rules: [{name: a, pattern: '^x (?:\\w+\\s)*$'}]\n");
}

Test(lint, a_pattern_that_matches_any_text_is_found)
{
	warns("rules: [{name: a, pattern: ''}]\n",
	      ":1:28: warning: pattern matches any text: it can match nothing");
	warns("rules: [{name: a, pattern: ['', x]}]\n", ":1:29: warning: pattern");
	warns("rules: [{name: a, pattern: 'error|'}]\n", "pattern matches any text");
	warns("rules: [{name: a, pattern: '(?<n>\\d*)', metrics: [{counter: n_total, "
	      "help: h, value: $n}]}]\n",
	      "pattern matches any text");
	warns("rules: [{name: a, pattern: 'x', unless: 'y?'}]\n",
	      "unless matches any text");
}

Test(lint, a_pattern_that_is_meant_to_match_any_text_is_left_alone)
{
	silent("rules: [{name: a, pattern: '^'}]\n");
	silent("rules: [{name: a, pattern: '.*'}]\n");
	silent("rules: [{name: a, pattern: '\\bx?'}]\n");
	silent("rules: [{name: a, where: {_file: {matches: ''}}}]\n");
}

Test(lint, a_capture_that_nothing_uses_is_found)
{
	warns("rules:\n  - name: a\n    pattern: 'x (?<n>\\d+)'\n" COUNTER(""),
	      ":3:14: warning: nothing in the rule uses the capture n");
	warns("rules:\n  - name: a\n    pattern: 'x %{INT:n}'\n" COUNTER(""),
	      "the capture n");
	warns("rules:\n  - name: a\n    pattern: 'x (?<n>\\d+)'\n" COUNTER(
		      "") "  - name: b\n    pattern: 'x (?<n>\\d+)'\n" COUNTER(", "
									       "value: "
									       "$n"),
	      ":3:14:");
}

Test(lint, a_capture_that_something_uses_is_left_alone)
{
	silent("rules:\n  - name: a\n    pattern: 'x (?<n>\\d+)'\n" COUNTER(
		", value: '${n}'"));
	silent("rules:\n  - name: a\n    pattern: '(?<q>[ab])x\\k<q>'\n" COUNTER(""));
	/* What lines look like is said for rules to come. */
	silent("line: '(?<t>\\S+) (?<l>\\w+) (?<n>\\d+) (?<m>.*)'\ntimestamp: {from: "
	       "t}\n"
	       "rules: [{name: a, where: {l: X}, in: m, pattern: 'x'}]\n");
	/* A definition captures for all that use it. */
	silent("definitions: {D: '(?<a>x)(?<b>y)'}\nrules:\n  - name: a\n    pattern: "
	       "'%{D}'\n" COUNTER(", labels: {a: $a}"));
}

Test(lint, a_label_that_can_be_any_text_is_found_once)
{
	warns("rules:\n  - name: a\n    pattern: 'x (?<u>\\S+)'\n" COUNTER(
		      ", labels: {user: $u}"),
	      ":4:52: warning: the label user of n_total can be any text");
	warns("rules:\n  - name: a\n    pattern: 'x'\n" COUNTER(
		      ", labels: {l: $_line}"),
	      "label l of n_total");
	cr_expect_eq(
		strstr(strstr(lint("rules:\n  - name: a\n    pattern: 'x "
				   "(?<u>\\S+)'\n" COUNTER(
					   ", labels: {user: $u}") "  - name: b\n    "
								   "pattern: 'y "
								   "(?<u>\\S+)'"
								   "\n" COUNTER(", "
										"labels"
										": "
										"{user:"
										" $"
										"u}")),
			      "label user") +
			       1,
		       "label user"),
		NULL);
}

Test(lint, a_label_that_somebody_bounds_is_left_alone)
{
	silent("rules:\n  - name: a\n    pattern: 'x (?<u>\\S+)'\n" COUNTER(
		", labels: {user: $u}, max_series: 100"));
	silent("rules:\n  - name: a\n    pattern: 'x (?<u>\\S+)'\n" COUNTER(
		", labels: {user: {from: u, map: {a: b}}}"));
	silent("rules:\n  - name: a\n    pattern: 'x (?<u>\\S+)'\n" COUNTER(
		", labels: {user: {from: u, replace: [{pattern: '\\d', with: x}]}}"));
	silent("rules:\n  - name: a\n    pattern: 'x (?<u>p\\d{3})'\n" COUNTER(
		", labels: {user: $u}"));
	silent("rules:\n  - name: a\n    pattern: 'x (?<u>\\S+)'\n    metrics: "
	       "[{gauge: n, help: h, value: $u}]\n");
}

Test(lint, a_metric_has_help_somewhere)
{
	warns("rules: [{name: a, pattern: 'x', metrics: [{counter: n_total}]}]\n",
	      ":1:53: warning: n_total has no help");
	silent("rules: [{name: a, pattern: 'x', metrics: [{counter: n_total}]}, {name: "
	       "b, pattern: 'y', metrics: "
	       "[{counter: n_total, help: h}]}]\n");
}

Test(lint, names_are_as_prometheus_users_expect)
{
	warns(METRIC("queueLength"), "snake_case: call it queue_length");
	warns(METRIC("request_ms"),
	      "unit for this is seconds: call it request_seconds, with scale: 0.001");
	warns(METRIC("heap_kib"), "call it heap_bytes, with scale: 1024");
	warns(METRIC("cpu_percent"), "call it cpu_ratio, with scale: 0.01");
	warns(METRIC("wait_seconds_p99"), "call it wait_p99_seconds");
	warns(METRIC("open_count"), "_count is the ending of a histogram's own series");
	warns(METRIC("open_gauge"), "does not say the metric's kind");
	warns(METRIC("job:open"), "colons are for the names of recording rules");
	warns(METRIC("open_total"), "is no counter");
	warns("rules:\n  - name: a\n    pattern: 'x'\n" COUNTER(", labels: {job: x}"),
	      "Prometheus sets the label job");
}

Test(lint, good_names_are_left_alone)
{
	silent(METRIC("request_duration_seconds"));
	silent(METRIC("last_success_timestamp_seconds"));
	silent(METRIC("queue_length"));
	silent(METRIC("hrv_rmssd_seconds"));
	silent(METRIC("items"));
	silent("rules: [{name: a, pattern: 'x', metrics: [{counter: sent_bytes_total, "
	       "help: h}, "
	       "{counter: busy_seconds_total, help: h}]}]\n");
}

Test(lint, who_does_not_ask_is_not_warned)
{
	const char *yaml = "rules: [{name: a, pattern: '(x+)+(?<n>y)', metrics: "
			   "[{counter: aB_total}]}]\n";
	struct diag *diag = diag_create();

	patterns_destroy(patterns_of_text(yaml, (struct patterns_options){0}, diag));
	cr_expect_eq(diag_warnings(diag), 0);
	diag_destroy(diag);
}
