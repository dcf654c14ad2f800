/*
 * grok.h - %{NAME} and %{NAME:capture} in patterns.
 *
 * The names that Logstash users expect are built in (logstash-patterns-core,
 * its legacy set); a file's `definitions` come before them.
 */
#ifndef PARSERS_GROK_H
#define PARSERS_GROK_H

#include <stdbool.h>
#include <stddef.h>

#include "common/diag.h"
#include "common/slice.h"
#include "common/strbuf.h"

struct grok_definition {
	const char *name;
	struct slice pattern;
	struct position at;
};

/*
 * Appends `pattern` with every %{...} replaced: %{NAME} by (?:...),
 * %{NAME:capture} by (?<capture>...); a third part (%{NUMBER:n:int}) is accepted
 * and ignored; %{2} and %{1,3} repeat a percent sign; \%{ is the characters
 * themselves.  A name that is not known (with the closest one), a definition
 * that uses itself, a capture name that PCRE2 cannot take and an open brace that is
 * never closed are errors at `at`, or where the definition stands that has
 * them.  False after an error.
 */
bool grok_expand(struct slice pattern, struct position at,
		 const struct grok_definition *definitions, size_t count,
		 struct strbuf *out, struct diag *diag);

/* Where a reference of the pattern, not of a definition, went. */
struct grok_span {
	size_t from, to;   /* in the pattern */
	size_t start, end; /* in what was appended */
};

struct grok_map {
	struct grok_span *spans; /* in their order */
	size_t count;
};

/*
 * For a pattern that grok_expand() took: which part of the outcome comes from which
 * reference.  All else is there as it was written.  Free `spans`.
 */
struct grok_map grok_map(struct slice pattern,
			 const struct grok_definition *definitions, size_t count);

/* The byte of the pattern that byte `at` of the outcome comes from. */
size_t grok_map_back(const struct grok_map *map, size_t at);

/* The built-in names, for suggestions and documentation: NULL at the end. */
const char *grok_builtin_name(size_t index);
const char *grok_builtin_pattern(size_t index);

#endif
