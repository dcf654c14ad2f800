/*
 * excerpt.h - a text with a caret under one place of it, for a terminal.
 *
 * What a terminal would not show as itself is escaped: \t, \x1b, bytes that are no
 * UTF-8.  The caret stands right under wide characters and escapes too.  Of a text
 * that is wider than there is room only what is near the caret is shown.
 */
#ifndef DAEMON_EXCERPT_H
#define DAEMON_EXCERPT_H

#include <stddef.h>

#include "common/slice.h"
#include "common/strbuf.h"

#define EXCERPT_LEAST_COLUMNS 20

/* Nowhere: no caret. */
#define EXCERPT_NO_CARET ((size_t)-1)

struct excerpt {
	size_t indent;    /* columns before the caret's line */
	size_t columns;   /* for the text, at least EXCERPT_LEAST_COLUMNS */
	const char *mark; /* "^", perhaps in colour, and what follows it */
};

/*
 * Appends the text, whose first `indent` columns the caller has filled, a newline,
 * and under its byte `at` (at most text.len) the mark and a newline.
 */
void excerpt_add(struct strbuf *out, const struct excerpt *how, struct slice text,
		 size_t at);

/* Appends the text escaped, all of it, and without a newline. */
void excerpt_add_plain(struct strbuf *out, struct slice text);

#endif
