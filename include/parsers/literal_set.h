/*
 * literal_set.h - a few short texts, by value.  Internal to literals.
 */
#ifndef PARSERS_LITERAL_SET_H
#define PARSERS_LITERAL_SET_H

#include <stdbool.h>
#include <stddef.h>

#include "parsers/literals.h"

struct set_text {
	char bytes[LITERAL_MAX_BYTES];
	size_t len;
	bool caseless;
};

/* No texts: nothing can match, or nothing is known, as the holder says. */
struct literal_set {
	struct set_text texts[LITERALS_MAX];
	size_t count;
};

/* The empty text alone. */
void set_start(struct literal_set *set);

/* False, and nothing changes, if a text would become too long. */
bool set_append(struct literal_set *set, const char *bytes, size_t len, bool caseless);

/* Every text of `set` followed by every one of `tails`; false as above, or too many. */
bool set_append_all(struct literal_set *set, const struct literal_set *tails);

/* False, and nothing changes, if there would be too many. */
bool set_add_all(struct literal_set *set, const struct literal_set *more);

/* How seldom one of them is met: rarity.h. */
unsigned set_bits(const struct literal_set *set);

#endif
