#include "parsers/literal_set.h"

#include "parsers/rarity.h"

/* Alternatives behind one another multiply: few are enough. */
#define MOST_PRODUCTS 8

void set_start(struct literal_set *set)
{
	set->count = 1;
	set->texts[0].len = 0;
	set->texts[0].caseless = false;
}

static bool has_room(const struct literal_set *set, size_t len)
{
	for (size_t i = 0; i < set->count; i++)
		if (set->texts[i].len + len > LITERAL_MAX_BYTES)
			return false;
	return true;
}

static void append(struct set_text *text, const char *bytes, size_t len, bool caseless)
{
	memcpy(text->bytes + text->len, bytes, len);
	text->len += len;
	text->caseless |= caseless;
}

bool set_append(struct literal_set *set, const char *bytes, size_t len, bool caseless)
{
	if (!has_room(set, len))
		return false;
	for (size_t i = 0; i < set->count; i++)
		append(&set->texts[i], bytes, len, caseless);
	return true;
}

bool set_append_all(struct literal_set *set, const struct literal_set *tails)
{
	struct literal_set all = {.count = 0};

	if (set->count * tails->count > MOST_PRODUCTS)
		return false;
	for (size_t i = 0; i < tails->count; i++)
		if (!has_room(set, tails->texts[i].len))
			return false;
	for (size_t i = 0; i < set->count; i++) {
		for (size_t j = 0; j < tails->count; j++) {
			const struct set_text *tail = &tails->texts[j];

			all.texts[all.count] = set->texts[i];
			append(&all.texts[all.count++], tail->bytes, tail->len,
			       tail->caseless);
		}
	}
	*set = all;
	return true;
}

static bool has(const struct literal_set *set, const struct set_text *text)
{
	for (size_t i = 0; i < set->count; i++)
		if (set->texts[i].len == text->len &&
		    set->texts[i].caseless == text->caseless &&
		    memcmp(set->texts[i].bytes, text->bytes, text->len) == 0)
			return true;
	return false;
}

bool set_add_all(struct literal_set *set, const struct literal_set *more)
{
	struct literal_set all = *set;

	for (size_t i = 0; i < more->count; i++) {
		if (has(&all, &more->texts[i]))
			continue;
		if (all.count == LITERALS_MAX)
			return false;
		all.texts[all.count++] = more->texts[i];
	}
	*set = all;
	return true;
}

/* The most frequent one counts, less one for each doubling of their number. */
unsigned set_bits(const struct literal_set *set)
{
	unsigned least = ~0u, doublings = 0;

	for (size_t i = 0; i < set->count; i++) {
		struct slice text = {set->texts[i].bytes, set->texts[i].len};
		unsigned bits = rarity_bits(text);

		least = bits < least ? bits : least;
	}
	for (size_t n = set->count; n > 1; n = (n + 1) / 2)
		doublings++;
	return set->count == 0 || least < doublings ? 0 : least - doublings;
}
