/*
 * Rules at work: patterns files in, updates out.  One helper writes a file,
 * loads it, feeds lines and tells every update and count as text.
 */
#include <math.h>

#include "common/clock.h"
#include "parsers/engine.h"
#include "parsers/rule.h"

#include "fixture.h"

static struct patterns *patterns;
static struct strbuf said = STRBUF_INIT;
static struct engine_counts counts;
static int64_t read_time_ns, unchanged_ns;
static double cpu_ns_of[2];

static enum update_result on_update(void *ctx, const struct update *u)
{
	static const char ops[] = {'+', '-', '=', '~'};
	size_t n;
	const struct metric_def *def = patterns_metrics(patterns, &n)[u->metric];

	(void)ctx;
	strbuf_addf(&said, "%s", def->name);
	for (size_t i = 0; i < def->label_count; i++)
		strbuf_addf(&said, " %s=%.*s", def->labels[i], SLICE_ARG(u->labels[i]));
	if (u->op == UPDATE_SEE)
		strbuf_addf(&said, " %.*s\n", SLICE_ARG(u->text));
	else
		strbuf_addf(&said, " %c%.17g\n", ops[u->op], u->value);
	return isnan(u->value) ? UPDATE_NOT_FINITE : UPDATE_DONE;
}

static void on_error(void *ctx, size_t rule, enum rule_error error)
{
	(void)ctx;
	strbuf_addf(&said, "error %s %s\n", patterns_rule(patterns, rule)->name,
		    rule_error_name(error));
}

static void on_matched(void *ctx, size_t rule, uint64_t count)
{
	(void)ctx;
	strbuf_addf(&said, "matched %s %d\n", patterns_rule(patterns, rule)->name,
		    (int)count);
}

static void on_cpu(void *ctx, size_t rule, double cpu_ns)
{
	(void)ctx;
	if (rule < 2)
		cpu_ns_of[rule] += cpu_ns;
}

static const struct engine_ops ops = {on_update, on_error, on_matched, on_cpu};

static bool traces; /* what is traced is said, too */

static void setup(void)
{
	traces = false;
	read_time_ns = 1764000000 * NS_PER_SECOND;
	unchanged_ns = NS_PER_SECOND;
	counts = (struct engine_counts){0};
}

static void teardown(void)
{
	patterns_destroy(patterns);
	patterns = NULL;
	strbuf_finish(&said);
}

TestSuite(engine, .init = setup, .fini = teardown);

static void load(const char *yaml)
{
	static const char *const fields[] = {"service"};

	patterns = patterns_of_good_text(
		yaml, (struct patterns_options){.path_fields = fields,
						.path_field_count = 1,
						.default_zone = "UTC"});
}

static void on_rule(void *ctx, const struct rule *rule, struct record *record,
		    enum engine_verdict verdict, size_t which)
{
	static const char *const verdicts[] = {"matched", "where", "pattern", "unless"};

	(void)ctx;
	(void)record;
	strbuf_addf(&said, "tried %s: %s %zu\n", rule->info.name, verdicts[verdict],
		    which);
}

static void on_metric(void *ctx, const struct rule_metric *metric,
		      struct record *record)
{
	(void)ctx;
	(void)record;
	strbuf_addf(&said, "metric at line %d\n", metric->at.line);
}

static const struct engine_trace trace = {on_rule, on_metric};

static void feed(const char *lines)
{
	struct engine *engine = engine_create(patterns, 10000, &ops, NULL);
	struct slice service = slice_of("etl");
	struct source *source = source_create(patterns, "/var/log/a.log", &service, 1);
	struct block block = {.bytes = slice_of(lines),
			      .read_time_ns = read_time_ns,
			      .mtime_ns = read_time_ns - unchanged_ns};

	if (traces) {
		engine_scan_with(engine, NULL, 0);
		engine_set_trace(engine, &trace, NULL);
	}
	engine_feed(engine, source, &block, &counts);
	source_destroy(source);
	engine_destroy(engine);
}

static void expect(const char *yaml, const char *lines, const char *want)
{
	load(yaml);
	feed(lines);
	cr_expect_str_eq(said.ptr, want, "said:\n%s", said.ptr);
}

#define LINE "line: '^(?<time>\\S+) (?<level>\\w+) (?<message>.*)$'\n"
#define COUNT "metrics: [{counter: n_total, help: n"

Test(engine, a_pattern_sees_the_message_where_there_is_one)
{
	expect(LINE "rules:\n  - {name: a, pattern: '^x', " COUNT "}]}\n",
	       "t INFO xyz\nt INFO zx\nx\n", "n_total +1\nmatched a 1\n");
	cr_expect_eq(counts.lines, 3);
	cr_expect_eq(counts.unmatched_lines, 2);
}

Test(engine, in_names_another_text)
{
	expect(LINE "rules:\n  - {name: a, in: _line, pattern: '^t', " COUNT "}]}\n",
	       "t INFO x\n", "n_total +1\nmatched a 1\n");
}

Test(engine, where_compares_the_text_as_written_and_a_missing_field_never_matches)
{
	expect(LINE
	       "rules:\n  - name: a\n    where: {level: [WARN, ERROR], time: {matches: "
	       "'^1'}}\n    " COUNT "}]\n",
	       "1 ERROR x\n2 ERROR x\n1 WARN x\n1 error x\nno\n",
	       "n_total +1\nn_total +1\nmatched a 2\n");
}

Test(engine, unless_looks_at_the_same_text)
{
	expect(LINE
	       "rules:\n  - {name: a, pattern: 'x', unless: ['INFO', 'dry'], " COUNT
	       "}]}\n",
	       "t INFO x\nt INFO x dry\n", "n_total +1\nmatched a 1\n");
}

Test(engine, stop_hides_the_line_from_later_rules_even_when_a_value_fails)
{
	expect("rules:\n  - {name: a, pattern: 'v=(?<v>\\S+)', stop: true, metrics: "
	       "[{gauge: "
	       "g, help: g, value: $v}]}\n  - {name: b, pattern: 'v', " COUNT "}]}\n",
	       "v=1\nv=one\nv\n",
	       "g =1\nerror a value\nn_total +1\nmatched a 2\nmatched b 1\n");
}

Test(engine, the_first_pattern_of_a_list_that_matches_supplies_the_captures)
{
	expect("rules:\n  - name: a\n    pattern: ['a=(?<v>\\d+)', 'b=(?<w>\\d+) "
	       "c=(?<v>\\d+)']\n"
	       "    metrics: [{counter: n_total, help: n, labels: {v: $v, w: "
	       "'<$w>'}}]\n",
	       "a=1 b=2 c=3\nb=4 c=5\n",
	       "n_total v=1 w=<> +1\nn_total v=5 w=<4> +1\nmatched a 2\n");
}

Test(engine, captures_come_before_line_and_line_before_the_path)
{
	expect("line: '^(?<a>\\S+) (?<service>\\S+)'\nrules:\n  - name: r\n    in: "
	       "_line\n    "
	       "pattern: ' (?<a>\\S+)'\n    metrics: [{counter: n_total, help: n, "
	       "labels: {a: "
	       "$a, s: $service, f: '$_file:$_path'}}]\n",
	       "x y\n", "n_total a=y s=y f=a.log:/var/log/a.log +1\nmatched r 1\n");
}

Test(engine, the_path_supplies_fields)
{
	expect("rules:\n  - {name: r, where: {service: etl}, metrics: [{counter: "
	       "n_total, help: "
	       "n, labels: {s: '${service}$$'}}]}\n",
	       "x\n", "n_total s=etl$ +1\nmatched r 1\n");
}

Test(engine, labels_are_replaced_mapped_lowered_and_defaulted_in_that_order)
{
	expect("rules:\n  - name: r\n    pattern: '(?<m>\\S*) (?<p>\\S+)'\n    "
	       "metrics:\n      - "
	       "counter: n_total\n        help: n\n        labels:\n          p: "
	       "{from: p, "
	       "replace: [{pattern: '/p(\\d)\\d*', with: '/:$1'}, {pattern: '\\?.*', "
	       "with: ''}]}\n"
	       "          m: {from: m, map: {GET: Read, X: ''}, lower: true, default: "
	       "none}\n",
	       "GET /p12/p345/a?b\nX /x\nPUT /\n",
	       "n_total p=/:1/:3/a m=read +1\nn_total p=/x m=none +1\nn_total p=/ "
	       "m=put +1\n"
	       "matched r 3\n");
}

Test(engine, values_are_parsed_as_said_and_scaled)
{
	expect("rules:\n  - name: r\n    pattern: '(?<a>\\S+) (?<b>\\S+) (?<c>\\S+)'\n "
	       "   metrics:\n"
	       "      - {counter: a_total, help: a, value: $a, as: grouped}\n"
	       "      - {gauge: b, help: b, value: $b, as: duration, op: add, scale: "
	       "10}\n"
	       "      - {histogram: c, help: c, value: $c, buckets: {start: 1, factor: "
	       "2, count: 3}}\n",
	       "1,440 250ms 7\n1,44 5 x\n",
	       "a_total +1440\nb +2.5\nc ~7\nerror r value\nerror r value\nerror r "
	       "value\n"
	       "matched r 2\n");
}

Test(engine, a_unique_sees_the_text_of_a_field_unless_it_is_missing_or_empty)
{
	expect("rules:\n  - name: r\n    pattern: '^(?:u=(?<u>\\w*)|none)$'\n"
	       "    metrics: [{unique: users, from: u}, {unique: files, from: "
	       "$_file}]\n",
	       "u=p1\nu=\nnone\n",
	       "users p1\nfiles a.log\nerror r value\nfiles a.log\n"
	       "error r value\nfiles a.log\nmatched r 3\n");
}

Test(engine, a_state_is_the_place_of_its_text_and_no_other_text_counts)
{
	expect("rules:\n  - name: r\n    pattern: '^job (?<s>.*)$'\n    metrics:\n"
	       "      - {state: job, value: 'is ${s}', states: [is idle, is done]}\n"
	       "      - {state: last, value: done, states: [idle, done]}\n",
	       "job done\njob idle\njob Done\njob \n",
	       "job =1\nlast =1\njob =0\nlast =1\nerror r state\nlast =1\n"
	       "error r state\nlast =1\nmatched r 4\n");
}

Test(engine, whole_milliseconds_become_the_seconds_that_one_would_write)
{
	expect("rules:\n  - {name: r, pattern: '(?<ms>\\S+) ms', metrics: [{gauge: g, "
	       "help: g, "
	       "value: $ms, scale: 0.001}]}\n",
	       "9 ms\n", "g =0.0089999999999999993\nmatched r 1\n");
}

Test(engine, the_time_of_the_log_is_a_value)
{
	read_time_ns = 1763640100 * NS_PER_SECOND;
	expect("line: '^(?<time>\\S+ \\S+) (?<message>.*)'\ntimestamp: {from: time, "
	       "layout: "
	       "'%Y-%m-%d %H:%M:%S,%f', zone: UTC}\nrules:\n  - {name: r, pattern: "
	       "'ok', metrics: "
	       "[{gauge: g, help: g, value: $_time}, {counter: n_total, help: n}]}\n",
	       "2025-11-20 12:00:01,250 ok\nyesterday noon ok\n2031-01-01 00:00:00,0 "
	       "ok\n",
	       "g =1763640001.25\nn_total +1\n"
	       "error r timestamp\ng =1763640099\nn_total +1\n"
	       "error r time_ahead\nn_total +1\n"
	       "matched r 3\n");
}

Test(engine, where_and_in_see_the_time_of_the_log)
{
	expect("line: '^(?<time>\\S+)'\n"
	       "timestamp: {from: time, layout: epoch}\n"
	       "rules:\n"
	       "  - {name: a, in: _time, pattern: '^1763640001$'}\n"
	       "  - {name: b, where: {_time: '1763640001'}}\n",
	       "1763640001 x\n1763640002 x", "matched a 1\nmatched b 1\n");
}

Test(engine, a_date_without_a_year_is_from_before_the_files_last_change)
{
	unchanged_ns = (int64_t)500 * 86400 * NS_PER_SECOND; /* 2024-07-12 16:00 */
	expect("line: '^(?<time>\\w+ \\d+)$'\ntimestamp: {from: time, layout: '%b %d', "
	       "zone: UTC}\nrules:\n  - {name: r, pattern: '', in: _line, metrics: "
	       "[{counter: n_total, help: n, labels: {t: $_time}}]}\n",
	       "Jul 12\nJul 14\n",
	       "n_total t=1720742400 +1\nn_total t=1689292800 +1\nmatched r 2\n");
}

Test(engine, the_time_is_written_exactly_and_short)
{
	expect("line: '^(?<time>\\S+ \\S+)$'\ntimestamp: {from: time, layout: "
	       "'%Y-%m-%d %H:%M:%S,%f', zone: UTC}\nrules:\n  - {name: r, pattern: "
	       "'', in: _line, metrics: [{counter: n_total, help: n, labels: {t: "
	       "$_time}}]}\n",
	       "1970-01-01 00:00:00,000\n1969-12-31 23:59:59,5\n1970-01-01 "
	       "00:00:00,000000001\n1970-01-01 00:00:00,100\n2001-09-09 "
	       "01:46:40,120000000\n",
	       "n_total t=0 +1\nn_total t=-0.5 +1\nn_total t=0.000000001 +1\n"
	       "n_total t=0.1 +1\nn_total t=1000000000.12 +1\nmatched r 5\n");
}

Test(engine, a_match_that_takes_too_many_steps_is_no_match_and_counts)
{
	expect("rules:\n  - {name: r, pattern: '^(a+)+$', " COUNT "}]}\n",
	       "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!\naa\n",
	       "error r match_limit\nn_total +1\nmatched r 1\n");
}

Test(engine, crlf_is_stripped_and_the_last_line_may_lack_its_newline)
{
	expect("rules:\n  - {name: r, pattern: '^x$', " COUNT "}]}\n", "x\r\n\r\nx",
	       "n_total +1\nn_total +1\nmatched r 2\n");
	cr_expect_eq(counts.lines, 3);
}

Test(engine, a_rule_without_metrics_ignores_the_line)
{
	expect("rules:\n  - {name: quiet, pattern: 'x', stop: true}\n  - {name: "
	       "r, " COUNT "}]}\n",
	       "x\ny\n", "n_total +1\nmatched quiet 1\nmatched r 1\n");
	cr_expect_eq(counts.unmatched_lines, 0);
}

Test(engine, cpu_time_is_shared_out_among_the_rules_and_never_more_than_there_was)
{
	struct strbuf lines = STRBUF_INIT;
	int64_t start_ns = clock_thread_cpu_ns();
	struct source *source;
	struct engine *engine;

	load("rules:\n  - {name: a, pattern: 'x'}\n  - {name: b, pattern: 'y'}\n");
	engine = engine_create(patterns, 10000, &ops, NULL);
	source = source_create(patterns, "/a", NULL, 0);
	for (int i = 0; i < 1100; i++)
		strbuf_puts(&lines, "neither of them\n");
	for (int i = 0; i < 2; i++) {
		struct block block = {.bytes = strbuf_slice(&lines)};

		cr_expect_eq(cpu_ns_of[0], 0);
		engine_feed(engine, source, &block, &counts);
	}
	cr_expect_gt(cpu_ns_of[0], 0);
	cr_expect_gt(cpu_ns_of[1], 0);
	cr_expect_leq(cpu_ns_of[0] + cpu_ns_of[1],
		      (double)(clock_thread_cpu_ns() - start_ns));
	strbuf_finish(&lines);
	source_destroy(source);
	engine_destroy(engine);
}

Test(engine, who_asks_for_neither_matches_nor_cpu_time_is_told_of_neither)
{
	static const struct engine_ops quiet = {.update = on_update, .error = on_error};
	struct block block = {.bytes = slice_of("x\n")};
	struct source *source;
	struct engine *engine;

	load("rules:\n  - {name: a, pattern: 'x'}\n");
	engine = engine_create(patterns, 10000, &quiet, NULL);
	source = source_create(patterns, "/a", NULL, 0);
	for (int i = 0; i < 1100; i++)
		engine_feed(engine, source, &block, &counts);
	cr_expect_eq(counts.lines, 1100);
	cr_expect_eq(counts.unmatched_lines, 0);
	source_destroy(source);
	engine_destroy(engine);
}

Test(engine, a_trace_is_told_what_refused_each_rule_and_whose_update_comes)
{
	traces = true;
	expect(LINE "rules:\n"
		    "  - {name: a, where: {time: t, level: ERROR}}\n"
		    "  - {name: b, pattern: ['q', 'z']}\n"
		    "  - {name: c, pattern: 'x', unless: ['no', 'dry']}\n"
		    "  - name: d\n    pattern: 'x=(?<v>\\S+)'\n    stop: true\n"
		    "    metrics:\n      - {gauge: g, help: g, value: $v}\n"
		    "      - {counter: n_total, help: n}\n"
		    "  - {name: e, pattern: 'x'}\n",
	       "t INFO x=n/a dry\n",
	       "tried a: where 1\ntried b: pattern 0\ntried c: unless 1\n"
	       "tried d: matched 0\nmetric at line 10\nerror d value\n"
	       "metric at line 11\nn_total +1\nmatched d 1\n");
}
