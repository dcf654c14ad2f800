#include "tailer/linecut.h"

#include <assert.h>
#include <string.h>

static struct slice after(struct slice bytes, size_t count)
{
	return (struct slice){bytes.ptr + count, bytes.len - count};
}

static bool cuts_unit(const struct linecut *cut)
{
	return encoding_is_wide(cut->encoding) && cut->scanned_bytes % 2 == 1;
}

/* Behind the first newline, of which the first half may have come before. */
static const char *find_line_end(const struct linecut *cut, struct slice bytes)
{
	const char unit[] = {cut->half, bytes.ptr[0]};

	if (!cuts_unit(cut))
		return encoding_line_end(cut->encoding, bytes);
	if (encoding_ends_line(cut->encoding, (struct slice){unit, sizeof(unit)}))
		return bytes.ptr + 1;
	return encoding_line_end(cut->encoding, after(bytes, 1));
}

/* They belong to the unfinished line. */
static void pass(struct linecut *cut, struct slice bytes)
{
	cut->scanned_bytes += bytes.len;
	if (bytes.len > 0)
		cut->half = bytes.ptr[bytes.len - 1];
}

/*
 * Looks for the end of a line whose beginning is not in `bytes`; true if the
 * line was passed over and `bytes` goes on behind it.
 */
static bool end_torn_line(struct linecut *cut, struct slice *bytes, size_t line_bytes,
			  struct linecut_result *result)
{
	const char *end = find_line_end(cut, *bytes);
	size_t used = end ? (size_t)(end - bytes->ptr) : bytes->len;
	uint64_t whole_bytes = linecut_torn_bytes(cut) + used;

	if (end && !cut->discard && whole_bytes <= (uint64_t)line_bytes + 1) {
		result->again_bytes = (size_t)whole_bytes;
		return false;
	}
	pass(cut, (struct slice){bytes->ptr, used});
	if (!end)
		return false;
	if (!cut->discard)
		result->oversized_bytes = whole_bytes;
	linecut_end_line(cut);
	*bytes = after(*bytes, used);
	return true;
}

struct linecut_result linecut_feed(struct linecut *cut, struct slice bytes,
				   size_t line_bytes)
{
	struct linecut_result result = {.lines = {bytes.ptr, 0}};
	const char *end;

	assert(bytes.len <= line_bytes + 1);
	if (bytes.len == 0)
		return result;
	if (cuts_unit(cut) && linecut_torn_bytes(cut) == 0)
		cut->discard = true;
	if ((cut->discard || linecut_torn_bytes(cut) > 0) &&
	    !end_torn_line(cut, &bytes, line_bytes, &result))
		return result;
	end = encoding_last_line_end(cut->encoding, bytes);
	if (!end) {
		pass(cut, bytes);
		return result;
	}
	result.lines = (struct slice){bytes.ptr, (size_t)(end - bytes.ptr)};
	result.lines_at_bytes = cut->offset_bytes;
	cut->offset_bytes += result.lines.len;
	linecut_rewind(cut);
	return result;
}

void linecut_rewind(struct linecut *cut)
{
	cut->scanned_bytes = cut->offset_bytes;
}

void linecut_end_line(struct linecut *cut)
{
	cut->offset_bytes = cut->scanned_bytes;
	cut->discard = false;
}
