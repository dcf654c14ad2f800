/*
 * form.h - how families and series are written: as text, or as JSON.
 *
 * For exposition.h, which decides what is shown and in which order.  Label
 * texts are those of the text format; numbers are written alike in both.
 */
#ifndef EXPORTER_FORM_H
#define EXPORTER_FORM_H

#include <stdbool.h>

#include "common/slice.h"
#include "common/strbuf.h"
#include "exporter/family.h"
#include "exporter/slots.h"

struct form_family {
	const struct family *family;
	enum metric_kind
		kind; /* as which it is shown: a time of an update is a gauge */
	struct slice name;
	const char *help;
	const struct quantile *quantiles; /* summaries (registry.h) */
	size_t quantile_count;
};

struct form_series {
	struct slice labels;
	double number;          /* what is not said below; the place of a state */
	const union slot *sums; /* histograms: buckets, sum; summaries: count, sum */
	const double *at_quantiles; /* summaries: one for each quantile */
};

struct form {
	void (*begin)(struct strbuf *out);
	/* is_first: of all families.  A series follows. */
	void (*begin_family)(struct strbuf *out, const struct form_family *family,
			     bool is_first);
	/* is_first: of the family. */
	void (*add_series)(struct strbuf *out, const struct form_family *family,
			   const struct form_series *series, bool is_first);
	void (*end_family)(struct strbuf *out);
	void (*end)(struct strbuf *out);
};

/* Prometheus text exposition format 0.0.4. */
extern const struct form form_text;

/*
 * JSON as prom2json makes it: a list of families with name, help, type and
 * metrics, the series, each with labels and a value, or with buckets or quantiles,
 * count and sum.  Numbers are texts: JSON has neither NaN nor infinities.
 */
extern const struct form form_json;

#endif
