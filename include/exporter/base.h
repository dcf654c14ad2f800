/*
 * base.h - the last running total of each followed file, as the next worker finds it.
 *
 * For the exporter's own modules.  The value that is cut and saved lies in the chunks
 * of the worker that has the path.  Should the path go to another worker, that one
 * has to know the total, too: so it stands here as well, beside the key of the
 * base's series.
 */
#ifndef EXPORTER_BASE_H
#define EXPORTER_BASE_H

#include <stdint.h>

#include "exporter/family.h"

struct base;

/* Of a series of a family that is one.  Any thread. */
struct base *base_of(struct family *family, uint32_t series);

/* Its order; 0: there is no total yet. */
int64_t base_get(const struct base *base, double *total);

/* By the worker that has the path.  `order` ascends, and is not 0. */
void base_set(struct base *base, double total, int64_t order);

#endif
