#include "tailer/memory.h"

#include <string.h>

#include "tailer/encoding.h"

void memory_restore(struct memory *memory, const struct checkpoint *from)
{
	memory->head_bytes = from->head_bytes;
	memory->tail_bytes = from->guard_bytes;
	memcpy(memory->head, from->head, sizeof(memory->head));
	memcpy(memory->tail, from->guard, sizeof(memory->tail));
}

void memory_save(const struct memory *memory, struct checkpoint *to)
{
	to->head_bytes = memory->head_bytes;
	to->guard_bytes = memory->tail_bytes;
	memcpy(to->head, memory->head, sizeof(memory->head));
	memcpy(to->guard, memory->tail, sizeof(memory->tail));
}

static size_t at_most(size_t count, size_t most)
{
	return count < most ? count : most;
}

void memory_set_head(struct memory *memory, const char *bytes, size_t count)
{
	count = at_most(count, sizeof(memory->head));
	memcpy(memory->head, bytes, count);
	memory->head_bytes = (unsigned char)count;
}

void memory_set_tail(struct memory *memory, const char *bytes, size_t count)
{
	size_t kept = at_most(count, sizeof(memory->tail));

	memcpy(memory->tail, bytes + (count - kept), kept);
	memory->tail_bytes = (unsigned char)kept;
}

static void append_head(struct memory *memory, struct slice bytes, uint64_t at_bytes)
{
	size_t room = sizeof(memory->head) - memory->head_bytes;
	size_t count = at_most(bytes.len, room);

	if (at_bytes != memory->head_bytes)
		return;
	memcpy(memory->head + memory->head_bytes, bytes.ptr, count);
	memory->head_bytes += (unsigned char)count;
}

void memory_append(struct memory *memory, struct slice bytes, uint64_t at_bytes)
{
	size_t kept = memory->tail_bytes, room;

	append_head(memory, bytes, at_bytes);
	if (bytes.len >= sizeof(memory->tail)) {
		memory_set_tail(memory, bytes.ptr, bytes.len);
		return;
	}
	room = sizeof(memory->tail) - bytes.len;
	kept = at_most(kept, room);
	memmove(memory->tail, memory->tail + (memory->tail_bytes - kept), kept);
	memcpy(memory->tail + kept, bytes.ptr, bytes.len);
	memory->tail_bytes = (unsigned char)(kept + bytes.len);
}

struct slice memory_tail(const struct memory *memory, size_t most)
{
	size_t count = at_most(memory->tail_bytes, most);

	return (struct slice){memory->tail + (memory->tail_bytes - count), count};
}

static struct slice last_line(enum encoding encoding, struct slice *text)
{
	size_t newline_bytes = encoding_unit_bytes(encoding);
	struct slice line = *text, before = *text;
	const char *start = NULL;

	if (before.len > newline_bytes) {
		before.len -= newline_bytes;
		start = encoding_last_line_end(encoding, before);
	}
	if (start)
		line = (struct slice){start, text->len - (size_t)(start - text->ptr)};
	text->len -= line.len;
	return line;
}

bool memory_is_fragment(const struct memory *memory)
{
	enum encoding encoding = encoding_of(memory_head(memory));
	size_t cut = memory->tail_bytes % encoding_unit_bytes(encoding);
	struct slice text = {memory->tail + cut, memory->tail_bytes - cut};
	struct slice last = last_line(encoding, &text);

	return text.len == 0 && last.len > 0 &&
	       memory->tail_bytes < sizeof(memory->tail) &&
	       !encoding_ends_line(encoding, last);
}

bool memory_is_telling(const struct memory *memory)
{
	enum encoding encoding = encoding_of(memory_head(memory));
	size_t cut = memory->tail_bytes % encoding_unit_bytes(encoding);
	struct slice text = {memory->tail + cut, memory->tail_bytes - cut};
	struct slice last = last_line(encoding, &text);
	struct slice before = last_line(encoding, &text);

	if (last.len == 0 || memory_is_fragment(memory))
		return false;
	/* The line at the front may lack its beginning. */
	if (before.len == 0 || text.len == 0)
		return before.len == 0 || before.len > last.len ||
		       memcmp(before.ptr, last.ptr + (last.len - before.len),
			      before.len) != 0;
	return !slice_eq(last, before);
}
