/*
 * json.h - one JSON object (RFC 8259) as a record.
 *
 * What Python's json reads with strict=False is well-formed: control characters may
 * stand in strings, NaN and Infinity are numbers; bytes that are no UTF-8 pass
 * through.  Of a key that stands twice the last value counts.  Values within
 * more than JSON_MAX_DEPTH objects and arrays are malformed.
 */
#ifndef PARSERS_JSON_H
#define PARSERS_JSON_H

#include <stdbool.h>
#include <stddef.h>

#include "common/slice.h"
#include "common/strbuf.h"
#include "parsers/format.h"
#include "parsers/wanted.h"

#define JSON_MAX_DEPTH 256

/*
 * Puts what is wanted into values[leaf], all missing before; false if the text is
 * malformed, at the byte *at.  `key` is scratch.  A string is kept without its quotes,
 * null is missing, anything else is its source text.  Blanks alone are a record without
 * fields.
 */
bool json_read(struct slice text, const struct wanted *wanted,
	       struct format_value *values, struct strbuf *key, size_t *at);

/* Decodes the escapes of a well-formed string into `out`, which has room for as many
 * bytes; returns how many there are. */
size_t json_decode(struct slice text, char *out);

#endif
