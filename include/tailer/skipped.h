/*
 * skipped.h - what the roots named or held that is not followed, and why.
 *
 * Looks at all directories of the tree again: for a start, and when somebody
 * asks.
 */
#ifndef TAILER_SKIPPED_H
#define TAILER_SKIPPED_H

#include <stdbool.h>
#include <stddef.h>

#include "common/strbuf.h"
#include "tailer/tree.h"

struct skipped;

/* The tree has roots. */
struct skipped *skipped_collect(const struct tree *tree);
void skipped_destroy(struct skipped *skipped); /* NULL is accepted */

/*
 * Why the root leads to no file at all, not even to one that cannot be read;
 * NULL: it leads to some.  *missing: the path itself cannot be reached.
 */
const char *skipped_root(const struct skipped *skipped, size_t root, bool *missing);

/* Appends "PATH: why" for each, sorted; after `max_lines` how many more. */
void skipped_print(const struct skipped *skipped, size_t max_lines, struct strbuf *out);

#endif
