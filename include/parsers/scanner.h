/*
 * scanner.h - one search for the literals of all rules.
 *
 * libhs (Hyperscan or Vectorscan) finds a few bytes of each literal, and what is
 * around them is compared.  It is used for that only: as a matcher of whole patterns
 * it is not sound.  Knows nothing of lines or regular expressions.
 * A scanner is immutable and may be used by many threads, each with a scratch.
 */
#ifndef PARSERS_SCANNER_H
#define PARSERS_SCANNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "common/slice.h"
#include "parsers/literals.h"

struct scanner;
struct scanner_scratch;

/* The same literal may belong to many rules, and a rule have many literals. */
struct scanner_entry {
	struct literal literal;
	size_t rule;
};

/*
 * Copies the entries.  NULL if libhs does not run on this CPU or refuses them;
 * with no entries it finds nothing.
 */
struct scanner *scanner_create(const struct scanner_entry *entries, size_t count,
			       struct error *err);
void scanner_destroy(struct scanner *scanner); /* NULL is accepted */

/* NULL if libhs cannot. */
struct scanner_scratch *scanner_scratch_create(const struct scanner *scanner,
					       struct error *err);
void scanner_scratch_destroy(struct scanner_scratch *scratch); /* NULL is accepted */

/* An occurrence of a literal, and a byte in it. */
struct scanner_hit {
	uint32_t byte;
	uint32_t literal;
};

/*
 * All occurrences in `bytes` (less than 4 GiB), by ascending byte.  They lie in
 * the scratch until its next use.  False if libhs failed: nothing is known then.
 */
bool scanner_find(const struct scanner *scanner, struct scanner_scratch *scratch,
		  struct slice bytes, const struct scanner_hit **hits, size_t *count);

/* The rules that each literal belongs to, ascending; by its number. */
struct scanner_rules {
	uint32_t *list;
	size_t count;
};

const struct scanner_rules *scanner_rules(const struct scanner *scanner);

#endif
