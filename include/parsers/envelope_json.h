/*
 * envelope_json.h - as much of JSON (RFC 8259) as Docker's lines take, fast.
 *
 * Reads what it is asked for from the front of a slice and takes it off.
 * Lenient where it does not matter: control characters may stand in a string, and of
 * a value that is passed over only strings and brackets are looked at.
 * Internal to envelope.
 */
#ifndef PARSERS_ENVELOPE_JSON_H
#define PARSERS_ENVELOPE_JSON_H

#include <stdbool.h>

#include "common/slice.h"
#include "common/strbuf.h"

/* Spaces, and then `c`; false: something else stands there. */
bool json_take(struct slice *rest, char c);

/* Spaces, and nothing else. */
bool json_at_end(struct slice *rest);

/* A string as it is written, without its quotes. */
bool json_take_raw(struct slice *rest, struct slice *raw);

/* Any value. */
bool json_pass_over(struct slice *rest);

/*
 * Appends what a raw string means.  False, and nothing is appended: it has an
 * escape that does not exist.
 */
bool json_decode_raw(struct slice raw, struct strbuf *out);

#endif
