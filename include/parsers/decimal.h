/*
 * decimal.h - decimal numbers as they are written, exactly, and the double closest.
 *
 * Between reading and rounding once at the end a unit may be multiplied in, so
 * that 1.1m is 66 s and not what two roundings make of it.  The locale does not
 * matter.  Knows nothing of units.
 */
#ifndef PARSERS_DECIMAL_H
#define PARSERS_DECIMAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/slice.h"

/* More than can decide how a double is rounded: 767 digits do. */
#define DECIMAL_MAX_DIGITS 800

/* The digits as an integer, times ten to the exponent. */
struct decimal {
	bool negative;
	int64_t exponent;
	size_t count; /* without leading zeros */
	/* One more stands for all that follow; 20 for what a factor adds. */
	char digits[DECIMAL_MAX_DIGITS + 1 + 20];
};

/* Digits beyond the limit count only as "a little more". */
void decimal_add_digit(struct decimal *d, char digit, bool behind_point);

/* Takes a + or - off the text; true for -. */
bool decimal_take_sign(struct slice *text);

/* All of the text: [+-]digits[.digits][e[+-]digits], with a digit before the e. */
bool decimal_read(struct slice text, struct decimal *d);

/* Only once; the factor is at most 2^60. */
void decimal_multiply(struct decimal *d, uint64_t factor);

/* Rounded to nearest, ties to even, as strtod(3). */
double decimal_value(const struct decimal *d);

/* `value` times ten to the power of -18. */
double decimal_from_attos(__int128 value);

/* The same the other way, cut off after 18 places; false if it is 1e19 or more. */
bool decimal_to_attos(const struct decimal *d, __int128 *value);

/* 10 to the power of 0 to 22, which are exact. */
double decimal_power(size_t exponent);

#endif
