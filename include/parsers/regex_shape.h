/*
 * regex_shape.h - what a pattern's structure says of its cost and its captures.
 *
 * Folds over the items that PCRE2 reads in it (regex_items.h); which characters an
 * item takes is asked of PCRE2, too.  What is not understood is not reported.
 */
#ifndef PARSERS_REGEX_SHAPE_H
#define PARSERS_REGEX_SHAPE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/slice.h"

enum shape_flaw {
	/*
	 * A repeated group can match the same text in many ways, since something
	 * repeated within it can take what the next repetition could: (a+)+.  The steps
	 * to find that it does not match double with each character.
	 */
	SHAPE_NESTED,
	/* The same is repeated twice in a row: .*.* ; their square. */
	SHAPE_ADJACENT
};

/* Calls `found` with the place of what is repeated, in order. */
void regex_flaws(struct slice pattern,
		 void (*found)(void *ctx, enum shape_flaw flaw, size_t at), void *ctx);

/*
 * True if a group of this name takes almost any text of any length: .* \S+ [^,]* are
 * in it, outside of further groups.
 */
bool regex_group_is_unbounded(struct slice pattern, const char *name);

#endif
