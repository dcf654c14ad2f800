/*
 * slots.h - what the numbers of one series mean, kind by kind.
 *
 * A worker keeps a few slots for each series: of a counter or a gauge its
 * value, of a histogram its buckets, not cumulative, +Inf last, and its sum, of a
 * summary its count and its sum; then, where there is a window, what was seen in it
 * (panes.h); then the latest log time of its updates (of a gauge that is set: the
 * present value's).  All zero is a series that nobody touched.  Knows nothing of
 * names and labels.
 *
 * Slots are copied as they are, except for the panes: who keeps a copy takes a
 * reference to them (chunk.h), others read them with slots_panes() from slots that
 * somebody keeps.
 */
#ifndef EXPORTER_SLOTS_H
#define EXPORTER_SLOTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/metric.h"
#include "exporter/panes.h"

/* A histogram with every bucket, +Inf, the sum, and the time. */
#define SLOTS_MAX (METRIC_MAX_BUCKETS + 3)

union slot {
	double number;
	int64_t time_ns;
	struct panes *panes;
};

struct layout {
	enum metric_kind kind;
	bool gauge_adds;
	const double *bounds; /* of buckets, without +Inf */
	size_t bound_count;
	struct panes_shape panes; /* PANES_NONE: no window */
	size_t sums;              /* slots at the front that add up */
	size_t width;             /* slots of a series */
};

/* Where the panes are, in slots of which there are `width`: before the time. */
#define SLOTS_PANES(width) ((width)-2)

/* Borrows the definition's buckets. */
struct layout layout_of(const struct metric_def *def);

/*
 * UPDATE_NEGATIVE or UPDATE_NOT_FINITE for a value that this metric does not
 * take: a counter cannot go down, and what sums up (all but a gauge that is
 * set) would never recover from NaN or an infinity; nor are these least or
 * greatest.  Else UPDATE_DONE.
 */
enum update_result layout_check(const struct layout *layout, enum update_op op,
				double value);

/*
 * Applies an update that the layout takes.  A `set` from before the present
 * value's log time is UPDATE_OLD.  One without log time always applies, as if
 * made right after the value that it replaces: that value's log time stays.  What is
 * older than a window changes nothing in it.  `slots` are kept, and nobody else's.
 */
enum update_result slots_update(const struct layout *layout, union slot *slots,
				enum update_op op, double value, int64_t time_ns);

/* UPDATE_SEE, with a hash of the text (distinct.h). */
void slots_see(const struct layout *layout, union slot *slots, uint64_t hash,
	       int64_t time_ns);

/* Kept slots become those of a series that nobody touched. */
void slots_clear(const struct layout *layout, union slot *slots);

/*
 * Merges a worker's slots into `total`, which starts all zero: sums add up, of
 * gauges that are set the latest in log time wins, of equals the one merged last.
 * Panes are not merged: cut_panes() does.
 */
void slots_merge(const struct layout *layout, union slot *total,
		 const union slot *slots);

/* Copies all but the panes. */
void slots_copy_sums(const struct layout *layout, union slot *to,
		     const union slot *from);

/* Borrowed; NULL if there are none. */
static inline struct panes *slots_panes(const struct layout *layout,
					const union slot *slots)
{
	return layout->panes.kind ? slots[SLOTS_PANES(layout->width)].panes : NULL;
}

/*
 * What a counter, a gauge or a unique shows, the place of a state, a sum; `panes`
 * are those of the series over all workers.
 */
double slots_number(const struct layout *layout, const union slot *slots,
		    const struct panes *panes);

/* The numbers of a series by their meaning, as they are saved. */
struct slots_value {
	double number;   /* as slots_number() */
	int64_t time_ns; /* latest log time; gauge: 0: never set; else 0: none */
	/* Histogram: not cumulative, +Inf last.  Summary: one, the count. */
	const double *buckets;
	size_t bucket_count;
	struct slice panes; /* panes_encode(); empty: there are none */
};

/*
 * Borrows the buckets from `slots`; `panes` as for slots_number(), which `encoded`
 * takes.
 */
struct slots_value slots_value(const struct layout *layout, const union slot *slots,
			       const struct panes *panes, struct strbuf *encoded);

/*
 * The reverse, to kept slots that are all zero before.  False, and nothing is done,
 * if the value does not go with the layout.
 */
bool slots_restore(const struct layout *layout, union slot *slots,
		   const struct slots_value *value);

/* The latest log time; 0: there is none.  METRIC_NO_TIME: a gauge without. */
int64_t slots_time(const struct layout *layout, const union slot *slots);

/* False for a gauge, unique or state that was never updated. */
bool slots_have_value(const struct layout *layout, const union slot *slots);

#endif
