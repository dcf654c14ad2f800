#include "tailer/reader.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/xalloc.h"
#include "tailer/linecut.h"

#define DEFAULT_BLOCK_BYTES (256 * 1024)

/* Bytes before the position that are read again to see whether they changed. */
#define GUARD_BYTES 64

struct reader_buffer {
	size_t line_bytes;
	size_t most_bytes;  /* of a block: at most line_bytes + 1 */
	size_t block_bytes; /* at most that */
	char bytes[];       /* a guard, then the longest line and its newline */
};

struct reader {
	struct linecut cut;
	int fd;
	uint64_t size_bytes;
	int64_t mtime_ns;
	bool deleted;
	bool unverified; /* created in mid-file: the byte before was not looked at */
	unsigned char guard_bytes;
	char guard[GUARD_BYTES]; /* what precedes the position */
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

struct reader *reader_create(uint64_t start_bytes, uint64_t size_bytes,
			     int64_t mtime_ns)
{
	struct reader *reader = xcalloc(1, sizeof(*reader));

	reader->cut.offset_bytes = reader->cut.scanned_bytes = start_bytes;
	reader->size_bytes = size_bytes;
	reader->mtime_ns = mtime_ns;
	reader->unverified = start_bytes > 0;
	reader->fd = -1;
	return reader;
}

void reader_destroy(struct reader *reader)
{
	if (!reader)
		return;
	reader_close(reader);
	free(reader);
}

void reader_open(struct reader *reader, int fd)
{
	assert(reader->fd == -1);
	reader->fd = fd;
}

void reader_close(struct reader *reader)
{
	if (reader->fd != -1)
		close(reader->fd);
	reader->fd = -1;
}

bool reader_is_open(const struct reader *reader)
{
	return reader->fd != -1;
}

static ssize_t read_at(int fd, char *to, size_t count_bytes, uint64_t at_bytes)
{
	ssize_t n;

	do
		n = pread(fd, to, count_bytes, (off_t)at_bytes);
	while (n == -1 && errno == EINTR);
	return n;
}

bool reader_refresh(struct reader *reader)
{
	struct stat st;

	if (fstat(reader->fd, &st) == -1)
		return false;
	reader->size_bytes = (uint64_t)st.st_size;
	reader->mtime_ns = st.st_mtim.tv_sec * NS_PER_SECOND + st.st_mtim.tv_nsec;
	reader->deleted = st.st_nlink == 0;
	return true;
}

/*
 * The one place that decides what a file is that is not what was read.  It
 * was truncated; that it merely lost its end, or that the unread part lives on
 * in a copy, would be found out here.
 */
static enum reader_result start_over(struct reader *reader, uint64_t known_bytes,
				     struct reader_output *output)
{
	if (known_bytes > reader->cut.offset_bytes)
		output->lost_bytes = known_bytes - reader->cut.offset_bytes;
	reader->cut = (struct linecut){0};
	reader->guard_bytes = 0;
	reader->unverified = false;
	return READER_STARTED_OVER;
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

static bool read_window(const struct reader *reader, struct reader_buffer *buffer,
			uint64_t from_bytes, size_t count_bytes, struct window *window)
{
	ssize_t n = read_at(reader->fd, buffer->bytes, count_bytes, from_bytes);

	if (n == -1)
		return false;
	*window = (struct window){buffer->bytes, from_bytes, (size_t)n};
	return true;
}

/* A start in mid-file: what precedes it is the guard, and says if a line is cut. */
static bool verify_start(struct reader *reader, struct reader_buffer *buffer)
{
	uint64_t start = reader->cut.offset_bytes;
	size_t count = start < GUARD_BYTES ? (size_t)start : GUARD_BYTES;
	struct window window;

	if (!read_window(reader, buffer, start - count, count, &window))
		return false;
	reader->unverified = false;
	if (window.count_bytes < count)
		return true; /* it has shrunk: the next look at its size tells */
	keep_guard(reader, &window);
	reader->cut.discard = reader->guard[reader->guard_bytes - 1] != '\n';
	return true;
}

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
		return READER_STARTED_OVER;
	linecut_rewind(&reader->cut);
	*lines = linecut_feed(&reader->cut, window_from(window, offset, want),
			      buffer->line_bytes);
	return READER_MORE;
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
		return READER_STARTED_OVER;
	lines = linecut_feed(&reader->cut,
			     window_from(&window, position, buffer->block_bytes),
			     buffer->line_bytes);
	if (lines.again_bytes > 0)
		result = read_again(reader, buffer, lines.again_bytes, &window, &lines);
	if (result != READER_MORE)
		return result;
	keep_guard(reader, &window);
	output->block.bytes = lines.lines;
	output->block.offset_bytes = lines.lines_at_bytes;
	output->oversized_bytes = lines.oversized_bytes;
	/* Nothing where the size promised something: it is shrinking right now. */
	return window.count_bytes > guard ? READER_MORE : READER_END;
}

static void begin_output(const struct reader *reader, struct reader_output *output)
{
	*output = (struct reader_output){.block = {.read_time_ns = clock_wall_ns(),
						   .mtime_ns = reader->mtime_ns}};
}

enum reader_result reader_step(struct reader *reader, struct reader_buffer *buffer,
			       struct reader_output *output)
{
	uint64_t known_bytes = reader->size_bytes;
	enum reader_result result;

	if (!reader_refresh(reader))
		return READER_FAILED;
	if (reader->unverified && !verify_start(reader, buffer))
		return READER_FAILED;
	begin_output(reader, output);
	if (reader->size_bytes < linecut_position(&reader->cut))
		return start_over(reader, known_bytes, output);
	if (reader->size_bytes == linecut_position(&reader->cut))
		return READER_END;
	result = read_block(reader, buffer, output);
	if (result == READER_STARTED_OVER)
		return start_over(reader, known_bytes, output);
	if (result == READER_MORE &&
	    linecut_position(&reader->cut) >= reader->size_bytes)
		return READER_END;
	return result;
}

enum reader_result reader_finish(struct reader *reader, struct reader_buffer *buffer,
				 struct reader_output *output)
{
	struct linecut *cut = &reader->cut;
	uint64_t torn = linecut_torn_bytes(cut);
	struct window window;

	begin_output(reader, output);
	if (torn > buffer->line_bytes && !cut->discard)
		output->oversized_bytes = torn;
	if (torn > 0 && torn <= buffer->line_bytes && !cut->discard) {
		if (!read_window(reader, buffer, cut->offset_bytes, (size_t)torn,
				 &window))
			return READER_FAILED;
		output->block.bytes = window_from(&window, cut->offset_bytes, torn);
		output->block.offset_bytes = cut->offset_bytes;
	}
	linecut_end_line(cut);
	return READER_END;
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
	return reader->fd;
}
