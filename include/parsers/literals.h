/*
 * literals.h - texts of which every match of a regular expression contains one.
 *
 * They are what a rule is found by: a line with none of them cannot match.
 * PCRE2 itself says what its pattern consists of: a copy is compiled with a
 * callout before each item, and the items are folded into texts.  An item that
 * is not on a short list of known ones contributes nothing, and one that may hide
 * structure takes all literals away: when in doubt there is none.  Knows
 * nothing of rules, lines or how texts are searched for.
 */
#ifndef PARSERS_LITERALS_H
#define PARSERS_LITERALS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/arena.h"
#include "common/slice.h"

#define LITERAL_MAX_BYTES 48
#define LITERALS_MAX 16

struct literal {
	struct slice text; /* 1 to LITERAL_MAX_BYTES, none of them CR or LF */
	bool caseless;     /* its ASCII letters match in either case */
};

/* Why there is none. */
enum literals_lack {
	LITERALS_FOUND,
	LITERALS_NO_TEXT, /* no text stands in every match */
	LITERALS_COMMON,  /* what does stands in too many lines */
	LITERALS_OPAQUE   /* a verb, callout or the like: nothing can be said */
};

struct literals {
	struct literal *list;
	size_t count;            /* 0: none */
	enum literals_lack lack; /* LITERALS_FOUND where count > 0 */
	struct slice common;     /* LITERALS_COMMON: the best of what there is */
};

/*
 * The literals of a pattern as regex.h compiles it; the rarest run of
 * characters that it has, or one for each of some alternatives.  They live in the
 * arena.  A pattern that does not compile has none.
 */
struct literals literals_of(struct slice pattern, struct arena *arena);

/*
 * What a match of `a` or of `b` contains one of; none if either has none, or
 * if they are too many.
 */
struct literals literals_either(struct literals a, struct literals b,
				struct arena *arena);

#endif
