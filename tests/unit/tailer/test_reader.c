#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/strbuf.h"
#include "tailer/reader.h"
#include "utf16.h"

static char path[] = "/tmp/logtally-reader-XXXXXX";
static int file = -1;
static struct reader_buffer *buffer;
static struct reader *reader;
static struct strbuf text = STRBUF_INIT;
static uint64_t lost_bytes, oversized_bytes;

static void begin(uint64_t start_bytes)
{
	reader_destroy(reader);
	reader = reader_create(&(struct checkpoint){.offset_bytes = start_bytes,
						    .size_bytes = start_bytes});
	reader_open(reader, open(path, O_RDONLY));
	strbuf_clear(&text);
}

static void setup(void)
{
	file = mkstemp(path);
	cr_assert_neq(file, -1);
	buffer = reader_buffer_create(1024, 64);
	begin(0);
}

static void teardown(void)
{
	reader_destroy(reader);
	reader_buffer_destroy(buffer);
	strbuf_finish(&text);
	close(file);
	unlink(path);
}

TestSuite(reader, .init = setup, .fini = teardown);

static void put(const char *bytes)
{
	cr_assert_eq(write(file, bytes, strlen(bytes)), (ssize_t)strlen(bytes));
}

static void replace_by(const char *bytes)
{
	cr_assert_eq(ftruncate(file, 0), 0);
	cr_assert_eq(lseek(file, 0, SEEK_SET), 0);
	put(bytes);
}

static void note(const struct reader_output *output)
{
	strbuf_add_slice(&text, output->block.bytes);
	oversized_bytes += output->oversized_bytes;
}

static void start_over(void)
{
	struct reader *before = reader_start_over(reader);

	lost_bytes += reader_size_bytes(before) - reader_offset_bytes(before);
	reader_destroy(before);
}

/* A checkpoint's guard is what stands before its offset, or a later run starts over.
 */
static void expect_guard(void)
{
	struct checkpoint checkpoint = {0};
	char before[CHECKPOINT_GUARD_BYTES];
	off_t start;

	reader_checkpoint(reader, &checkpoint);
	start = (off_t)(checkpoint.offset_bytes - checkpoint.guard_bytes);
	cr_assert_eq(pread(file, before, checkpoint.guard_bytes, start),
		     checkpoint.guard_bytes);
	cr_expect_arr_eq(before, checkpoint.guard, checkpoint.guard_bytes);
}

/* Steps until the end; true if it started over on the way. */
static bool read_all(void)
{
	bool started_over = false;

	for (;;) {
		struct reader_output output;
		enum reader_result result = reader_step(reader, buffer, &output);

		cr_assert_neq(result, READER_FAILED);
		if (result == READER_CHANGED) {
			start_over();
			started_over = true;
			continue;
		}
		note(&output);
		expect_guard();
		if (result == READER_END)
			return started_over;
	}
}

Test(reader, reads_the_same_wherever_the_writer_paused)
{
	static const char all[] =
		"one\n\nthree is longer than a block, so that it takes two reads to "
		"see all of it and one more to hand it up\nfour\n";

	for (size_t cut = 0; cut < sizeof(all); cut++) {
		replace_by("");
		begin(0);
		cr_assert_eq(write(file, all, cut), (ssize_t)cut);
		cr_expect_not(read_all());
		put(all + cut);
		cr_expect_not(read_all());
		cr_expect_str_eq(text.ptr, all, "cut at %zu", cut);
		cr_expect_eq(reader_offset_bytes(reader), sizeof(all) - 1);
	}
}

Test(reader, a_file_written_anew_is_seen_whatever_its_size)
{
	static const char *const anew[] = {"x\n", "abc\nxyz\n",
					   "a new file, longer than the old\nend\n"};

	for (size_t i = 0; i < sizeof(anew) / sizeof(*anew); i++) {
		replace_by("abc\ndef\n");
		begin(0);
		read_all();
		replace_by(anew[i]);
		put("and more\n");
		strbuf_clear(&text);
		cr_expect(read_all(), "%s", anew[i]);
		cr_expect_eq(strncmp(text.ptr, anew[i], strlen(anew[i])), 0, "%s",
			     text.ptr);
		cr_expect(strstr(text.ptr, "and more\n"));
	}
}

Test(reader, a_torn_line_written_anew_is_seen_too)
{
	put("abc\nto");
	read_all();
	replace_by("abc\nbe complete\n");
	strbuf_clear(&text);
	cr_expect(read_all());
	cr_expect_str_eq(text.ptr, "abc\nbe complete\n");
}

Test(reader, truncation_tells_what_went_unread)
{
	put("abc\nunfinished");
	read_all();
	replace_by("");
	read_all();
	cr_expect_eq(lost_bytes, 10);
	cr_expect_eq(reader_offset_bytes(reader), 0);
}

Test(reader, that_somebody_asked_for_the_size_tells_nothing_of_what_went_unread)
{
	put("abc\n");
	read_all();
	replace_by("a new file, and a longer one\n");
	cr_assert(reader_refresh(reader));
	cr_expect(read_all());
	cr_expect_eq(lost_bytes, 0);
}

Test(reader, a_start_in_a_line_passes_over_its_rest)
{
	put("abc\ndefghi\njkl\n");
	begin(6);
	read_all();
	cr_expect_str_eq(text.ptr, "jkl\n");
	begin(4);
	read_all();
	cr_expect_str_eq(text.ptr, "defghi\njkl\n");
}

Test(reader, knows_where_it_was_after_a_line_that_was_passed_over)
{
	put("abc\nde");
	begin(6);
	read_all();
	put("fghi\n");
	read_all();
	put("jkl\n");
	cr_expect_not(read_all());
	cr_expect_str_eq(text.ptr, "jkl\n");
}

Test(reader, the_end_of_a_finished_file_counts_without_its_newline)
{
	struct reader_output output;

	put("abc\nend");
	read_all();
	cr_assert_eq(reader_finish(reader, buffer, &output), READER_END);
	note(&output);
	cr_expect_str_eq(text.ptr, "abc\nend");
	cr_expect_eq(output.block.offset_bytes, 4);
	cr_expect_eq(reader_offset_bytes(reader), 7);
	cr_assert_eq(reader_finish(reader, buffer, &output), READER_END);
	cr_expect_eq(output.block.bytes.len, 0, "once");
}

Test(reader, an_overlong_end_is_passed_over)
{
	struct reader_output output;

	for (int i = 0; i < 205; i++)
		put("abcde");
	read_all();
	cr_assert_eq(reader_finish(reader, buffer, &output), READER_END);
	cr_expect_eq(output.block.bytes.len, 0);
	cr_expect_eq(output.oversized_bytes, 1025);
	expect_guard();
}

Test(reader, goes_on_with_another_descriptor)
{
	put("one\ntw");
	read_all();
	reader_close(reader);
	cr_expect_not(reader_is_open(reader));
	put("o\n");
	reader_open(reader, open(path, O_RDONLY));
	cr_expect_not(read_all());
	cr_expect_str_eq(text.ptr, "one\ntwo\n");
}

/* ---- byte order marks ---- */

static void put_slice(struct slice bytes)
{
	cr_assert_eq(write(file, bytes.ptr, bytes.len), (ssize_t)bytes.len);
}

static void put_utf16(bool big_endian, const char16_t *units)
{
	struct strbuf bytes = STRBUF_INIT;

	add_utf16(&bytes, big_endian, units);
	put_slice((struct slice){bytes.ptr, bytes.len});
	strbuf_finish(&bytes);
}

/* A new run, as of the last commit. */
static void resume(void)
{
	struct checkpoint checkpoint = {0};

	reader_checkpoint(reader, &checkpoint);
	reader_destroy(reader);
	reader = reader_create(&checkpoint);
	reader_open(reader, open(path, O_RDONLY));
}

#define MARKED                                                                        \
	MARK u"one\r\n\n\u0A0A \u0A0D \u0D0A \u0100\u0A00a\n"                         \
	     u"\U0001F600 \xD83D is longer than a block, so that it takes two reads " \
	     u"to see all of it and one more to hand it up\nfour\n"
#define MARKED_TEXT                                                                \
	"one\r\n\n\u0A0A \u0A0D \u0D0A \u0100\u0A00a\n"                            \
	"\U0001F600 \uFFFD is longer than a block, so that it takes two reads to " \
	"see all of it and one more to hand it up\nfour\n"

Test(reader, utf16_reads_the_same_wherever_the_writer_paused)
{
	for (int turn = 0; turn < 4; turn++) {
		struct strbuf all = STRBUF_INIT;

		add_utf16(&all, turn % 2, MARKED);
		for (size_t cut = 0; cut <= all.len; cut++) {
			replace_by("");
			begin(0);
			put_slice((struct slice){all.ptr, cut});
			cr_expect_not(read_all());
			if (turn >= 2)
				resume();
			put_slice((struct slice){all.ptr + cut, all.len - cut});
			cr_expect_not(read_all());
			cr_expect_str_eq(text.ptr, MARKED_TEXT, "cut at %zu", cut);
			cr_expect_eq(reader_offset_bytes(reader), all.len);
		}
		strbuf_finish(&all);
	}
}

Test(reader, utf16_reads_the_same_byte_by_byte_and_resumed_at_each)
{
	for (int turn = 0; turn < 4; turn++) {
		struct strbuf all = STRBUF_INIT;

		add_utf16(&all, turn % 2, MARKED);
		replace_by("");
		begin(0);
		for (size_t i = 0; i < all.len; i++) {
			put_slice((struct slice){all.ptr + i, 1});
			if (turn >= 2)
				resume();
			cr_expect_not(read_all());
		}
		cr_expect_str_eq(text.ptr, MARKED_TEXT);
		strbuf_finish(&all);
	}
}

Test(reader, blocks_of_any_size_give_the_same_utf16)
{
	for (size_t block = 1; block < 40; block++) {
		reader_buffer_destroy(buffer);
		buffer = reader_buffer_create(1024, block);
		replace_by("");
		put_utf16(block % 2, MARKED);
		begin(0);
		read_all();
		cr_expect_str_eq(text.ptr, MARKED_TEXT, "%zu", block);
	}
}

Test(reader, a_start_in_a_line_of_utf16_passes_over_its_rest)
{
	for (int big = 0; big < 2; big++) {
		replace_by("");
		put_utf16(big, MARK u"ab\n\u0A0Ac\nd\n");
		for (uint64_t start = 0; start <= 18; start++) {
			begin(start);
			read_all();
			cr_expect_str_eq(text.ptr,
					 start == 0 || start == 2 ? "ab\n\u0A0Ac\nd\n"
					 : start <= 8             ? "\u0A0Ac\nd\n"
					 : start <= 14            ? "d\n"
								  : "",
					 "start at %d", (int)start);
		}
	}
}

Test(reader, a_start_at_the_end_goes_on_in_utf16)
{
	for (int odd = 0; odd < 2; odd++) {
		replace_by("");
		put_utf16(false, MARK u"old\nto");
		if (odd)
			put_slice((struct slice){"r", 1});
		begin(0);
		reader_skip_to_end(reader, buffer);
		resume();
		if (odd)
			put_slice((struct slice){"\0", 1});
		put_utf16(false, u"rn\nnew\n");
		read_all();
		cr_expect_str_eq(text.ptr, "new\n", "odd %d", odd);
	}
}

Test(reader, a_mark_of_utf8_is_no_part_of_the_first_line)
{
	static const char all[] = "\xEF\xBB\xBFone\n\xEF\xBB\xBFtwo\n";

	for (size_t cut = 0; cut < sizeof(all); cut++) {
		replace_by("");
		begin(0);
		put_slice((struct slice){all, cut});
		read_all();
		resume();
		put(all + cut);
		read_all();
		cr_expect_str_eq(text.ptr, "one\n\xEF\xBB\xBFtwo\n", "cut at %zu", cut);
	}
}

Test(reader, the_encoding_is_that_of_what_the_file_begins_with_now)
{
	put_utf16(false, MARK u"little\n");
	read_all();
	replace_by("bytes\n");
	cr_expect(read_all());
	replace_by("");
	put_utf16(true, MARK u"big\n");
	cr_expect(read_all());
	replace_by("\xEF\xBB\xBFmarked\n");
	cr_expect(read_all());
	replace_by("");
	put_utf16(false, MARK u"little again\n");
	cr_expect(read_all());
	cr_expect_str_eq(text.ptr, "little\nbytes\nbig\nmarked\nlittle again\n");
}

Test(reader, the_limit_of_a_line_of_utf16_is_its_bytes_in_the_file)
{
	/* 1024 bytes with the newline, and 1026. */
	for (int over = 0; over < 2; over++) {
		replace_by("");
		put_utf16(over, MARK u"\n");
		for (int i = 0; i < 511 + over; i++)
			put_utf16(over, u"\u0A0A");
		put_utf16(over, u"\nnext\n");
		begin(0);
		oversized_bytes = 0;
		read_all();
		cr_expect_eq(oversized_bytes, over ? 1026 : 0);
		cr_expect_eq(text.len, 6 + (over ? 0 : 511 * 3 + 1));
		cr_expect(slice_ends((struct slice){text.ptr, text.len}, "\nnext\n"));
	}
}

Test(reader, half_a_unit_waits_and_counts_when_nobody_goes_on)
{
	struct reader_output output;

	put_utf16(false, MARK u"abc\nen");
	put("d");
	read_all();
	cr_expect_str_eq(text.ptr, "abc\n");
	cr_assert_eq(reader_finish(reader, buffer, &output), READER_END);
	note(&output);
	cr_expect_str_eq(text.ptr, "abc\nen\uFFFD");
	cr_expect_eq(reader_offset_bytes(reader), 15);
	put_slice((struct slice){"\0", 1});
	put_utf16(false, u" of it\nnext\n");
	read_all();
	cr_expect_str_eq(text.ptr, "abc\nen\uFFFDnext\n", "the rest is no line");
}

Test(reader, a_mark_alone_is_no_line)
{
	struct reader_output output;

	put_utf16(true, MARK);
	read_all();
	cr_assert_eq(reader_finish(reader, buffer, &output), READER_END);
	cr_expect_eq(output.block.bytes.len, 0);
	put_utf16(true, u"first\n");
	resume();
	read_all();
	cr_expect_str_eq(text.ptr, "first\n");
}

static struct reader *begin_torn(bool big_endian, const char16_t *units)
{
	char copy[] = "/tmp/logtally-reader-XXXXXX";
	struct reader *torn, *kept = reader;

	replace_by("");
	put_utf16(big_endian, units);
	reader = NULL;
	begin(0);
	read_all();
	torn = reader;
	reader = kept;
	close(file);
	unlink(path);
	memcpy(path, copy, sizeof(copy));
	file = mkstemp(path);
	begin(0);
	return torn;
}

Test(reader, a_torn_line_of_utf16_is_joined_unless_a_mark_begins_a_text)
{
	struct reader_output output;
	struct reader *torn = begin_torn(true, MARK u"one\nto");

	put_slice((struct slice){"\0", 1});
	cr_assert_eq(reader_join(torn, reader, buffer, &output), READER_END);
	put("r");
	put_utf16(true, u"n\n");
	cr_assert_eq(reader_join(torn, reader, buffer, &output), READER_MORE);
	cr_expect(slice_is(output.block.bytes, "torn\n"), "%.*s",
		  SLICE_ARG(output.block.bytes));
	cr_expect_eq(reader_offset_bytes(reader), 6);
	reader_destroy(torn);
	torn = begin_torn(true, MARK u"one\nto");
	put_utf16(false, MARK u"two\n");
	cr_assert_eq(reader_join(torn, reader, buffer, &output), READER_MORE);
	cr_expect(slice_is(output.block.bytes, "to"), "%.*s",
		  SLICE_ARG(output.block.bytes));
	strbuf_clear(&text);
	read_all();
	cr_expect_str_eq(text.ptr, "two\n");
	reader_destroy(torn);
}

Test(reader, the_same_line_of_utf16_again_and_again_tells_nothing)
{
	for (int big = 0; big < 2; big++) {
		replace_by("");
		put_utf16(big, MARK u"x\n");
		begin(0);
		read_all();
		cr_expect(reader_is_telling(reader), "one line is one, when whole");
		for (int i = 0; i < 100; i++)
			put_utf16(big, u"all alike\n");
		begin(0);
		read_all();
		cr_expect_not(reader_is_telling(reader));
		put_utf16(big, u"unlike\n");
		read_all();
		cr_expect(reader_is_telling(reader));
	}
}

Test(reader, a_character_that_looks_like_a_newline_does_not_end_the_only_line)
{
	for (int ended = 0; ended < 2; ended++) {
		replace_by("");
		put_utf16(false, ended ? MARK u"\u0A0A\n" : MARK u"\u0A0A");
		begin(0);
		cr_assert_eq(reader_prepare(reader, buffer), MATCH_YES);
		cr_expect_eq(reader_is_fragment(reader), !ended);
	}
}

/* Small archives are larger than what they hold. */
Test(reader, the_size_of_an_archive_is_that_of_its_content)
{
	struct reader_output output;
	char command[100];

	snprintf(command, sizeof(command), "printf '1\\n2\\n' | gzip > %s", path);
	cr_assert_eq(system(command), 0);
	reader_destroy(reader);
	reader = reader_create(
		&(struct checkpoint){.size_bytes = (uint64_t)lseek(file, 0, SEEK_END)});
	reader_open(reader, open(path, O_RDONLY));
	cr_expect_gt(reader_size_bytes(reader), 4);
	while (reader_offset_bytes(reader) < 4)
		cr_assert_eq(reader_step(reader, buffer, &output), READER_MORE);
	cr_expect_eq(reader_size_bytes(reader), 4);
}
