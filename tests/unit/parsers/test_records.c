/* Lines that are joined to records: by multiline, up to its limits; and which lines are
 * unmatched. */
#include "records_fixture.h"

TestSuite(records, .init = setup, .fini = teardown);

/* -- multiline ------------------------------------------------------------ */

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

/* -- which lines are unmatched -------------------------------------------- */

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
