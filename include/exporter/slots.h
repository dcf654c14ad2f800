/*
 * slots.h - what the numbers of one series mean, kind by kind.
 *
 * A worker keeps a few slots for each series: of a counter or a gauge its
 * value, of a histogram its buckets, not cumulative, +Inf last, and its sum; then
 * the latest log time of its updates (of a gauge that is set: the present
 * value's).  All zero is a series that nobody touched.  Knows nothing of names,
 * labels and memory.
 */
#ifndef EXPORTER_SLOTS_H
#define EXPORTER_SLOTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/metric.h"

/* A histogram with every bucket, +Inf, the sum, and the time. */
#define SLOTS_MAX (METRIC_MAX_BUCKETS + 3)

union slot {
	double number;
	int64_t time_ns;
};

struct layout {
	enum metric_kind kind;
	bool gauge_adds;
	const double *bounds; /* of buckets, without +Inf */
	size_t bound_count;
	size_t width; /* slots of a series */
};

/* Borrows the definition's buckets. */
struct layout layout_of(const struct metric_def *def);

/*
 * UPDATE_NEGATIVE or UPDATE_NOT_FINITE for a value that this metric does not
 * take: a counter cannot go down, and what sums up (all but a gauge that is
 * set) would never recover from NaN or an infinity.  Else UPDATE_DONE.
 */
enum update_result layout_check(const struct layout *layout, enum update_op op,
				double value);

/*
 * Applies an update that the layout takes.  A `set` from before the present
 * value's log time is UPDATE_OLD.  One without log time always applies, as if
 * made right after the value that it replaces: that value's log time stays.
 */
enum update_result slots_update(const struct layout *layout, union slot *slots,
				enum update_op op, double value, int64_t time_ns);

/*
 * Merges a worker's slots into `total`, which starts all zero: sums add up, of
 * gauges that are set the latest in log time wins, of equals the one merged last.
 */
void slots_merge(const struct layout *layout, union slot *total,
		 const union slot *slots);

/* The numbers of a series by their meaning, as they are saved. */
struct slots_value {
	double number;         /* counter, gauge; the sum of a histogram */
	int64_t time_ns;       /* latest log time; gauge: 0: never set; else 0: none */
	const double *buckets; /* histogram: not cumulative, +Inf last */
	size_t bucket_count;
};

/* Borrows the buckets from `slots`. */
struct slots_value slots_value(const struct layout *layout, const union slot *slots);

/* Whether it can be restored; then the reverse.  `slots` are all zero before. */
bool slots_value_fits(const struct layout *layout, const struct slots_value *value);
void slots_restore(const struct layout *layout, union slot *slots,
		   const struct slots_value *value);

/* The latest log time; 0: there is none.  METRIC_NO_TIME: a gauge without. */
int64_t slots_time(const struct layout *layout, const union slot *slots);

/* False for a gauge that was never set. */
bool slots_have_value(const struct layout *layout, const union slot *slots);

#endif
