/*
 * multiline.h - which lines belong to the record before them.
 *
 * What a patterns file's `multiline` says, as a small machine: for each line
 * the first step that holds in the present state decides.  A `start`, `continue`
 * or `end` pattern is a machine of one or two steps, tracebacks are those of
 * multiline_presets.c.  Immutable; the state is the caller's, one for each stream
 * of lines.  Knows neither records nor limits' effects: assembly.h does.
 */
#ifndef PARSERS_MULTILINE_H
#define PARSERS_MULTILINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/slice.h"
#include "parsers/regex.h"

enum multiline_action {
	MULTILINE_BEGIN, /* the line begins a record */
	MULTILINE_JOIN,  /* it goes on with the record that is open; else it begins one
			  */
	MULTILINE_LAST   /* likewise, and ends it */
};

#define MULTILINE_ANY_STATE (~0U)

struct multiline_step {
	unsigned states;     /* in which it holds: a bit each */
	struct regex *regex; /* NULL: matches every line */
	enum multiline_action action;
	unsigned next; /* the state behind it */
};

struct multiline {
	const struct multiline_step *steps;
	size_t step_count;
	size_t max_lines, max_bytes;
	int64_t max_age_ns; /* of silence */
};

/*
 * What to do with the line; *state is 0 where nothing came before, and moves on.
 * Where no step holds, the line begins a record, and the state is 0.
 */
enum multiline_action multiline_next(const struct multiline *multiline,
				     struct regex_scratch *scratch, struct slice line,
				     unsigned *state);

/* A preset as it is written: each regex is to be compiled. */
struct multiline_preset_step {
	unsigned states;
	const char *regex;
	enum multiline_action action;
	unsigned next;
};

struct multiline_preset {
	const char *name;
	const struct multiline_preset_step *steps;
	size_t step_count;
};

#define MULTILINE_PRESETS 4

extern const struct multiline_preset multiline_presets[MULTILINE_PRESETS];

#endif
