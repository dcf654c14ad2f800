/*
 * number.h - numbers as the exposition formats print them.
 */
#ifndef EXPORTER_NUMBER_H
#define EXPORTER_NUMBER_H

#include <stddef.h>

#define NUMBER_MAX_BYTES 32

/*
 * Writes the fewest digits that read back the same double.  Integers below
 * 2^53 have neither exponent nor point; other values are written as Go, and so
 * Prometheus, does: 0.0001, 1e-05, 1.5e+06; NaN, +Inf, -Inf.  No locale.
 * Returns the length; no NUL is added.  `out` has NUMBER_MAX_BYTES.
 */
size_t number_format(char *out, double value);

/* As a canonical float, for `le`: 1 is "1.0", 1000000 is "1e+06". */
size_t number_format_le(char *out, double value);

#endif
