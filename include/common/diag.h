/*
 * diag.h - everything that is wrong with the operator's files, at once.
 *
 * Errors and warnings are collected while files are loaded, then printed in
 * the order of their places as
 *
 *     FILE:LINE:COL: what is wrong: what to write instead
 *     FILE:LINE:COL: warning: what is doubtful: what to write instead
 *
 * each followed, where it helps, by the text in question with a caret.
 */
#ifndef COMMON_DIAG_H
#define COMMON_DIAG_H

#include <stddef.h>

#include "common/slice.h"
#include "common/strbuf.h"

/* Lines and columns count from 1; line 0: the file as a whole. */
struct position {
	const char *file; /* must outlive what refers to it */
	int line;
	int column; /* in characters, not bytes */
};

struct diag;

struct diag *diag_create(void);
void diag_destroy(struct diag *diag); /* NULL is accepted */

/* `instead` says what to write instead; NULL where `what` says it all. */
void diag_error(struct diag *diag, struct position at, const char *instead,
		const char *what, ...) __attribute__((format(printf, 4, 5)));
void diag_warning(struct diag *diag, struct position at, const char *instead,
		  const char *what, ...) __attribute__((format(printf, 4, 5)));

/*
 * Shows `text` under the entry added last, with a caret below its byte
 * `offset_bytes` (at most text.len).  Control characters are shown as spaces.
 */
void diag_excerpt(struct diag *diag, struct slice text, size_t offset_bytes);

size_t diag_errors(const struct diag *diag);
size_t diag_warnings(const struct diag *diag);

/* All entries by file, line and column, as printed; each ends in a newline. */
void diag_render(const struct diag *diag, struct strbuf *out);

#endif
