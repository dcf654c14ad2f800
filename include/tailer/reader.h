/*
 * reader.h - one file: from its bytes to blocks of whole lines.
 *
 * Reads at a position of its own and sees to it that what lies before the
 * position is still what was read there.  Remembers the first bytes and those
 * before the offset, so that it knows a copy of what it has read.  Knows
 * nothing of names; the descriptor may be taken away and given back at any
 * time.  An archive (archive.h) is read as its content.
 *
 * A byte order mark (encoding.h) at the start of a file is left out of what is
 * handed up, and UTF-16 becomes UTF-8.  Positions, memory and the limit of a
 * line stay those of the bytes in the file.
 */
#ifndef TAILER_READER_H
#define TAILER_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/block.h"
#include "tailer/checkpoint.h"

struct reader;

/* What one follower's readers share. */
struct reader_buffer;

/*
 * A line and its newline have at most `line_bytes` + 1; a read takes at most
 * `block_bytes`.
 */
struct reader_buffer *reader_buffer_create(size_t line_bytes, size_t block_bytes);
/*
 * The next reads take at most block_bytes divided by 2^halvings: for a file
 * whose lines take long.
 */
void reader_buffer_halve(struct reader_buffer *buffer, unsigned halvings);
void reader_buffer_destroy(struct reader_buffer *buffer); /* NULL is accepted */

enum reader_result {
	READER_MORE,    /* there is more; one block was read, or an archive unpacked
			   a little further */
	READER_END,     /* all that there is was read */
	READER_CHANGED, /* what precedes the position is not what was read there;
			   nothing has moved */
	READER_FAILED,  /* errno says why, EBADMSG: a damaged archive; nothing has moved
			 */
};

struct reader_output {
	struct block block; /* may be empty; borrowed until the buffer's next use */
	uint64_t oversized_bytes; /* of a line that was passed over, or 0 */
};

/*
 * Without a descriptor.  Goes on at the offset of `from`; where that has no
 * guard, it passes over the rest of the line that the offset cuts.
 */
struct reader *reader_create(const struct checkpoint *from);
/* Closes the descriptor.  NULL is accepted. */
void reader_destroy(struct reader *reader);

/* Fills in offset, size, time, head and guard. */
void reader_checkpoint(const struct reader *reader, struct checkpoint *checkpoint);

/* The reader owns `fd` from now on; it has none so far. */
void reader_open(struct reader *reader, int fd);
void reader_close(struct reader *reader);
bool reader_is_open(const struct reader *reader);
/* The descriptor, which is the caller's from now on; -1: it was closed. */
int reader_take_fd(struct reader *reader);

/* Reads at most one block.  The reader is open. */
enum reader_result reader_step(struct reader *reader, struct reader_buffer *buffer,
			       struct reader_output *output);

/*
 * The file is finished and at its end: what stands after the last newline
 * counts as a line.  The reader is open.  READER_END or READER_FAILED.
 */
enum reader_result reader_finish(struct reader *reader, struct reader_buffer *buffer,
				 struct reader_output *output);

/*
 * The unfinished line of `old`, which is open and at its end, goes on at the
 * start of `reader`: hands that line up once its newline is there.  READER_MORE:
 * it was, and `old` is done; READER_END: it is still missing.  Behind a byte order
 * mark no line goes on: then `old` ends as by reader_finish().
 */
enum reader_result reader_join(struct reader *old, struct reader *reader,
			       struct reader_buffer *buffer,
			       struct reader_output *output);

/*
 * After READER_CHANGED: the file begins as it did and is not empty, but ends
 * before the offset.
 */
bool reader_has_lost_its_end(struct reader *reader);
/* Goes on at the end of such a file; returns the bytes that have vanished. */
uint64_t reader_accept_lost_end(struct reader *reader);

/*
 * The file starts over: the reader begins anew with its descriptor.  Returns
 * the memory of what was read, without a descriptor; the caller's.
 */
struct reader *reader_start_over(struct reader *reader);

/* Asks the file for its size and links; false with errno set on failure. */
bool reader_refresh(struct reader *reader);

/* READER_END: what was read is still there.  READER_CHANGED, READER_FAILED. */
enum reader_result reader_verify(struct reader *reader, struct reader_buffer *buffer);

/* Counts all that is there as read; the reader is open. */
void reader_skip_to_end(struct reader *reader, struct reader_buffer *buffer);

enum reader_match {
	MATCH_NO,
	MATCH_YES,
	MATCH_SHORT, /* it ends before that, and begins alike */
	MATCH_LATER, /* an archive must be unpacked further: ask again */
	MATCH_FAILED /* errno says why */
};

/*
 * Before the questions below: sees how the file begins.  MATCH_NO: it is
 * empty.  MATCH_YES, MATCH_LATER, MATCH_FAILED.
 */
enum reader_match reader_prepare(struct reader *reader, struct reader_buffer *buffer);
/* Likewise, of what `other`, an open plain file, begins with now. */
bool reader_begins_as(const struct reader *reader, struct reader *other);
/* After reader_prepare() of both: as far as both go. */
bool reader_began_alike(const struct reader *reader, const struct reader *other);
/* After reader_prepare(): all there is is the short beginning of one line. */
bool reader_is_fragment(const struct reader *reader);
/* It may begin otherwise by now. */
void reader_forget_beginning(struct reader *reader);
bool reader_begins_like(const struct reader *reader, const struct reader *known);

/*
 * Does the file hold, up to the offset of `known`, what that has read?  Of an
 * archive ask in the order of ascending offsets: going back is slow.
 */
enum reader_match reader_match(struct reader *reader, const struct reader *known,
			       struct reader_buffer *buffer);
/*
 * Both are open, plain files: are the first and the last bytes of `reader` at
 * the same places of `other`?
 */
bool reader_is_beginning_of(struct reader *reader, struct reader *other);
/*
 * `reader` is an archive that was unpacked to its end: do its last bytes stand
 * at the same place of `other`, an open file?
 */
bool reader_end_stands_in(struct reader *reader, struct reader *other);
/* The file has more than `at_bytes`.  MATCH_YES, MATCH_NO, MATCH_FAILED. */
enum reader_match reader_reaches_beyond(struct reader *reader, uint64_t at_bytes);
/* What the file says of its content's size agrees with `bytes`. */
bool reader_size_is(struct reader *reader, uint64_t bytes);

/*
 * What was read last tells this file from others: not the same line again and
 * again.
 */
bool reader_is_telling(const struct reader *reader);
/* What was read is the short beginning of one line: many lines begin so. */
bool reader_knows_fragment(const struct reader *reader);

bool reader_is_archive(const struct reader *reader);
/* Nothing of it was read, or is known. */
bool reader_is_new(const struct reader *reader);
/* No line of it was handed up. */
bool reader_is_fresh(const struct reader *reader);

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
