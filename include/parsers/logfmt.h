/*
 * logfmt.h - a line of key=value pairs as a record.
 *
 * The grammar is that of the Go packages kr/logfmt and go-logfmt/logfmt, and a little
 * more of what is met: an unquoted value ends at the next blank and may hold `=` and
 * quotes, a quoted one may have all escapes of Go's strconv.Quote and of JSON.  A
 * key alone is "true".  Of a key that stands twice the last value counts.
 */
#ifndef PARSERS_LOGFMT_H
#define PARSERS_LOGFMT_H

#include <stdbool.h>
#include <stddef.h>

#include "common/slice.h"
#include "parsers/format.h"
#include "parsers/wanted.h"

/*
 * Puts what is wanted into values[leaf], all missing before; false if the text is
 * malformed, from the byte *at on: `=` without a key, a quote in a key, one that is not
 * closed, text right behind a closed one.
 */
bool logfmt_read(struct slice text, const struct wanted *wanted,
		 struct format_value *values, size_t *at);

/* As json_decode().  A backslash before any other character is one. */
size_t logfmt_decode(struct slice text, char *out);

#endif
