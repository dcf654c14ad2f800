/*
 * exposition.h - a cut as Prometheus' text format, or as JSON.
 *
 * Prometheus text exposition format 0.0.4: one HELP and TYPE a family,
 * families in the order of their names, series in the order of their birth;
 * help and label values escaped; canonical `le`.  Rendered in pieces as they
 * are asked for, so that no response needs one huge buffer.
 */
#ifndef EXPORTER_EXPOSITION_H
#define EXPORTER_EXPOSITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/slice.h"
#include "common/strbuf.h"
#include "exporter/cut.h"

#define EXPOSITION_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* No history: every series is shown as it is. */
#define EXPOSITION_ALL_SEEN UINT64_MAX

struct exposition;

/*
 * Takes a reference to the cut.  Counters, histograms and sums and counts of summaries
 * that were born, or came back after they had expired, since the cut `seen_sequence`
 * are shown at their previous value: 0, or what they were when they were hidden. `tail`
 * (copied; may be empty) is whole families in the same format, appended at the end.  A
 * family that has no series to show prints nothing.
 */
struct exposition *exposition_create(struct cut *cut, uint64_t seen_sequence,
				     struct slice tail);
void exposition_destroy(struct exposition *exposition); /* NULL is accepted */

enum exposition_format {
	EXPOSITION_TEXT,
	EXPOSITION_JSON /* form.h; without the tail, which is text */
};

/* All zero: what Prometheus is given. */
struct exposition_options {
	enum exposition_format format;
	/* Series by label text, not by birth: alike whoever gave birth first. */
	bool by_labels;
	bool (*shows)(size_t metric); /* of what the cut shows; NULL: all */
};

/* Before the first read. */
void exposition_set_options(struct exposition *exposition,
			    const struct exposition_options *options);

/* Fills up to `size_bytes` (at least 1); returns the count, 0 at the end. */
size_t exposition_read(struct exposition *exposition, char *out, size_t size_bytes);

/* For the families that the daemon makes itself: `tail` above. */
void exposition_add_header(struct strbuf *out, const char *name, enum metric_kind kind,
			   const char *help);
/* `labels`: rendered pairs without braces, or "". */
void exposition_add_sample(struct strbuf *out, const char *name, const char *labels,
			   double value);
/* Appends name="value", made valid and escaped; a comma before it if need be. */
void exposition_add_label(struct strbuf *labels, const char *name, struct slice value);
/* Appends le="bound" as a canonical float. */
void exposition_add_le(struct strbuf *labels, double bound);

#endif
