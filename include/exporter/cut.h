/*
 * cut.h - all workers' values at their own record boundaries, immutable.
 *
 * What a scrape renders, and (with saved state) what a commit stores.
 */
#ifndef EXPORTER_CUT_H
#define EXPORTER_CUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "exporter/registry.h"
#include "exporter/store.h"

struct cut;

/*
 * Takes over the references to the parts (one a worker; NULL where a worker
 * has none yet) and takes one to the schema.  `hide_patterns`: only own
 * metrics are shown.
 */
struct cut *cut_create(uint64_t sequence, struct schema *schema,
		       struct part *const *parts, size_t part_count,
		       bool hide_patterns);

/* Any thread. */
struct cut *cut_ref(struct cut *cut);
void cut_unref(struct cut *cut); /* NULL is accepted */
uint64_t cut_sequence(const struct cut *cut);
size_t cuts_alive(void);

/*
 * The value of a counter or gauge, summed or chosen over the workers; false if
 * the series has none.  For tests and the daemon's own decisions.
 */
bool cut_value(const struct cut *cut, size_t metric, uint32_t series, double *value);

#endif
