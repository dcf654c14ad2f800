/*
 * linecut.h - where the lines of a growing file begin and end.
 *
 * Keeps positions, not bytes: a line that is still being written is read
 * again once its newline is there.  Knows nothing of files: the caller reads
 * at linecut_position() and feeds what it got.
 *
 * A line over the limit is passed over whole, never split: half a line would
 * match a rule that it should not.
 *
 * In UTF-16 a newline is a unit, two bytes at an even offset of the file; what
 * counts against the limit is the bytes in the file, the second one of the
 * newline too.  Half a unit at the end is part of the unfinished line.
 */
#ifndef TAILER_LINECUT_H
#define TAILER_LINECUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/slice.h"
#include "tailer/encoding.h"

/* All zero: at the start of a file. */
struct linecut {
	uint64_t offset_bytes;  /* where the first unfinished line begins */
	uint64_t scanned_bytes; /* from there to here is no newline */
	bool discard;           /* that line lacks its beginning: it counts nowhere */
	char half;              /* the byte before the position, if that cuts a unit */
	enum encoding encoding; /* the caller's: set as soon as it is known */
};

struct linecut_result {
	struct slice lines;       /* whole lines; empty if there are none */
	uint64_t lines_at_bytes;  /* where they begin */
	uint64_t oversized_bytes; /* of a line passed over, with its newline; or 0 */
	/*
	 * Not 0: the torn line is complete now.  Nothing has moved: call
	 * linecut_rewind() and feed at least so many bytes from there.
	 */
	size_t again_bytes;
};

/* The next bytes are wanted from here. */
static inline uint64_t linecut_position(const struct linecut *cut)
{
	return cut->scanned_bytes;
}

/* Bytes of the unfinished line that have been seen. */
static inline uint64_t linecut_torn_bytes(const struct linecut *cut)
{
	return cut->scanned_bytes - cut->offset_bytes;
}

/*
 * Takes the bytes at linecut_position(), at most line_bytes + 1 of them.  The
 * lines are borrowed from `bytes`.  What follows the last newline is wanted
 * again, together with what comes after it.
 */
struct linecut_result linecut_feed(struct linecut *cut, struct slice bytes,
				   size_t line_bytes);

/* Back to where the unfinished line begins. */
void linecut_rewind(struct linecut *cut);

/* The unfinished line counts as ended: the next begins at the position. */
void linecut_end_line(struct linecut *cut);

#endif
