/*
 * Literals of patterns: each trap that would make a true match be missed, and
 * that what stands in every match is found.
 */
#include <criterion/criterion.h>

#include "common/strbuf.h"
#include "parsers/literals.h"

/* "a|b" for either of two, "a/i" for a caseless one, "" for none. */
static void expect(const char *pattern, const char *want)
{
	struct arena *arena = arena_create();
	struct literals found = literals_of(slice_of(pattern), arena);
	struct strbuf said = STRBUF_INIT;

	for (size_t i = 0; i < found.count; i++) {
		if (i > 0)
			strbuf_putc(&said, '|');
		strbuf_add_slice(&said, found.list[i].text);
		if (found.list[i].caseless)
			strbuf_puts(&said, "/i");
	}
	cr_expect_str_eq(said.ptr, want, "%s: found \"%s\", not \"%s\"", pattern,
			 said.ptr, want);
	cr_expect_eq(found.lack == LITERALS_FOUND, found.count > 0);
	strbuf_finish(&said);
	arena_destroy(arena);
}

static void expect_lack(const char *pattern, enum literals_lack lack)
{
	struct arena *arena = arena_create();

	cr_expect_eq(literals_of(slice_of(pattern), arena).lack, lack, "%s", pattern);
	arena_destroy(arena);
}

Test(literals, the_rarest_run_is_taken)
{
	expect("ingest failed participant=(?<p>p\\d+) .*status=(?<s>\\d+)",
	       "ingest failed participant=");
	expect("^INFO: +\\S+ zz_top", " zz_top");
	expect("(?<y>\\d{4})-(?<m>\\d\\d) quick (?<what>\\S+)", " quick ");
	expect("plain text", "plain text");
}

Test(literals, what_is_between_characters_does_not_part_them)
{
	expect("^\\bquick\\b brown$", "quick brown");
}

Test(literals, escapes_and_classes_of_one_are_characters)
{
	expect("\\[quick\\]\\.[.]\\/\\t[x]", "[quick]../\tx");
	expect("qu\\x69ck brown", "ck brown");
	expect("quick\\d", "quick");
	expect("[quick]+brown", "brown");
}

Test(literals, alternatives_are_one_each)
{
	expect("quick|brown", "quick|brown");
	expect("(?:quick|brown)+ \\d", "quick|brown");
	expect("x(?:quick|brown)y", "xquicky|xbrowny");
	expect("(?<a>quick|bro\\d+wnish) ", "quick|wnish");
	expect("quick|\\d+", "");
	expect("quick|", "");
}

Test(literals, an_empty_branch_is_one_too)
{
	expect("fox(?:quick|)brown", "foxquickbrown|foxbrown");
	expect("fox\\d+(?:quick(?:er|)|)\\d", "fox");
	expect("quick(?:\\d|)brown(?:|x)", "quick");
	expect("(?:(?:quick|)|brown)", "");
}

Test(literals, what_may_be_missing_is_no_literal)
{
	expect("quick(?:brown)?", "quick");
	expect("(?:quick)*\\d", "");
	expect("(?:quick){0}", "");
	expect("(?:quick){0,3}?", "");
	expect("(?:quick){00,}", "");
	expect("quick?\\d", "quic");
	expect("quick*brown", "brown");
	expect("quickx{0}brown", "quick");
	expect("quick{0,1}+brown", "brown");
}

Test(literals, what_is_repeated_is_there_once)
{
	expect("quick+brown", "kbrown");
	expect("(?:quick){2}", "quick");
	expect("((?:quick){2}\\d){3} brown fox", " brown fox");
	expect("(quick){2,}?\\d", "quick");
	expect("quickz{3}\\d", "quickz");
}

Test(literals, an_accept_anywhere_leaves_none)
{
	expect("(*ACCEPT)quick", "");
	expect("quick(*ACCEPT)brown", "");
	expect("(?:x(*ACCEPT)|y)quick", "");
	expect("(?=(*ACCEPT)x)quick", "");
	expect("(?!(*ACCEPT)x)quick", "");
	expect_lack("quick(*ACCEPT)", LITERALS_OPAQUE);
	expect("quick(*COMMIT)brown", "");
	expect("(*UTF)quick", "");
	expect("(*atomic:quick)", "");
}

Test(literals, definitions_and_conditions_are_empty)
{
	expect("(?(DEFINE)(?<x>quick))\\d(?&x)", "");
	expect("(?(DEFINE)(?<x>quick))brown", "brown");
	expect("(\\d)?(?(1)quick|brown)", "");
	expect("(?(?=q)quick|brown)\\d", "");
	expect("(?(?!q)quick)foxes", "foxes");
}

Test(literals, calls_and_references_are_empty)
{
	expect("(\\d)(?:quick){0}(?1)", "");
	expect("(?<x>\\d)(?&x)quick(?P>x)\\k<x>\\1(?1)?(?-1)", "quick");
	expect("\\d(?R)?quick", "quick");
	expect("(quick){0}(?1)", "");
}

Test(literals, lookarounds_that_forbid_are_empty)
{
	expect("(?!quick)\\d", "");
	expect("(?<!quick)\\d", "");
	expect("brown(?!quick)fox", "brown");
	expect("(?!(?:quick))(?:brown)\\d", "brown");
}

Test(literals, lookarounds_that_demand_are_somewhere)
{
	expect("\\d(?=.*quick)", "quick");
	expect("(?<=quick)\\d", "quick");
	expect("abc(?=quick)quickest", "quickest");
	expect("(?=quick)?\\d", "");
	expect("(?=quick){0}\\d", "");
}

Test(literals, a_quoted_text_is_parted_by_what_follows_it)
{
	expect("\\Qquickz\\E?", "quick");
	expect("\\Qqu.ck|(\\E", "qu.ck|(");
	expect("\\d\\Qquick\\E+fox", "");
	expect("x\\Qquick\\Ez", "xquickz");
	expect("(\\Qquick)\\E|brown)", "quick)|brown");
	expect("quick\\Q\\E?", "");
	expect("\\\\Quick", "\\Quick");
}

Test(literals, caseless_holds_to_the_end_of_its_group)
{
	expect("(?i)foxy", "foxy/i");
	expect("(?i:foxy)jump", "foxyjump/i");
	expect("(?:foxy|(?i)jump|barn)z\\d", "foxyz|jumpz/i|barnz/i");
	expect("a(?i)foxy|jump(?-i)y", "afoxy/i|jumpy/i");
	expect("((?i)foxy)\\dbrown", "brown");
	expect("(?i)fo(?^)xy12", "foxy12/i");
	expect("(?i)(?-i:foxy)", "foxy");
	expect("(?im-s)foxy", "foxy/i");
	expect("(?i)\\[12\\]", "[12]");
}

Test(literals, caseless_is_parted_where_other_characters_are_the_same)
{
	expect("(?i)jumpkfoxy", "jump/i");
	expect("(?i)jumpsfoxyz", "foxyz/i");
	expect("(?i)foxJUMPYKquick", "foxJUMPY/i");
	expect("(?i)jump\xC3\xA9"
	       "fox",
	       "jump/i");
	expect("jump\xC3\xA9"
	       "fox",
	       "jump\xC3\xA9"
	       "fox");
}

Test(literals, comments_and_spaces_of_extended_patterns_are_none)
{
	expect("(?x) quick  # brown\n fox", "quic");
	expect("(?x) q u i c k \\  fox", "quick fox");
	expect("(?x) quick + fox", "quic");
	expect("(?x) (?: quick ) ? fox", "fox");
	expect("(?x) (?i) quic", "quic/i");
	expect("(?x) (?i) # comment\n quic", "");
	expect("quick(?#foxy)brown", "brown");
	expect("fo(?#quick)x", "");
}

Test(literals, a_reset_match_does_not_hide_what_was_before)
{
	expect("quick\\Kfox", "quick");
}

Test(literals, line_ends_are_in_none)
{
	expect("quick\\nfox", "quick");
	expect("quick\nfox", "quick");
	expect("quick\\r", "quick");
	expect("quick\\\nfox", "quick");
	expect("\\Qquick\rfox\\E", "quick");
	expect("(?:\n)quick", "quick");
}

Test(literals, what_every_line_has_finds_nothing)
{
	expect_lack("INFO", LITERALS_COMMON);
	expect_lack("\\d+:\\d+", LITERALS_COMMON);
	expect_lack("\\d+", LITERALS_NO_TEXT);
	expect_lack("(?C1)quick", LITERALS_OPAQUE);
	expect_lack("quick(", LITERALS_OPAQUE);
}

Test(literals, long_texts_are_cut)
{
	expect("0123456789012345678901234567890123456789012345678901234567890",
	       "012345678901234567890123456789012345678901234567");
}

Test(literals, either_of_two_patterns_needs_both)
{
	struct arena *arena = arena_create();
	struct literals a = literals_of(slice_of("quick"), arena);
	struct literals b = literals_of(slice_of("brown|foxes"), arena);
	struct literals none = literals_of(slice_of("\\d"), arena);

	cr_expect_eq(literals_either(a, b, arena).count, 3);
	cr_expect_eq(literals_either(a, none, arena).count, 0);
	cr_expect_eq(literals_either(none, b, arena).lack, LITERALS_NO_TEXT);
	arena_destroy(arena);
}
