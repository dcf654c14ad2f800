/*
 * number.h - numbers as the exposition formats print them.
 */
#ifndef EXPORTER_NUMBER_H
#define EXPORTER_NUMBER_H

#include <stddef.h>

#define NUMBER_MAX_BYTES 32

/*
 * Writes the shortest text that reads back the same double: integers below
 * 2^53 without exponent or point, else the shortest of the fixed and the
 * exponent form; NaN, +Inf, -Inf as Prometheus writes them.  No locale.
 * Returns the length; no NUL is added.  `out` has NUMBER_MAX_BYTES.
 */
size_t number_format(char *out, double value);

/* As number_format(), but as a canonical float for `le`: 1 is "1.0". */
size_t number_format_le(char *out, double value);

#endif
