/*
 * From lines to records: envelopes, joined lines, and what is open in between.
 * One helper loads patterns whose rules tell whole records, feeds lines, and says what
 * came out: a record a line, with ~ for the newlines in it.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/xalloc.h"
#include "parsers/engine.h"
#include "parsers/rule.h"

static struct patterns *patterns;
static struct engine *engine;
static struct source *source;
static struct engine_counts counts;
static struct strbuf said = STRBUF_INIT;
static char directory[] = "/tmp/records-XXXXXX";

#define NOW_NS (1764000000 * NS_PER_SECOND)

static enum update_result on_update(void *ctx, const struct update *u)
{
	(void)ctx;
	for (size_t i = 0; i < u->labels[0].len; i++)
		strbuf_putc(&said,
			    u->labels[0].ptr[i] == '\n' ? '~' : u->labels[0].ptr[i]);
	strbuf_putc(&said, '\n');
	return UPDATE_DONE;
}

static void on_error(void *ctx, size_t rule, enum rule_error error)
{
	(void)ctx;
	strbuf_addf(&said, "error %zu %s\n", rule, rule_error_name(error));
}

static const struct engine_ops ops = {.update = on_update, .error = on_error};

static const char *path_of(unsigned index)
{
	static char path[64];

	snprintf(path, sizeof(path), "%s/%u.yml", directory, index);
	return path;
}

static void finish(void)
{
	engine_destroy(engine);
	source_destroy(source);
	patterns_destroy(patterns);
	engine = NULL;
	source = NULL;
	patterns = NULL;
	for (unsigned i = 0; i < 2; i++)
		unlink(path_of(i));
}

static void setup(void)
{
	cr_assert(mkdtemp(directory));
}

static void teardown(void)
{
	finish();
	strbuf_finish(&said);
	rmdir(directory);
}

TestSuite(records, .init = setup, .fini = teardown);

static void write_file(unsigned index, const char *yaml)
{
	FILE *f = fopen(path_of(index), "w");

	fputs(yaml, f);
	fclose(f);
}

static void load(const char *path, const char *a, const char *b)
{
	const char *paths[] = {directory};
	struct patterns_options options = {.paths = paths, .path_count = 1};
	struct diag *diag = diag_create();
	struct strbuf errors = STRBUF_INIT;

	finish();
	write_file(0, a);
	if (b)
		write_file(1, b);
	patterns = patterns_load(&options, diag);
	diag_render(diag, &errors);
	cr_assert(patterns, "%s", errors.ptr);
	strbuf_finish(&errors);
	diag_destroy(diag);
	engine = engine_create(patterns, 100000, &ops, NULL);
	source = source_create(patterns, path, NULL, 0);
	counts = (struct engine_counts){0};
	strbuf_clear(&said);
}

#define ALL                                                                      \
	"rules: [{name: all, metrics: [{counter: a_total, help: a, labels: {l: " \
	"$_line}}]}]\n"

/* As above, with the head of a file whose one rule tells each record. */
static void load_all(const char *path, const char *head)
{
	char *yaml = xasprintf("%s" ALL, head);

	load(path, yaml, NULL);
	free(yaml);
}

static void feed(const char *lines)
{
	struct block block = {.bytes = slice_of(lines),
			      .read_time_ns = NOW_NS,
			      .mtime_ns = NOW_NS - NS_PER_SECOND};

	engine_feed(engine, source, &block, &counts);
}

static void end(void)
{
	engine_close(engine, source, INT64_MAX, &counts);
}

static void expect(const char *want)
{
	cr_expect_str_eq(said.ptr, want, "got:\n%s\nwanted:\n%s", said.ptr, want);
	strbuf_clear(&said);
}

/* -- multiline ------------------------------------------------------------ */

static void expect_records(const char *head, const char *lines, const char *want)
{
	load_all("/l/a.log", head);
	feed(lines);
	end();
	expect(want);
}

Test(records, a_line_is_one_where_nothing_else_is_said)
{
	expect_records("", "a\n b\n\nc", "a\n b\n\nc\n");
	cr_expect_null(source_present_assembly(source));
}

Test(records, start_begins_one)
{
	expect_records("multiline: {start: '^\\d'}\n", "1 a\n b\n\n c\r\n2\n3 d\n",
		       "1 a~ b~~ c\n2\n3 d\n");
	expect_records("multiline: {start: '^\\d'}\n", "x\ny\n1\n", "x~y\n1\n");
}

Test(records, continue_goes_on_with_one)
{
	expect_records("multiline: {continue: '^\\s'}\n", "a\n b\n\tc\nd\n\ne\n",
		       "a~ b~\tc\nd\n\ne\n");
	expect_records("multiline: {continue: '^\\s'}\n", " x\n y\na\n", " x~ y\na\n");
}

Test(records, end_ends_one)
{
	expect_records("multiline: {end: ';$'}\n", "a\nb;\nc;\nd\n", "a~b;\nc;\nd\n");
}

Test(records, what_may_go_on_waits_for_the_next_line)
{
	load_all("/l/a.log", "multiline: {start: '^\\d'}\n");
	feed("1\n a\n");
	expect("");
	feed(" b\n2\n");
	expect("1~ a~ b\n");
	end();
	expect("2\n");
}

Test(records, in_a_record_a_dot_ends_at_a_newline_and_a_caret_is_its_start)
{
	load("/l/a.log",
	     "multiline: {start: '^\\d'}\n"
	     "rules:\n"
	     "- {name: dot, pattern: '1(?<x>.*)', metrics: [{counter: d_total, help: "
	     "d, "
	     "labels: {l: $x}}]}\n"
	     "- {name: caret, pattern: '^ b', metrics: [{counter: c_total, help: c, "
	     "labels: {l: $_line}}]}\n"
	     "- {name: over, pattern: 'a\\n b', metrics: [{counter: o_total, help: o, "
	     "labels: {l: over}}]}\n",
	     NULL);
	feed("1 a\n b\n2\n");
	expect(" a\nover\n");
}

Test(records, line_is_tried_on_the_record)
{
	load("/l/a.log",
	     "multiline: {start: '^\\d'}\n"
	     "line: '^(?<n>\\d) (?<message>[\\s\\S]*)$'\n"
	     "rules:\n"
	     "- {name: m, pattern: 'b', metrics: [{counter: m_total, help: m, "
	     "labels: {l: $message}}]}\n",
	     NULL);
	feed("1 a\n b\n2 c\n");
	end();
	expect("a~ b\n");
	cr_expect_eq(counts.lines, 3);
	cr_expect_eq(counts.unmatched_lines, 1);
}

/* -- limits --------------------------------------------------------------- */

Test(records, a_record_has_at_most_max_lines)
{
	expect_records("multiline: {continue: '^ ', max_lines: 2}\n",
		       "a\n b\n c\n d\ne\n", "a~ b\n c~ d\ne\n");
	cr_expect_eq(counts.cut_records[RECORD_CUT_LINES], 1);
	cr_expect_eq(counts.cut_records[RECORD_CUT_BYTES], 0);
}

Test(records, a_record_has_at_most_max_bytes)
{
	char text[1100];

	load_all("/l/a.log", "multiline: {continue: '^ ', max_bytes: 1KiB}\n");
	snprintf(text, sizeof(text), "a\n %01000d\n %010d\n b\n", 1, 2);
	feed(text);
	cr_expect_eq(counts.cut_records[RECORD_CUT_BYTES], 0);
	snprintf(text, sizeof(text), " %010d\n", 3);
	feed(text);
	end();
	cr_expect_eq(counts.cut_records[RECORD_CUT_BYTES], 1);
	cr_expect_eq(said.len, 2 + 1001 + 1 + 11 + 1 + 2 + 1 + 11 + 1);
	cr_expect(strstr(said.ptr, " b\n 0000000003\n"));
}

Test(records, a_record_is_complete_after_max_age_of_silence)
{
	int64_t now_ns = clock_monotonic_ns();

	load_all("/l/a.log", "multiline: {continue: '^ ', max_age: 10s}\n");
	cr_expect_eq(source_deadline_ns(source), INT64_MAX);
	feed("a\n b\n");
	cr_expect_geq(source_deadline_ns(source), now_ns + 10 * NS_PER_SECOND);
	cr_expect_lt(source_deadline_ns(source), now_ns + 40 * NS_PER_SECOND);
	engine_close(engine, source, source_deadline_ns(source) - 1, &counts);
	expect("");
	engine_close(engine, source, source_deadline_ns(source), &counts);
	expect("a~ b\n");
	cr_expect_eq(counts.cut_records[RECORD_CUT_AGE], 1);
	cr_expect_eq(source_deadline_ns(source), INT64_MAX);
	feed(" c\n");
	end();
	expect(" c\n");
	cr_expect_eq(counts.cut_records[RECORD_CUT_AGE], 1);
}

/* -- tracebacks ----------------------------------------------------------- */

#define PY_FIRST                                     \
	"Traceback (most recent call last):\n"       \
	"  File \"/app/etl.py\", line 4, in fetch\n" \
	"    return cache[key]\n"                    \
	"           ~~~~~^^^^^\n"                    \
	"KeyError: 'p017'\n"
#define PY_FIRST_SAID                               \
	"Traceback (most recent call last):~"       \
	"  File \"/app/etl.py\", line 4, in fetch~" \
	"    return cache[key]~"                    \
	"           ~~~~~^^^^^~"                    \
	"KeyError: 'p017'"

Test(records, python_tracebacks_join_the_line_before_them)
{
	expect_records("multiline: python\n",
		       "2026-11-20 ERROR failed\n" PY_FIRST "2026-11-20 INFO next\n"
		       "2026-11-20 INFO more\n",
		       "2026-11-20 ERROR failed~" PY_FIRST_SAID
		       "\n2026-11-20 INFO next\n"
		       "2026-11-20 INFO more\n");
	expect_records("multiline: python\n", PY_FIRST PY_FIRST,
		       PY_FIRST_SAID "\n" PY_FIRST_SAID "\n");
}

Test(records, python_chains_are_one_record)
{
	expect_records("multiline: python\n",
		       "E\n" PY_FIRST
		       "\nDuring handling of the above exception, another exception "
		       "occurred:\n\n" PY_FIRST
		       "\nThe above exception was the direct cause of the following "
		       "exception:\n\n"
		       "Traceback (most recent call last):\n"
		       "  File \"x.py\", line 2, in <module>\n"
		       "    run()\n"
		       "  [Previous line repeated 996 more times]\n"
		       "etl.errors.<locals>.IngestError: gone\n"
		       "INFO next: one\n",
		       "E~" PY_FIRST_SAID
		       "~~During handling of the above exception, another exception "
		       "occurred:~~" PY_FIRST_SAID
		       "~~The above exception was the direct cause of the following "
		       "exception:~~"
		       "Traceback (most recent call last):~"
		       "  File \"x.py\", line 2, in <module>~"
		       "    run()~"
		       "  [Previous line repeated 996 more times]~"
		       "etl.errors.<locals>.IngestError: gone\n"
		       "INFO next: one\n");
}

Test(records, python_exception_groups_are_one_record)
{
	expect_records("multiline: python\n",
		       "E\n"
		       "  + Exception Group Traceback (most recent call last):\n"
		       "  |   File \"x.py\", line 1, in <module>\n"
		       "  | ExceptionGroup: two (2 sub-exceptions)\n"
		       "  +-+---------------- 1 ----------------\n"
		       "    | ValueError: 1\n"
		       "    +---------------- 2 ----------------\n"
		       "    | TypeError: 2\n"
		       "    +------------------------------------\n"
		       "2026 next\n",
		       "E~"
		       "  + Exception Group Traceback (most recent call last):~"
		       "  |   File \"x.py\", line 1, in <module>~"
		       "  | ExceptionGroup: two (2 sub-exceptions)~"
		       "  +-+---------------- 1 ----------------~"
		       "    | ValueError: 1~"
		       "    +---------------- 2 ----------------~"
		       "    | TypeError: 2~"
		       "    +------------------------------------\n"
		       "2026 next\n");
}

Test(records, a_python_line_that_is_no_exception_does_not_join_the_frames)
{
	expect_records("multiline: python\n",
		       "Traceback (most recent call last):\n"
		       "  File \"x.py\", line 1, in f\n"
		       "2026-11-20 from another process\n",
		       "Traceback (most recent call last):~"
		       "  File \"x.py\", line 1, in f\n"
		       "2026-11-20 from another process\n");
}

Test(records, java_traces_join_the_line_before_them)
{
	expect_records("multiline: java\n",
		       "2026-11-20 ERROR failed\n"
		       "java.lang.IllegalStateException: no upstream\n"
		       "\tat com.example.Etl.run(Etl.java:12)\n"
		       "\tat java.base/java.lang.Thread.run(Thread.java:840)\n"
		       "\tSuppressed: java.io.IOException: close\n"
		       "\t\tat com.example.Etl.close(Etl.java:30)\n"
		       "\t\t... 1 more\n"
		       "Caused by: java.net.ConnectException: refused\n"
		       "\tat com.example.Net.open(Net.java:7)\n"
		       "\t... 12 more\n"
		       "\t... 3 common frames omitted\n"
		       "2026-11-20 INFO next\n"
		       "Exception in thread \"main\" a.b.C: x\n"
		       "\tat a.b.D.e(D.java)\n"
		       "com.example: no exception\n",
		       "2026-11-20 ERROR failed~"
		       "java.lang.IllegalStateException: no upstream~"
		       "\tat com.example.Etl.run(Etl.java:12)~"
		       "\tat java.base/java.lang.Thread.run(Thread.java:840)~"
		       "\tSuppressed: java.io.IOException: close~"
		       "\t\tat com.example.Etl.close(Etl.java:30)~"
		       "\t\t... 1 more~"
		       "Caused by: java.net.ConnectException: refused~"
		       "\tat com.example.Net.open(Net.java:7)~"
		       "\t... 12 more~"
		       "\t... 3 common frames omitted\n"
		       "2026-11-20 INFO next\n"
		       "Exception in thread \"main\" a.b.C: x~"
		       "\tat a.b.D.e(D.java)\n"
		       "com.example: no exception\n");
}

Test(records, go_panics_are_records_of_their_own)
{
	expect_records(
		"multiline: go\n",
		"2026/11/20 12:00:00 before\n"
		"panic: first [recovered]\n"
		"\tpanic: runtime error: index out of range [5] with length 3\n"
		"[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x4]\n"
		"\n"
		"goroutine 1 [running]:\n"
		"main.(*T).run(0xc000012345, {0x1, 0x2})\n"
		"\t/tmp/x.go:8 +0x1d\n"
		"created by main.main in goroutine 7\n"
		"\t/tmp/x.go:3 +0x2\n"
		"\n"
		"goroutine 18 [chan receive, 5 minutes]:\n"
		"main.wait[...](...)\n"
		"\t/tmp/x.go:9\n"
		"exit status 2\n"
		"2026/11/20 12:00:01 after\n"
		"fatal error: all goroutines are asleep - deadlock!\n"
		"\n"
		"goroutine 1 [select (no cases)]:\n"
		"main.main()\n"
		"\t/tmp/y.go:1 +0x1\n",
		"2026/11/20 12:00:00 before\n"
		"panic: first [recovered]~"
		"\tpanic: runtime error: index out of range [5] with length 3~"
		"[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x4]~"
		"~"
		"goroutine 1 [running]:~"
		"main.(*T).run(0xc000012345, {0x1, 0x2})~"
		"\t/tmp/x.go:8 +0x1d~"
		"created by main.main in goroutine 7~"
		"\t/tmp/x.go:3 +0x2~"
		"~"
		"goroutine 18 [chan receive, 5 minutes]:~"
		"main.wait[...](...)~"
		"\t/tmp/x.go:9~"
		"exit status 2\n"
		"2026/11/20 12:00:01 after\n"
		"fatal error: all goroutines are asleep - deadlock!~"
		"~"
		"goroutine 1 [select (no cases)]:~"
		"main.main()~"
		"\t/tmp/y.go:1 +0x1\n");
}

Test(records, go_stacks_join_the_line_that_says_why)
{
	expect_records("multiline: go\n",
		       "2026/11/20 http: panic serving 127.0.0.1:1: boom\n"
		       "goroutine 35 [running]:\n"
		       "net/http.(*conn).serve.func1()\n"
		       "\t/usr/lib/go/src/net/http/server.go:1868 +0xb9\n"
		       "2026/11/20 next\n"
		       "panic: only a word\n"
		       "2026/11/20 next (all well)\n",
		       "2026/11/20 http: panic serving 127.0.0.1:1: boom~"
		       "goroutine 35 [running]:~"
		       "net/http.(*conn).serve.func1()~"
		       "\t/usr/lib/go/src/net/http/server.go:1868 +0xb9\n"
		       "2026/11/20 next\n"
		       "panic: only a word\n"
		       "2026/11/20 next (all well)\n");
}

Test(records, node_stacks_join_the_error)
{
	expect_records("multiline: javascript\n",
		       "2026 ERROR failed: Error: boom\n"
		       "    at run (/app/x.js:3:9)\n"
		       "    at node:internal/main/run_main_module:23:47 {\n"
		       "  code: 'E_X',\n"
		       "  [cause]: TypeError: inner\n"
		       "      at f (/app/y.js:1:1) {\n"
		       "    status: 429\n"
		       "  }\n"
		       "}\n"
		       "2026 INFO listening on http://0.0.0.0:3000\n"
		       "2026 INFO next\n",
		       "2026 ERROR failed: Error: boom~"
		       "    at run (/app/x.js:3:9)~"
		       "    at node:internal/main/run_main_module:23:47 {~"
		       "  code: 'E_X',~"
		       "  [cause]: TypeError: inner~"
		       "      at f (/app/y.js:1:1) {~"
		       "    status: 429~"
		       "  }~"
		       "}\n"
		       "2026 INFO listening on http://0.0.0.0:3000\n"
		       "2026 INFO next\n");
}

Test(records, what_node_prints_when_it_dies_is_one_record)
{
	expect_records("multiline: javascript\n",
		       "2026 INFO before\n"
		       "/app/x.js:3\n"
		       "    throw new Error('boom');\n"
		       "    ^\n"
		       "\n"
		       "Error: boom\n"
		       "    at Object.<anonymous> (/app/x.js:3:9)\n"
		       "    at node:internal/main/run_main_module:23:47\n"
		       "\n"
		       "Node.js v18.19.0\n"
		       "2026 INFO after\n",
		       "2026 INFO before\n"
		       "/app/x.js:3~"
		       "    throw new Error('boom');~"
		       "    ^~"
		       "~"
		       "Error: boom~"
		       "    at Object.<anonymous> (/app/x.js:3:9)~"
		       "    at node:internal/main/run_main_module:23:47~"
		       "~"
		       "Node.js v18.19.0\n"
		       "2026 INFO after\n");
}

/* -- envelopes ------------------------------------------------------------ */

#define CRI "2016-10-06T00:17:09.5Z "
#define PODS "/var/log/pods/ns_web_1/app/0.log"

Test(records, lines_are_taken_out_of_their_envelope)
{
	load_all(PODS, "");
	feed(CRI "stdout F one\n" CRI "stderr F two\n");
	expect("one\ntwo\n");
	load_all("/l/x-json.log", "");
	feed("{\"log\":\"one\\n\",\"stream\":\"stdout\",\"time\":\"2016-10-06T00:17:"
	     "09Z\"}\n"
	     "{\"log\":\"t\\u0077o\\n\",\"stream\":\"stdout\",\"time\":\"2016-10-06T00:"
	     "17:"
	     "09Z\"}\n");
	expect("one\ntwo\n");
	cr_expect_eq(counts.lines, 2);
	cr_expect_eq(counts.unmatched_lines, 0);
}

Test(records, envelope_none_leaves_lines_as_they_are)
{
	load_all(PODS, "");
	source_set_envelope(source, ENVELOPE_NONE);
	feed(CRI "stdout F one\n");
	expect(CRI "stdout F one\n");
}

Test(records, the_first_line_decides_for_all_of_a_path)
{
	load_all("/l/a.log", "");
	feed("plain\n" CRI "stdout F one\n");
	feed(CRI "stdout F two\n");
	expect("plain\n" CRI "stdout F one\n" CRI "stdout F two\n");
	cr_expect_null(source_present_assembly(source));
}

/* The lines lie behind a file's head, as those that are read after a restart. */
static void feed_behind(const char *head, const char *lines)
{
	struct block block = {.bytes = slice_of(lines),
			      .offset_bytes = 1000,
			      .head = slice_of(head),
			      .read_time_ns = NOW_NS,
			      .mtime_ns = NOW_NS};

	engine_feed(engine, source, &block, &counts);
}

#define DOCKER_LINE \
	"{\"log\":\"x\\n\",\"stream\":\"stdout\",\"time\":\"2016-10-06T00:17:09Z\"}\n"
#define CRI_LINE "2016-10-06T00:17:09Z stdout F x\n"

Test(records, a_file_is_what_it_begins_with_wherever_reading_goes_on)
{
	load_all("/l/a.log", "");
	feed_behind(DOCKER_LINE "{\"lo", "torn\n" DOCKER_LINE);
	expect("torn\nx\n");

	load_all("/l/a.log", "");
	feed_behind("2016-10-06T00:17:09Z stdout F the text is longer than",
		    "torn\n" CRI_LINE);
	expect("torn\nx\n");

	load_all("/l/a.log", "");
	feed_behind("starting\n", CRI_LINE);
	expect("2016-10-06T00:17:09Z stdout F x\n");
}

Test(records, where_the_beginning_does_not_tell_the_next_lines_do)
{
	load_all("/l/a.log", "");
	feed_behind("{\"log\":\"the text is longer than", "torn\n");
	feed_behind("{\"log\":\"the text is longer than", "torn\n" DOCKER_LINE);
	expect("torn\ntorn\nx\n");

	load_all("/l/a.log", "");
	feed_behind("{\"log\":\"a program's own JSON", "{\"log\":\"x\"}\n");
	expect("{\"log\":\"x\"}\n");
	cr_expect_eq(counts.malformed[MALFORMED_DOCKER], 0);
}

Test(records, of_a_container_the_first_line_in_an_envelope_decides)
{
	load_all(PODS, "");
	feed("failed to open log\n");
	feed(CRI "stdout F two\n");
	expect("failed to open log\ntwo\n");
	cr_expect_eq(counts.malformed[MALFORMED_CRI], 1);
	load_all("/var/lib/docker/containers/1/1-json.log", "");
	feed("{ "
	     "oops\n{\"log\":\"one\\n\",\"stream\":\"stdout\",\"time\":\"2016-10-06T00:"
	     "17:"
	     "09Z\"}\n");
	expect("{ oops\none\n");
	cr_expect_eq(counts.malformed[MALFORMED_DOCKER], 1);
}

Test(records, malformed_lines_are_counted_and_tried_as_they_are)
{
	load_all(PODS, "");
	feed(CRI "stdout F one\nbroken\n");
	expect("one\nbroken\n");
	cr_expect_eq(counts.malformed[MALFORMED_CRI], 1);
	cr_expect_eq(counts.malformed[MALFORMED_DOCKER], 0);
	load_all("/l/a", "");
	source_set_envelope(source, ENVELOPE_DOCKER);
	feed("{\"log\":\"half\n");
	expect("{\"log\":\"half\n");
	cr_expect_eq(counts.malformed[MALFORMED_DOCKER], 1);
}

Test(records, partial_lines_are_joined_by_stream)
{
	load_all(PODS, "");
	feed(CRI "stdout P a\n" CRI "stderr P x\n" CRI "stdout P b\n");
	expect("");
	cr_expect_eq(counts.lines, 3);
	feed(CRI "stderr F y\n" CRI "stdout F c\n" CRI "stdout F d\n");
	expect("xy\nabc\nd\n");
	cr_expect_eq(counts.lines, 6);
	load_all("/l/a", "");
	source_set_envelope(source, ENVELOPE_DOCKER);
	feed("{\"log\":\"a\",\"stream\":\"stdout\"}\n{\"log\":\"b\\r\\n\",\"stream\":"
	     "\"stdout\"}"
	     "\n");
	expect("ab\n");
}

Test(records, a_partial_line_is_complete_after_ten_seconds_of_silence)
{
	load_all(PODS, "");
	feed(CRI "stdout P a\n");
	engine_close(engine, source, source_deadline_ns(source) - 1, &counts);
	expect("");
	engine_close(engine, source, source_deadline_ns(source), &counts);
	expect("a\n");
	cr_expect_eq(counts.cut_records[RECORD_CUT_AGE], 1);
}

Test(records, a_line_cut_up_without_end_is_cut_at_a_mebibyte)
{
	char *line = xasprintf(CRI "stdout P %065536d\n", 7);

	load("/var/log/pods/a_b_c/d/0.log", "rules: [{name: a, pattern: '7$'}]\n",
	     NULL);
	for (int i = 0; i < 17; i++)
		feed(line);
	end();
	free(line);
	cr_expect_eq(counts.cut_records[RECORD_CUT_BYTES], 1);
	cr_expect_eq(counts.lines, 17);
	cr_expect_eq(counts.unmatched_lines, 0);
}

Test(records, lines_of_an_envelope_are_joined_by_stream)
{
	load_all(PODS, "multiline: {continue: '^ '}\n");
	feed(CRI "stdout F a\n" CRI "stderr F x\n" CRI "stdout P  \n" CRI
		 "stderr F  y\n" CRI "stdout F b\n" CRI "stdout F c\n");
	end();
	expect("a~ b\nc\nx~ y\n");
}

#define FIELDS                                                               \
	"rules: [{name: all, metrics: [{counter: a_total, help: a, labels: " \
	"{l: '$stream $namespace/$pod/$container'}}]}]\n"

Test(records, envelopes_and_paths_of_containers_supply_fields)
{
	load(PODS, FIELDS, NULL);
	feed(CRI "stdout F x\n" CRI "stderr F x\nbroken\n");
	expect("stdout ns/web/app\nstderr ns/web/app\n ns/web/app\n");
	load("/l/a.log", FIELDS, NULL);
	feed("x\n");
	expect(" //\n");
}

Test(records, captures_come_before_what_the_envelope_says)
{
	load(PODS,
	     "line: '^(?<pod>\\w)'\n"
	     "rules: [{name: all, pattern: '(?<stream>\\w)$', metrics: [{counter: "
	     "a_total, help: a, labels: {l: '$stream $pod $container'}}]}]\n",
	     NULL);
	feed(CRI "stdout F xy\n");
	expect("y x app\n");
}

#define TIMES(more)                                                               \
	more "rules: [{name: all, metrics: [{counter: a_total, help: a, labels: " \
	     "{l: $_time}}]}]\n"

Test(records, the_envelope_has_the_time_where_the_file_has_none)
{
	load(PODS, TIMES(""), NULL);
	feed(CRI "stdout F x\n" CRI
		 "stdout P y\n2016-10-06T00:17:19Z stdout F z\nbroken\n");
	expect("1475713029.5\n1475713029.5\n1763999999\n");
	load(PODS, TIMES("multiline: {continue: '^ '}\n"), NULL);
	feed(CRI "stdout F x\n2016-10-06T00:17:19Z stdout F  z\n");
	end();
	expect("1475713029.5\n");
}

Test(records, the_log_s_own_time_comes_before_the_envelope_s)
{
	load(PODS, TIMES("line: '^(?<t>\\S+)'\ntimestamp: {from: t, zone: UTC}\n"),
	     NULL);
	feed(CRI "stdout F 2016-01-01T00:00:00Z\n" CRI "stdout F oops\n");
	expect("1451606400\nerror 0 timestamp\n1475713029.5\n");
}

Test(records, an_envelope_from_the_future_is_an_error)
{
	load(PODS, TIMES(""), NULL);
	feed("2116-10-06T00:17:09Z stdout F x\n");
	expect("error 0 time_ahead\n1763999999\n");
}

/* -- which lines are unmatched -------------------------------------------- */

#define WITH(multiline, pattern)                         \
	multiline "rules: [{name: r, pattern: '" pattern \
		  "', metrics: [{counter: a_total, help: a, labels: {l: $_line}}]}]\n"

Test(records, a_line_is_matched_if_a_record_that_holds_it_is)
{
	load("/l/a.log", WITH("multiline: {continue: '^ '}\n", "b"), NULL);
	feed("a\n b\n c\nd\n e\n");
	end();
	expect("a~ b~ c\n");
	cr_expect_eq(counts.lines, 5);
	cr_expect_eq(counts.unmatched_lines, 2);
}

Test(records, each_patterns_file_joins_in_its_own_way)
{
	load("/l/a.log", WITH("multiline: {continue: '^ '}\n", "b"), WITH("", "d"));
	feed("a\n b\nc\n d\n e\nf\n");
	end();
	expect(" d\na~ b\n");
	cr_expect_eq(counts.lines, 6);
	cr_expect_eq(counts.unmatched_lines, 3, "c, e and f");
}

Test(records, two_ways_of_joining_do_not_disturb_each_other)
{
	load("/l/a.log", WITH("multiline: {continue: '^ '}\n", "c"),
	     WITH("multiline: {end: ';'}\n", "c"));
	feed("a;\n b\n c;\n");
	feed("d\n e\nf;\n");
	end();
	expect(" b~ c;\na;~ b~ c;\n");
	cr_expect_eq(counts.unmatched_lines, 3);
}

Test(records, cut_up_lines_are_as_many_as_the_file_has)
{
	load(PODS, WITH("", "nothing"), NULL);
	feed(CRI "stdout P a\n" CRI "stdout P b\n" CRI "stdout F c\n");
	cr_expect_eq(counts.lines, 3);
	cr_expect_eq(counts.unmatched_lines, 3);
}

Test(records, lines_of_a_path_that_nobody_wants_are_unmatched)
{
	load("/var/log/pods/a_b_c/d/0.log", "files: ['x']\n" WITH("", "a"), NULL);
	feed(CRI "stdout F a\n" CRI "stdout P a\n");
	end();
	expect("");
	cr_expect_eq(counts.lines, 2);
	cr_expect_eq(counts.unmatched_lines, 2);
}

/* -- what is open goes on elsewhere --------------------------------------- */

/* A copy of what is told of an open record, and of all that it points to. */
static struct open_record saved[8];
static size_t saved_count;

static struct slice copy_of(struct slice text)
{
	return (struct slice){xstrndup(text.ptr, text.len), text.len};
}

static void save(void *ctx, const struct open_record *open)
{
	struct open_record *copy = &saved[saved_count++];
	uint32_t *lines = xcalloc(open->line_count, sizeof(*lines));

	(void)ctx;
	*copy = *open;
	copy->patterns = copy_of(open->patterns);
	copy->text = copy_of(open->text);
	memcpy(lines, open->lines, open->line_count * sizeof(*lines));
	copy->lines = lines;
}

static void restore_all(void)
{
	for (size_t i = 0; i < saved_count; i++) {
		engine_restore(engine, source, &saved[i], clock_monotonic_ns(),
			       &counts);
		free((void *)(uintptr_t)saved[i].patterns.ptr);
		free((void *)(uintptr_t)saved[i].text.ptr);
		free((void *)(uintptr_t)saved[i].lines);
	}
	saved_count = 0;
}

/* As a restart does. */
static void start_again(void)
{
	struct slice path = source_path(source);
	char *copy = xstrndup(path.ptr, path.len);

	source_each_open(source, save, NULL);
	source_destroy(source);
	engine_destroy(engine);
	engine = engine_create(patterns, 100000, &ops, NULL);
	source = source_create(patterns, copy, NULL, 0);
	free(copy);
	restore_all();
}

/* The lines of `text`, with a restart before each if `restarts`. */
static void feed_each_line(const char *text, bool restarts)
{
	while (*text) {
		size_t len = strcspn(text, "\n") + 1;
		char *line = xstrndup(text, len);

		if (restarts)
			start_again();
		feed(line);
		free(line);
		text += len;
	}
	end();
}

static const char mixture[] =
	CRI "stdout F 1 ERROR\n" CRI "stderr F Traceback (most recent call last):\n" CRI
	    "stdout P  b\n" CRI "stderr F   File \"x\", line 1\n" CRI "stdout P c\n" CRI
	    "stderr P Val\n" CRI "stdout F d;\nbroken\n" CRI "stderr F ueError: x\n" CRI
	    "stdout F 2 x\n" CRI "stderr F \n" CRI
	    "stderr F During handling of the above exception, another exception "
	    "occurred:\n" CRI "stdout F  y;\n" CRI "stderr F \n" CRI
	    "stderr F Traceback (most recent call last):\n" CRI
	    "stderr F   File \"y\", line 1\n" CRI "stderr F E\n" CRI "stdout P  z\n";

static int by_line(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Streams are told in another order, if blocks are others. */
static void sort_said(void)
{
	char *lines[64], *copy = xstrdup(said.ptr), *rest = copy, *line;
	size_t n = 0;

	while ((line = strsep(&rest, "\n")) && *line)
		lines[n++] = line;
	qsort(lines, n, sizeof(*lines), by_line);
	strbuf_clear(&said);
	for (size_t i = 0; i < n; i++)
		strbuf_addf(&said, "%s\n", lines[i]);
	free(copy);
}

Test(records, records_do_not_depend_on_how_the_bytes_arrive_or_on_restarts)
{
	static const char *const a = WITH("multiline: python\n", "x|y|z|E"),
				 *const b = WITH("multiline: {end: ';'}\n", "d");
	struct engine_counts whole;
	char *want;

	load(PODS, a, b);
	feed(mixture);
	end();
	sort_said();
	want = xstrdup(said.ptr);
	whole = counts;
	for (int restarts = 0; restarts < 2; restarts++) {
		load(PODS, a, b);
		feed_each_line(mixture, restarts);
		sort_said();
		expect(want);
		cr_expect_eq(counts.lines, whole.lines);
		cr_expect_eq(counts.unmatched_lines, whole.unmatched_lines, "%d of %d",
			     (int)counts.unmatched_lines, (int)whole.unmatched_lines);
		cr_expect_eq(counts.malformed[MALFORMED_CRI], 1);
	}
	cr_expect_gt(whole.unmatched_lines, 0);
	cr_expect_lt(whole.unmatched_lines, whole.lines);
	free(want);
}

Test(records, the_mixture_is_joined_at_all)
{
	load_all(PODS, "multiline: {continue: '^(?: |Value|E|During|Trace|$)'}\n");
	feed(mixture);
	end();
	cr_expect(strstr(said.ptr, "1 ERROR~ bcd;\n"));
	cr_expect(strstr(said.ptr, "2 x~ y;~ z\n"));
	cr_expect(strstr(said.ptr, "~ValueError: x~~During handling"));
	cr_expect(strstr(said.ptr, "broken\n"));
}

Test(records, a_record_whose_file_joins_no_more_is_complete)
{
	load("/l/a.log", WITH("multiline: {continue: '^ '}\n", "b"), WITH("", "a"));
	feed("a\n b\n");
	expect("a\n");
	source_each_open(source, save, NULL);
	cr_expect_eq(saved_count, 1);
	load("/l/a.log", WITH("", "b"), WITH("", "a"));
	restore_all();
	expect("a~ b\n");
	end();
	cr_expect_eq(counts.unmatched_lines, 0);
	cr_expect_eq(counts.lines, 0);
}

Test(records, a_record_of_a_file_that_is_gone_is_dropped)
{
	load("/l/a.log", WITH("", "a"), WITH("multiline: {continue: '^ '}\n", "b"));
	feed("x\n b\n");
	source_each_open(source, save, NULL);
	load("/l/a.log", WITH("", "b"), NULL);
	restore_all();
	end();
	expect("");
	cr_expect_eq(counts.unmatched_lines, 2);
}

Test(records, a_record_goes_on_under_new_settings)
{
	load("/l/a.log", WITH("multiline: {continue: '^ '}\n", "a"), NULL);
	feed("a\n b\n");
	source_each_open(source, save, NULL);
	load("/l/a.log", WITH("multiline: {end: ';'}\n", "a"), NULL);
	restore_all();
	feed("c;\nd;\n");
	expect("a~ b~c;\n");
}

Test(records, only_what_changed_is_told_to_have_changed)
{
	load_all("/l/a.log", "multiline: {continue: '^ '}\n");
	cr_expect_not(source_open_has_changed(source));
	feed("a\n");
	cr_expect(source_open_has_changed(source));
	cr_expect_not(source_open_has_changed(source));
	end();
	cr_expect(source_open_has_changed(source));
	load_all(PODS, "");
	feed(CRI "stdout F a\n");
	cr_expect_not(source_open_has_changed(source));
}
