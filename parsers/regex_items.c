#include "parsers/regex_items.h"

#include <stdlib.h>

#include "common/utf8.h"
#include "common/xalloc.h"
#include "parsers/regex_code.h"

struct place {
	size_t at, len;
};

struct places {
	struct place *list;
	size_t count;
	bool foreign; /* a callout of the operator's own */
};

static int collect(pcre2_callout_enumerate_block *block, void *ctx)
{
	struct places *places = ctx;

	places->foreign |= block->callout_number != 255 || block->callout_string;
	places->list = xgrow(places->list, places->count, sizeof(*places->list));
	places->list[places->count++] =
		(struct place){block->pattern_position, block->next_item_length};
	return 0;
}

static int by_place(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	return x->at < y->at ? -1 : x->at > y->at;
}

/*
 * A repeated group is compiled several times, so its items come several times.
 * Together they must cover the pattern: then none is missing.
 */
static bool put_in_order(struct places *places, size_t pattern_len)
{
	size_t unique = 0;

	if (places->count == 0 || places->foreign)
		return false;
	qsort(places->list, places->count, sizeof(*places->list), by_place);
	for (size_t i = 0; i < places->count; i++) {
		const struct place *place = &places->list[i];
		const struct place *last = &places->list[unique > 0 ? unique - 1 : 0];

		if (i > 0 && last->at == place->at && last->len == place->len)
			continue;
		if (i > 0 && last->at + last->len != place->at)
			return false;
		places->list[unique++] = *place;
	}
	places->count = unique;
	return places->list[unique - 1].at == pattern_len;
}

/* -- what an item's text says --------------------------------------------- */

static struct slice from(struct slice text, size_t at)
{
	return (struct slice){text.ptr + at, text.len - at};
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

/* {n}, {n,} or {n,m}: its length, or 0. */
static size_t braces(struct slice text, bool *optional)
{
	size_t i = 1;
	bool zero = true;

	for (; i < text.len && is_digit(text.ptr[i]); i++)
		zero &= text.ptr[i] == '0';
	if (i == 1)
		return 0;
	if (i < text.len && text.ptr[i] == ',')
		for (i++; i < text.len && is_digit(text.ptr[i]);)
			i++;
	*optional = zero;
	return i < text.len && text.ptr[i] == '}' ? i + 1 : 0;
}

/* All of `text` must be a quantifier, or nothing. */
static bool read_quantifier(struct slice text, struct regex_item *item)
{
	size_t used = 1;

	if (text.len == 0)
		return true;
	item->repeated = true;
	if (text.ptr[0] == '*' || text.ptr[0] == '?')
		item->optional = true;
	else if (text.ptr[0] == '{')
		used = braces(text, &item->optional);
	else if (text.ptr[0] != '+')
		return false;
	text = from(text, used);
	return used > 0 &&
	       (text.len == 0 || slice_is(text, "?") || slice_is(text, "+"));
}

static size_t character_len(struct slice text)
{
	size_t len = 1;

	while (len < text.len && utf8_is_continuation(text.ptr[len]))
		len++;
	return len;
}

/* A character that stands for itself, as it is, escaped, or alone in a class. */
static size_t read_character(struct slice text, struct slice *character)
{
	char c = text.ptr[0];

	if (c == '[' && text.len >= 3 && text.ptr[2] == ']' &&
	    (is_letter(text.ptr[1]) || is_digit(text.ptr[1]) ||
	     strchr(".*+?|(){}$/\"'-", text.ptr[1]))) {
		*character = (struct slice){text.ptr + 1, 1};
		return text.ptr[1] ? 3 : 0;
	}
	if (c == '\\' && text.len >= 2 && (unsigned char)text.ptr[1] < 0x80 &&
	    !is_letter(text.ptr[1]) && !is_digit(text.ptr[1])) {
		*character = (struct slice){text.ptr + 1, 1};
		return 2;
	}
	if (c == '\\' && text.len >= 2 && text.ptr[1] == 't') {
		*character = slice_of("\t");
		return 2;
	}
	if (c && strchr("\\^$.[|()?*+", c))
		return 0;
	*character = (struct slice){text.ptr, character_len(text)};
	return character->len;
}

static bool is_line_end(char c)
{
	return c == '\n' || c == '\r';
}

static bool is_nothing(struct slice text)
{
	static const char *const nothings[] = {"^",   "$",   "\\b", "\\B",
					       "\\A", "\\Z", "\\z", "\\G"};

	for (size_t i = 0; i < sizeof(nothings) / sizeof(nothings[0]); i++)
		if (slice_is(text, nothings[i]))
			return true;
	return false;
}

/* Of "(?im-x)" and "(?i:", all behind the question mark. */
static bool read_options(struct slice text, struct regex_item *item)
{
	bool on = true;
	size_t i = 0;

	if (i < text.len && text.ptr[i] == '^') {
		item->sets_caseless = true;
		i++;
	}
	for (; i + 1 < text.len; i++) {
		if (text.ptr[i] == 'i') {
			item->sets_caseless = true;
			item->caseless = on;
		} else if (text.ptr[i] == '-' && on) {
			on = false;
		} else if (!memchr("mnsxJU", text.ptr[i], 6)) {
			return false;
		}
	}
	if (i + 1 != text.len || (text.ptr[i] != ')' && text.ptr[i] != ':'))
		return false;
	item->kind = text.ptr[i] == ')' ? ITEM_OPTIONS : ITEM_OPEN;
	return true;
}

/* "<name>" or "'name'". */
static bool is_name(struct slice text)
{
	char end = text.len > 0 && text.ptr[0] == '<' ? '>' : '\'';

	if (text.len < 3 || (text.ptr[0] != '<' && text.ptr[0] != '\'') ||
	    text.ptr[text.len - 1] != end)
		return false;
	for (size_t i = 1; i + 1 < text.len; i++)
		if (strchr("=!<>'()", text.ptr[i]))
			return false;
	return true;
}

static const struct {
	const char *text;
	enum item_kind kind;
} openings[] = {
	{"(", ITEM_OPEN},        {"(?:", ITEM_OPEN},       {"(?|", ITEM_OPEN},
	{"(?>", ITEM_OPEN},      {"(?=", ITEM_OPEN_LOOK},  {"(?<=", ITEM_OPEN_LOOK},
	{"(?!", ITEM_OPEN_DARK}, {"(?<!", ITEM_OPEN_DARK}, {"(?", ITEM_OPEN_DARK},
};

/* (?R) (?1) (?-1) (?&name) (?P>name) (?P=name), with a quantifier or without. */
static bool is_call(struct slice text)
{
	struct slice inner = from(text, 2);

	if (!memchr(text.ptr, ')', text.len))
		return false;
	if (inner.ptr[0] == '-' || inner.ptr[0] == '+')
		inner = from(inner, 1);
	return is_digit(inner.ptr[0]) || slice_starts(inner, "R)") ||
	       slice_starts(inner, "&") || slice_starts(inner, "P>") ||
	       slice_starts(inner, "P=");
}

static void read_group(struct slice text, struct regex_item *item)
{
	struct slice behind = text.len > 2 ? from(text, 2) : (struct slice){NULL, 0};

	for (size_t i = 0; i < sizeof(openings) / sizeof(openings[0]); i++) {
		if (slice_is(text, openings[i].text)) {
			item->kind = openings[i].kind;
			return;
		}
	}
	item->kind = ITEM_OPAQUE;
	if (!slice_starts(text, "(?"))
		return;
	if (is_name(behind) || (behind.ptr[0] == 'P' && is_name(from(behind, 1))))
		item->kind = ITEM_OPEN;
	else if (slice_starts(text, "(?(") && text.ptr[text.len - 1] == ')')
		item->kind = ITEM_OPEN_DARK; /* a condition */
	else if (is_call(text))
		item->kind = ITEM_OTHER;
	else
		read_options(behind, item);
}

/* Behind an item, (?x) leaves spaces and comments; elsewhere they are items. */
static struct slice without_space(struct slice text)
{
	while (text.len > 1 && strchr(" \t\n\r\f\v", text.ptr[text.len - 1]) &&
	       text.ptr[text.len - 1] && text.ptr[text.len - 2] != '\\')
		text.len--;
	return text;
}

static void read_text(struct slice text, struct regex_item *item)
{
	size_t used = read_character(text, &item->text);

	if (used == 0 || is_line_end(item->text.ptr[0]))
		return;
	item->kind = ITEM_TEXT;
	if (!read_quantifier(from(text, used), item))
		item->kind = ITEM_OTHER;
}

static bool has_quote(struct slice text)
{
	return memmem(text.ptr, text.len, "\\Q", 2) ||
	       memmem(text.ptr, text.len, "\\E", 2);
}

static void read_unquoted(struct slice text, struct regex_item *item)
{
	text = without_space(text);
	if (has_quote(text)) {
		item->kind = ITEM_OPAQUE;
	} else if (text.ptr[0] == '|') {
		item->kind = ITEM_BAR;
	} else if (text.ptr[0] == ')') {
		item->kind = ITEM_CLOSE;
		if (!read_quantifier(from(text, 1), item))
			item->optional = item->repeated = true;
	} else if (text.ptr[0] == '(') {
		read_group(text, item);
	} else if (is_nothing(text)) {
		item->kind = ITEM_NOTHING;
	} else {
		read_text(text, item);
	}
}

/* Between \Q and \E every character is itself; a \Q belongs to the item before it. */
static void read_item(struct slice text, bool *quoted, struct regex_item *item)
{
	size_t len = character_len(text);

	if (!*quoted) {
		*quoted = text.len > 2 && slice_ends(text, "\\Q");
		text.len -= *quoted ? 2 : 0;
		read_unquoted(text, item);
		if (*quoted && item->kind == ITEM_OTHER)
			item->kind = ITEM_OPAQUE;
		return;
	}
	item->kind = is_line_end(text.ptr[0]) ? ITEM_OTHER : ITEM_TEXT;
	item->text = (struct slice){text.ptr, len};
	*quoted = text.len == len;
	text = from(text, len);
	if (!*quoted && !slice_starts(text, "\\E"))
		item->kind = ITEM_OPAQUE;
	else if (!*quoted && !read_quantifier(from(text, 2), item))
		item->kind = ITEM_OPAQUE;
}

static bool read_all(struct slice pattern, const struct places *places,
		     void (*each)(void *ctx, const struct regex_item *item), void *ctx)
{
	struct slice before = {pattern.ptr, places->list[0].at};
	bool quoted = slice_is(before, "\\Q");

	if (before.len > 0 && !quoted)
		return false;
	for (size_t i = 0; i + 1 < places->count; i++) {
		struct place place = places->list[i];
		struct slice source = {pattern.ptr + place.at, place.len};
		struct regex_item item = {.kind = ITEM_OTHER, .source = source};

		read_item(source, &quoted, &item);
		if (item.kind == ITEM_OPAQUE)
			return false;
		each(ctx, &item);
	}
	return true;
}

bool regex_items(struct slice pattern,
		 void (*each)(void *ctx, const struct regex_item *item), void *ctx)
{
	struct places places = {NULL, 0, false};
	int error;
	size_t offset;
	pcre2_code *code = regex_code(pattern, PCRE2_AUTO_CALLOUT, &error, &offset);
	bool ok = code && pcre2_callout_enumerate(code, collect, &places) == 0 &&
		  put_in_order(&places, pattern.len) &&
		  read_all(pattern, &places, each, ctx);

	pcre2_code_free(code);
	free(places.list);
	return ok;
}
