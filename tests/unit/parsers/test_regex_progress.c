/*
 * How far a pattern got: one helper tells what was wanted and what stands there.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/diag.h"
#include "parsers/grok.h"
#include "parsers/regex_progress.h"

static const char *how_far(const char *pattern, const char *subject)
{
	static char text[512];
	struct regex_progress p =
		regex_progress(slice_of(pattern), slice_of(subject), NULL, 0, 100000);

	if (p.matched || !p.known)
		return p.matched ? "matched" : "unknown";
	snprintf(text, sizeof(text), "[%.*s]%s at [%s]", (int)p.pattern_len,
		 pattern + p.pattern_at, p.anywhere ? " anywhere" : "",
		 subject + p.subject_at);
	return text;
}

#define expect(pattern, subject, want)                          \
	cr_expect_str_eq(how_far(pattern, subject), want, "%s", \
			 how_far(pattern, subject))

Test(regex_progress, the_item_that_stopped_is_wanted_where_it_stopped)
{
	expect("hrv participant=(?<participant>\\S+) rmssd=(?<rmssd>[\\d.]+) ms",
	       "hrv participant=p017 rmssd=n/a ms", "[[\\d.]+] at [n/a ms]");
	expect("^took (?<ms>\\d+) ms", "took 12.5 ms", "[ ms] at [.5 ms]");
	expect("^a$", "ab", "[$] at [b]");
	expect("^a\\bc", "abc", "[\\b] at [bc]");
}

Test(regex_progress, of_a_text_the_rest_is_wanted)
{
	expect("^status=(\\d+)", "state=429", "[us=] at [e=429]");
	expect("^sta(?:tus)=", "state=429", "[us] at [e=429]");
}

Test(regex_progress, the_start_that_got_furthest_counts)
{
	expect("retry \\d+ of", "retry now, retry 3 times", "[of] at [times]");
	expect("x=\\d", "x=a x=b", "[\\d] at [b]");
}

Test(regex_progress, what_may_stand_anywhere_and_is_nowhere_is_said_to_be)
{
	expect("participant=(\\S+)", "no such thing",
	       "[participant=] anywhere at [no such thing]");
	expect("failed .*status=(\\d+)", "it failed with source=x code=429",
	       "[status=] anywhere at [with source=x code=429]");
	expect("failed .*status=(\\d+)", "it failed with stat 429", "[us=] at [ 429]");
	expect("(?<n>\\d+)", "none", "[\\d+] anywhere at [none]");
}

Test(regex_progress, alternatives_begin_equally_far)
{
	expect("^(?:foobar|b)x", "foobaz", "[r] at [z]");
	expect("^(?:b|foobar)x", "foobaz", "[r] at [z]");
	expect("^foobar|^b", "foobaz", "[r] at [z]");
	expect("^(?:GET|POST) /(\\S+) ok", "POST /a bad", "[ok] at [bad]");
}

Test(regex_progress, optional_items_and_repeated_groups_do_not_mislead)
{
	expect("^a(?:-b)?=1", "a-b=2", "[1] at [2]");
	expect("^(?:\\w=\\d )+end", "a=1 b=2 fin", "[end] at [fin]");
	expect("^\\s*a?b+c", "aabc", "[b+] at [abc]");
}

Test(regex_progress, what_must_not_follow_is_wanted_as_a_whole)
{
	expect("^foo(?!bar)\\w", "foobar", "[(?!bar)] at [bar]");
	expect("^(?=.*x)a", "ab", "[x] anywhere at [ab]");
}

Test(regex_progress, matches_and_limits_are_told)
{
	struct regex_progress p = regex_progress(
		slice_of("^(a+)+$"), slice_of("aaaaaaaaaaaaaaaaaaaaaaaaaaa!"), NULL, 0,
		10000);

	expect("b", "abc", "matched");
	expect("b(", "abc", "unknown");
	cr_expect(p.hit_limit && p.known);
}

Test(regex_progress, any_bytes_and_callouts_of_ones_own_are_taken)
{
	expect("y=(\\d)", "x \xff\xfe y=z", "[\\d] at [z]");
	expect("^\\S+ b", "\xff c", "[\\S+] at [\xff c]");
	expect("^\xc3\xa4+b",
	       "\xc3\xa4\xc3\xa4"
	       "c",
	       "[b] at [c]");
	expect("^a(?C1)bc", "abd", "[c] at [d]");
	expect("^a\\Qb.c\\E", "ab-c", "[.c\\E] at [-c]");
}

Test(regex_progress, a_unit_is_named_with_where_its_text_begins)
{
	const struct grok_definition d = {"ID", slice_of("p\\d{3}"), {.file = ""}};
	struct slice written = slice_of("^id %{ID:id} (?<x>a)");
	struct grok_map map = grok_map(written, &d, 1);
	struct strbuf pattern = STRBUF_INIT;
	struct diag *diag = diag_create();
	struct regex_unit unit;
	struct regex_progress p;

	cr_assert(grok_expand(written, (struct position){.file = ""}, &d, 1, &pattern,
			      diag));
	cr_assert_eq(map.count, 1);
	cr_expect_eq(map.spans[0].from, 4);
	cr_expect_eq(map.spans[0].to, 12);
	cr_expect_str_eq(pattern.ptr, "^id (?<id>p\\d{3}) (?<x>a)");
	unit = (struct regex_unit){map.spans[0].start, map.spans[0].end};
	p = regex_progress(strbuf_slice(&pattern), slice_of("id p01 a"), &unit, 1,
			   1000);
	cr_expect_eq(p.unit, 0);
	cr_expect_eq(p.unit_subject_at, 3);
	cr_expect_eq(p.subject_at, 4);
	p = regex_progress(strbuf_slice(&pattern), slice_of("id p017 b"), &unit, 1,
			   1000);
	cr_expect_eq(p.unit, 1);
	free(map.spans);
	strbuf_finish(&pattern);
	diag_destroy(diag);
}
