/* What is wrong with a patterns file: each mistake gives one error with its place. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "parsers/patterns.h"
#include "parsers/rule.h"

static char directory[] = "/tmp/patterns-XXXXXX";

static void setup(void)
{
	cr_assert(mkdtemp(directory));
}

static void write_file(const char *name, const char *yaml)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	f = fopen(path, "w");
	fputs(yaml, f);
	fclose(f);
}

static void teardown(void)
{
	static const char *const names[] = {"a.yml", "b.yml"};

	for (int i = 0; i < 2; i++) {
		char path[128];

		snprintf(path, sizeof(path), "%s/%s", directory, names[i]);
		unlink(path);
	}
	rmdir(directory);
}

TestSuite(patterns, .init = setup, .fini = teardown);

static const char *hash_key = "0123456789abcdef";
static bool hash_key_is_test;

static struct patterns *load(struct strbuf *errors)
{
	const char *paths[] = {directory}, *labels[] = {"site"};
	struct patterns_options options = {.paths = paths,
					   .path_count = 1,
					   .global_labels = labels,
					   .global_label_count = 1,
					   .default_zone = "UTC",
					   .hash_key = slice_of(hash_key),
					   .hash_key_is_test = hash_key_is_test};
	struct diag *diag = diag_create();
	struct patterns *patterns = patterns_load(&options, diag);

	diag_render(diag, errors);
	cr_expect_eq(patterns == NULL, diag_errors(diag) > 0);
	diag_destroy(diag);
	return patterns;
}

/* `want` stands somewhere in the one error (or warning) that the file gives. */
static void expect(const char *yaml, const char *want)
{
	struct strbuf errors = STRBUF_INIT;
	struct patterns *patterns;

	write_file("a.yml", yaml);
	patterns = load(&errors);
	cr_expect(strstr(errors.ptr, want), "wanted %s, got:\n%s", want, errors.ptr);
	patterns_destroy(patterns);
	strbuf_finish(&errors);
}

#define METRIC "rules:\n  - name: r\n    pattern: '(?<v>x)'\n    metrics:\n      - "

/* Tells all of `want`, one a line, and nothing more. */
static void expect_all(const char *yaml, const char *const *want, size_t count)
{
	struct strbuf errors = STRBUF_INIT;
	size_t told = 0;

	write_file("a.yml", yaml);
	patterns_destroy(load(&errors));
	for (size_t i = 0; i < count; i++)
		cr_expect(strstr(errors.ptr, want[i]), "wanted %s, got:\n%s", want[i],
			  errors.ptr);
	for (const char *at = errors.ptr; (at = strstr(at, "a.yml:")); at++)
		told++;
	cr_expect_eq(told, count, "%s", errors.ptr);
	strbuf_finish(&errors);
}

Test(patterns, a_mistyped_key_names_the_closest)
{
	expect("ruels: []\n", "a.yml:1:1: ");
	expect("ruels: []\n", "rules");
	expect("rules:\n  - {name: a, patern: x}\n", "a.yml:2:15: ");
	expect(METRIC "{counter: n_total, lables: {}}\n", "labels");
}

static void expect_alone(const char *yaml, const char *want, const char *not_this)
{
	struct strbuf errors = STRBUF_INIT;

	write_file("a.yml", yaml);
	patterns_destroy(load(&errors));
	cr_expect(strstr(errors.ptr, want), "wanted %s, got:\n%s", want, errors.ptr);
	cr_expect(!strstr(errors.ptr, not_this), "%s in:\n%s", not_this, errors.ptr);
	strbuf_finish(&errors);
}

Test(patterns, one_mistake_in_a_regex_is_not_told_again_as_names_that_nothing_supplies)
{
	expect_alone("line: '(?<level>x'\n" METRIC
		     "{counter: n_total, labels: {a: $level, b: {from: level}}}\n",
		     "a.yml:1:7: ", "supplies");
	expect_alone("rules:\n  - name: r\n    pattern: '(?<v>x'\n    metrics:\n"
		     "      - {counter: n_total, labels: {a: $v}}\n",
		     "a.yml:3:14: ", "supplies");
	expect_alone("rules:\n  - name: r\n    patern: '(?<v>x)'\n    metrics:\n"
		     "      - {counter: n_total, labels: {a: $v}}\n",
		     "did you mean `pattern`", "supplies");
	expect_alone("ruels: []\n", "did you mean `rules`", "has no rules");
}

Test(patterns, a_label_may_be_from_a_capture_of_the_pattern_and_the_error_says_so)
{
	expect(METRIC "{counter: n_total, labels: {a: {from: elsewhere}}}\n",
	       "from: nothing supplies the field elsewhere: name a capture of the "
	       "rule's pattern, of `line`");
}

Test(patterns, a_directory_without_patterns_files_is_told)
{
	struct strbuf errors = STRBUF_INIT;
	struct patterns *patterns = load(&errors);

	cr_expect(strstr(errors.ptr, "warning: the directory holds no patterns file"),
		  "got: %s", errors.ptr);
	patterns_destroy(patterns);
	strbuf_finish(&errors);
}

Test(patterns, a_tests_name_is_not_empty)
{
	expect(METRIC "counter: n_total\ntests:\n  - {name: , lines: x, expect: ''}\n",
	       "a.yml:7:12: the name is empty");
}

Test(patterns, each_rule_of_a_file_has_a_name_of_its_own)
{
	static const char *const want[] = {
		"a.yml:3:12: line 2 has a rule called a already: give each rule",
		"a.yml:5:12: line 3 has a rule called a already: give each rule"};

	write_file("b.yml", "rules:\n  - {name: a, pattern: x}\n");
	expect_all("rules:\n  - {name: a, pattern: x}\n  - {name: a, pattern: x}\n"
		   "  - {name: b, pattern: x}\n  - {name: a, pattern: x}\n",
		   want, 2);
}

Test(patterns, a_counter_must_end_in_total)
{
	expect(METRIC "counter: lines\n",
	       "a.yml:5:18: the counter lines does not end in _total: "
	       "add _total to its name");
}

Test(patterns, reserved_names_are_refused)
{
	expect(METRIC "counter: logtally_x_total\n", "the daemon's own");
	expect(METRIC "{counter: n_total, labels: {le: $v}}\n", "le");
	expect(METRIC "{counter: n_total, labels: {__x: $v}}\n",
	       "__x is not a label name");
	expect(METRIC "{counter: n_total, labels: {job: $v}}\n",
	       "warning: Prometheus sets");
	expect(METRIC "{counter: n_total, labels: {site: $v}}\n", "have site already");
	expect(METRIC "{counter: 9_total}\n", "9_total is not a metric name");
}

Test(patterns, a_name_that_nothing_supplies_is_refused)
{
	expect(METRIC "{gauge: g, value: $w}\n", "nothing supplies $w: name a capture");
	expect(METRIC "{gauge: g, value: '${v'}\n", "a ${ that no } closes");
	expect("rules:\n  - {name: r, where: {lvl: x}}\n",
	       "nothing supplies the field lvl");
	expect("timestamp: {from: time}\nrules:\n  - {name: r, pattern: x}\n",
	       "timestamp: from: nothing supplies the field time");
}

#define HASHED "labels: {who: {from: v, hash: true}}"
#define TWO(first, second)                                                             \
	METRIC first                                                                   \
		"\n  - name: s\n    pattern: '(?<v>y)'\n    metrics:\n      - " second \
		"\n"

Test(patterns, a_hashed_label_needs_a_key)
{
	hash_key = "";
	expect(METRIC "{counter: n_total, " HASHED "}\n",
	       "a.yml:5:37: the label who of n_total is hashed, and there is no key: "
	       "make one with openssl rand -hex 32 > FILE, and name it by "
	       "hash_key_file: FILE");
	expect(METRIC "{counter: n_total, labels: {who: {from: v, hash: false}}}\n",
	       "");
	expect(METRIC "{counter: n_total, labels: {who: {from: v, hash: yes}}}\n",
	       "hash is yes: write true or false");
}

Test(patterns, where_a_key_stands_in_a_hashed_label_is_a_warning)
{
	hash_key_is_test = true;
	expect(METRIC "{counter: n_total, " HASHED "}\n",
	       "a.yml:5:37: warning: the label who of n_total is hashed: run and "
	       "replay need a key");
}

Test(patterns, what_is_hashed_is_not_declared_and_not_shown_by_another_rule)
{
	expect(METRIC "{counter: n_total, " HASHED ", declare: [{who: p1}]}\n",
	       "declare would name what n_total hides");
	expect(TWO("{counter: n_total, " HASHED "}",
		   "{counter: n_total, labels: {who: $v}}"),
	       "n_total differs in hash: the label would show what the other hides");
	expect(TWO("{counter: n_total, labels: {who: $v}}",
		   "{counter: n_total, " HASHED "}"),
	       "differs in hash");
	expect(TWO("{counter: n_total, labels: {who: {from: v, hash: true}, b: $v}}",
		   "{counter: n_total, labels: {b: $v, who: {from: v, hash: true}}}"),
	       "");
}

Test(patterns, the_key_is_kept_only_where_a_label_is_hashed)
{
	struct strbuf errors = STRBUF_INIT;
	struct patterns *patterns;

	write_file("a.yml", METRIC "{counter: n_total, labels: {who: $v}}\n");
	patterns = load(&errors);
	cr_expect_eq(patterns_hash_key(patterns).len, 0);
	patterns_destroy(patterns);
	write_file("a.yml", METRIC "{counter: n_total, " HASHED "}\n");
	patterns = load(&errors);
	cr_expect(slice_is(patterns_hash_key(patterns), hash_key));
	patterns_destroy(patterns);
	strbuf_finish(&errors);
}

Test(patterns, a_gauge_needs_a_value_and_declares_nothing)
{
	expect(METRIC "gauge: g\n", "a gauge needs a value");
	expect(METRIC "{gauge: g, value: $v, declare: [{}]}\n", "before it is set");
	expect(METRIC "{counter: n_total, op: add}\n", "only a gauge has an op");
	expect(METRIC "{gauge: g, value: $v, op: mean}\n",
	       "write set, add, subtract, min or max");
}

Test(patterns, buckets_must_ascend)
{
	expect(METRIC "{histogram: h, value: $v, buckets: [1, 2, 2]}\n",
	       "the bucket 2 is not above the one before it");
	expect(METRIC
	       "{histogram: h, value: $v, buckets: {start: 0, factor: 2, count: 3}}\n",
	       "do not ascend");
	expect(METRIC "{histogram: h, value: $v, buckets: {start: 0, width: 2}}\n",
	       "buckets lack a key");
	expect(METRIC "{counter: n_total, buckets: [1]}\n",
	       "only a histogram has buckets");
}

Test(patterns, declared_sets_name_every_label_and_multiply)
{
	struct strbuf errors = STRBUF_INIT;
	struct patterns *patterns;
	const struct metric_def *def;
	size_t n;

	write_file("a.yml",
		   METRIC "{counter: n_total, labels: {a: $v, b: $v}, declare: [{b: "
			  "[x, y], a: ['1', '2']}, {a: '3', b: z}]}\n");
	patterns = load(&errors);
	cr_assert(patterns, "%s", errors.ptr);
	def = patterns_metrics(patterns, &n)[0];
	cr_assert_eq(def->declared_count, 5);
	cr_expect(slice_is(def->declared[0], "1"));
	cr_expect(slice_is(def->declared[1], "x"));
	cr_expect(slice_is(def->declared[6], "2"));
	cr_expect(slice_is(def->declared[7], "y"));
	cr_expect(slice_is(def->declared[9], "z"));
	patterns_destroy(patterns);
	strbuf_finish(&errors);
	expect(METRIC "{counter: n_total, labels: {a: $v, b: $v}, declare: [{a: x}]}\n",
	       "leaves out the label b");
}

Test(patterns, a_metric_may_stand_in_two_files_if_both_agree)
{
	struct strbuf errors = STRBUF_INIT;
	struct patterns *patterns;
	size_t n;

	write_file("a.yml",
		   METRIC "{counter: n_total, help: N., labels: {a: $v, b: x}}\n");
	write_file("b.yml", METRIC "{counter: n_total, labels: {b: $v, a: y}}\n");
	patterns = load(&errors);
	cr_assert(patterns, "%s", errors.ptr);
	patterns_metrics(patterns, &n);
	cr_expect_eq(n, 1);
	cr_expect_str_eq(patterns_file(patterns, 1)->rules[0].metrics[0].labels[0].name,
			 "a");
	patterns_destroy(patterns);
	strbuf_finish(&errors);
}

Test(patterns, metrics_that_disagree_name_both_places)
{
	write_file("b.yml", METRIC "{counter: n_total, help: N., labels: {c: $v}}\n");
	expect(METRIC "{counter: n_total, help: N., labels: {a: $v}}\n",
	       "differs in label names from its definition at ");
	write_file("b.yml", METRIC "{gauge: h_count, value: $v}\n");
	expect(METRIC "{histogram: h, value: $v}\n",
	       "h_count is a series of the histogram h");
	write_file("b.yml", METRIC "{gauge: n_total:base, value: $v}\n");
	expect(METRIC "{counter: n_total, value: $v, mode: total}\n",
	       "b.yml:5:17: n_total:base is a series of the counter n_total at ");
}

Test(patterns, rules_that_do_not_capture_the_time_share_one_field)
{
	struct strbuf errors = STRBUF_INIT;
	struct patterns *patterns;
	const struct rule *rules;

	write_file("a.yml", "line: '^(?<t>\\S+) '\ntimestamp: {from: t}\nrules:\n"
			    "  - {name: a, pattern: x}\n  - {name: b, pattern: y}\n"
			    "  - {name: c, pattern: '(?<t>z)'}\n"
			    "  - {name: d, pattern: [u, v]}\n");
	patterns = load(&errors);
	cr_assert(patterns, "%s", errors.ptr);
	rules = patterns_file(patterns, 0)->rules;
	cr_expect(rules[0].time_field && rules[0].time_is_of_line);
	cr_expect_eq(rules[0].time_field, rules[1].time_field);
	cr_expect(rules[2].time_field != rules[0].time_field);
	cr_expect_not(rules[2].time_is_of_line);
	cr_expect_eq(rules[0].time_field, rules[3].time_field);
	patterns_destroy(patterns);
	strbuf_finish(&errors);
}

Test(patterns, set_does_not_go_with_add)
{
	write_file("b.yml", METRIC "{gauge: g, value: $v, op: add}\n");
	expect(METRIC "{gauge: g, value: $v}\n", "set does not go with add");
}

Test(patterns, a_regex_that_does_not_compile_is_shown_with_a_caret)
{
	expect("rules:\n  - name: r\n    pattern: 'a(b'\n", "a.yml:3:14: ");
	expect("rules:\n  - name: r\n    pattern: 'a(b'\n", "    a(b\n       ^\n");
}

Test(patterns, tests_need_a_file_that_files_accepts)
{
	expect("files: ['x.log']\nrules: [{name: r, pattern: x}]\ntests:\n  - {name: "
	       "t, lines: "
	       "x, file: y.log, expect: ''}\n",
	       "`files` does not accept y.log");
	expect("rules: [{name: r, pattern: x}]\ntests:\n  - {name: t, lines: x}\n",
	       "a test lacks expect");
	expect("rules: [{name: r, pattern: x}]\ntests:\n  - {name: t, lines: x, "
	       "expect: '', "
	       "now: noon}\n",
	       "now: noon is not a time");
}

Test(patterns, a_missing_path_is_named)
{
	const char *paths[] = {"/nonexistent/patterns"};
	struct patterns_options options = {.paths = paths, .path_count = 1};
	struct diag *diag = diag_create();
	struct strbuf errors = STRBUF_INIT;

	cr_expect_null(patterns_load(&options, diag));
	diag_render(diag, &errors);
	cr_expect(strstr(errors.ptr, "/nonexistent/patterns"));
	strbuf_finish(&errors);
	diag_destroy(diag);
}

Test(patterns, expire_is_a_duration)
{
	expect(METRIC "{gauge: level, value: $v, expire: 36}\n",
	       "a.yml:5:43: expire: 36 is not a duration");
	expect(METRIC "{gauge: level, value: $v, expire: 36}\n", "36h");
	expect(METRIC "{gauge: level, value: $v, expire: soon}\n",
	       "expire: soon is not a duration");
	expect(METRIC "{gauge: level, value: $v, expire: 0}\n",
	       "expire: 0 is not a time to live");
	expect(METRIC "{counter: n_total, expire: -1h}\n", "leave the key out");
	expect(METRIC "{counter: n_total, expire: 9999999h}\n", "over 100 years");
	expect(METRIC "{counter: n_total, expires: 1h}\n", "did you mean `expire`?");
	expect(METRIC "{counter: n_total, expire: [1h]}\n", "a.yml:5:36: ");
}

Test(patterns, who_says_when_a_metric_expires_says_the_same)
{
	expect(METRIC "{counter: n_total, expire: 1h}\n"
		      "      - {counter: n_total, expire: 2h}\n",
	       "n_total differs in expire from its definition at");
	expect(METRIC "{counter: n_total, expire: 90m}\n"
		      "      - {counter: n_total, expire: 1h30m}\n"
		      "      - {counter: n_total}\n",
	       "");
}

Test(patterns, when_a_metric_expires_may_be_said_anywhere)
{
	struct strbuf errors = STRBUF_INIT;
	struct patterns *patterns;
	size_t count;

	write_file("a.yml", METRIC "{counter: n_total}\n"
				   "      - {counter: n_total, expire: 1.5h}\n");
	patterns = load(&errors);
	cr_assert(patterns, "%s", errors.ptr);
	cr_expect_eq(patterns_metrics(patterns, &count)[0]->expire_ns,
		     5400 * INT64_C(1000000000));
	patterns_destroy(patterns);
	strbuf_finish(&errors);
}

Test(patterns, running_totals_are_a_counters)
{
	expect(METRIC "{gauge: level, value: $v, mode: total}\n",
	       "a.yml:5:41: only a counter has a mode: leave the key out: a gauge");
	expect(METRIC "{histogram: sizes, value: $v, mode: total}\n",
	       "only a counter has a mode");
	expect(METRIC "{counter: n_total, value: $v, mode: totals}\n",
	       "mode: totals is not known: write total");
	expect(METRIC "{counter: n_total, mode: total}\n",
	       "mode: total needs a value: add value: $name");
	expect(METRIC "{counter: n_total, value: $v, first: count}\n",
	       "a.yml:5:46: first is about running totals: add mode: total");
	expect(METRIC "{counter: n_total, value: $v, mode: total, first: yes}\n",
	       "first: yes is not known: write count");
	expect(METRIC "{counter: n_total, value: $v, mod: total}\n",
	       "did you mean `mode`?");
}

Test(patterns, the_totals_of_a_counter_have_one_base)
{
	struct strbuf errors = STRBUF_INIT;
	struct patterns *patterns;
	const struct metric_def *const *defs;
	const struct rule *rule;
	size_t count;

	write_file("a.yml",
		   METRIC "{counter: n_total}\n"
			  "      - {counter: m_total}\n"
			  "      - {counter: n_total, value: $v, mode: total}\n"
			  "      - {counter: n_total, value: $v, mode: total, "
			  "first: count}\n"
			  "      - {counter: n_total, max_series: 7}\n");
	patterns = load(&errors);
	cr_assert(patterns, "%s", errors.ptr);
	defs = patterns_metrics(patterns, &count);
	cr_assert_eq(count, 3);
	rule = patterns_file(patterns, 0)->rules;
	for (size_t i = 2; i < 4; i++) {
		const struct rule_metric *m = &rule->metrics[i];

		cr_expect_eq(m->op, UPDATE_TOTAL);
		cr_expect_eq(m->first_counts, i == 3);
		cr_expect_str_eq(defs[m->metric + m->base_after]->name, "n_total:base");
		cr_expect(defs[m->metric + m->base_after]->is_base);
		cr_expect_eq(defs[m->metric + m->base_after]->max_series, 7);
	}
	cr_expect_eq(rule->metrics[0].op, UPDATE_ADD);
	patterns_destroy(patterns);
	strbuf_finish(&errors);
}

#define WITH(multiline) "multiline: " multiline "\nrules: [{name: r, pattern: x}]\n"

Test(patterns, multiline_says_in_one_way_what_belongs_together)
{
	expect(WITH("{start: '^x', end: 'y'}"),
	       "a.yml:1:12: multiline says in two ways what belongs together: keep "
	       "exactly one of start, continue, end and preset");
	expect(WITH("{max_lines: 7}"), "does not say what belongs together");
	expect(WITH("phyton"),
	       "a.yml:1:12: multiline: there is no preset phyton: did you "
	       "mean python?");
	expect(WITH("{preset: cobol}"), "write python, java, go or javascript");
	expect(WITH("{start: '('}"), "a.yml:1:20: ");
	expect(WITH("{strat: 'x'}"), "start");
	expect(WITH("[a]"), "multiline");
}

Test(patterns, limits_of_multiline_have_limits)
{
	expect(WITH("{start: x, max_lines: 0}"), "max_lines must be from 1 to 100000");
	expect(WITH("{start: x, max_bytes: 10}"),
	       "max_bytes: 10 is not between 1KiB and 16MiB: write a size such as "
	       "256KiB");
	expect(WITH("{start: x, max_age: 5}"),
	       "max_age: 5 is not between 100ms and 1h: write a duration such as 5s");
	expect(WITH("{start: x, max_age: 2h}"), "max_age: 2h");
}

Test(patterns, a_test_s_envelope_must_exist)
{
	expect(WITH("python") "tests: [{name: t, envelope: crio, lines: x, expect: "
			      "''}]\n",
	       "write auto, none, docker or cri");
}

Test(patterns, fields_of_containers_are_always_known)
{
	struct strbuf errors = STRBUF_INIT;
	struct patterns *patterns;

	write_file("a.yml",
		   METRIC "{counter: n_total, help: n, labels: {a: $stream, b: "
			  "$namespace, c: $pod, d: $container}}\n");
	patterns = load(&errors);
	cr_expect(patterns, "%s", errors.ptr);
	patterns_destroy(patterns);
	strbuf_finish(&errors);
}

/* -- what tests expect ----------------------------------------------------- */

#define EXPECTS(block)                                                                \
	METRIC "{counter: n_total, labels: {v: $v}}\n      - {histogram: h_seconds, " \
	       "value: $v, buckets: [1]}\ntests:\n  - name: t\n    lines: x\n    "    \
	       "expect: " block

Test(patterns, each_expected_line_that_is_no_sample_is_told_with_its_place)
{
	static const char *const want[] = {
		"a.yml:12:16: expect: a label must stand here: write name=\"text\"",
		"a.yml:14:14: expect: no number follows the series: write ",
		"a.yml:15:17: expect: this is not a number: write it like 42, ",
		"a.yml:16:21: expect: a label ends here: write a comma before the ",
		"a.yml:17:17: expect: a label's text must stand in double quotes",
		"a.yml:18:18: expect: this escape is none in a label's text: write ",
		"a.yml:19:17: expect: something follows the number: leave it out",
		"a.yml:20:17: expect: nothing closes this quote: end the label's ",
		"a.yml:21:14: expect: nothing closes this brace: write }",
		"a.yml:22:7: expect: no metric's name begins the line: write name{",
	};

	expect_all(EXPECTS("|\n"
			   "      # of what comes out\n"
			   "      n_total{ 1\n"
			   "\n"
			   "      n_total\n"
			   "        n_total one\n"
			   "      n_total{v=\"\xC3\xA4\" 1\n"
			   "      n_total{v=x} 1\n"
			   "      n_total{v=\"\\d\"} 1\n"
			   "      n_total 1 2\n"
			   "      n_total{v=\"x} 1\n"
			   "      n_total{v=\"x\"\n"
			   "      42\n"
			   "      n_total{ v=\"a\\\"b\\\\\\n\", w=\"}\", } 1\n"),
		   want, sizeof(want) / sizeof(want[0]));
}

Test(patterns, an_expected_name_that_no_rule_makes_is_told_with_the_closest)
{
	static const char *const want[] = {
		"a.yml:11:7: expect: no rule of this file makes n_totl: did you mean "
		"n_total?",
		"a.yml:13:7: expect: no rule of this file makes elsewhere: name a "
		"metric of this file's rules",
		"a.yml:14:7: expect: no rule of this file makes h_seconds: did you "
		"mean "
		"h_seconds_sum?",
	};

	expect_all(EXPECTS("|\n"
			   "      n_totl 1\n"
			   "      h_seconds_bucket{le=\"+Inf\"} 1\n"
			   "      elsewhere 1\n"
			   "      h_seconds 1\n"),
		   want, 3);
}

Test(patterns, an_expected_series_has_as_many_labels_as_a_series_can_have)
{
	struct strbuf line = STRBUF_INIT;
	struct strbuf errors = STRBUF_INIT;

	for (int i = 0; i <= METRIC_MAX_LABELS; i++)
		strbuf_addf(&line, "l%02d=\"\",", i);
	strbuf_addf(&errors, EXPECTS("|\n      n_total{%s} 1\n"), line.ptr);
	expect_all(errors.ptr, NULL, 0);
	strbuf_clear(&errors);
	strbuf_addf(&errors, EXPECTS("|\n      n_total{%sx=\"\"} 1\n"), line.ptr);
	expect(errors.ptr, "a.yml:11:246: expect: no series has so many labels");
	strbuf_finish(&line);
	strbuf_finish(&errors);
}

Test(patterns, names_are_not_told_where_the_rules_have_errors_themselves)
{
	static const char *const want[] = {"a.yml:1:1: ", "a.yml:8:"};

	expect_all("ruels: []\n" METRIC "counter: m_total\ntests:\n"
		   "  - {name: t, lines: x, expect: 'n_total'}\n",
		   want, 2);
}

Test(patterns, a_sample_that_is_no_block_is_told_where_it_begins)
{
	expect(EXPECTS("'n_total one'\n"), "a.yml:10:13: expect: this is not a number");
	expect(EXPECTS(">\n      n_total 1\n      n_total 2\n"),
	       "a.yml:10:13: expect: something follows the number");
	expect(EXPECTS("|4\n        n_total one\n"), "a.yml:11:17: ");
}

Test(patterns, all_keys_that_a_test_lacks_are_told)
{
	static const char *const want[] = {"a test lacks name", "a test lacks lines",
					   "a test lacks expect"};

	expect_all(METRIC "counter: n_total\ntests:\n  - {zone: UTC}\n", want, 3);
}

/* -- nothing where something should stand ----------------------------------- */

Test(patterns, what_is_empty_is_seen_in_the_message)
{
	static const char *const want[] = {
		"a.yml:1:19: the zone \"\" is not known",
		"a.yml:2:9: format \"\" is not known",
		"a.yml:4:11: the name is empty: write a word",
		"a.yml:5:13: where: nothing supplies the field \"\"",
		"a.yml:6:9: in: nothing supplies the field \"\"",
		"a.yml:7:11: stop is \"\": write true or false",
		"a.yml:9:19: \"\" is not a metric name",
		"a.yml:10:36: expire: \"\" is not a duration",
		"a.yml:10:47: \"\" is not a label name",
		"a.yml:10:67: max_series: \"\" is not a number",
		"a.yml:11:34: as: \"\" is not known",
	};

	expect_all(
		"timestamp: {zone: '', from: _line}\nformat: ''\nrules:\n"
		"  - name: ''\n    where: {'': x}\n    in: ''\n    stop: ''\n"
		"    metrics:\n      - {counter: ''}\n"
		"      - {counter: n_total, expire: , labels: {'': x}, max_series: }\n"
		"      - {gauge: g, value: 1, as: }\n",
		want, sizeof(want) / sizeof(want[0]));
}

Test(patterns, all_that_is_wrong_with_timestamp_is_told)
{
	static const char *const want[] = {
		"a.yml:1:13: timestamp has no key `form`: did you mean `from`?",
		"a.yml:1:30: layout: %Q is not known",
		"a.yml:1:42: the zone Nowhere/X is not known",
	};

	expect_all("timestamp: {form: t, layout: '%Q', zone: Nowhere/X}\n" METRIC
		   "counter: n_total\n",
		   want, 3);
}
