#include "parsers/logfmt.h"

#include <stdint.h>

#include "parsers/escapes.h"

static inline bool is_blank(char c)
{
	return (unsigned char)c <= ' ';
}

/* Behind the opening quote; moves *p behind the closing one. */
static bool read_quoted(const char **p, const char *end, struct format_value *value)
{
	const char *start = *p, *at = start;

	value->has_escapes = false;
	for (;;) {
		at = escapes_find(at, end);
		if (at == end)
			return false;
		if (*at == '"')
			break;
		value->has_escapes = true;
		if (end - at < 2)
			return false;
		at += 2;
	}
	value->text = (struct slice){start, (size_t)(at - start)};
	*p = at + 1;
	return *p == end || is_blank(**p);
}

static struct slice read_bare(const char **p, const char *end)
{
	const char *start = *p;

	while (*p < end && !is_blank(**p))
		(*p)++;
	return (struct slice){start, (size_t)(*p - start)};
}

static bool read_value(const char **p, const char *end, struct format_value *value)
{
	if (*p < end && **p == '"') {
		(*p)++;
		return read_quoted(p, end, value);
	}
	*value = (struct format_value){read_bare(p, end), false};
	return true;
}

static bool read_key(const char **p, const char *end, struct slice *key)
{
	const char *start = *p;

	while (*p < end && !is_blank(**p) && **p != '=' && **p != '"')
		(*p)++;
	*key = (struct slice){start, (size_t)(*p - start)};
	return key->len > 0 && (*p == end || **p != '"');
}

bool logfmt_read(struct slice text, const struct wanted *wanted,
		 struct format_value *values, size_t *at)
{
	const struct wanted_node *root = wanted_root(wanted), *node;
	const struct slice implied = slice_of(format_implied_value(FORMAT_LOGFMT));
	const char *p = text.ptr, *end = text.ptr + text.len;

	for (;;) {
		struct format_value value = {implied, false};
		struct slice key;

		while (p < end && is_blank(*p))
			p++;
		if (p == end)
			return true;
		*at = (size_t)(p - text.ptr);
		if (!read_key(&p, end, &key))
			return false;
		if (p < end && *p == '=') {
			p++;
			if (!read_value(&p, end, &value))
				return false;
		}
		node = wanted_child(root, key);
		if (node)
			values[node->leaf] = value;
	}
}

/* -- escapes -------------------------------------------------------------- */

/* The digits of \x, \u and \U. */
static int digits_of(char letter)
{
	switch (letter) {
	case 'x':
		return 2;
	case 'u':
		return 4;
	case 'U':
		return 8;
	default:
		return 0;
	}
}

static char *decode_number(char *out, char letter, const char **p, const char *end)
{
	uint32_t c;

	if (letter == 'u')
		return escapes_unicode(out, p, end);
	escapes_hex(*p, end, digits_of(letter), &c);
	*p += digits_of(letter);
	if (letter == 'U')
		return escapes_put(out, c);
	*out++ = (char)c;
	return out;
}

static char letter_of(char c)
{
	if (c == 'a')
		return '\a';
	return c == 'v' ? '\v' : escapes_letter(c);
}

/* `*p` is behind the backslash. */
static char *decode_escape(char *out, const char **p, const char *end)
{
	char letter = *(*p)++, byte = letter_of(letter);
	int digits = digits_of(letter);
	uint32_t ignored;

	if (byte) {
		*out++ = byte;
		return out;
	}
	if (digits > 0 && escapes_hex(*p, end, digits, &ignored))
		return decode_number(out, letter, p, end);
	*out++ = '\\';
	*out++ = letter;
	return out;
}

size_t logfmt_decode(struct slice text, char *out)
{
	return escapes_decode(text, out, decode_escape);
}
