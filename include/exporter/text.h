/*
 * text.h - names, labels and help as the text format writes them.
 */
#ifndef EXPORTER_TEXT_H
#define EXPORTER_TEXT_H

#include "common/metric.h"
#include "common/slice.h"
#include "common/strbuf.h"

/*
 * Appends name="value" to rendered pairs, after a comma if there are any.
 * The value is valid UTF-8; it is escaped here.
 */
void text_add_label(struct strbuf *labels, const char *name, struct slice value);

/* The HELP line (none if help is "") and the TYPE line. */
void text_add_header(struct strbuf *out, const char *name, enum metric_kind kind,
		     const char *help);

/* One sample: name, suffix, {labels}, value; the braces only where there are labels. */
void text_add_sample(struct strbuf *out, struct slice name, struct slice suffix,
		     struct slice labels, struct slice last_label, double value);

#endif
