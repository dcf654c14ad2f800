/*
 * candidates.h - which lines of a block are worth trying, and with which rules.
 *
 * Scans a whole block for the literals of rules and maps what it finds to
 * lines.  A rule that is found by its literals is a candidate on a line that holds
 * one of them; a rule that is always tried is one on every line; one whose text may
 * have been decoded is one on every line with a backslash, too.  Lines
 * without candidates are counted, never cut.  Rules are known by number only.
 * One for each engine.
 */
#ifndef PARSERS_CANDIDATES_H
#define PARSERS_CANDIDATES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/slice.h"
#include "parsers/scanner.h"

struct candidates;

/*
 * For rules 0 to rules - 1.  The scanner outlives it; NULL: every rule is always
 * tried.  So it is, after a warning, if libhs fails then or later.
 */
struct candidates *candidates_create(const struct scanner *scanner, size_t rules);
void candidates_destroy(struct candidates *candidates); /* NULL is accepted */

/* From now on, and on the present line, the rule is tried. */
void candidates_always(struct candidates *candidates, size_t rule);

/* From the next block on, the rule is tried on each line with a backslash. */
void candidates_escaped(struct candidates *candidates, size_t rule);

/* Before a block: forget which rules want it, then tell. */
void candidates_want_none(struct candidates *candidates);
void candidates_want(struct candidates *candidates, size_t first_rule, size_t count);

/*
 * Begins a block, which is borrowed until its last line; returns how many
 * lines it has, and whether no byte is above 0x7F.  `every_line`: also those without
 * candidates are to come.
 */
uint64_t candidates_begin(struct candidates *candidates, struct slice bytes,
			  bool every_line, bool *is_ascii);

/*
 * Begins a run of records, which are the lines then: ends[i] (records.h) is
 * where the i-th ends, the next begins behind the byte there.
 */
void candidates_begin_records(struct candidates *candidates, struct slice bytes,
			      const size_t *ends, size_t count, bool every_line,
			      bool *is_ascii);

/* The number of the record that candidates_next() gave last. */
size_t candidates_record(const struct candidates *candidates);

/* False if no line can come: the whole block holds no candidate. */
bool candidates_any(const struct candidates *candidates);

/* The next line in their order, without its newline or CRLF; false at the end. */
bool candidates_next(struct candidates *candidates, struct slice *line);

/* The first candidate of the line from rule `from` on, or `end` if there is none
 * before. */
size_t candidates_rule(const struct candidates *candidates, size_t from, size_t end);

/* Lines in `bytes`, the last of which may lack its newline; is no byte above 0x7F? */
uint64_t count_lines(struct slice bytes, bool *is_ascii);

#endif
