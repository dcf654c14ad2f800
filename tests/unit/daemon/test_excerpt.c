#include <criterion/criterion.h>

#include "daemon/excerpt.h"

static void expect(const char *text, size_t at, size_t columns, const char *want)
{
	struct strbuf out = STRBUF_INIT;

	excerpt_add(&out, &(struct excerpt){.columns = columns, .mark = "^"},
		    slice_of(text), at);
	cr_expect_str_eq(out.ptr, want, "shown:\n%s", out.ptr);
	strbuf_finish(&out);
}

Test(excerpt, the_caret_stands_under_its_byte)
{
	expect("abc", 1, 40, "abc\n ^\n");
	expect("abc", 3, 40, "abc\n   ^\n");
	expect("", 0, 40, "\n^\n");
	expect("abc", EXCERPT_NO_CARET, 40, "abc\n");
}

Test(excerpt, wide_and_combining_characters_do_not_shift_it)
{
	expect("\xc3\xa4x", 2, 40, "\xc3\xa4x\n ^\n");
	expect("\xe6\x97\xa5x", 3, 40, "\xe6\x97\xa5x\n  ^\n");
	expect("e\xcc\x81x", 3, 40, "e\xcc\x81x\n ^\n");
}

Test(excerpt, what_cannot_be_shown_is_escaped)
{
	expect("\tx", 1, 40, "\\tx\n  ^\n");
	expect("\x1b[1mx", 4, 40, "\\x1b[1mx\n       ^\n");
	expect("a\xff\xfe"
	       "b",
	       3, 40, "a\\xff\\xfeb\n         ^\n");
	expect("\xc2\x85x", 2, 40, "\\x{85}x\n      ^\n");
	expect("\xe6\x97", 0, 40, "\\xe6\\x97\n^\n");
}

Test(excerpt, of_a_long_text_what_is_near_the_caret_is_shown)
{
	const char *text = "aaaaaaaaaabbbbbbbbbbccccccccccdddddddddd";

	expect(text, 25, 26, "...bbbbbbbbccccccccccdd...\n                ^\n");
	expect(text, 2, 26, "aaaaaaaaaabbbbbbbbbb...\n  ^\n");
	expect(text, 40, 26, "...cccdddddddddd\n                ^\n");
	expect(text, 40, 40,
	       "aaaaaaaaaabbbbbbbbbbccccccccccdddddddddd\n                       "
	       "                 ^\n");
}
