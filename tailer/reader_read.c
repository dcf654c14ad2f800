#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "common/clock.h"
#include "tailer/reader_parts.h"

/* Bytes of the file that are in the buffer. */
struct window {
	const char *bytes;
	uint64_t at_bytes;
	size_t count_bytes;
};

static bool guard_holds(const struct reader *reader, const struct window *window,
			uint64_t position_bytes)
{
	struct slice guard = reader_guard(reader);
	uint64_t start = position_bytes - guard.len;

	return window->at_bytes + window->count_bytes >= position_bytes &&
	       memcmp(window->bytes + (start - window->at_bytes), guard.ptr,
		      guard.len) == 0;
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

/*
 * An archive cannot be asked how it begins when it is read further on: that is
 * remembered, or not known.
 */
static void find_encoding(struct reader *reader, const struct window *window)
{
	struct slice beginning = {window->bytes, window->count_bytes};

	if (window->at_bytes > 0) {
		fill_head(reader);
		beginning = memory_head(&reader->memory);
	}
	reader->cut.encoding = encoding_of(beginning);
}

static struct slice text_of(const struct reader *reader, struct reader_buffer *buffer,
			    struct slice bytes, uint64_t at_bytes)
{
	return encoding_text(reader->cut.encoding, bytes, at_bytes == 0,
			     &buffer->decoded, buffer->line_bytes + 1);
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
	memory_set_tail(&reader->memory, window.bytes, count);
	fill_head(reader);
	find_encoding(reader, &window);
	reader_know_start(reader);
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
	uint64_t from = position - reader_guard(reader).len;
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

/* What precedes the position and the new offset, whatever became of it. */
static void remember(struct reader *reader, const struct window *window,
		     uint64_t former_offset_bytes)
{
	uint64_t offset = reader->cut.offset_bytes;
	uint64_t known = offset - window->at_bytes;
	uint64_t position = linecut_position(&reader->cut);

	/* Of a line that came in pieces the first may not be at hand. */
	if (former_offset_bytes >= window->at_bytes)
		memory_append(&reader->memory,
			      window_from(window, former_offset_bytes,
					  (size_t)(offset - former_offset_bytes)),
			      former_offset_bytes);
	else if (offset > former_offset_bytes)
		memory_set_tail(&reader->memory, window->bytes, (size_t)known);
	reader_keep_guard(reader,
			  (struct slice){window->bytes, position - window->at_bytes});
	fill_head(reader);
}

static enum reader_result read_block(struct reader *reader,
				     struct reader_buffer *buffer,
				     struct reader_output *output)
{
	uint64_t position = linecut_position(&reader->cut);
	uint64_t offset = reader->cut.offset_bytes;
	size_t guard = reader_guard(reader).len;
	enum reader_result result = READER_MORE;
	struct linecut_result lines;
	struct window window;

	if (!read_window(reader, buffer, position - guard, guard + buffer->block_bytes,
			 &window))
		return READER_FAILED;
	if (!guard_holds(reader, &window, position))
		return READER_CHANGED;
	if (reader->cut.encoding == ENCODING_UNKNOWN)
		find_encoding(reader, &window);
	lines = linecut_feed(&reader->cut,
			     window_from(&window, position, buffer->block_bytes),
			     buffer->line_bytes);
	if (lines.again_bytes > 0)
		result = read_again(reader, buffer, lines.again_bytes, &window, &lines);
	if (result != READER_MORE)
		return result;
	remember(reader, &window, offset);
	output->block.bytes =
		text_of(reader, buffer, lines.lines, lines.lines_at_bytes);
	output->block.offset_bytes = lines.lines_at_bytes;
	output->oversized_bytes = lines.oversized_bytes;
	/* Nothing where the size promised something: it is shrinking right now. */
	return window.count_bytes > guard ? READER_MORE : READER_END;
}

/*
 * A writer that does not append goes on at its old offset after a truncation:
 * what it leaves before that is a hole, or NULs: whole units of them.
 */
static bool skip_nuls(struct reader *reader, struct reader_buffer *buffer,
		      size_t unit_bytes)
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
	nuls -= nuls % unit_bytes;
	reader->cut.offset_bytes = reader->cut.scanned_bytes = at + nuls;
	return true;
}

static void begin_output(const struct reader *reader, struct reader_output *output)
{
	*output = (struct reader_output){.block = {.head = memory_head(&reader->memory),
						   .read_time_ns = clock_wall_ns(),
						   .mtime_ns = reader->mtime_ns}};
}

/* READER_END: what precedes the position is still there. */
static enum reader_result check_guard(struct reader *reader,
				      struct reader_buffer *buffer)
{
	uint64_t position = linecut_position(&reader->cut);
	size_t guard = reader_guard(reader).len;
	struct window window;

	if (guard == 0)
		return READER_END;
	if (!read_window(reader, buffer, position - guard, guard, &window))
		return READER_FAILED;
	return guard_holds(reader, &window, position) ? READER_END : READER_CHANGED;
}

static enum reader_result step_archive(struct reader *reader,
				       struct reader_buffer *buffer,
				       struct reader_output *output)
{
	uint64_t position = linecut_position(&reader->cut);
	enum reader_result result;

	switch (reader_reach(reader, buffer, position)) {
	case CONTENT_FAILED:
		return READER_FAILED;
	case CONTENT_LATER:
		return READER_MORE;
	case CONTENT_THERE:
		break;
	}
	if (reader->unverified && !verify_start(reader, buffer))
		return READER_FAILED;
	/* Until then the size was that of the file. */
	if (position == 0)
		reader->size_bytes = 0;
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
	if (!skip_nuls(reader, buffer, 1))
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

/* Of the unfinished line there is `line`, or nothing but the guard is at hand. */
static void end_line(struct reader *reader, struct slice line)
{
	uint64_t torn = linecut_torn_bytes(&reader->cut);
	struct slice guard = reader_guard(reader);

	if (line.len == torn)
		memory_append(&reader->memory, line, reader->cut.offset_bytes);
	else
		memory_set_tail(&reader->memory, guard.ptr, guard.len);
	linecut_end_line(&reader->cut);
	reader_keep_guard(reader, (struct slice){NULL, 0});
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
				text_of(reader, buffer,
					window_from(&window, cut->offset_bytes, torn),
					cut->offset_bytes);
			output->block.offset_bytes = cut->offset_bytes;
		}
	}
	end_line(reader, (struct slice){window.bytes, window.count_bytes});
	return READER_END;
}

/* A mark begins a text: no line goes on behind it. */
static bool begins_with_mark(struct slice bytes, uint64_t at_bytes)
{
	return at_bytes == 0 && encoding_mark_bytes(encoding_of(bytes)) > 0;
}

enum reader_result reader_join(struct reader *old, struct reader *reader,
			       struct reader_buffer *buffer,
			       struct reader_output *output)
{
	size_t torn = (size_t)linecut_torn_bytes(&old->cut);
	struct slice line = {buffer->bytes, torn}, rest = {buffer->bytes + torn, 0};
	const char *end;
	uint64_t at;
	ssize_t n;

	if (torn > buffer->line_bytes || old->cut.discard ||
	    !skip_nuls(reader, buffer, encoding_unit_bytes(old->cut.encoding)))
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
	line.len += (size_t)n;
	rest.len = (size_t)n;
	end = encoding_line_end(old->cut.encoding, line);
	if (begins_with_mark(rest, at) || (!end && line.len > buffer->line_bytes))
		return reader_finish(old, buffer, output), READER_MORE;
	if (!end)
		return READER_END;
	line.len = (size_t)(end - line.ptr);
	rest.len = line.len - torn;
	output->block.bytes = text_of(old, buffer, line, old->cut.offset_bytes);
	output->block.offset_bytes = old->cut.offset_bytes;
	end_line(old, (struct slice){line.ptr, torn});
	reader->cut.scanned_bytes = at + rest.len;
	end_line(reader, rest);
	fill_head(reader);
	reader_recall(reader);
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
	/* Many lines begin alike: a piece of one proves nothing. */
	if (count < sizeof(head) && !memchr(reader->memory.head, '\n', count))
		return false;
	return content_read_at(&reader->content, head, count, 0) == (ssize_t)count &&
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
	reader_go_to(reader, reader->size_bytes);
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
	reader_go_to(reader, reader->size_bytes);
	if (reader->unverified)
		verify_start(reader, buffer);
}
