#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/strbuf.h"
#include "tailer/reader.h"

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
