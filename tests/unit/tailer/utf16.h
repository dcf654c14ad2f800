/*
 * utf16.h - text as a file in UTF-16 has it.
 */
#ifndef TESTS_UNIT_TAILER_UTF16_H
#define TESTS_UNIT_TAILER_UTF16_H

#include <stdbool.h>
#include <uchar.h>

#include "common/strbuf.h"

#define MARK u"\xFEFF"

static inline void add_utf16(struct strbuf *out, bool big_endian, const char16_t *units)
{
	for (; *units; units++) {
		char high = (char)(*units >> 8), low = (char)*units;

		strbuf_add(out, big_endian ? &high : &low, 1);
		strbuf_add(out, big_endian ? &low : &high, 1);
	}
}

#endif
