#include <criterion/criterion.h>
#include <stdlib.h>

#include "common/diag.h"
#include "common/strbuf.h"
#include "common/suggest.h"
#include "common/utf8.h"

static void expect_valid(const char *raw, size_t len, const char *want)
{
	struct strbuf out = STRBUF_INIT;

	utf8_add_valid(&out, (struct slice){raw, len});
	cr_expect_str_eq(out.ptr, want);
	cr_expect(utf8_is_valid(strbuf_slice(&out)));
	strbuf_finish(&out);
}

Test(utf8, valid_text_is_kept)
{
	expect_valid("h\xC3\xB6he \xF0\x9F\x99\x82", 10,
		     "h\xC3\xB6he \xF0\x9F\x99\x82");
}

Test(utf8, each_maximal_ill_formed_part_becomes_one_replacement)
{
	expect_valid("a\xFFz", 3, "a\xEF\xBF\xBDz");
	expect_valid("a\xE2\x82z", 4, "a\xEF\xBF\xBDz");         /* cut short */
	expect_valid("\xC0\xAF", 2, "\xEF\xBF\xBD\xEF\xBF\xBD"); /* overlong */
	expect_valid("\xED\xA0\x80", 3,
		     "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"); /* a surrogate */
	expect_valid("a\0b", 3,
		     "a\xEF\xBF\xBD"
		     "b");
}

Test(suggest, the_closest_word_is_found)
{
	const char *words[] = {"pattern", "metrics", "where", "unless"};

	cr_expect_str_eq(suggest_closest("patern", words, 4), "pattern");
	cr_expect_str_eq(suggest_closest("Where", words, 4), "where");
	cr_expect_str_eq(suggest_closest("metrcis", words, 4), "metrics");
	cr_expect_null(suggest_closest("buckets", words, 4));
}

Test(diag, entries_come_by_place_with_a_caret_under_the_character)
{
	struct diag *diag = diag_create();
	struct strbuf out = STRBUF_INIT;

	diag_warning(diag, (struct position){"b.yml", 2, 1}, NULL, "odd");
	diag_error(diag, (struct position){"a.yml", 9, 3}, "write %s", "bad %d", 7);
	diag_excerpt(diag, slice_of("\xC3\xB6(x"), 2);
	diag_error(diag, (struct position){"a.yml", 1, 5}, NULL, "first");
	diag_render(diag, &out);
	cr_expect_str_eq(out.ptr, "a.yml:1:5: first\n"
				  "a.yml:9:3: bad 7: write %s\n"
				  "    \xC3\xB6(x\n"
				  "     ^\n"
				  "b.yml:2:1: warning: odd\n");
	cr_expect_eq(diag_errors(diag), 2);
	cr_expect_eq(diag_warnings(diag), 1);
	strbuf_finish(&out);
	diag_destroy(diag);
}
