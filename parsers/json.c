#include "parsers/json.h"

#include <stdint.h>

#include "parsers/escapes.h"

/* Every function moves `p` behind what it reads; or returns false, `p` at what is bad.
 */
struct reader {
	const char *p, *end;
	struct format_value *values;
	struct strbuf *key;
	unsigned depth;
};

static bool read_value(struct reader *r, const struct wanted_node *node);

static inline void skip_blanks(struct reader *r)
{
	while (r->p < r->end &&
	       (*r->p == ' ' || *r->p == '\t' || *r->p == '\n' || *r->p == '\r'))
		r->p++;
}

static inline bool next_is(struct reader *r, char c)
{
	if (r->p == r->end || *r->p != c)
		return false;
	r->p++;
	return true;
}

/* -- strings -------------------------------------------------------------- */

/* Behind the backslash. */
static bool read_escape(struct reader *r)
{
	uint32_t ignored;

	if (r->p == r->end)
		return false;
	if (*r->p == 'u') {
		if (!escapes_hex(r->p + 1, r->end, 4, &ignored))
			return false;
		r->p += 5;
		return true;
	}
	if (escapes_letter(*r->p) == '\0')
		return false;
	r->p++;
	return true;
}

/* Behind the opening quote. */
static bool read_string(struct reader *r, struct format_value *value)
{
	const char *start = r->p;

	value->has_escapes = false;
	for (;;) {
		r->p = escapes_find(r->p, r->end);
		if (r->p == r->end)
			return false;
		if (*r->p++ == '"')
			break;
		value->has_escapes = true;
		if (!read_escape(r))
			return false;
	}
	value->text = (struct slice){start, (size_t)(r->p - 1 - start)};
	return true;
}

static char *decode_escape(char *out, const char **p, const char *end)
{
	char letter = *(*p)++;

	if (letter == 'u')
		return escapes_unicode(out, p, end);
	*out++ = escapes_letter(letter);
	return out;
}

size_t json_decode(struct slice text, char *out)
{
	return escapes_decode(text, out, decode_escape);
}

/* -- numbers and words ---------------------------------------------------- */

static bool read_word(struct reader *r, const char *word)
{
	size_t len = strlen(word);

	if ((size_t)(r->end - r->p) < len || memcmp(r->p, word, len) != 0)
		return false;
	r->p += len;
	return true;
}

static inline bool is_digit(const struct reader *r)
{
	return r->p < r->end && *r->p >= '0' && *r->p <= '9';
}

static bool read_digits(struct reader *r)
{
	if (!is_digit(r))
		return false;
	while (is_digit(r))
		r->p++;
	return true;
}

static bool read_number(struct reader *r)
{
	if (next_is(r, '-') && r->p < r->end && *r->p == 'I')
		return read_word(r, "Infinity");
	if (!next_is(r, '0') && !read_digits(r))
		return false;
	if (next_is(r, '.') && !read_digits(r))
		return false;
	if (r->p == r->end || (*r->p | 0x20) != 'e')
		return true;
	r->p++;
	if (r->p < r->end && (*r->p == '+' || *r->p == '-'))
		r->p++;
	return read_digits(r);
}

/* -- objects and arrays --------------------------------------------------- */

static const struct wanted_node *node_of_key(struct reader *r,
					     const struct wanted_node *node,
					     const struct format_value *key)
{
	struct slice text = key->text;

	if (key->has_escapes) {
		strbuf_clear(r->key);
		text.ptr = strbuf_room(r->key, text.len);
		text.len = json_decode(key->text, r->key->ptr);
	}
	return wanted_child(node, text);
}

/* Behind the brace. */
static bool read_object(struct reader *r, const struct wanted_node *node)
{
	struct format_value key;

	skip_blanks(r);
	if (next_is(r, '}'))
		return true;
	for (;;) {
		if (!next_is(r, '"') || !read_string(r, &key))
			return false;
		skip_blanks(r);
		if (!next_is(r, ':'))
			return false;
		if (!read_value(r, node ? node_of_key(r, node, &key) : NULL))
			return false;
		skip_blanks(r);
		if (!next_is(r, ','))
			return next_is(r, '}');
		skip_blanks(r);
	}
}

static const struct wanted_node *node_of_index(const struct wanted_node *node,
					       size_t index)
{
	char digits[20], *p = digits + sizeof(digits);

	do {
		*--p = (char)('0' + index % 10);
		index /= 10;
	} while (index > 0);
	return wanted_child(node,
			    (struct slice){p, (size_t)(digits + sizeof(digits) - p)});
}

/* Behind the bracket. */
static bool read_array(struct reader *r, const struct wanted_node *node)
{
	skip_blanks(r);
	if (next_is(r, ']'))
		return true;
	for (size_t i = 0;; i++) {
		bool is_wanted = node && i < node->end_index;

		if (!read_value(r, is_wanted ? node_of_index(node, i) : NULL))
			return false;
		skip_blanks(r);
		if (!next_is(r, ','))
			return next_is(r, ']');
	}
}

static bool read_nested(struct reader *r, const struct wanted_node *node)
{
	bool ok;

	if (r->depth == JSON_MAX_DEPTH)
		return false;
	r->depth++;
	ok = *r->p++ == '{' ? read_object(r, node) : read_array(r, node);
	r->depth--;
	return ok;
}

/* -- values --------------------------------------------------------------- */

/* null is missing. */
static bool read_any(struct reader *r, const struct wanted_node *node,
		     struct format_value *value)
{
	const char *start = r->p;
	bool ok;

	switch (*start) {
	case '"':
		r->p++;
		return read_string(r, value);
	case '{':
	case '[':
		ok = read_nested(r, node);
		break;
	case 't':
		ok = read_word(r, "true");
		break;
	case 'f':
		ok = read_word(r, "false");
		break;
	case 'N':
		ok = read_word(r, "NaN");
		break;
	case 'I':
		ok = read_word(r, "Infinity");
		break;
	case 'n':
		return read_word(r, "null");
	default:
		ok = read_number(r);
	}
	value->text = (struct slice){start, (size_t)(r->p - start)};
	return ok;
}

/* What an earlier value of the same key left is forgotten. */
static bool read_value(struct reader *r, const struct wanted_node *node)
{
	struct format_value value = {{NULL, 0}, false};

	skip_blanks(r);
	if (r->p == r->end)
		return false;
	if (!node)
		return read_any(r, NULL, &value);
	for (size_t i = node->first_leaf; i < node->end_leaf; i++)
		r->values[i].text.ptr = NULL;
	if (!read_any(r, node->children ? node : NULL, &value))
		return false;
	if (node->leaf != WANTED_NO_LEAF)
		r->values[node->leaf] = value;
	return true;
}

bool json_read(struct slice text, const struct wanted *wanted,
	       struct format_value *values, struct strbuf *key, size_t *at)
{
	struct reader r = {.p = text.ptr,
			   .end = text.ptr + text.len,
			   .values = values,
			   .key = key};
	bool ok;

	skip_blanks(&r);
	if (r.p == r.end)
		return true;
	ok = *r.p == '{' && read_nested(&r, wanted_root(wanted));
	if (ok)
		skip_blanks(&r);
	*at = (size_t)(r.p - text.ptr);
	return ok && r.p == r.end;
}
