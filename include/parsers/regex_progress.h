/*
 * regex_progress.h - how far a pattern got in a text that it does not match.
 *
 * A copy of the pattern is compiled with a callout of PCRE2's before each item, and
 * matched by the interpreter: what is reached is known from PCRE2 itself.  Of all that
 * was tried, what got furthest in the pattern counts, whichever start, alternative
 * or backtracking led there; of equals, what got furthest in the text.  The
 * alternatives of a group begin equally far.  Texts that may stand anywhere (behind .*
 * or at the start of an unanchored pattern) count as begun when half of them is there,
 * at least three characters: else any `s` would begin `status=`.
 *
 * Knows nothing of rules.  Slow: for people, not for lines by the million.
 */
#ifndef PARSERS_REGEX_PROGRESS_H
#define PARSERS_REGEX_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/slice.h"

/* A part of the pattern that is one to its author, such as a %{NAME}. */
struct regex_unit {
	size_t start, end;
};

struct regex_progress {
	bool known; /* false: nothing was reached, or the pattern does not compile */
	bool matched;
	bool hit_limit; /* there may be more */
	/* What was wanted and is not there: an item, or the rest of a text. */
	size_t pattern_at, pattern_len;
	size_t subject_at;
	/* It was looked for from subject_at on, and is nowhere. */
	bool anywhere;
	unsigned rank;         /* how many items had matched */
	size_t passed_bytes;   /* of the pattern's texts that had to match, units' apart
				*/
	size_t consumed_bytes; /* of the subject, from where this match had begun */
	size_t unit;           /* the one that pattern_at is in; unit_count: none */
	size_t unit_subject_at; /* where the text of that unit begins */
};

struct regex_ruler;

/*
 * What measures one pattern, for many texts; NULL if it does not compile.  `units`, in
 * their order, are copied.
 */
struct regex_ruler *regex_ruler_create(struct slice pattern,
				       const struct regex_unit *units,
				       size_t unit_count);
void regex_ruler_destroy(struct regex_ruler *ruler); /* NULL is accepted */

/* match_steps: PCRE2's limit for the match. */
struct regex_progress regex_ruler_measure(struct regex_ruler *ruler,
					  struct slice subject, uint32_t match_steps);

/* The same for one text. */
struct regex_progress regex_progress(struct slice pattern, struct slice subject,
				     const struct regex_unit *units, size_t unit_count,
				     uint32_t match_steps);

#endif
