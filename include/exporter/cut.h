/*
 * cut.h - all workers' values at their own record boundaries, immutable.
 *
 * What a scrape renders, and what a commit saves (saved.h).  Only which series
 * marks have hidden (registry.h), or have expired (life.h), is as of the reading.
 */
#ifndef EXPORTER_CUT_H
#define EXPORTER_CUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "exporter/registry.h"
#include "exporter/store.h"

struct cut;
struct share;
union slot;
struct panes;

/*
 * Takes over the references to the parts (one a worker; NULL where a worker
 * has none yet) and takes one to the schema.  A part may still be of another
 * schema: its values of families that both hold are shown.  `hide_patterns`:
 * only own metrics are shown, and what the patterns' metrics hold is nothing
 * new to a scraper that sees them later.
 *
 * One thread makes cuts, in ascending sequence; none is 0.
 */
struct cut *cut_create(uint64_t sequence, struct schema *schema,
		       struct part *const *parts, size_t part_count,
		       bool hide_patterns);

/* Any thread. */
struct cut *cut_ref(struct cut *cut);
void cut_unref(struct cut *cut); /* NULL is accepted */
uint64_t cut_sequence(const struct cut *cut);
struct schema *cut_schema(const struct cut *cut); /* borrowed */
bool cut_hides_patterns(const struct cut *cut);
bool cut_shows(const struct cut *cut, size_t metric);
size_t cuts_alive(void);
/* The lowest sequence among those alive; UINT64_MAX if there are none.  Any thread. */
uint64_t cuts_oldest(void);

/*
 * Series that the cut holds: their numbers are below this.  `metric` is below
 * schema_total() here and below.
 */
size_t cut_series(const struct cut *cut, size_t metric);

/*
 * The slots (slots.h) of a series, merged over the workers; NULL if it has no
 * value.  `scratch` has SLOTS_MAX; the result may lie there or in the cut.
 */
const union slot *cut_slots(const struct cut *cut, size_t metric, uint32_t series,
			    union slot *scratch);

/*
 * What its window holds (panes.h), merged over the workers; the caller's reference.
 * NULL if there is none.
 */
struct panes *cut_panes(const struct cut *cut, size_t metric, uint32_t series);

/* For the exporter's own modules: a worker's share (part.h), NULL if it has none. */
size_t cut_part_count(const struct cut *cut);
const struct share *cut_share(const struct cut *cut, size_t metric, size_t part);

/*
 * The value of a counter, gauge or unique, summed or chosen over the workers; false
 * if the series has none.  For tests and the daemon's own decisions.
 */
bool cut_value(const struct cut *cut, size_t metric, uint32_t series, double *value);

#endif
