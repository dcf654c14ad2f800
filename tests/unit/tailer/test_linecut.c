#include <criterion/criterion.h>

#include "common/strbuf.h"
#include "tailer/linecut.h"
#include "utf16.h"

#define LIMIT 8

struct outcome {
	struct strbuf lines; /* every line handed up */
	unsigned oversized;
	uint64_t oversized_bytes;
};

static void take(struct outcome *outcome, const struct linecut_result *result)
{
	strbuf_add_slice(&outcome->lines, result->lines);
	outcome->oversized += result->oversized_bytes > 0;
	outcome->oversized_bytes += result->oversized_bytes;
}

/* As a reader does it: `file` has `size` bytes now, at most `block` at once. */
static void read_all(struct linecut *cut, const char *file, size_t size, size_t block,
		     struct outcome *outcome)
{
	for (;;) {
		uint64_t at = linecut_position(cut);
		size_t rest = size - (size_t)at;
		struct linecut_result result;

		if (rest == 0)
			return;
		result = linecut_feed(
			cut, (struct slice){file + at, rest < block ? rest : block},
			LIMIT);
		if (result.again_bytes > 0) {
			cr_assert_leq(result.again_bytes, LIMIT + 1);
			linecut_rewind(cut);
			result = linecut_feed(cut,
					      (struct slice){file + cut->offset_bytes,
							     result.again_bytes},
					      LIMIT);
			cr_assert_gt(result.lines.len, 0);
		}
		if (result.lines.len > 0)
			cr_expect_eq(result.lines.ptr, file + result.lines_at_bytes);
		take(outcome, &result);
	}
}

Test(linecut, lines_do_not_depend_on_how_the_bytes_arrive)
{
	static const char file[] = "one\n\n12345678\n123456789\nend\n"
				   "a much longer line than that\nlast\n";
	size_t size = strlen(file);

	for (size_t block = 1; block <= LIMIT + 1; block++)
		for (size_t cut_at = 0; cut_at <= size; cut_at++) {
			struct outcome outcome = {STRBUF_INIT, 0, 0};
			struct linecut cut = {0};

			read_all(&cut, file, cut_at, block, &outcome);
			read_all(&cut, file, size, block, &outcome);
			cr_expect_str_eq(outcome.lines.ptr,
					 "one\n\n12345678\nend\nlast\n",
					 "cut at %zu, block %zu", cut_at, block);
			cr_expect_eq(outcome.oversized, 2, "cut at %zu, block %zu",
				     cut_at, block);
			cr_expect_eq(outcome.oversized_bytes, 10 + 29);
			cr_expect_eq(cut.offset_bytes, size);
			strbuf_finish(&outcome.lines);
		}
}

Test(linecut, the_offset_stays_at_the_start_of_an_unfinished_line)
{
	struct outcome outcome = {STRBUF_INIT, 0, 0};
	struct linecut cut = {0};

	read_all(&cut, "one\ntw", 6, LIMIT, &outcome);
	cr_expect_str_eq(outcome.lines.ptr, "one\n");
	cr_expect_eq(cut.offset_bytes, 4);
	cr_expect_eq(linecut_torn_bytes(&cut), 2);
	strbuf_finish(&outcome.lines);
}

Test(linecut, an_overlong_line_is_told_once_and_at_its_end)
{
	struct outcome outcome = {STRBUF_INIT, 0, 0};
	struct linecut cut = {0};
	static const char file[] = "0123456789abcdef\n";

	read_all(&cut, file, 16, 5, &outcome);
	cr_expect_eq(outcome.oversized, 0);
	cr_expect_eq(cut.offset_bytes, 0);
	read_all(&cut, file, 17, 5, &outcome);
	cr_expect_eq(outcome.oversized, 1);
	cr_expect_eq(outcome.oversized_bytes, 17);
	cr_expect_eq(cut.offset_bytes, 17);
	strbuf_finish(&outcome.lines);
}

Test(linecut, the_rest_of_a_cut_line_counts_nowhere)
{
	struct outcome outcome = {STRBUF_INIT, 0, 0};
	struct linecut cut = {.offset_bytes = 3, .scanned_bytes = 3, .discard = true};
	static const char file[] = "abcdefghijklmnop\nnext\n";

	read_all(&cut, file, strlen(file), 4, &outcome);
	cr_expect_str_eq(outcome.lines.ptr, "next\n");
	cr_expect_eq(outcome.oversized, 0);
	strbuf_finish(&outcome.lines);
}

static void expect_units(bool big_endian, const struct strbuf *file, size_t cut_at,
			 size_t block, const struct strbuf *expected)
{
	enum encoding encoding = big_endian ? ENCODING_UTF16BE : ENCODING_UTF16LE;
	struct linecut cut = {.encoding = encoding};
	struct outcome outcome = {STRBUF_INIT, 0, 0};

	read_all(&cut, file->ptr, cut_at, block, &outcome);
	read_all(&cut, file->ptr, file->len, block, &outcome);
	cr_expect_eq(outcome.lines.len, expected->len, "cut at %zu, block %zu", cut_at,
		     block);
	cr_expect(memcmp(outcome.lines.ptr, expected->ptr, expected->len) == 0,
		  "cut at %zu, block %zu", cut_at, block);
	cr_expect_eq(outcome.oversized, 2, "cut at %zu, block %zu", cut_at, block);
	cr_expect_eq(outcome.oversized_bytes, 10 + 16);
	cr_expect_eq(cut.offset_bytes, file->len);
	strbuf_finish(&outcome.lines);
}

Test(linecut, lines_of_utf16_do_not_depend_on_how_the_bytes_arrive_either)
{
	/* U+0A00 before a unit that begins with 0x00: 0x0A 0x00 across both. */
	static const char16_t all[] = u"abc\n\n\u0A0A\u0A0D\u0D0A\nabcd\n\u0A00a\n"
				      u"\u0A0A\u0A0A\u0A0A\u0A0A\u0A0A\u0A0A\u0A0A\n"
				      u"\u0100\u0A00\nx\n";
	static const char16_t kept[] = u"abc\n\n\u0A0A\u0A0D\u0D0A\n\u0A00a\n"
				       u"\u0100\u0A00\nx\n";

	for (int big = 0; big < 2; big++) {
		struct strbuf file = STRBUF_INIT, expected = STRBUF_INIT;

		add_utf16(&file, big, all);
		add_utf16(&expected, big, kept);
		for (size_t block = 1; block <= LIMIT + 1; block++)
			for (size_t cut_at = 0; cut_at <= file.len; cut_at++)
				expect_units(big, &file, cut_at, block, &expected);
		strbuf_finish(&file);
		strbuf_finish(&expected);
	}
}

Test(linecut, a_start_in_a_unit_of_utf16_passes_over_the_rest_of_its_line)
{
	struct outcome outcome = {STRBUF_INIT, 0, 0};
	struct linecut cut = {.offset_bytes = 5,
			      .scanned_bytes = 5,
			      .half = '\n',
			      .encoding = ENCODING_UTF16LE};
	static const char file[] = "\xFF\xFE"
				   "a\0\n\0b\0\n\0";

	read_all(&cut, file, 10, LIMIT, &outcome);
	cr_expect_eq(outcome.lines.len, 4);
	cr_expect_eq(outcome.oversized, 0);
	cr_expect_eq(cut.offset_bytes, 10);
	strbuf_finish(&outcome.lines);
}
