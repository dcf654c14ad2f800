#include <criterion/criterion.h>
#include <stdlib.h>

#include "common/utf8.h"
#include "tailer/encoding.h"
#include "utf16.h"

static enum encoding of(const char *bytes, size_t count)
{
	return encoding_of((struct slice){bytes, count});
}

Test(encoding, the_mark_says_it_and_a_part_of_one_nothing_yet)
{
	cr_expect_eq(of("", 0), ENCODING_UNKNOWN);
	cr_expect_eq(of("\xFF", 1), ENCODING_UNKNOWN);
	cr_expect_eq(of("\xFE", 1), ENCODING_UNKNOWN);
	cr_expect_eq(of("\xEF\xBB", 2), ENCODING_UNKNOWN);
	cr_expect_eq(of("\xFF\xFE", 2), ENCODING_UTF16LE);
	cr_expect_eq(of("\xFE\xFF\n", 3), ENCODING_UTF16BE);
	cr_expect_eq(of("\xEF\xBB\xBF", 3), ENCODING_UTF8);
	cr_expect_eq(of("\xEF\xBB\n", 3), ENCODING_BYTES);
	cr_expect_eq(of("\xFF\n", 2), ENCODING_BYTES);
	cr_expect_eq(of("a", 1), ENCODING_BYTES);
	cr_expect_eq(of("a\0", 2), ENCODING_BYTES, "without a mark it is no UTF-16");
}

/* Unit by unit, of what ends in a whole unit or in half of one. */
static size_t expected_end(const char16_t *units, size_t count, bool last)
{
	size_t end = 0;

	for (size_t i = 0; i < count; i++)
		if (units[i] == u'\n' && (last || end == 0))
			end = 2 * (i + 1);
	return end;
}

static size_t end_at(const char *end, const struct strbuf *file)
{
	return end ? (size_t)(end - file->ptr) : 0;
}

Test(encoding, only_a_whole_unit_is_a_newline)
{
	static const char16_t some[] = {u'\n',  0x0A0A, 0x0A0D, 0x0D0A, 0x000D,
					0x0A00, 0x0A41, 0x410A, 0x0101};
	enum { MOST = 6, KINDS = sizeof(some) / sizeof(*some) };

	srand(1);
	for (int turn = 0; turn < 20000; turn++) {
		char16_t units[MOST + 1] = {0};
		size_t count = (size_t)rand() % MOST + 1, len;
		bool big = turn % 2;
		enum encoding encoding = big ? ENCODING_UTF16BE : ENCODING_UTF16LE;
		struct strbuf file = STRBUF_INIT;
		struct slice bytes;

		for (size_t i = 0; i < count; i++)
			units[i] = some[rand() % KINDS];
		add_utf16(&file, big, units);
		len = file.len - (size_t)rand() % 2;
		bytes = (struct slice){file.ptr, len};
		cr_expect_eq(end_at(encoding_line_end(encoding, bytes), &file),
			     expected_end(units, len / 2, false), "turn %d", turn);
		cr_expect_eq(end_at(encoding_last_line_end(encoding, bytes), &file),
			     expected_end(units, len / 2, true), "turn %d", turn);
		bytes.len = file.len;
		cr_expect_eq(encoding_ends_line(encoding, bytes),
			     units[count - 1] == u'\n', "turn %d", turn);
		strbuf_finish(&file);
	}
}

/* In both byte orders, less `cut` bytes at the end. */
static void expect_text(const char16_t *units, size_t cut, const char *expected)
{
	for (int big = 0; big < 2; big++) {
		enum encoding encoding = big ? ENCODING_UTF16BE : ENCODING_UTF16LE;
		struct strbuf file = STRBUF_INIT;
		struct slice text;
		char *room = NULL;

		add_utf16(&file, big, units);
		text = encoding_text(encoding, (struct slice){file.ptr, file.len - cut},
				     true, &room, file.len);
		cr_expect(slice_is(text, expected), "%.*s", SLICE_ARG(text));
		strbuf_finish(&file);
		free(room);
	}
}

Test(encoding, text_is_utf8_without_the_mark)
{
	expect_text(MARK u"plain\r\n", 0, "plain\r\n");
	expect_text(MARK u"\xFEFF", 0, "\uFEFF");
	expect_text(MARK, 0, "");
	expect_text(MARK u"\u00E9\u20AC\u0A0A\U0001F600\U0010FFFF", 0,
		    "\u00E9\u20AC\u0A0A\U0001F600\U0010FFFF");
}

Test(encoding, halves_of_characters_and_units_are_replaced)
{
	expect_text(MARK u"a\xD83D", 0, "a\uFFFD");
	expect_text(MARK u"a\xD83Dz", 0, "a\uFFFDz");
	expect_text(MARK u"\xD83D\xD83D\xDE00", 0, "\uFFFD\U0001F600");
	expect_text(MARK u"\xDE00\xD83D\n", 0, "\uFFFD\uFFFD\n");
	expect_text(MARK u"a\u20AC", 1, "a\uFFFD");
	expect_text(MARK u"a\U0001F600", 1, "a\uFFFD\uFFFD");
}

Test(encoding, what_is_no_utf16_is_not_copied)
{
	struct slice bytes = slice_of("\xEF\xBB\xBFone\n");
	char *room = NULL;
	struct slice text = encoding_text(ENCODING_UTF8, bytes, true, &room, 99);

	cr_expect_eq(text.ptr, bytes.ptr + 3);
	cr_expect_eq(text.len, 4);
	text = encoding_text(ENCODING_UTF8, bytes, false, &room, 99);
	cr_expect_eq(text.len, bytes.len, "in the middle of the file it is text");
	cr_expect_null(room);
}

Test(encoding, any_units_are_valid_utf8_and_fit_the_room)
{
	enum { UNITS = 0x10000 };
	char *units = malloc(2 * UNITS + 1), *room = NULL;
	struct slice text;

	srand(1);
	for (size_t i = 0; i < 2 * UNITS + 1; i++)
		units[i] = (char)(i % 8 == 1 ? 0xD8 | rand() % 8 : 0x80 | rand());
	for (size_t len = 0; len < 64; len++) {
		room = NULL;
		text = encoding_text(ENCODING_UTF16LE, (struct slice){units, len},
				     false, &room, len);
		cr_expect(utf8_is_valid(text), "%zu", len);
		free(room);
	}
	room = NULL;
	text = encoding_text(ENCODING_UTF16LE, (struct slice){units, 2 * UNITS + 1},
			     false, &room, 2 * UNITS + 1);
	cr_expect(utf8_is_valid(text));
	free(room);
	free(units);
}
