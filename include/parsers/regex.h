/*
 * regex.h - PCRE2 with bounds.
 *
 * Patterns are compiled with PCRE2_UTF and JIT (the interpreter where JIT is not
 * allowed, with one warning in the log); text that is not well-formed is matched by
 * the interpreter with PCRE2_MATCH_INVALID_UTF: it takes any bytes.  Matching
 * stops at the match limit (steps), depth and heap limits.  A regex is immutable and
 * may be used by many threads, each with its own scratch.
 */
#ifndef PARSERS_REGEX_H
#define PARSERS_REGEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/diag.h"
#include "common/slice.h"
#include "common/strbuf.h"

struct regex;
struct regex_scratch;

/*
 * NULL after an error in `diag` at `at`, which shows the pattern with a caret
 * where PCRE2 stopped.  Two groups may have the same name.
 */
struct regex *regex_compile(struct slice pattern, struct position at,
			    struct diag *diag);
void regex_destroy(struct regex *regex); /* NULL is accepted */

struct slice regex_pattern(const struct regex *regex);

/*
 * What the operator wrote: the pattern itself, unless it was made from another text
 * (with %{NAME}), which must outlive the regex.
 */
void regex_set_written(struct regex *regex, struct slice written, struct position at);
struct slice regex_written(const struct regex *regex);
struct position regex_at(const struct regex *regex);

/* Capturing groups without the whole match; names of groups. */
size_t regex_group_count(const struct regex *regex);
size_t regex_name_count(const struct regex *regex);
/* Distinct names in the order of their first group. */
const char *regex_name(const struct regex *regex, size_t index);
/* Fills `groups` with up to `max` numbers (ascending) that have the name; returns how
 * many there are. */
size_t regex_groups_named(const struct regex *regex, const char *name, unsigned *groups,
			  size_t max);

/* Never fails (out of memory exits).  match_steps: PCRE2's match limit. */
struct regex_scratch *regex_scratch_create(uint32_t match_steps);
void regex_scratch_destroy(struct regex_scratch *scratch);

/* Until the next call: `text` is well-formed, wherever a character begins. */
void regex_scratch_trust(struct regex_scratch *scratch, struct slice text);

enum regex_result { REGEX_NO_MATCH, REGEX_MATCH, REGEX_LIMIT };

/*
 * Searches `subject`.  After REGEX_MATCH the groups can be read until the next
 * match with this scratch.  REGEX_LIMIT: a bound was hit (any other failure
 * of PCRE2 counts as that too).
 */
enum regex_result regex_match(const struct regex *regex, struct regex_scratch *scratch,
			      struct slice subject);

/* Group `number` (0: the whole match) of the last match; ptr NULL if it took no part.
 */
struct slice regex_group(const struct regex_scratch *scratch, unsigned number);

/*
 * Appends `subject` with every match replaced by `with`, in which $1, ${1},
 * $name and ${name} stand for groups and $$ for $.  REGEX_NO_MATCH: it was appended as
 * it is.
 */
enum regex_result regex_replace(const struct regex *regex,
				struct regex_scratch *scratch, struct slice subject,
				struct slice with, struct strbuf *out);

#endif
