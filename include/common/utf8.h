/*
 * utf8.h - well-formed UTF-8 (Unicode 15, table 3-7).
 */
#ifndef COMMON_UTF8_H
#define COMMON_UTF8_H

#include <stdbool.h>
#include <stddef.h>

#include "common/slice.h"
#include "common/strbuf.h"

/* No byte that a character begins with. */
static inline bool utf8_is_continuation(char c)
{
	return ((unsigned char)c & 0xC0) == 0x80;
}

/* True if every byte belongs to a well-formed sequence. */
bool utf8_is_valid(struct slice text);

/*
 * Appends `text`; each maximal ill-formed part, and each NUL, becomes one
 * U+FFFD.  Valid text without NUL is appended as it is.
 */
void utf8_add_valid(struct strbuf *out, struct slice text);

#endif
