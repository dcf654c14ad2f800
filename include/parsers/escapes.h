/*
 * escapes.h - what quoted texts of the formats have in common.
 */
#ifndef PARSERS_ESCAPES_H
#define PARSERS_ESCAPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/slice.h"

#define ESCAPES_ONES UINT64_C(0x0101010101010101)
#define ESCAPES_HIGHS UINT64_C(0x8080808080808080)

/* The high bit of each zero byte, and maybe of some above the first one. */
static inline uint64_t escapes_zero_bytes(uint64_t word)
{
	return (word - ESCAPES_ONES) & ~word & ESCAPES_HIGHS;
}

/* The first quote or backslash, or `end`. */
static inline const char *escapes_find(const char *p, const char *end)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	while (end - p >= 8) {
		uint64_t word, found;

		memcpy(&word, p, sizeof(word));
		found = escapes_zero_bytes(word ^ ESCAPES_ONES * '"') |
			escapes_zero_bytes(word ^ ESCAPES_ONES * '\\');
		if (found)
			return p + __builtin_ctzll(found) / 8;
		p += 8;
	}
#endif
	while (p < end && *p != '"' && *p != '\\')
		p++;
	return p;
}

/* The byte that JSON's one-letter escape stands for, or 0. */
char escapes_letter(char c);

/* Reads `digits` hexadecimal digits; false if there are not so many. */
bool escapes_hex(const char *p, const char *end, int digits, uint32_t *number);

/*
 * Writes the character of the \u before `*p`, which is moved behind its digits and, if
 * they are the first half of a surrogate pair, behind the second escape.
 */
char *escapes_unicode(char *out, const char **p, const char *end);

/* Writes the character in UTF-8; a surrogate, or what is none, becomes U+FFFD. */
char *escapes_put(char *out, uint32_t c);

/* Writes what the escape behind the backslash before `*p` means, and moves `*p` on. */
typedef char *escape_decoder(char *out, const char **p, const char *end);

/*
 * Writes the text with its escapes decoded, which must be whole; returns how many bytes
 * that are.  No escape may become longer: text.len bytes are enough.
 */
size_t escapes_decode(struct slice text, char *out, escape_decoder *decode);

#endif
