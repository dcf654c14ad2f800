#include "parsers/decimal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_EXPONENT 1000000000
#define ATTO_EXPONENT (-18)

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

void decimal_add_digit(struct decimal *d, char digit, bool behind_point)
{
	if (d->count == 0 && digit == '0') {
		d->exponent -= behind_point;
		return;
	}
	if (d->count < DECIMAL_MAX_DIGITS) {
		d->digits[d->count++] = digit;
		d->exponent -= behind_point;
		return;
	}
	d->exponent += !behind_point;
	if (digit != '0' && d->count == DECIMAL_MAX_DIGITS) {
		d->digits[d->count++] = '1';
		d->exponent--;
	}
}

bool decimal_take_sign(struct slice *text)
{
	bool negative = text->len > 0 && text->ptr[0] == '-';

	if (negative || (text->len > 0 && text->ptr[0] == '+')) {
		text->ptr++;
		text->len--;
	}
	return negative;
}

/* What stands behind the `e`. */
static bool read_exponent(struct slice text, struct decimal *d)
{
	bool negative = decimal_take_sign(&text);
	int64_t exponent = 0;

	for (size_t i = 0; i < text.len; i++) {
		if (!is_digit(text.ptr[i]))
			return false;
		if (exponent < MAX_EXPONENT)
			exponent = exponent * 10 + (text.ptr[i] - '0');
	}
	d->exponent += negative ? -exponent : exponent;
	return text.len > 0;
}

bool decimal_read(struct slice text, struct decimal *d)
{
	bool point = false, any = false;

	d->negative = decimal_take_sign(&text);
	d->exponent = 0;
	d->count = 0;
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];

		if (is_digit(c)) {
			decimal_add_digit(d, c, point);
			any = true;
		} else if (c == '.' && !point) {
			point = true;
		} else if ((c | 0x20) == 'e' && any) {
			return read_exponent(
				(struct slice){text.ptr + i + 1, text.len - i - 1}, d);
		} else {
			return false;
		}
	}
	return any;
}

/* As on paper, from the last digit on. */
void decimal_multiply(struct decimal *d, uint64_t factor)
{
	char digits[sizeof(d->digits)];
	size_t at = sizeof(digits);
	uint64_t carry = 0;

	if (factor == 1)
		return;
	for (size_t i = d->count; i-- > 0; carry /= 10) {
		carry += (uint64_t)(d->digits[i] - '0') * factor;
		digits[--at] = (char)('0' + carry % 10);
	}
	for (; carry > 0; carry /= 10)
		digits[--at] = (char)('0' + carry % 10);
	d->count = sizeof(digits) - at;
	memcpy(d->digits, digits + at, d->count);
}

/* Without a decimal point strtod() does not depend on the locale. */
static double round_exactly(const struct decimal *d)
{
	char text[sizeof(d->digits) + 32];

	snprintf(text, sizeof(text), "%.*se%lld", (int)d->count, d->digits,
		 (long long)d->exponent);
	return strtod(text, NULL);
}

static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
				1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
				1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

double decimal_power(size_t exponent)
{
	return powers[exponent];
}

/*
 * Clinger's fast path: 15 digits are an exact double, and so are the powers of
 * ten up to 22, so that one multiplication or division rounds once.
 */
static double magnitude(const struct decimal *d)
{
	uint64_t mantissa = 0;

	if (d->count == 0)
		return 0;
	if (d->count > 15 || d->exponent > 22 || d->exponent < -22)
		return round_exactly(d);
	for (size_t i = 0; i < d->count; i++)
		mantissa = mantissa * 10 + (uint64_t)(d->digits[i] - '0');
	return d->exponent < 0 ? (double)mantissa / powers[-d->exponent]
			       : (double)mantissa * powers[d->exponent];
}

double decimal_value(const struct decimal *d)
{
	return d->negative ? -magnitude(d) : magnitude(d);
}

double decimal_from_attos(__int128 value)
{
	struct decimal d = {.negative = value < 0, .exponent = ATTO_EXPONENT};
	unsigned __int128 rest =
		value < 0 ? -(unsigned __int128)value : (unsigned __int128)value;
	char digits[40];
	size_t at = sizeof(digits);

	for (; rest > 0; rest /= 10)
		digits[--at] = (char)('0' + rest % 10);
	d.count = sizeof(digits) - at;
	memcpy(d.digits, digits + at, d.count);
	return decimal_value(&d);
}

bool decimal_to_attos(const struct decimal *d, __int128 *value)
{
	int64_t places = (int64_t)d->count + d->exponent - ATTO_EXPONENT;

	*value = 0;
	if (d->count == 0 || places <= 0)
		return true;
	if (places > 37)
		return false;
	for (int64_t i = 0; i < places; i++)
		*value = *value * 10 + (i < (int64_t)d->count ? d->digits[i] - '0' : 0);
	if (d->negative)
		*value = -*value;
	return true;
}
