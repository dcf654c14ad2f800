/*
 * sample.h - one sample as a line of Prometheus' text format: name{labels} number.
 *
 * As Prometheus reads it, but without a timestamp behind, and blanks stand between
 * labels alone: before the brace and within name="text" are none.  Knows no metric.
 * Slices borrow the line.
 */
#ifndef PARSERS_SAMPLE_H
#define PARSERS_SAMPLE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/metric.h"
#include "common/slice.h"

/* Those of a metric, and le, quantile or the state's. */
#define SAMPLE_MAX_LABELS (METRIC_MAX_LABELS + 1)

struct sample_line {
	struct slice name;
	struct slice series;                    /* name{labels} as written */
	struct slice labels[SAMPLE_MAX_LABELS]; /* each name="text" as written */
	size_t label_count;
	struct slice number;
	double value;
};

/* Where the line stops being a sample, why, and what to write instead. */
struct sample_fault {
	size_t at_bytes;
	const char *what;
	const char *instead;
};

/*
 * The line has neither blanks at its ends nor a newline.  False: *fault is set, and
 * what stands before it was read; series is empty if that ends before the number.
 */
bool sample_read(struct slice line, struct sample_line *sample,
		 struct sample_fault *fault);

#endif
