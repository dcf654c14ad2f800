/*
 * own_metrics.h - the metrics that the daemon keeps of itself.
 *
 * One table, from which /metrics and docs/metrics.md are made.  Those before
 * OWN_STORED come from log lines: they lie in the workers' stores beside the
 * patterns' metrics and are cut with them.  The others are read when a scrape
 * asks for them.
 */
#ifndef DAEMON_OWN_METRICS_H
#define DAEMON_OWN_METRICS_H

#include <stdint.h>

#include "common/metric.h"
#include "common/strbuf.h"

enum own_metric {
	OWN_LINES,
	OWN_BYTES_READ,
	OWN_UNMATCHED_LINES,
	OWN_MALFORMED_LINES,
	OWN_OVERSIZED_LINES,
	OWN_RECORD_LIMITS,
	OWN_LOST_BYTES,
	OWN_LOST_GENERATIONS,
	OWN_ROTATIONS,
	OWN_RULE_MATCHES,
	OWN_RULE_ERRORS,
	OWN_RULE_LAST_MATCH,
	OWN_RULE_CPU,
	OWN_SCAN_MISSES,
	OWN_STORED,

	OWN_BUILD_INFO = OWN_STORED,
	OWN_CATCHING_UP,
	OWN_FILES,
	OWN_FILE_LAG,
	OWN_FILE_LAST_LINE,
	OWN_SERIES,
	OWN_SERIES_OVERFLOW,
	OWN_SERIES_FORGOTTEN,
	OWN_WATCH_FALLBACKS,
	OWN_COMMIT_DURATION,
	OWN_COMMIT_LAST_SUCCESS,
	OWN_COMMIT_ERRORS,
	OWN_RELOAD_SUCCESSFUL,
	OWN_RELOAD_SUCCESS_TIME,
	OWN_PROCESS_CPU,
	OWN_PROCESS_OPEN_FDS,
	OWN_PROCESS_MAX_FDS,
	OWN_PROCESS_VIRTUAL_BYTES,
	OWN_PROCESS_RESIDENT_BYTES,
	OWN_PROCESS_START_TIME,
	OWN_METRICS
};

/* The definition; the first OWN_STORED are bound in the registry in this order. */
const struct metric_def *own_metric(enum own_metric metric);

/* Appends HELP and TYPE of one that is read at the scrape. */
void own_metric_header(enum own_metric metric, struct strbuf *out);

/* Appends a sample; `labels` as exposition_add_sample() takes them. */
void own_metric_sample(enum own_metric metric, const char *labels, double value,
		       struct strbuf *out);

/* Both, for one without labels. */
void own_metric_single(enum own_metric metric, double value, struct strbuf *out);

/*
 * One that is a histogram without labels: `counts` of its buckets, not
 * cumulative, +Inf last.
 */
void own_metric_histogram(enum own_metric metric, const uint64_t *counts, double sum,
			  struct strbuf *out);

/* All process_* metrics, from /proc. */
void own_metrics_process(struct strbuf *out);

/* docs/metrics.md. */
void own_metrics_document(struct strbuf *out);

#endif
