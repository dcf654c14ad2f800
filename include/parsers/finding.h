/*
 * finding.h - by what the lines of a rule are found.
 */
#ifndef PARSERS_FINDING_H
#define PARSERS_FINDING_H

#include <stdbool.h>
#include <stddef.h>

#include "common/error.h"
#include "common/strbuf.h"
#include "parsers/format.h"
#include "parsers/literals.h"
#include "parsers/patterns.h"
#include "parsers/scanner.h"

enum finding_how {
	FINDING_LITERALS,
	FINDING_NO_PATTERN, /* only fields are asked for */
	FINDING_ELSEWHERE,  /* the pattern looks at something else than the line */
	FINDING_IMPLIED,    /* the pattern matches a value that is not in the line */
	FINDING_NO_LITERAL  /* see the literals' lack */
};

struct finding {
	enum finding_how how;
	struct literals literals;
	/* The text may be decoded: on lines with a backslash the rule is tried anyway.
	 */
	bool is_escaped;
	size_t pattern; /* FINDING_NO_LITERAL: the first one in the list without */
};

struct rule;
struct patterns_file;

/*
 * For the loader: works it out for every rule of the files, which are numbered
 * already, and makes the scanner that finds them.  The literals live in the arena.
 * NULL: as scanner_create().
 */
struct scanner *finding_scanner(struct patterns_file *files, size_t count,
				struct arena *arena, struct error *err);

/*
 * Appends lines for people: for each rule by which texts it is found, or that
 * it is tried on every line, why, and what would help.
 */
void finding_describe(const struct patterns *patterns, struct strbuf *out);

#endif
