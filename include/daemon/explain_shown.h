/*
 * explain_shown.h - explained records for people and for tools.
 *
 * Internal to the explain command; docs/explain.md describes both forms.
 */
#ifndef DAEMON_EXPLAIN_SHOWN_H
#define DAEMON_EXPLAIN_SHOWN_H

#include <stdbool.h>
#include <stddef.h>

#include "common/strbuf.h"
#include "daemon/config.h"
#include "parsers/explain.h"

struct shown_style {
	bool colour;
	bool all;       /* every rule, however many there are */
	size_t columns; /* of the terminal */
	/* Labels on every metric. */
	const struct const_label *labels;
	size_t label_count;
};

/* What a line came to: one record for each patterns file that wants it. */
struct shown_line {
	const struct explained_record *const *records;
	size_t count;
};

/* How many rules are shown when there are more than these. */
#define SHOWN_FEW 10
#define SHOWN_CLOSEST 5

void shown_text(struct strbuf *out, const struct shown_style *style,
		const struct shown_line *line);

/* One object of the list `records`. */
void shown_json(struct strbuf *out, const struct shown_style *style,
		const struct explained_record *record);

/* A text in quotes, escaped; what is no UTF-8 becomes U+FFFD. */
void shown_json_text(struct strbuf *out, struct slice text);

/* `ingest*.log`, `etl*.log`; "all files" where there are none. */
void shown_globs(struct strbuf *out, const struct patterns_file *file);

/* name{label="value"}, as in the exposition; a long value is cut. */
void shown_series(struct strbuf *out, const struct shown_style *style,
		  const struct explained_update *update);

/* Bytes of a value that are shown of a label. */
#define SHOWN_VALUE_BYTES 200

/* An operation and its value: +1, = 0.0625. */
void shown_change(struct strbuf *out, const struct explained_update *update);

#endif
