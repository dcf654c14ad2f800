/*
 * regex_items.h - what a pattern consists of, as PCRE2 reads it.
 * Internal to the parsers.
 */
#ifndef PARSERS_REGEX_ITEMS_H
#define PARSERS_REGEX_ITEMS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/slice.h"

enum item_kind {
	ITEM_OTHER,     /* matches something that is not known */
	ITEM_TEXT,      /* one character, `text` */
	ITEM_NOTHING,   /* stands between two characters */
	ITEM_BAR,       /* | */
	ITEM_OPEN,      /* a group whose content must match */
	ITEM_OPEN_LOOK, /* a lookaround whose content must match, elsewhere */
	ITEM_OPEN_DARK, /* a group whose content need not match */
	ITEM_CLOSE,     /* the end of a group */
	ITEM_OPTIONS,   /* (?i) */
	ITEM_OPAQUE     /* may change what other items mean */
};

struct regex_item {
	enum item_kind kind;
	struct slice source; /* with its quantifier, borrowed from the pattern */
	struct slice text;   /* ITEM_TEXT: UTF-8, borrowed from the pattern or static */
	bool optional;       /* ITEM_TEXT, ITEM_CLOSE: zero times will do */
	bool repeated;       /* more than once may be */
	bool sets_caseless;  /* ITEM_OPTIONS, ITEM_OPEN: */
	bool caseless;       /* ... to this */
};

/*
 * Calls `each` for all items in their order.  False, perhaps after some
 * calls, if nothing can be said about the pattern.
 */
bool regex_items(struct slice pattern,
		 void (*each)(void *ctx, const struct regex_item *item), void *ctx);

#endif
