#include "parsers/escapes.h"

char escapes_letter(char c)
{
	static const char letters[] = "\"\\/bfnrt", bytes[] = "\"\\/\b\f\n\r\t";
	const char *found = c ? strchr(letters, c) : NULL;

	return found ? bytes[found - letters] : '\0';
}

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool escapes_hex(const char *p, const char *end, int digits, uint32_t *number)
{
	*number = 0;
	if (end - p < digits)
		return false;
	for (int i = 0; i < digits; i++) {
		int digit = digit_of(p[i]);

		if (digit < 0)
			return false;
		*number = *number << 4 | (uint32_t)digit;
	}
	return true;
}

char *escapes_put(char *out, uint32_t c)
{
	if (c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF))
		c = 0xFFFD;
	if (c < 0x80) {
		*out++ = (char)c;
		return out;
	}
	if (c < 0x800) {
		*out++ = (char)(0xC0 | c >> 6);
	} else if (c < 0x10000) {
		*out++ = (char)(0xE0 | c >> 12);
		*out++ = (char)(0x80 | (c >> 6 & 0x3F));
	} else {
		*out++ = (char)(0xF0 | c >> 18);
		*out++ = (char)(0x80 | (c >> 12 & 0x3F));
		*out++ = (char)(0x80 | (c >> 6 & 0x3F));
	}
	*out++ = (char)(0x80 | (c & 0x3F));
	return out;
}

char *escapes_unicode(char *out, const char **p, const char *end)
{
	uint32_t c, low;

	escapes_hex(*p, end, 4, &c);
	*p += 4;
	if (c >= 0xD800 && c <= 0xDBFF && end - *p >= 6 && (*p)[0] == '\\' &&
	    (*p)[1] == 'u' && escapes_hex(*p + 2, end, 4, &low) && low >= 0xDC00 &&
	    low <= 0xDFFF) {
		c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
		*p += 6;
	}
	return escapes_put(out, c);
}

size_t escapes_decode(struct slice text, char *out, escape_decoder *decode)
{
	const char *p = text.ptr, *end = text.ptr + text.len;
	char *start = out;

	while (p < end) {
		const char *escape = memchr(p, '\\', (size_t)(end - p));
		size_t plain = (size_t)((escape ? escape : end) - p);

		memcpy(out, p, plain);
		out += plain;
		if (!escape)
			break;
		p = escape + 1;
		out = decode(out, &p, end);
	}
	return (size_t)(out - start);
}
