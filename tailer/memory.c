#include "tailer/memory.h"

#include <string.h>

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

size_t memory_tail(const struct memory *memory, char *out, size_t most)
{
	size_t count = at_most(memory->tail_bytes, most);

	memcpy(out, memory->tail + (memory->tail_bytes - count), count);
	return count;
}

static struct slice last_line(struct slice *text)
{
	size_t len = text->len;
	const char *newline = len > 1 ? memrchr(text->ptr, '\n', len - 1) : NULL;
	struct slice line;

	if (!newline) {
		line = *text;
		text->len = 0;
		return line;
	}
	line = (struct slice){newline + 1, len - (size_t)(newline + 1 - text->ptr)};
	text->len -= line.len;
	return line;
}

bool memory_is_telling(const struct memory *memory)
{
	struct slice text = {memory->tail, memory->tail_bytes};
	struct slice last = last_line(&text), before = last_line(&text);

	if (text.len + before.len == 0 && memory->tail_bytes < sizeof(memory->tail) &&
	    last.ptr[last.len - 1] != '\n')
		return false; /* the beginning of one line: many begin so */
	/* The line at the front may lack its beginning. */
	if (before.len == 0 || text.len == 0)
		return before.len == 0 || before.len > last.len ||
		       memcmp(before.ptr, last.ptr + (last.len - before.len),
			      before.len) != 0;
	return !slice_eq(last, before);
}
