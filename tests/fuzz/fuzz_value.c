/*
 * The first byte says as what the others are read.  A number is what strtod(3) makes of
 * it; what can be read as several kinds is the same as each.
 */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/xalloc.h"
#include "parsers/value.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define check(holds) ((holds) ? (void)0 : fail(__LINE__))

static void fail(int line)
{
	fprintf(stderr, "line %d does not hold\n", line);
	abort();
}

static bool same(double a, double b)
{
	return isnan(a) ? isnan(b) : a == b && signbit(a) == signbit(b);
}

static void as_strtod(struct slice text, double value)
{
	char *copy = xstrndup(text.ptr, text.len), *end;

	check(same(strtod(copy, &end), value));
	check(end == copy + text.len);
	free(copy);
}

/* Accepted by `as`, it has the value that it has as a number, if it has one. */
static void as_number(enum value_as as, struct slice text, double number)
{
	double value;

	if (value_parse(as, text, &value))
		check(same(value, number));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum value_as as = size > 0 ? (enum value_as)(data[0] % VALUE_KINDS) : 0;
	struct slice text = {(const char *)data + (size > 0), size - (size > 0)};
	double value = -12345, number;
	bool ok = value_parse(as, text, &value);

	check(ok || value == -12345);
	if (ok && as != VALUE_NUMBER)
		check(!isnan(value));
	if (value_parse(VALUE_NUMBER, text, &number)) {
		as_strtod(text, number);
		as_number(VALUE_GROUPED, text, number);
		as_number(VALUE_BYTES, text, number);
	}
	return 0;
}
