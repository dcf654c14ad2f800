/*
 * explain_attempt.h - a pattern that does not match a text, for whom wrote it.
 *
 * Says how far it got (regex_progress.h) in terms of what stands in the patterns
 * file, and what may be the reason: the case of letters, a blank at the end, the wrong
 * text looked at.  Internal to explain.
 */
#ifndef PARSERS_EXPLAIN_ATTEMPT_H
#define PARSERS_EXPLAIN_ATTEMPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/slice.h"
#include "parsers/grok.h"
#include "parsers/regex.h"

/* What was made to measure patterns, for the next line. */
struct rulers;

struct rulers *rulers_create(void);
void rulers_destroy(struct rulers *rulers); /* NULL is accepted */

struct attempt_context {
	struct arena *arena; /* for texts that must be made */
	const struct grok_definition *definitions;
	size_t definition_count;
	struct slice line; /* the whole record; ptr NULL: it is what is looked at */
	const char *field; /* what is looked at */
	struct regex_scratch *scratch;
	uint32_t match_steps;
	struct rulers *rulers; /* NULL: none is kept */
};

struct explained_attempt {
	struct attempt_context context;
	const struct regex *regex;
	struct slice written; /* the pattern as its author wrote it */
	struct slice subject; /* what it looked at */
	bool known;           /* how far it got, which is: */
	size_t written_at, subject_at;
	struct slice wanted;    /* a piece of the pattern, or of what it stands for */
	struct slice reference; /* the %{NAME} that it stopped in; len 0: none */
	bool anywhere;          /* `wanted` is nowhere from subject_at on */
	bool hit_limit;
	double closeness;
};

/* `subject` is borrowed, and all of the context. */
struct explained_attempt explain_attempt(const struct attempt_context *context,
					 const struct regex *regex,
					 struct slice subject);

/* What may be the reason, in a few words; NULL: nobody knows.  Compiles some patterns.
 */
const char *explain_hint(const struct explained_attempt *attempt);

#endif
