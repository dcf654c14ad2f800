/*
 * metric.h - what a metric is, and what may happen to it.
 *
 * The parsers define metrics and produce updates; the exporter keeps them.
 * Neither knows the other: they meet here.
 */
#ifndef COMMON_METRIC_H
#define COMMON_METRIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/slice.h"

enum metric_kind {
	METRIC_COUNTER,
	METRIC_GAUGE,
	METRIC_HISTOGRAM,
	METRIC_SUMMARY, /* quantiles over a window; a sum and a count over all time */
	METRIC_UNIQUE,  /* how many different texts there were in a window */
	METRIC_STATE,   /* which of some states is present: one sample for each */
	METRIC_KINDS
};

/* "counter"; the key in a patterns file, and what is stored. */
const char *metric_kind_name(enum metric_kind kind);

/* Has no value before its first update, and is of no use long after its last. */
static inline bool metric_is_gauge(enum metric_kind kind)
{
	return kind == METRIC_GAUGE || kind == METRIC_UNIQUE || kind == METRIC_STATE;
}

/* Gauges: what they show of their values. */
enum metric_extreme {
	EXTREME_NONE,  /* the latest, or what they add up to */
	EXTREME_LEAST, /* of a window */
	EXTREME_GREATEST
};

/* What the metric of track_age has after its name. */
#define METRIC_AGE_SUFFIX "_last_update_timestamp_seconds"

#define METRIC_MAX_LABELS 32
#define METRIC_MAX_BUCKETS 256
#define METRIC_MAX_QUANTILES 32
#define METRIC_MAX_STATES 64

/* No log time is known, or the gauge does not depend on it. */
#define METRIC_NO_TIME INT64_MIN

struct metric_def {
	enum metric_kind kind;
	const char *name;
	const char *help; /* "" if none */
	const char *const *labels;
	size_t label_count; /* at most METRIC_MAX_LABELS; one more if is_base */
	/* Histograms: upper bounds, strictly ascending, without +Inf. */
	const double *buckets;
	size_t bucket_count; /* at most METRIC_MAX_BUCKETS */
	/*
	 * A gauge that is never shown: the last running total that each followed file
	 * printed, by the labels of a counter and the file's path (UPDATE_TOTAL).
	 */
	bool is_base;
	/* Gauges: workers' parts add up (op add, subtract) or the latest wins (op set).
	 */
	bool gauge_adds;
	enum metric_extreme extreme;
	/* Summaries, uniques, and gauges with an extreme: log time, above 0. */
	int64_t window_ns;
	/* Summaries: 0 to 1, ascending. */
	const double *quantiles;
	size_t quantile_count; /* at most METRIC_MAX_QUANTILES */
	/* States; their sample's label is called as the metric is. */
	const char *const *states;
	size_t state_count; /* at most METRIC_MAX_STATES */
	/* Kinds that are gauges: beside it stands NAME METRIC_AGE_SUFFIX. */
	bool track_age;
	size_t max_series; /* label sets; 0: the registry's limit */
	/*
	 * A series whose latest log time is longer ago is not shown: a gauge goes,
	 * others are hidden and may come back.  0: never.
	 */
	int64_t expire_ns;
	/*
	 * Label sets shown at 0 from the start: declared_count rows of
	 * label_count values, row by row.  An unlabelled counter, histogram or summary
	 * is declared by itself.
	 */
	const struct slice *declared;
	size_t declared_count;
	/* Bit by bit: the label's values are pseudonyms, made with a key of this id. */
	uint32_t hashed_labels;
	const char *hash_key_id; /* NULL if none is */
};

enum update_op {
	UPDATE_ADD,
	UPDATE_SUBTRACT,
	UPDATE_SET,
	UPDATE_OBSERVE, /* histograms, summaries, gauges with an extreme */
	UPDATE_SEE,     /* uniques: the text; of a window, so it has a log time */
	/*
	 * The value is a running total: the counter goes up by what it has grown since
	 * the last one, which the metric `base` keeps.  A smaller one was begun anew,
	 * and counts whole; the first counts whole or, mostly, not at all.
	 */
	UPDATE_TOTAL
};

struct update {
	size_t metric; /* index among the definitions that were bound */
	enum update_op op;
	double value;    /* of a state: its place in the definition's list */
	int64_t time_ns; /* log time, or METRIC_NO_TIME where there is no window */
	/* Values in the definition's order.  UPDATE_TOTAL: then the file's path. */
	const struct slice *labels;
	size_t base_after; /* UPDATE_TOTAL: the metric's index plus this is its base's
			    */
	bool first_counts; /* UPDATE_TOTAL */
	struct slice text; /* UPDATE_SEE */
};

enum update_result {
	UPDATE_DONE,
	UPDATE_OLD, /* a gauge's present value is of a later log time, or it expired */
	UPDATE_OVERFLOWED, /* over the series limit: went to `other`, or was dropped */
	UPDATE_LABEL_TOO_LONG,
	UPDATE_NEGATIVE,  /* a counter cannot go down */
	UPDATE_NOT_FINITE /* a sum would never recover from NaN or an infinity */
};

#endif
