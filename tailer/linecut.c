#include "tailer/linecut.h"

#include <assert.h>
#include <string.h>

static struct slice after(struct slice bytes, size_t count)
{
	return (struct slice){bytes.ptr + count, bytes.len - count};
}

/*
 * Looks for the end of a line whose beginning is not in `bytes`; true if the
 * line was passed over and `bytes` goes on behind it.
 */
static bool end_torn_line(struct linecut *cut, struct slice *bytes, size_t line_bytes,
			  struct linecut_result *result)
{
	const char *newline = memchr(bytes->ptr, '\n', bytes->len);
	size_t used = newline ? (size_t)(newline + 1 - bytes->ptr) : bytes->len;
	uint64_t whole_bytes = linecut_torn_bytes(cut) + used;

	if (newline && !cut->discard && whole_bytes <= (uint64_t)line_bytes + 1) {
		result->again_bytes = (size_t)whole_bytes;
		return false;
	}
	cut->scanned_bytes += used;
	if (!newline)
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
	const char *newline;

	assert(bytes.len <= line_bytes + 1);
	if (bytes.len == 0)
		return result;
	if ((cut->discard || linecut_torn_bytes(cut) > 0) &&
	    !end_torn_line(cut, &bytes, line_bytes, &result))
		return result;
	newline = memrchr(bytes.ptr, '\n', bytes.len);
	if (!newline) {
		cut->scanned_bytes += bytes.len;
		return result;
	}
	result.lines = (struct slice){bytes.ptr, (size_t)(newline + 1 - bytes.ptr)};
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
