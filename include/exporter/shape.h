/*
 * shape.h - what all series of a family have in common, and how their labels read.
 *
 * For family.h.  Never changes once made.  Knows no series.
 */
#ifndef EXPORTER_SHAPE_H
#define EXPORTER_SHAPE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/metric.h"
#include "common/slice.h"
#include "common/strbuf.h"
#include "exporter/registry.h"
#include "exporter/slots.h"

struct shape {
	char *name;
	struct layout layout;
	double *bounds;
	struct strbuf *le;     /* one for each bucket, +Inf last: le="..." */
	struct strbuf *states; /* one for each state: NAME="..." */
	size_t state_count;
	struct strbuf state_list; /* as JSON */
	char **labels;
	size_t label_count;
	struct strbuf const_labels; /* rendered */
};

/*
 * Copies the definition but not the help.  A const label whose name the definition has
 * too, be it for its states, is left out.
 */
void shape_init(struct shape *shape, const struct metric_def *def,
		const struct const_label *consts, size_t const_count);
void shape_finish(struct shape *shape);

/* As family_render(); false if a value has more than `most_bytes`. */
bool shape_render(const struct shape *shape, const struct slice *values,
		  size_t most_bytes, struct strbuf *text, struct strbuf *scratch,
		  bool *exact);

/* The labels of the series that takes what is over the limits. */
void shape_render_other(const struct shape *shape, struct strbuf *text);

#endif
