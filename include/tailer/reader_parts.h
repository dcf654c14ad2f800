/*
 * reader_parts.h - what the files of the reader share, and nobody else.
 */
#ifndef TAILER_READER_PARTS_H
#define TAILER_READER_PARTS_H

#include "tailer/content.h"
#include "tailer/linecut.h"
#include "tailer/memory.h"
#include "tailer/reader.h"

/* Bytes before the position that are read again to see whether they changed. */
#define GUARD_BYTES 64

struct reader_buffer {
	size_t line_bytes;
	size_t most_bytes;  /* of a block: at most line_bytes + 1 */
	size_t block_bytes; /* at most that */
	unsigned unpacked;
	char *decoded; /* the text of a block of UTF-16, once there was one */
	char bytes[];  /* a guard, then the longest line and its newline */
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
	char *torn_guard; /* as reader_guard(), while a line is unfinished; or NULL */
	char *beginning;  /* what the file begins with, once it was asked */
	unsigned char torn_guard_bytes;
	unsigned char beginning_bytes;
	bool deleted;
	bool unverified; /* created in mid-file: the byte before was not looked at */
	struct memory memory; /* what precedes the offset, and the first bytes */
};

/*
 * What precedes the position, at most GUARD_BYTES.  Without an unfinished line that
 * is what is remembered of the bytes before the offset.
 */
struct slice reader_guard(const struct reader *reader);
/* `before` ends at the position. */
void reader_keep_guard(struct reader *reader, struct slice before);

/* What precedes the place is not known any more. */
void reader_go_to(struct reader *reader, uint64_t at_bytes);

/* What was read of a file that it goes on in says how. */
void reader_recall(struct reader *reader);
/* By the guard: the offset may lie in the middle of a line. */
void reader_know_start(struct reader *reader);

/*
 * An archive is unpacked up to there, a little at a time, and few archives at
 * once.
 */
enum content_reach reader_reach(struct reader *reader, struct reader_buffer *buffer,
				uint64_t at_bytes);

#endif
