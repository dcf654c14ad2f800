/*
 * store.h - one worker's values.
 *
 * A store belongs to one worker's thread: no call here takes a lock, except
 * that the birth of a series does.  Values lie in dense arrays in reference-
 * counted chunks.  A part (the worker's share of a cut) is a reference to each
 * chunk; the first write to a chunk that a part still holds copies it, so a
 * part never changes and the worker never waits.
 */
#ifndef EXPORTER_STORE_H
#define EXPORTER_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/metric.h"
#include "exporter/registry.h"

struct store;
struct part;

struct store *store_create(struct registry *registry);
void store_destroy(struct store *store); /* NULL is accepted */

/*
 * From now on updates refer to this schema, which the store references.
 * Values of families that both schemas hold stay.
 */
void store_use(struct store *store, struct schema *schema);

/*
 * Series born from now on are marked as old: a scraper is shown their value
 * at once (see scrapers.h).  On while the backlog at the start is read.
 */
void store_births_are_old(struct store *store, bool old);

/*
 * Applies one update.  Raw label bytes are made valid UTF-8.  Series are found
 * by hashing the label slices; nothing is allocated unless one is born.
 */
enum update_result store_update(struct store *store, const struct update *update);

/* The number of the series with these labels, which is born if need be. */
uint32_t store_series(struct store *store, size_t metric, const struct slice *labels);

/* Adds to (counter) or sets (gauge) a series known by number. */
void store_add(struct store *store, size_t metric, uint32_t series, double value);
void store_set(struct store *store, size_t metric, uint32_t series, double value);

/*
 * Takes the part of cut `sequence`.  Sequences ascend; series born after this
 * belong to the next one.  Costs a few ns for each chunk.
 */
struct part *store_cut(struct store *store, uint64_t sequence);

/* Any thread.  NULL is accepted. */
void part_unref(struct part *part);

#endif
