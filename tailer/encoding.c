#include "tailer/encoding.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "common/xalloc.h"

#define REPLACEMENT 0xFFFD

static const struct {
	const char *mark;
	size_t mark_bytes;
} encodings[] = {
	[ENCODING_UNKNOWN] = {"", 0},          [ENCODING_BYTES] = {"", 0},
	[ENCODING_UTF8] = {"\xEF\xBB\xBF", 3}, [ENCODING_UTF16LE] = {"\xFF\xFE", 2},
	[ENCODING_UTF16BE] = {"\xFE\xFF", 2},
};

enum encoding encoding_of(struct slice beginning)
{
	if (beginning.len == 0)
		return ENCODING_UNKNOWN;
	for (int e = ENCODING_UTF8; e <= ENCODING_UTF16BE; e++) {
		size_t mark_bytes = encodings[e].mark_bytes;
		bool whole = beginning.len >= mark_bytes;

		if (memcmp(beginning.ptr, encodings[e].mark,
			   whole ? mark_bytes : beginning.len) == 0)
			return whole ? (enum encoding)e : ENCODING_UNKNOWN;
	}
	return ENCODING_BYTES;
}

size_t encoding_mark_bytes(enum encoding encoding)
{
	return encodings[encoding].mark_bytes;
}

/* ---- line ends ---- */

static uint32_t unit_at(enum encoding encoding, const char *at)
{
	unsigned char first = (unsigned char)at[0], second = (unsigned char)at[1];

	return encoding == ENCODING_UTF16LE ? (uint32_t)(second << 8 | first)
					    : (uint32_t)(first << 8 | second);
}

/* Behind the unit that has this byte, if that is a newline. */
static const char *newline_with(enum encoding encoding, struct slice bytes,
				const char *byte)
{
	size_t unit = (size_t)(byte - bytes.ptr) & ~(size_t)1;

	return unit + 2 <= bytes.len && unit_at(encoding, bytes.ptr + unit) == '\n'
		       ? bytes.ptr + unit + 2
		       : NULL;
}

const char *encoding_line_end(enum encoding encoding, struct slice bytes)
{
	const char *end = bytes.ptr + bytes.len, *from = bytes.ptr, *byte;

	while ((byte = memchr(from, '\n', (size_t)(end - from)))) {
		const char *behind = byte + 1;

		if (encoding_is_wide(encoding))
			behind = newline_with(encoding, bytes, byte);
		if (behind)
			return behind;
		from = byte + 1;
	}
	return NULL;
}

const char *encoding_last_line_end(enum encoding encoding, struct slice bytes)
{
	size_t len = bytes.len;
	const char *byte;

	while ((byte = memrchr(bytes.ptr, '\n', len))) {
		const char *behind = byte + 1;

		if (encoding_is_wide(encoding))
			behind = newline_with(encoding, bytes, byte);
		if (behind)
			return behind;
		len = (size_t)(byte - bytes.ptr);
	}
	return NULL;
}

bool encoding_ends_line(enum encoding encoding, struct slice bytes)
{
	size_t unit_bytes = encoding_unit_bytes(encoding);

	if (bytes.len < unit_bytes)
		return false;
	bytes.ptr += bytes.len - unit_bytes;
	bytes.len = unit_bytes;
	return encoding_line_end(encoding, bytes) != NULL;
}

/* ---- text ---- */

static char *put_utf8(char *out, uint32_t c)
{
	static const unsigned char lead[] = {0, 0xC0, 0xE0, 0xF0};
	int more = c < 0x80 ? 0 : c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;

	*out++ = (char)(lead[more] | c >> (6 * more));
	while (more-- > 0)
		*out++ = (char)(0x80 | (c >> (6 * more) & 0x3F));
	return out;
}

static bool is_surrogate(uint32_t unit, uint32_t first)
{
	return unit >= first && unit < first + 0x400;
}

/* The character at `*at`, which goes on behind it. */
static uint32_t next_character(enum encoding encoding, const char **at, const char *end)
{
	uint32_t high = unit_at(encoding, *at), low;

	*at += 2;
	if (!is_surrogate(high, 0xD800))
		return is_surrogate(high, 0xDC00) ? REPLACEMENT : high;
	low = end - *at >= 2 ? unit_at(encoding, *at) : 0;
	if (!is_surrogate(low, 0xDC00))
		return REPLACEMENT;
	*at += 2;
	return 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
}

static size_t decode(enum encoding encoding, struct slice units, char *to)
{
	const char *at = units.ptr, *end = at + units.len;
	char *out = to;

	while (end - at >= 2)
		out = put_utf8(out, next_character(encoding, &at, end));
	if (at < end)
		out = put_utf8(out, REPLACEMENT);
	return (size_t)(out - to);
}

struct slice encoding_text(enum encoding encoding, struct slice bytes,
			   bool is_beginning, char **room, size_t most_bytes)
{
	size_t mark_bytes = is_beginning ? encoding_mark_bytes(encoding) : 0;

	if (mark_bytes > bytes.len)
		mark_bytes = bytes.len;
	bytes.ptr += mark_bytes;
	bytes.len -= mark_bytes;
	if (!encoding_is_wide(encoding))
		return bytes;
	assert(bytes.len <= most_bytes);
	if (!*room) /* a unit becomes three bytes at most, and so does half of one */
		*room = xmalloc((most_bytes + 1) / 2 * 3);
	return (struct slice){*room, decode(encoding, bytes, *room)};
}
