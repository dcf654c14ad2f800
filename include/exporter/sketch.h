/*
 * sketch.h - a pane's values, so that quantiles can be told to within 1%.
 *
 * DDSketch (Masson, Rim, Lee: "DDSketch: a fast and fully-mergeable quantile
 * sketch with relative-error guarantees", PVLDB 12(12), 2019): values are counted
 * in buckets that grow by a factor, (1 + 0.01) / (1 - 0.01); whichever of them a
 * quantile is, the bucket's middle is within 1% of it.  Merging adds counts, so
 * the order of values and their distribution over workers make no difference.
 *
 * A cell is a bucket that is not empty: its key above, its count below; keys
 * ascend with the values.  Memory is bounded as in the paper: of the positive and
 * of the negative values SKETCH_BUCKETS buckets in a row are kept, those of the
 * largest magnitudes; what is smaller counts in the last of them.  That is less
 * than the 6e17th part of the largest.  Subnormal numbers count as 0.
 */
#ifndef EXPORTER_SKETCH_H
#define EXPORTER_SKETCH_H

#include <stdbool.h>
#include <stddef.h>

#include "exporter/pane.h"

#define SKETCH_ERROR 0.01
#define SKETCH_BUCKETS 2048
#define SKETCH_MAX_CELLS (2 * SKETCH_BUCKETS + 1)

/* For the only holder, who goes on with what is returned.  `value` is finite. */
struct pane *sketch_add(struct pane *pane, double value);
struct pane *sketch_merge(struct pane *into, const struct pane *from);

/*
 * The least of n values that q * n of them do not exceed (nearest rank), to within
 * SKETCH_ERROR of it; of q = 0 the least of all.  NaN if there are none.  Not rank
 * q * (n - 1), as often with sketches: a high quantile of few values would be the
 * second greatest, and hide the one that was slow.
 */
double sketch_quantile(const struct pane *pane, double q);

/* Whether the cells are such as sketch_add() and sketch_merge() make. */
bool sketch_is_valid(const struct pane *pane);

/* A cell's two parts, for who stores them. */
#define SKETCH_COUNT_BITS 44

static inline uint64_t sketch_key(uint64_t cell)
{
	return cell >> SKETCH_COUNT_BITS;
}

static inline uint64_t sketch_count(uint64_t cell)
{
	return cell & (((uint64_t)1 << SKETCH_COUNT_BITS) - 1);
}

static inline uint64_t sketch_cell(uint64_t key, uint64_t count)
{
	return key << SKETCH_COUNT_BITS | count;
}

#endif
