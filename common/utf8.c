#include "common/utf8.h"

#include <stdint.h>
#include <string.h>

#define REPLACEMENT "\xEF\xBF\xBD"

/*
 * Length of the well-formed sequence at `s`, or minus the length of the
 * maximal ill-formed part there (at least 1).
 */
static int sequence(const unsigned char *s, size_t len)
{
	unsigned char low = 0x80, high = 0xBF;
	int need;

	if (s[0] < 0x80)
		return 1;
	if (s[0] < 0xC2 || s[0] > 0xF4)
		return -1;
	need = s[0] < 0xE0 ? 1 : s[0] < 0xF0 ? 2 : 3;
	if (s[0] == 0xE0)
		low = 0xA0;
	if (s[0] == 0xED)
		high = 0x9F;
	if (s[0] == 0xF0)
		low = 0x90;
	if (s[0] == 0xF4)
		high = 0x8F;
	for (int i = 1; i <= need; i++) {
		if ((size_t)i >= len || s[i] < low || s[i] > high)
			return -i;
		low = 0x80;
		high = 0xBF;
	}
	return need + 1;
}

static bool is_plain_ascii(const unsigned char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (s[i] == 0 || s[i] >= 0x80)
			return false;
	return true;
}

#define NOT_ASCII UINT64_C(0x8080808080808080)

/* How many bytes at the beginning are ASCII, whole words only. */
static size_t ascii_words(const unsigned char *s, size_t len)
{
	size_t i = 0;
	uint64_t word;

	for (; i + sizeof(word) <= len; i += sizeof(word)) {
		memcpy(&word, s + i, sizeof(word));
		if (word & NOT_ASCII)
			break;
	}
	return i;
}

bool utf8_is_valid(struct slice text)
{
	const unsigned char *s = (const unsigned char *)text.ptr;

	for (size_t i = ascii_words(s, text.len); i < text.len;) {
		int n = sequence(s + i, text.len - i);

		if (n < 0)
			return false;
		i += (size_t)n;
	}
	return true;
}

void utf8_add_valid(struct strbuf *out, struct slice text)
{
	const unsigned char *s = (const unsigned char *)text.ptr;

	if (is_plain_ascii(s, text.len)) {
		strbuf_add_slice(out, text);
		return;
	}
	for (size_t i = 0; i < text.len;) {
		int n = sequence(s + i, text.len - i);

		if (n < 0 || s[i] == '\0')
			strbuf_puts(out, REPLACEMENT);
		else
			strbuf_add(out, text.ptr + i, (size_t)n);
		i += (size_t)(n < 0 ? -n : n);
	}
}
