#include "parsers/envelope_json.h"

#include <stdint.h>

#include "parsers/escapes.h"
#include "parsers/json.h"

static void skip_spaces(struct slice *rest)
{
	while (rest->len > 0 && (rest->ptr[0] == ' ' || rest->ptr[0] == '\t' ||
				 rest->ptr[0] == '\r' || rest->ptr[0] == '\n')) {
		rest->ptr++;
		rest->len--;
	}
}

bool json_take(struct slice *rest, char c)
{
	skip_spaces(rest);
	if (rest->len == 0 || rest->ptr[0] != c)
		return false;
	rest->ptr++;
	rest->len--;
	return true;
}

bool json_at_end(struct slice *rest)
{
	skip_spaces(rest);
	return rest->len == 0;
}

bool json_take_raw(struct slice *rest, struct slice *raw)
{
	const char *start, *p, *end = rest->ptr + rest->len;

	if (!json_take(rest, '"'))
		return false;
	start = p = rest->ptr;
	while ((p = escapes_find(p, end)) < end) {
		if (*p == '"') {
			*raw = (struct slice){start, (size_t)(p - start)};
			*rest = (struct slice){p + 1, (size_t)(end - p - 1)};
			return true;
		}
		p = end - p > 2 ? p + 2 : end;
	}
	return false;
}

/* A number or a word. */
static bool pass_over_plain(struct slice *rest)
{
	size_t n = 0;

	while (n < rest->len && !memchr(",]} \t\r\n", rest->ptr[n], 7))
		n++;
	rest->ptr += n;
	rest->len -= n;
	return n > 0;
}

bool json_pass_over(struct slice *rest)
{
	size_t depth = 0;
	struct slice unused;

	do {
		skip_spaces(rest);
		if (rest->len == 0)
			return false;
		if (rest->ptr[0] == '"') {
			if (!json_take_raw(rest, &unused))
				return false;
		} else if (json_take(rest, '{') || json_take(rest, '[')) {
			depth++;
		} else if (depth > 0 &&
			   (json_take(rest, '}') || json_take(rest, ']'))) {
			depth--;
		} else if (depth == 0 ||
			   (!json_take(rest, ',') && !json_take(rest, ':'))) {
			if (!pass_over_plain(rest))
				return false;
		}
	} while (depth > 0);
	return true;
}

/* -- strings -------------------------------------------------------------- */

static bool are_escapes_sound(struct slice raw)
{
	const char *end = raw.ptr + raw.len;
	uint32_t unused;

	for (const char *p = raw.ptr; (p = memchr(p, '\\', (size_t)(end - p)));) {
		if (p + 1 == end || (p[1] == 'u' ? !escapes_hex(p + 2, end, 4, &unused)
						 : escapes_letter(p[1]) == '\0'))
			return false;
		p += 2;
	}
	return true;
}

bool json_decode_raw(struct slice raw, struct strbuf *out)
{
	if (!are_escapes_sound(raw))
		return false;
	out->len += json_decode(raw, strbuf_room(out, raw.len));
	return true;
}
