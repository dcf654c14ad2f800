/*
 * value.h - text from a log as a number, whatever the locale.
 */
#ifndef PARSERS_VALUE_H
#define PARSERS_VALUE_H

#include <stdbool.h>

#include "common/slice.h"

enum value_as {
	VALUE_NUMBER, /* 12, -1.5, +2e3, .5, nan, inf: exact, as strtod; decimal only */
	VALUE_GROUPED,  /* 1,440 or 1,234,567.8: groups of three; 1440 too */
	VALUE_DURATION, /* 250ms, 1m30s, 1h 2m, 00:01:30.5: seconds; w d h m s ms us µs
			   ns, min, sec, hours ..., the larger first; a bare number is
			   an error except 0 */
	VALUE_BYTES,    /* 1.5GiB, 10 MB, 512k, 1,024 B, 77: quantity.h */
	VALUE_PERCENT,  /* 97.5%, 97.5 %, 97.5: 0.975 */
	VALUE_TIMESTAMP, /* ISO 8601 / RFC 3339 (UTC where no zone stands), or epoch
			    s/ms/us/ns by magnitude: seconds */
	VALUE_KINDS
};

/* The key in a patterns file ("number"), for messages and look-up. */
const char *value_as_name(enum value_as as);

/* False: not such a value; nothing is written.  No space is skipped at either end. */
bool value_parse(enum value_as as, struct slice text, double *value);

#endif
