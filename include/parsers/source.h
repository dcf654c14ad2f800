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

#include "common/block.h"
#include "common/slice.h"
#include "parsers/envelope.h"
#include "parsers/open_record.h"
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

/* In what its lines are; at first ENVELOPE_AUTO.  Before the first line. */
void source_set_envelope(struct source *source, enum envelope envelope);

/* The patterns files that want it, in path order. */
size_t source_patterns_count(const struct source *source);
const struct patterns_file *source_patterns(const struct source *source, size_t index);
const struct patterns_file *const *source_all_patterns(const struct source *source);

/*
 * What may go on: when the first record will have been silent for too long (monotonic;
 * INT64_MAX: nothing is open), whether it is another than at the last call, and each.
 */
int64_t source_deadline_ns(const struct source *source);
bool source_open_has_changed(struct source *source);
void source_each_open(const struct source *source,
		      void (*visit)(void *ctx, const struct open_record *open),
		      void *ctx);

/* Borrowed from the source. */
struct slice source_path(const struct source *source);
struct slice source_file(const struct source *source);
struct slice source_path_field(const struct source *source, size_t index);

struct assembly;

/*
 * What makes records of the block (assembly.h), borrowed; NULL: they lie in it line by
 * line.  Until ENVELOPE_AUTO is known, the first line of the block's file tells what it
 * is, so that it is the same after a restart; of a container's log, by its path, the
 * first line of the block that is in an envelope.
 */
struct assembly *source_assembly(struct source *source, const struct block *block);

/* The one that is there already, or NULL. */
struct assembly *source_present_assembly(const struct source *source);

/* Likewise; made if need be. */
struct assembly *source_make_assembly(struct source *source);

#endif
