#include <stdlib.h>
#include <string.h>

#include "common/xalloc.h"
#include "tailer/reader_parts.h"

void reader_forget_beginning(struct reader *reader)
{
	free(reader->beginning);
	reader->beginning = NULL;
	reader->beginning_bytes = 0;
}

enum reader_match reader_prepare(struct reader *reader, struct reader_buffer *buffer)
{
	ssize_t n;

	if (reader->beginning_bytes == CHECKPOINT_HEAD_BYTES ||
	    (reader->beginning_bytes > 0 && reader_is_archive(reader)))
		return MATCH_YES;
	switch (reader_reach(reader, buffer, 0)) {
	case CONTENT_FAILED:
		return MATCH_FAILED;
	case CONTENT_LATER:
		return MATCH_LATER;
	case CONTENT_THERE:
		break;
	}
	if (!reader->beginning)
		reader->beginning = xcalloc(1, CHECKPOINT_HEAD_BYTES);
	n = content_read_at(&reader->content, reader->beginning, CHECKPOINT_HEAD_BYTES,
			    0);
	/* It was empty when it was asked what it is, and has become an archive. */
	if (n > 0 && content_is_archive(&reader->content) && !reader->content.archive) {
		reader_forget_beginning(reader);
		return MATCH_LATER;
	}
	if (n > 0) {
		reader->beginning_bytes = (unsigned char)n;
		return MATCH_YES;
	}
	reader->beginning_bytes = 0;
	return n == 0 ? MATCH_NO : MATCH_FAILED;
}

bool reader_is_fragment(const struct reader *reader)
{
	struct slice beginning = {reader->beginning, reader->beginning_bytes};

	return reader->beginning_bytes < CHECKPOINT_HEAD_BYTES &&
	       !encoding_line_end(encoding_of(beginning), beginning);
}

bool reader_begins_as(const struct reader *reader, struct reader *other)
{
	char head[CHECKPOINT_HEAD_BYTES];

	return reader->beginning_bytes > 0 && !content_is_archive(&other->content) &&
	       content_read_at(&other->content, head, reader->beginning_bytes, 0) ==
		       reader->beginning_bytes &&
	       memcmp(head, reader->beginning, reader->beginning_bytes) == 0;
}

bool reader_began_alike(const struct reader *reader, const struct reader *other)
{
	unsigned char bytes = reader->beginning_bytes < other->beginning_bytes
				      ? reader->beginning_bytes
				      : other->beginning_bytes;

	return bytes > 0 && memcmp(reader->beginning, other->beginning, bytes) == 0;
}

bool reader_begins_like(const struct reader *reader, const struct reader *known)
{
	const struct memory *memory = &known->memory;

	return memory->head_bytes > 0 &&
	       reader->beginning_bytes >= memory->head_bytes &&
	       memcmp(reader->beginning, memory->head, memory->head_bytes) == 0;
}

static enum reader_match compare(struct reader *reader, const struct memory *memory,
				 uint64_t offset_bytes)
{
	char tail[CHECKPOINT_GUARD_BYTES];
	ssize_t n = content_read_at(&reader->content, tail, memory->tail_bytes,
				    offset_bytes - memory->tail_bytes);

	if (n == -1)
		return MATCH_FAILED;
	if (n < memory->tail_bytes)
		return MATCH_SHORT;
	return memcmp(tail, memory->tail, memory->tail_bytes) == 0 ? MATCH_YES
								   : MATCH_NO;
}

enum reader_match reader_match(struct reader *reader, const struct reader *known,
			       struct reader_buffer *buffer)
{
	uint64_t offset = known->cut.offset_bytes;

	if (known->memory.tail_bytes == 0 || !reader_begins_like(reader, known))
		return MATCH_NO;
	switch (reader_reach(reader, buffer, offset)) {
	case CONTENT_FAILED:
		return MATCH_FAILED;
	case CONTENT_LATER:
		return MATCH_LATER;
	case CONTENT_THERE:
		break;
	}
	return compare(reader, &known->memory, offset);
}

bool reader_is_beginning_of(struct reader *reader, struct reader *other)
{
	char mine[CHECKPOINT_GUARD_BYTES], theirs[CHECKPOINT_GUARD_BYTES];
	uint64_t end, places[2] = {0, 0};

	if (!reader_refresh(reader) || reader->size_bytes == 0 ||
	    reader_is_archive(reader) || reader_is_archive(other))
		return false;
	end = reader->size_bytes;
	places[1] = end > sizeof(mine) ? end - sizeof(mine) : 0;
	for (int i = 0; i < 2; i++) {
		size_t count = end - places[i] < sizeof(mine)
				       ? (size_t)(end - places[i])
				       : sizeof(mine);

		if (content_read_at(&reader->content, mine, count, places[i]) !=
			    (ssize_t)count ||
		    content_read_at(&other->content, theirs, count, places[i]) !=
			    (ssize_t)count ||
		    memcmp(mine, theirs, count) != 0)
			return false;
	}
	return true;
}

bool reader_end_stands_in(struct reader *reader, struct reader *other)
{
	char mine[CHECKPOINT_GUARD_BYTES], theirs[CHECKPOINT_GUARD_BYTES];
	uint64_t end = content_unpacked_bytes(&reader->content);
	size_t count = end < sizeof(mine) ? (size_t)end : sizeof(mine);

	return count > 0 && !content_is_archive(&other->content) &&
	       content_read_at(&reader->content, mine, count, end - count) ==
		       (ssize_t)count &&
	       content_read_at(&other->content, theirs, count, end - count) ==
		       (ssize_t)count &&
	       memcmp(mine, theirs, count) == 0;
}

enum reader_match reader_reaches_beyond(struct reader *reader, uint64_t at_bytes)
{
	char byte;
	ssize_t n = content_read_at(&reader->content, &byte, 1, at_bytes);

	if (n == -1)
		return MATCH_FAILED;
	return n == 1 ? MATCH_YES : MATCH_NO;
}

bool reader_size_is(struct reader *reader, uint64_t bytes)
{
	return content_size_is(&reader->content, bytes);
}

bool reader_knows_fragment(const struct reader *reader)
{
	return memory_is_fragment(&reader->memory);
}

bool reader_is_telling(const struct reader *reader)
{
	return memory_is_telling(&reader->memory);
}
