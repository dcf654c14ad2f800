/*
 * Any file in any encoding: its lines are those that a simple loop finds,
 * however the bytes arrive, and the text of UTF-16 is valid.
 *
 * The first byte says the encoding, the second where the writer pauses; then
 * comes the file.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/strbuf.h"
#include "common/utf8.h"
#include "tailer/linecut.h"

#define LIMIT 16

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define check(holds) ((holds) ? (void)0 : fail(__LINE__))

static void fail(int line)
{
	fprintf(stderr, "line %d does not hold\n", line);
	abort();
}

static bool is_newline(enum encoding encoding, const char *unit)
{
	switch (encoding) {
	case ENCODING_UTF16LE:
		return unit[0] == '\n' && unit[1] == '\0';
	case ENCODING_UTF16BE:
		return unit[0] == '\0' && unit[1] == '\n';
	default:
		return unit[0] == '\n';
	}
}

/* The lines within the limit, one behind the other; returns where the last ends. */
static size_t expect_lines(enum encoding encoding, struct slice file,
			   struct strbuf *lines)
{
	size_t unit = encoding_unit_bytes(encoding), start = 0;

	for (size_t i = 0; i + unit <= file.len; i += unit) {
		size_t len = i + unit - start;

		if (!is_newline(encoding, file.ptr + i))
			continue;
		if (len <= LIMIT + 1)
			strbuf_add(lines, file.ptr + start, len);
		start += len;
	}
	return start;
}

static void check_text(enum encoding encoding, struct slice bytes)
{
	char *room = NULL;
	struct slice text = encoding_text(encoding, bytes, false, &room, bytes.len);

	check(!encoding_is_wide(encoding) || utf8_is_valid(text));
	check(bytes.len == 0 ||
	      encoding_ends_line(encoding, bytes) == slice_ends(text, "\n"));
	free(room);
}

static void feed(struct linecut *cut, struct slice file, size_t most,
		 struct strbuf *lines)
{
	while (linecut_position(cut) < file.len) {
		uint64_t at = linecut_position(cut);
		size_t rest = file.len - (size_t)at;
		struct slice bytes = {file.ptr + at, rest < most ? rest : most};
		struct linecut_result result = linecut_feed(cut, bytes, LIMIT);

		if (result.again_bytes > 0) {
			check(result.again_bytes <= LIMIT + 1);
			linecut_rewind(cut);
			bytes = (struct slice){file.ptr + cut->offset_bytes,
					       result.again_bytes};
			result = linecut_feed(cut, bytes, LIMIT);
			check(result.lines.len > 0);
		}
		check_text(cut->encoding, result.lines);
		strbuf_add_slice(lines, result.lines);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct strbuf expected = STRBUF_INIT, lines = STRBUF_INIT;
	struct linecut cut = {0};
	struct slice file;
	size_t end;

	if (size < 2)
		return 0;
	cut.encoding = (enum encoding)(data[0] % (ENCODING_UTF16BE + 1));
	file = (struct slice){(const char *)data + 2, size - 2};
	end = expect_lines(cut.encoding, file, &expected);
	for (size_t most = 1; most <= LIMIT + 1; most++) {
		cut = (struct linecut){.encoding = cut.encoding};
		strbuf_clear(&lines);
		feed(&cut, (struct slice){file.ptr, data[1] % (file.len + 1)}, most,
		     &lines);
		feed(&cut, file, most, &lines);
		check(cut.offset_bytes == end);
		check(lines.len == expected.len &&
		      memcmp(lines.ptr, expected.ptr, lines.len) == 0);
	}
	strbuf_finish(&expected);
	strbuf_finish(&lines);
	return 0;
}
