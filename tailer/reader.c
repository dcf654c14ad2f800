#include "tailer/reader.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/clock.h"
#include "common/xalloc.h"
#include "tailer/content.h"
#include "tailer/linecut.h"
#include "tailer/memory.h"

#define DEFAULT_BLOCK_BYTES (256 * 1024)

/* Bytes before the position that are read again to see whether they changed. */
#define GUARD_BYTES 64

/* Archives that are unpacked at once: each takes a window and more. */
#define MAX_UNPACKED 8

struct reader_buffer {
	size_t line_bytes;
	size_t most_bytes;  /* of a block: at most line_bytes + 1 */
	size_t block_bytes; /* at most that */
	unsigned unpacked;
	char bytes[]; /* a guard, then the longest line and its newline */
};

struct reader {
	struct linecut cut;
	struct content content;
	struct reader_buffer *unpacks_with; /* where it counts as unpacked, or NULL */
	uint64_t size_bytes;
	int64_t mtime_ns;
	/* Likewise, when what precedes the position was last seen to be there. */
	uint64_t seen_bytes;
	int64_t seen_mtime_ns;
	bool deleted;
	bool unverified; /* created in mid-file: the byte before was not looked at */
	unsigned char guard_bytes;
	unsigned char beginning_bytes;
	char guard[GUARD_BYTES]; /* what precedes the position */
	char *beginning;         /* what the file begins with, once it was asked */
	struct memory memory;    /* what precedes the offset, and the first bytes */
};

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
	return buffer;
}

void reader_buffer_halve(struct reader_buffer *buffer, unsigned halvings)
{
	size_t bytes = buffer->most_bytes >> halvings;

	buffer->block_bytes = bytes > 0 ? bytes : 1;
}

void reader_buffer_destroy(struct reader_buffer *buffer)
{
	free(buffer);
}

/* ---- what a reader is of ---- */

static void go_to(struct reader *reader, uint64_t at_bytes)
{
	reader->cut =
		(struct linecut){.offset_bytes = at_bytes, .scanned_bytes = at_bytes};
	reader->guard_bytes = 0;
	reader->memory.tail_bytes = 0;
	reader->unverified = at_bytes > 0;
}

struct reader *reader_create(const struct checkpoint *from)
{
	struct reader *reader = xcalloc(1, sizeof(*reader));

	go_to(reader, from->offset_bytes);
	reader->content = CONTENT_INIT;
	reader->size_bytes = from->size_bytes;
	reader->mtime_ns = from->mtime_ns;
	reader->seen_bytes = from->size_bytes;
	reader->seen_mtime_ns = from->mtime_ns;
	memory_restore(&reader->memory, from);
	reader->guard_bytes =
		(unsigned char)memory_tail(&reader->memory, reader->guard, GUARD_BYTES);
	if (reader->guard_bytes > 0) {
		reader->unverified = false;
		reader->cut.discard = reader->guard[reader->guard_bytes - 1] != '\n';
	}
	return reader;
}

void reader_destroy(struct reader *reader)
{
	if (!reader)
		return;
	reader_close(reader);
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
	before->beginning = NULL;
	before->beginning_bytes = 0;
	linecut_rewind(&before->cut);
	go_to(before, before->cut.offset_bytes);
	before->memory = reader->memory;
	before->unverified = false;
	before->guard_bytes =
		(unsigned char)memory_tail(&before->memory, before->guard, GUARD_BYTES);
	go_to(reader, 0);
	reader->memory = (struct memory){0};
	free(reader->beginning);
	reader->beginning = NULL;
	reader->beginning_bytes = 0;
	reader->content.kind = CONTENT_UNKNOWN;
	reader_refresh(reader);
	return before;
}

/* ---- the file ---- */

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

/* Bytes of the file that are in the buffer. */
struct window {
	const char *bytes;
	uint64_t at_bytes;
	size_t count_bytes;
};

static bool guard_holds(const struct reader *reader, const struct window *window,
			uint64_t position_bytes)
{
	uint64_t start = position_bytes - reader->guard_bytes;

	return window->at_bytes + window->count_bytes >= position_bytes &&
	       memcmp(window->bytes + (start - window->at_bytes), reader->guard,
		      reader->guard_bytes) == 0;
}

static void keep_guard(struct reader *reader, const struct window *window)
{
	uint64_t known = linecut_position(&reader->cut) - window->at_bytes;
	size_t count = known < GUARD_BYTES ? (size_t)known : GUARD_BYTES;

	memcpy(reader->guard, window->bytes + (known - count), count);
	reader->guard_bytes = (unsigned char)count;
}

static bool read_window(struct reader *reader, struct reader_buffer *buffer,
			uint64_t from_bytes, size_t count_bytes, struct window *window)
{
	ssize_t n = content_read_at(&reader->content, buffer->bytes, count_bytes,
				    from_bytes);

	if (n == -1)
		return false;
	*window = (struct window){buffer->bytes, from_bytes, (size_t)n};
	return true;
}

/*
 * An archive is unpacked up to there, a little at a time, and few archives at
 * once.
 */
static enum content_reach reach(struct reader *reader, struct reader_buffer *buffer,
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

static void fill_head(struct reader *reader)
{
	uint64_t offset = reader->cut.offset_bytes;
	char head[CHECKPOINT_HEAD_BYTES];
	size_t count = offset < sizeof(head) ? (size_t)offset : sizeof(head);
	ssize_t n;

	if (reader->memory.head_bytes >= count || reader_is_archive(reader))
		return;
	n = content_read_at(&reader->content, head, count, 0);
	if (n == (ssize_t)count)
		memory_set_head(&reader->memory, head, count);
}

/* A start in mid-file: what precedes it is the guard, and says if a line is cut. */
static bool verify_start(struct reader *reader, struct reader_buffer *buffer)
{
	uint64_t start = reader->cut.offset_bytes;
	size_t count =
		start < CHECKPOINT_GUARD_BYTES ? (size_t)start : CHECKPOINT_GUARD_BYTES;
	struct window window;

	if (!read_window(reader, buffer, start - count, count, &window))
		return false;
	reader->unverified = false;
	if (window.count_bytes < count)
		return true; /* it has shrunk: the next look at its size tells */
	keep_guard(reader, &window);
	memory_set_tail(&reader->memory, window.bytes, count);
	fill_head(reader);
	reader->cut.discard = reader->guard[reader->guard_bytes - 1] != '\n';
	return true;
}

/* ---- reading ---- */

static struct slice window_from(const struct window *window, uint64_t at_bytes,
				size_t most_bytes)
{
	size_t skip = (size_t)(at_bytes - window->at_bytes);
	size_t rest = window->count_bytes - skip;

	return (struct slice){window->bytes + skip,
			      rest < most_bytes ? rest : most_bytes};
}

/* The torn line is complete: read it from its start, and what fits behind it. */
static enum reader_result read_again(struct reader *reader,
				     struct reader_buffer *buffer, size_t again_bytes,
				     struct window *window,
				     struct linecut_result *lines)
{
	uint64_t position = linecut_position(&reader->cut);
	uint64_t offset = reader->cut.offset_bytes;
	uint64_t from = position - reader->guard_bytes;
	size_t want =
		again_bytes > buffer->block_bytes ? again_bytes : buffer->block_bytes;

	if (from > offset)
		from = offset;
	if (!read_window(reader, buffer, from, (size_t)(offset - from) + want, window))
		return READER_FAILED;
	if (!guard_holds(reader, window, position))
		return READER_CHANGED;
	linecut_rewind(&reader->cut);
	*lines = linecut_feed(&reader->cut, window_from(window, offset, want),
			      buffer->line_bytes);
	return READER_MORE;
}

/* What precedes the new offset, as far as it is at hand. */
static void remember(struct reader *reader, const struct window *window,
		     const struct linecut_result *lines)
{
	if (lines->oversized_bytes > 0) {
		uint64_t offset = reader->cut.offset_bytes;

		memory_set_tail(&reader->memory, window->bytes,
				(size_t)(offset - window->at_bytes));
	} else if (lines->lines.len > 0) {
		memory_append(&reader->memory, lines->lines, lines->lines_at_bytes);
	}
	fill_head(reader);
}

static enum reader_result read_block(struct reader *reader,
				     struct reader_buffer *buffer,
				     struct reader_output *output)
{
	uint64_t position = linecut_position(&reader->cut);
	size_t guard = reader->guard_bytes;
	enum reader_result result = READER_MORE;
	struct linecut_result lines;
	struct window window;

	if (!read_window(reader, buffer, position - guard, guard + buffer->block_bytes,
			 &window))
		return READER_FAILED;
	if (!guard_holds(reader, &window, position))
		return READER_CHANGED;
	lines = linecut_feed(&reader->cut,
			     window_from(&window, position, buffer->block_bytes),
			     buffer->line_bytes);
	if (lines.again_bytes > 0)
		result = read_again(reader, buffer, lines.again_bytes, &window, &lines);
	if (result != READER_MORE)
		return result;
	keep_guard(reader, &window);
	remember(reader, &window, &lines);
	output->block.bytes = lines.lines;
	output->block.offset_bytes = lines.lines_at_bytes;
	output->oversized_bytes = lines.oversized_bytes;
	/* Nothing where the size promised something: it is shrinking right now. */
	return window.count_bytes > guard ? READER_MORE : READER_END;
}

/*
 * A writer that does not append goes on at its old offset after a truncation:
 * what it leaves before that is a hole, or NULs.
 */
static bool skip_nuls(struct reader *reader, struct reader_buffer *buffer)
{
	uint64_t at = linecut_position(&reader->cut);
	struct window window;
	size_t nuls = 0;

	if (!reader_is_new(reader) || reader->cut.discard ||
	    linecut_torn_bytes(&reader->cut) > 0)
		return true;
	at = content_skip_hole(&reader->content, at);
	if (!read_window(reader, buffer, at, buffer->block_bytes, &window))
		return false;
	while (nuls < window.count_bytes && window.bytes[nuls] == '\0')
		nuls++;
	reader->cut.offset_bytes = reader->cut.scanned_bytes = at + nuls;
	return true;
}

static void begin_output(const struct reader *reader, struct reader_output *output)
{
	*output = (struct reader_output){.block = {.read_time_ns = clock_wall_ns(),
						   .mtime_ns = reader->mtime_ns}};
}

/* READER_END: what precedes the position is still there. */
static enum reader_result check_guard(struct reader *reader,
				      struct reader_buffer *buffer)
{
	uint64_t position = linecut_position(&reader->cut);
	struct window window;

	if (reader->guard_bytes == 0)
		return READER_END;
	if (!read_window(reader, buffer, position - reader->guard_bytes,
			 reader->guard_bytes, &window))
		return READER_FAILED;
	return guard_holds(reader, &window, position) ? READER_END : READER_CHANGED;
}

static enum reader_result step_archive(struct reader *reader,
				       struct reader_buffer *buffer,
				       struct reader_output *output)
{
	uint64_t position = linecut_position(&reader->cut);
	enum reader_result result;

	switch (reach(reader, buffer, position)) {
	case CONTENT_FAILED:
		return READER_FAILED;
	case CONTENT_LATER:
		return READER_MORE;
	case CONTENT_THERE:
		break;
	}
	if (reader->unverified && !verify_start(reader, buffer))
		return READER_FAILED;
	result = read_block(reader, buffer, output);
	position = linecut_position(&reader->cut);
	if (reader->size_bytes < position)
		reader->size_bytes = position;
	return result;
}

static enum reader_result step_plain(struct reader *reader,
				     struct reader_buffer *buffer,
				     struct reader_output *output)
{
	enum reader_result result;

	if (reader->unverified && !verify_start(reader, buffer))
		return READER_FAILED;
	if (reader->size_bytes < linecut_position(&reader->cut))
		return READER_CHANGED;
	/* It may have been written anew to the same size. */
	if (reader->size_bytes == linecut_position(&reader->cut))
		return check_guard(reader, buffer);
	if (!skip_nuls(reader, buffer))
		return READER_FAILED;
	result = read_block(reader, buffer, output);
	if (result == READER_MORE &&
	    linecut_position(&reader->cut) >= reader->size_bytes)
		return READER_END;
	return result;
}

enum reader_result reader_step(struct reader *reader, struct reader_buffer *buffer,
			       struct reader_output *output)
{
	uint64_t known_bytes = reader->size_bytes;
	int64_t known_ns = reader->mtime_ns;
	enum reader_result result;

	if (!reader_refresh(reader))
		return READER_FAILED;
	begin_output(reader, output);
	result = reader_is_archive(reader) ? step_archive(reader, buffer, output)
					   : step_plain(reader, buffer, output);
	/* What is known of the file that was read, not of what is there now. */
	if (result == READER_CHANGED) {
		reader->size_bytes = known_bytes;
		reader->mtime_ns = known_ns;
	} else if (result != READER_FAILED) {
		reader->seen_bytes = reader->size_bytes;
		reader->seen_mtime_ns = reader->mtime_ns;
	}
	return result;
}

/* ---- the last line ---- */

static void end_line(struct reader *reader, struct slice line)
{
	memory_append(&reader->memory, line, reader->cut.offset_bytes);
	linecut_end_line(&reader->cut);
}

enum reader_result reader_finish(struct reader *reader, struct reader_buffer *buffer,
				 struct reader_output *output)
{
	struct linecut *cut = &reader->cut;
	uint64_t torn = linecut_torn_bytes(cut);
	struct window window = {buffer->bytes, cut->offset_bytes, 0};

	begin_output(reader, output);
	if (torn > buffer->line_bytes && !cut->discard)
		output->oversized_bytes = torn;
	if (torn > 0 && torn <= buffer->line_bytes) {
		if (!read_window(reader, buffer, cut->offset_bytes, (size_t)torn,
				 &window))
			return READER_FAILED;
		if (!cut->discard) {
			output->block.bytes =
				window_from(&window, cut->offset_bytes, torn);
			output->block.offset_bytes = cut->offset_bytes;
		}
	}
	end_line(reader, (struct slice){window.bytes, window.count_bytes});
	return READER_END;
}

enum reader_result reader_join(struct reader *old, struct reader *reader,
			       struct reader_buffer *buffer,
			       struct reader_output *output)
{
	size_t torn = (size_t)linecut_torn_bytes(&old->cut);
	uint64_t at;
	const char *newline;
	ssize_t n;

	if (torn > buffer->line_bytes || old->cut.discard || !skip_nuls(reader, buffer))
		return reader_finish(old, buffer, output) == READER_END ? READER_MORE
									: READER_FAILED;
	begin_output(reader, output);
	at = reader->cut.offset_bytes;
	if (content_read_at(&old->content, buffer->bytes, torn,
			    old->cut.offset_bytes) != (ssize_t)torn)
		return READER_FAILED;
	n = content_read_at(&reader->content, buffer->bytes + torn,
			    buffer->line_bytes + 1 - torn, at);
	if (n == -1)
		return READER_FAILED;
	newline = memchr(buffer->bytes + torn, '\n', (size_t)n);
	if (!newline)
		return torn + (size_t)n > buffer->line_bytes
			       ? (reader_finish(old, buffer, output), READER_MORE)
			       : READER_END;
	output->block.bytes =
		(struct slice){buffer->bytes, (size_t)(newline + 1 - buffer->bytes)};
	output->block.offset_bytes = old->cut.offset_bytes;
	end_line(old, (struct slice){buffer->bytes, torn});
	reader->cut.scanned_bytes = at + output->block.bytes.len - torn;
	end_line(reader,
		 (struct slice){buffer->bytes + torn, output->block.bytes.len - torn});
	reader->guard_bytes =
		(unsigned char)memory_tail(&reader->memory, reader->guard, GUARD_BYTES);
	fill_head(reader);
	return READER_MORE;
}

/* ---- a file that is not what was read ---- */

bool reader_has_lost_its_end(struct reader *reader)
{
	char head[CHECKPOINT_HEAD_BYTES];
	struct stat st;
	uint64_t count = reader->memory.head_bytes;

	if (reader_is_archive(reader) || fstat(reader->content.fd, &st) == -1 ||
	    st.st_size == 0 || (uint64_t)st.st_size >= reader->cut.offset_bytes)
		return false;
	if (count > (uint64_t)st.st_size)
		count = (uint64_t)st.st_size;
	return count > 0 &&
	       content_read_at(&reader->content, head, count, 0) == (ssize_t)count &&
	       memcmp(head, reader->memory.head, count) == 0;
}

uint64_t reader_accept_lost_end(struct reader *reader)
{
	uint64_t known = reader->size_bytes;
	struct memory memory = reader->memory;

	if (known < reader->cut.offset_bytes)
		known = reader->cut.offset_bytes;
	if (!reader_refresh(reader) || reader->size_bytes > known)
		return 0;
	go_to(reader, reader->size_bytes);
	memory_set_head(&reader->memory, memory.head,
			memory.head_bytes < reader->size_bytes
				? memory.head_bytes
				: (size_t)reader->size_bytes);
	return known - reader->size_bytes;
}

enum reader_result reader_verify(struct reader *reader, struct reader_buffer *buffer)
{
	uint64_t known_bytes = reader->size_bytes;
	enum reader_result result;

	if (!reader_refresh(reader))
		return READER_FAILED;
	if (reader_is_archive(reader))
		return READER_END;
	result = check_guard(reader, buffer);
	if (result == READER_CHANGED)
		reader->size_bytes = known_bytes;
	return result;
}

void reader_skip_to_end(struct reader *reader, struct reader_buffer *buffer)
{
	if (!reader_refresh(reader) || reader_is_archive(reader))
		return;
	go_to(reader, reader->size_bytes);
	if (reader->unverified)
		verify_start(reader, buffer);
}

/* ---- is it what another has read? ---- */

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
	switch (reach(reader, buffer, 0)) {
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
	return reader->beginning_bytes < CHECKPOINT_HEAD_BYTES &&
	       !memchr(reader->beginning, '\n', reader->beginning_bytes);
}

bool reader_begins_as(const struct reader *reader, struct reader *other)
{
	char head[CHECKPOINT_HEAD_BYTES];

	return reader->beginning_bytes > 0 && !content_is_archive(&other->content) &&
	       content_read_at(&other->content, head, reader->beginning_bytes, 0) ==
		       reader->beginning_bytes &&
	       memcmp(head, reader->beginning, reader->beginning_bytes) == 0;
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
	switch (reach(reader, buffer, offset)) {
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

bool reader_is_telling(const struct reader *reader)
{
	return memory_is_telling(&reader->memory);
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

/* ---- what is known of it ---- */

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
