#include "tailer/reader.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/clock.h"
#include "common/xalloc.h"
#include "tailer/reader_parts.h"

#define DEFAULT_BLOCK_BYTES (256 * 1024)

/* Archives that are unpacked at once: each takes a window and more. */
#define MAX_UNPACKED 8

struct reader_buffer *reader_buffer_create(size_t line_bytes, size_t block_bytes)
{
	struct reader_buffer *buffer =
		xmalloc(sizeof(*buffer) + GUARD_BYTES + line_bytes + 1);

	if (block_bytes == 0)
		block_bytes = DEFAULT_BLOCK_BYTES;
	buffer->line_bytes = line_bytes;
	buffer->most_bytes = block_bytes <= line_bytes ? block_bytes : line_bytes + 1;
	buffer->block_bytes = buffer->most_bytes;
	buffer->unpacked = 0;
	buffer->decoded = NULL;
	return buffer;
}

void reader_buffer_halve(struct reader_buffer *buffer, unsigned halvings)
{
	size_t bytes = buffer->most_bytes >> halvings;

	buffer->block_bytes = bytes > 0 ? bytes : 1;
}

void reader_buffer_destroy(struct reader_buffer *buffer)
{
	if (buffer)
		free(buffer->decoded);
	free(buffer);
}

/* ---- what a reader is of ---- */

struct slice reader_guard(const struct reader *reader)
{
	if (reader->torn_guard)
		return (struct slice){reader->torn_guard, reader->torn_guard_bytes};
	return memory_tail(&reader->memory, GUARD_BYTES);
}

static void drop_torn_guard(struct reader *reader)
{
	free(reader->torn_guard);
	reader->torn_guard = NULL;
	reader->torn_guard_bytes = 0;
}

void reader_keep_guard(struct reader *reader, struct slice before)
{
	size_t count = before.len < GUARD_BYTES ? before.len : GUARD_BYTES;

	if (linecut_torn_bytes(&reader->cut) == 0) {
		drop_torn_guard(reader);
		return;
	}
	if (!reader->torn_guard)
		reader->torn_guard = xmalloc(GUARD_BYTES);
	memcpy(reader->torn_guard, before.ptr + (before.len - count), count);
	reader->torn_guard_bytes = (unsigned char)count;
}

void reader_go_to(struct reader *reader, uint64_t at_bytes)
{
	reader->cut =
		(struct linecut){.offset_bytes = at_bytes, .scanned_bytes = at_bytes};
	drop_torn_guard(reader);
	reader->memory.tail_bytes = 0;
	reader->unverified = at_bytes > 0;
}

void reader_recall(struct reader *reader)
{
	struct slice guard = reader_guard(reader);

	reader->cut.encoding = encoding_of(memory_head(&reader->memory));
	if (guard.len > 0)
		reader->cut.half = guard.ptr[guard.len - 1];
}

void reader_know_start(struct reader *reader)
{
	enum encoding encoding = reader->cut.encoding;
	struct slice guard = reader_guard(reader);

	reader->cut.half = guard.ptr[guard.len - 1];
	reader->cut.discard =
		reader->cut.offset_bytes > encoding_mark_bytes(encoding) &&
		!encoding_ends_line(encoding, guard);
}

struct reader *reader_create(const struct checkpoint *from)
{
	struct reader *reader = xcalloc(1, sizeof(*reader));

	reader_go_to(reader, from->offset_bytes);
	reader->content = CONTENT_INIT;
	reader->size_bytes = from->size_bytes;
	reader->mtime_ns = from->mtime_ns;
	reader->seen_bytes = from->size_bytes;
	reader->seen_mtime_ns = from->mtime_ns;
	memory_restore(&reader->memory, from);
	reader_recall(reader);
	if (reader->memory.tail_bytes > 0) {
		reader->unverified = false;
		reader_know_start(reader);
	}
	return reader;
}

void reader_destroy(struct reader *reader)
{
	if (!reader)
		return;
	reader_close(reader);
	drop_torn_guard(reader);
	free(reader->beginning);
	free(reader);
}

void reader_checkpoint(const struct reader *reader, struct checkpoint *checkpoint)
{
	checkpoint->offset_bytes = reader->cut.offset_bytes;
	checkpoint->size_bytes = reader->size_bytes;
	checkpoint->mtime_ns = reader->mtime_ns;
	memory_save(&reader->memory, checkpoint);
}

void reader_open(struct reader *reader, int fd)
{
	content_open(&reader->content, fd);
}

static void stop_unpacking(struct reader *reader)
{
	if (reader->unpacks_with)
		reader->unpacks_with->unpacked--;
	reader->unpacks_with = NULL;
}

void reader_close(struct reader *reader)
{
	stop_unpacking(reader);
	content_close(&reader->content);
}

int reader_take_fd(struct reader *reader)
{
	stop_unpacking(reader);
	return content_take_fd(&reader->content);
}

bool reader_is_open(const struct reader *reader)
{
	return reader->content.fd != -1;
}

struct reader *reader_start_over(struct reader *reader)
{
	struct reader *before = xmalloc(sizeof(*before));

	*before = *reader;
	before->content = CONTENT_INIT;
	before->size_bytes = reader->seen_bytes;
	before->mtime_ns = reader->seen_mtime_ns;
	before->unpacks_with = NULL;
	before->torn_guard = NULL;
	before->beginning = NULL;
	before->beginning_bytes = 0;
	linecut_rewind(&before->cut);
	reader_go_to(before, before->cut.offset_bytes);
	before->memory = reader->memory;
	before->unverified = false;
	reader_recall(before);
	reader_go_to(reader, 0);
	reader->memory = (struct memory){0};
	free(reader->beginning);
	reader->beginning = NULL;
	reader->beginning_bytes = 0;
	reader->content.kind = CONTENT_UNKNOWN;
	reader_refresh(reader);
	return before;
}

bool reader_refresh(struct reader *reader)
{
	struct stat st;

	if (fstat(reader->content.fd, &st) == -1)
		return false;
	reader->mtime_ns = st.st_mtim.tv_sec * NS_PER_SECOND + st.st_mtim.tv_nsec;
	reader->deleted = st.st_nlink == 0;
	/* That of an archive's content is known when it is unpacked. */
	if (!content_is_archive(&reader->content))
		reader->size_bytes = (uint64_t)st.st_size;
	return true;
}

enum content_reach reader_reach(struct reader *reader, struct reader_buffer *buffer,
				uint64_t at_bytes)
{
	if (!content_is_archive(&reader->content))
		return CONTENT_THERE;
	if (!reader->unpacks_with) {
		if (buffer->unpacked >= MAX_UNPACKED)
			return CONTENT_LATER;
		reader->unpacks_with = buffer;
		buffer->unpacked++;
	}
	return content_reach(&reader->content, at_bytes,
			     GUARD_BYTES + buffer->block_bytes + buffer->line_bytes);
}

bool reader_is_archive(const struct reader *reader)
{
	return reader->content.kind == CONTENT_ARCHIVE;
}

bool reader_is_new(const struct reader *reader)
{
	return reader->cut.offset_bytes == 0 && reader->memory.head_bytes == 0;
}

bool reader_is_fresh(const struct reader *reader)
{
	return reader->memory.tail_bytes == 0 && !reader->unverified;
}

uint64_t reader_size_bytes(const struct reader *reader)
{
	return reader->size_bytes;
}

int64_t reader_mtime_ns(const struct reader *reader)
{
	return reader->mtime_ns;
}

bool reader_is_deleted(const struct reader *reader)
{
	return reader->deleted;
}

uint64_t reader_offset_bytes(const struct reader *reader)
{
	return reader->cut.offset_bytes;
}

uint64_t reader_position_bytes(const struct reader *reader)
{
	return linecut_position(&reader->cut);
}

int reader_fd(const struct reader *reader)
{
	return reader->content.fd;
}
