/*
 * source.h - where lines come from, as the rules see it.
 *
 * A source is a followed path with what is known from it once for all: which
 * patterns files want it, and what its path_pattern captured.
 */
#ifndef PARSERS_SOURCE_H
#define PARSERS_SOURCE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/slice.h"
#include "parsers/patterns.h"

struct source;
struct patterns_file;

/*
 * path_fields[i] belongs to the i-th name of patterns_path_fields(); ptr NULL:
 * none; fewer than all are allowed.  Copies the texts, borrows `patterns`.
 */
struct source *source_create(const struct patterns *patterns, const char *path,
			     const struct slice *path_fields, size_t count);
void source_destroy(struct source *source); /* NULL is accepted */

/* The patterns files that want it, in path order. */
size_t source_patterns_count(const struct source *source);
const struct patterns_file *source_patterns(const struct source *source, size_t index);

/* Borrowed from the source. */
struct slice source_path(const struct source *source);
struct slice source_file(const struct source *source);
struct slice source_path_field(const struct source *source, size_t index);

#endif
