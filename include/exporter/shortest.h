/*
 * shortest.h - the shortest decimal digits that read back the same double.
 *
 * Knows nothing of how numbers are written: number.h makes text of the digits.
 */
#ifndef EXPORTER_SHORTEST_H
#define EXPORTER_SHORTEST_H

#include <stdint.h>

/* The value digits * 10^exponent. */
struct decimal {
	uint64_t digits; /* at most 17; may end in zeros */
	int exponent;
};

/*
 * Of the decimals with the fewest digits that round to `value`, the closest to
 * it.  `value` is finite and greater than 0.
 */
struct decimal shortest_decimal(double value);

#endif
