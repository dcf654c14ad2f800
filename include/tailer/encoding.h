/*
 * encoding.h - how a file's text is written: bytes as they are, or UTF-16.
 *
 * The byte order mark that the file begins with says so, and nothing else.
 * Knows nothing of files and offsets; the units of UTF-16 that it is given
 * begin where the slice does.
 */
#ifndef TAILER_ENCODING_H
#define TAILER_ENCODING_H

#include <stdbool.h>
#include <stddef.h>

#include "common/slice.h"

enum encoding {
	ENCODING_UNKNOWN, /* too little of the file is there; to be taken as bytes */
	ENCODING_BYTES,   /* no mark */
	ENCODING_UTF8,    /* bytes behind a mark */
	ENCODING_UTF16LE,
	ENCODING_UTF16BE,
};

/* The longest mark. */
#define ENCODING_MARK_BYTES 3

/* By the first bytes of a file, better ENCODING_MARK_BYTES or more. */
enum encoding encoding_of(struct slice beginning);
size_t encoding_mark_bytes(enum encoding encoding);

/* True of UTF-16, whose units are two bytes. */
static inline bool encoding_is_wide(enum encoding encoding)
{
	return encoding >= ENCODING_UTF16LE;
}

static inline size_t encoding_unit_bytes(enum encoding encoding)
{
	return encoding_is_wide(encoding) ? 2 : 1;
}

/* Behind the first newline, or behind the last; NULL: there is none. */
const char *encoding_line_end(enum encoding encoding, struct slice bytes);
const char *encoding_last_line_end(enum encoding encoding, struct slice bytes);
/* A newline stands at the end; the bytes need not begin with a whole unit. */
bool encoding_ends_line(enum encoding encoding, struct slice bytes);

/*
 * The text of `bytes` without the mark, if they are the beginning of the file:
 * a part of them, or UTF-8 in `*room`.  This has space for what `most_bytes`
 * may become, half as much again, and is allocated when it is first needed:
 * NULL before, freed by the caller, always with the same `most_bytes`.
 * Surrogates without their other half, and half a unit at the end, become
 * U+FFFD.
 */
struct slice encoding_text(enum encoding encoding, struct slice bytes,
			   bool is_beginning, char **room, size_t most_bytes);

#endif
