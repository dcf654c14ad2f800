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

/* No series: over the limit (gauges), or a label too long.  May be added to and set. */
#define STORE_NO_SERIES UINT32_MAX

/* Restored values (saved.h) go to the registry's first store. */
struct store *store_create(struct registry *registry);
void store_destroy(struct store *store); /* NULL is accepted */

/*
 * From now on updates refer to this schema, which the store references.
 * Values of families that both schemas hold stay, and so do those of families
 * that the registry keeps for their return.  Series numbers stay too.
 */
void store_use(struct store *store, struct schema *schema);

/*
 * Series born from now on are marked as old: a scraper is shown their value
 * at once (see scrapers.h).  On while the backlog at the start is read.
 */
void store_births_are_old(struct store *store, bool old);

/*
 * Applies one update.  Raw label bytes are made valid UTF-8.  Series are found
 * by hashing the label slices; nothing is allocated unless one is born or a
 * chunk is copied.  What is not UPDATE_DONE changed nothing, except that over
 * the limit a counter, histogram or summary has counted in its series `other`.
 *
 * A gauge that is set without log time always takes the value, as if it were
 * set right after the present one; a gauge whose parts add up takes a `set` as
 * this worker's share.  A gauge is not born with an update that has expired: that
 * is UPDATE_OLD.
 */
enum update_result store_update(struct store *store, const struct update *update);

/*
 * The number of the series with these labels, which is born if need be; that
 * of `other` over the limit, or STORE_NO_SERIES.
 */
uint32_t store_series(struct store *store, size_t metric, const struct slice *labels);

/*
 * Adds to (counter, gauge whose parts add up) or sets (gauge) a series known
 * by number.  A counter ignores what store_update() refuses.
 */
void store_add(struct store *store, size_t metric, uint32_t series, double value);
void store_set(struct store *store, size_t metric, uint32_t series, double value,
	       int64_t time_ns);

/*
 * Takes the part of cut `sequence`: 1 or more, and ascending.  Costs a few ns
 * for each chunk.  The caller's reference, which cut_create() takes over.
 */
struct part *store_cut(struct store *store, uint64_t sequence);

/* Any thread.  NULL is accepted. */
void part_unref(struct part *part);

#endif
