/*
 * reader.h - one file: from its bytes to blocks of whole lines.
 *
 * Reads at a position of its own and sees to it that what lies before the
 * position is still what was read there: else the file was truncated and
 * written anew.  Knows nothing of names; the descriptor may be taken away
 * and given back at any time.
 */
#ifndef TAILER_READER_H
#define TAILER_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/block.h"

struct reader;

/* What one follower's readers share. */
struct reader_buffer;

/* Lines have at most `line_bytes`; a read takes at most `block_bytes`. */
struct reader_buffer *reader_buffer_create(size_t line_bytes, size_t block_bytes);
/*
 * The next reads take at most block_bytes divided by 2^halvings: for a file
 * whose lines take long.
 */
void reader_buffer_halve(struct reader_buffer *buffer, unsigned halvings);
void reader_buffer_destroy(struct reader_buffer *buffer); /* NULL is accepted */

enum reader_result {
	READER_MORE,         /* one block was read and there is more */
	READER_END,          /* all that there is was read */
	READER_STARTED_OVER, /* the file was truncated: the position is 0 again */
	READER_FAILED,       /* errno says why; nothing has moved */
};

struct reader_output {
	struct block block; /* may be empty; borrowed until the buffer's next use */
	uint64_t oversized_bytes; /* of a line that was passed over, or 0 */
	uint64_t lost_bytes;      /* that were there and went unread, or 0 */
};

/*
 * Without a descriptor.  Starts at `start_bytes`, passing over the rest of
 * the line that this cuts.  Size and time are what is known of the file so far.
 */
struct reader *reader_create(uint64_t start_bytes, uint64_t size_bytes,
			     int64_t mtime_ns);
/* Closes the descriptor.  NULL is accepted. */
void reader_destroy(struct reader *reader);

/* The reader owns `fd` from now on; it has none so far. */
void reader_open(struct reader *reader, int fd);
void reader_close(struct reader *reader);
bool reader_is_open(const struct reader *reader);

/* Reads at most one block.  The reader is open. */
enum reader_result reader_step(struct reader *reader, struct reader_buffer *buffer,
			       struct reader_output *output);

/*
 * The file is finished and at its end: what stands after the last newline
 * counts as a line.  The reader is open.  READER_END or READER_FAILED.
 */
enum reader_result reader_finish(struct reader *reader, struct reader_buffer *buffer,
				 struct reader_output *output);

/* Asks the file for its size and links; false with errno set on failure. */
bool reader_refresh(struct reader *reader);

/* As of the last step or refresh. */
uint64_t reader_size_bytes(const struct reader *reader);
int64_t reader_mtime_ns(const struct reader *reader);
/* True if the file has no name any more. */
bool reader_is_deleted(const struct reader *reader);

/* Where the first line begins that was not handed up. */
uint64_t reader_offset_bytes(const struct reader *reader);
/* How far it was read: beyond the offset while a line is unfinished. */
uint64_t reader_position_bytes(const struct reader *reader);

/* The descriptor, for asking about the file; -1: closed. */
int reader_fd(const struct reader *reader);

#endif
