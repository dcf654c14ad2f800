/* Lines of containers: taken out of their envelope, put together from their parts, and
 * what the envelope knows. */
#include "records_fixture.h"

TestSuite(enveloped, .init = setup, .fini = teardown);

Test(enveloped, lines_are_taken_out_of_their_envelope)
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

Test(enveloped, envelope_none_leaves_lines_as_they_are)
{
	load_all(PODS, "");
	source_set_envelope(source, ENVELOPE_NONE);
	feed(CRI "stdout F one\n");
	expect(CRI "stdout F one\n");
}

Test(enveloped, the_first_line_decides_for_all_of_a_path)
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

Test(enveloped, a_file_is_what_it_begins_with_wherever_reading_goes_on)
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

Test(enveloped, where_the_beginning_does_not_tell_the_next_lines_do)
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

Test(enveloped, of_a_container_the_first_line_in_an_envelope_decides)
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

Test(enveloped, malformed_lines_are_counted_and_tried_as_they_are)
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

Test(enveloped, partial_lines_are_joined_by_stream)
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

Test(enveloped, a_partial_line_is_complete_after_ten_seconds_of_silence)
{
	load_all(PODS, "");
	feed(CRI "stdout P a\n");
	engine_close(engine, source, source_deadline_ns(source) - 1, &counts);
	expect("");
	engine_close(engine, source, source_deadline_ns(source), &counts);
	expect("a\n");
	cr_expect_eq(counts.cut_records[RECORD_CUT_AGE], 1);
}

Test(enveloped, a_line_cut_up_without_end_is_cut_at_a_mebibyte)
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

Test(enveloped, lines_of_an_envelope_are_joined_by_stream)
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

Test(enveloped, envelopes_and_paths_of_containers_supply_fields)
{
	load(PODS, FIELDS, NULL);
	feed(CRI "stdout F x\n" CRI "stderr F x\nbroken\n");
	expect("stdout ns/web/app\nstderr ns/web/app\n ns/web/app\n");
	load("/l/a.log", FIELDS, NULL);
	feed("x\n");
	expect(" //\n");
}

Test(enveloped, captures_come_before_what_the_envelope_says)
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

Test(enveloped, the_envelope_has_the_time_where_the_file_has_none)
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

Test(enveloped, the_log_s_own_time_comes_before_the_envelope_s)
{
	load(PODS, TIMES("line: '^(?<t>\\S+)'\ntimestamp: {from: t, zone: UTC}\n"),
	     NULL);
	feed(CRI "stdout F 2016-01-01T00:00:00Z\n" CRI "stdout F oops\n");
	expect("1451606400\nerror 0 timestamp\n1475713029.5\n");
}

Test(enveloped, an_envelope_from_the_future_is_an_error)
{
	load(PODS, TIMES(""), NULL);
	feed("2116-10-06T00:17:09Z stdout F x\n");
	expect("error 0 time_ahead\n1763999999\n");
}
