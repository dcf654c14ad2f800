/* Rules on JSON and logfmt: patterns files in, updates and counts out. */
#include "common/clock.h"
#include "parsers/engine.h"
#include "parsers/rule.h"

#include "fixture.h"

static struct patterns *patterns;
static struct strbuf said = STRBUF_INIT;
static struct engine_counts counts;

static enum update_result on_update(void *ctx, const struct update *u)
{
	size_t n;
	const struct metric_def *def = patterns_metrics(patterns, &n)[u->metric];

	(void)ctx;
	strbuf_addf(&said, "%s", def->name);
	for (size_t i = 0; i < def->label_count; i++)
		strbuf_addf(&said, " %.*s", SLICE_ARG(u->labels[i]));
	strbuf_addf(&said, " %g @%lld\n", u->value,
		    (long long)(u->time_ns / NS_PER_SECOND));
	return UPDATE_DONE;
}

static void on_error(void *ctx, size_t rule, enum rule_error error)
{
	(void)ctx;
	strbuf_addf(&said, "error %s %s\n", patterns_rule(patterns, rule)->name,
		    rule_error_name(error));
}

static const struct engine_ops ops = {.update = on_update, .error = on_error};

static void teardown(void)
{
	patterns_destroy(patterns);
	strbuf_finish(&said);
}

TestSuite(format_rules, .fini = teardown);

/* True if it loads; *errors are what is wrong. */
static bool load(const char *yaml, struct strbuf *errors)
{
	static const char *const fields[] = {"service"};
	struct diag *diag = diag_create();

	patterns = patterns_of_text(yaml,
				    (struct patterns_options){.path_fields = fields,
							      .path_field_count = 1,
							      .default_zone = "UTC"},
				    diag);
	diag_render(diag, errors);
	diag_destroy(diag);
	return patterns != NULL;
}

static void expect(const char *yaml, const char *lines, const char *want)
{
	struct strbuf errors = STRBUF_INIT;
	struct engine *engine;
	struct slice service = slice_of("etl");
	struct source *source;
	struct block block = {.bytes = slice_of(lines),
			      .read_time_ns = 1764000000 * NS_PER_SECOND,
			      .mtime_ns = 1764000000 * NS_PER_SECOND};

	cr_assert(load(yaml, &errors), "%s", errors.ptr);
	strbuf_finish(&errors);
	engine = engine_create(patterns, 10000, &ops, NULL);
	source = source_create(patterns, "/a.log", &service, 1);
	engine_feed(engine, source, &block, &counts);
	cr_expect_str_eq(said.ptr, want, "said:\n%s", said.ptr);
	source_destroy(source);
	engine_destroy(engine);
}

static void expect_error(const char *yaml, const char *want)
{
	struct strbuf errors = STRBUF_INIT;

	cr_expect(!load(yaml, &errors));
	cr_expect(strstr(errors.ptr, want), "wanted %s, got:\n%s", want, errors.ptr);
	strbuf_finish(&errors);
}

#define JSON "format: json\n"
#define COUNT(labels) "metrics: [{counter: n_total, help: n, labels: {" labels "}}]"
#define NOW " 1 @1764000000\n"

Test(format_rules, a_pattern_looks_at_message_or_else_msg_and_at_nothing_else)
{
	expect(JSON "rules:\n  - {name: a, pattern: 'quick', " COUNT("l: $_line") "}\n",
	       "{\"message\":\"quick\"}\n{\"msg\":\"quick\"}\n"
	       "{\"message\":\"no\",\"msg\":\"quick\"}\n{\"other\":\"quick\"}\nquick\n",
	       "n_total {\"message\":\"quick\"}" NOW "n_total {\"msg\":\"quick\"}" NOW);
}

Test(format_rules, a_decoded_text_is_matched_and_captured)
{
	expect(JSON "rules:\n  - {name: a, pattern: '^say \"(?<what>.*)\"$', " COUNT(
		       "l: $what") "}\n",
	       "{\"message\":\"\\u0073ay \\\"\\ud83d\\ude00\\\"\"}\n",
	       "n_total \xF0\x9F\x98\x80" NOW);
}

Test(format_rules, dots_of_a_template_are_part_of_a_name_only_where_values_are_nested)
{
	expect(JSON "rules:\n  - {name: a, where: {a.b: x}, " COUNT(
		       "l: '$a.b.$c.0.,$a.,${d e}$$'") "}\n",
	       "{\"a\":{\"b\":\"x\"},\"c\":[5],\"d e\":6}\n",
	       "n_total x.5.,{\"b\":\"x\"}.,6$" NOW);
}

Test(format_rules, keys_that_take_a_field_take_it_with_braces_too)
{
	expect(JSON "timestamp: {from: '${a b}', layout: '%s'}\nrules:\n"
		    "  - {name: a, in: '${c d}', pattern: 'x', " COUNT(
			    "l: {from: '${e f}'}") "}\n",
	       "{\"a b\":1763999999,\"c d\":\"x\",\"e f\":1}\n",
	       "n_total 1 1 @1763999999\n");
}

Test(format_rules, logfmt_names_end_at_a_dot)
{
	expect("format: logfmt\nrules:\n  - {name: a, where: {a.b: x}, " COUNT(
		       "l: '$a.b ${a.b}'") "}\n",
	       "a=1 a.b=x\n", "n_total 1.b x" NOW);
}

Test(format_rules, where_compares_a_field_as_written_and_null_is_missing)
{
	expect(JSON
	       "rules:\n  - {name: a, where: {status: ['429', 'true', '']}, " COUNT(
		       "l: $status") "}\n",
	       "{\"status\":429}\n{\"status\":\"429\"}\n{\"status\":429.0}\n{"
	       "\"status\":"
	       "true}\n{\"status\":null}\n{}\n{\"status\":\"\"}\n",
	       "n_total 429" NOW "n_total 429" NOW "n_total true" NOW "n_total " NOW);
}

Test(format_rules, captures_come_before_fields_and_fields_before_the_path)
{
	expect(JSON "rules:\n  - {name: a, pattern: ['a(?<x>\\d)', 'b'], " COUNT(
		       "l: '$x $service'") "}\n",
	       "{\"message\":\"a1\",\"x\":2}\n"
	       "{\"message\":\"b\",\"x\":2,\"service\":\"api\"}\n",
	       "n_total 1 etl" NOW "n_total 2 api" NOW);
}

Test(format_rules, the_time_may_be_a_field)
{
	expect(JSON "timestamp: {from: meta.ts, layout: '%s'}\nrules:\n"
		    "  - {name: a, where: {l: x}, " COUNT("l: $l") "}\n",
	       "{\"l\":\"x\",\"meta\":{\"ts\":1763999999.5}}\n{\"l\":\"x\"}\n",
	       "n_total x 1 @1763999999\nerror a timestamp\nn_total x" NOW);
}

Test(format_rules, a_malformed_line_is_seen_as_a_line_and_counts_once_if_it_was_read)
{
	expect(JSON "rules:\n"
		    "  - {name: a, in: _line, pattern: 'Traceback', stop: true, " COUNT(
			    "l: line") "}\n"
				       "  - {name: b, where: {level: x}, " COUNT(
					       "l: b") "}\n"
						       "  - {name: c, where: {logger: "
						       "x}, " COUNT("l: c") "}\n",
	       "Traceback\n{\"level\":\"x\",\n{\"level\":\"x\"}\n\n",
	       "n_total line" NOW "n_total b" NOW);
	cr_expect_eq(counts.malformed[MALFORMED_JSON], 1);
	cr_expect_eq(counts.malformed[MALFORMED_LOGFMT], 0);
	cr_expect_eq(counts.unmatched_lines, 2);
}

Test(format_rules, malformed_logfmt_has_a_reason_of_its_own)
{
	expect("format: logfmt\nrules:\n  - {name: a, where: {a: '1'}, " COUNT(
		       "l: $a") "}\n",
	       "a=1 b=\"\na=1\n", "n_total 1" NOW);
	cr_expect_eq(counts.malformed[MALFORMED_LOGFMT], 1);
}

Test(format_rules, unless_holds_a_line_without_the_field_back_from_nothing)
{
	expect(JSON "rules:\n  - {name: a, where: {level: x}, unless: 'dry', " COUNT(
		       "l: $id") "}\n",
	       "{\"level\":\"x\",\"id\":1}\n{\"level\":\"x\",\"id\":2,\"msg\":\"dry\"}"
	       "\n",
	       "n_total 1" NOW);
}

Test(format_rules, only_what_a_rule_names_is_wanted)
{
	expect(JSON "rules:\n  - {name: a, pattern: '(?<x>y)', " COUNT(
		       "l: '$x $z'") "}\n"
				     "  - {name: b, where: {z: q}}\n",
	       "", "");
	/* message, msg, z: of x the pattern decides. */
	cr_expect_eq(wanted_leaf_count(patterns_file(patterns, 0)->wanted), 3);
}

Test(format_rules, line_is_for_plain_alone)
{
	expect_error(JSON "line: '(?<a>.)'\nrules: []\n",
		     ":2:7: line is for format: plain, not json: leave the key out");
}

Test(format_rules, an_unknown_format_names_those_that_exist)
{
	expect_error("format: xml\nrules: []\n",
		     ":1:9: format xml is not known: write plain, json or logfmt");
}

Test(format_rules, a_name_that_is_empty_is_refused)
{
	expect_error(JSON
		     "rules:\n  - {name: a, where: {x: y}, " COUNT("l: '${}'") "}\n",
		     "nothing supplies $");
}
