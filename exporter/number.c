#include "exporter/number.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "exporter/shortest.h"

#define EXACT_INTEGERS 9007199254740992.0 /* 2^53 */

/* Decimal exponents for which Go's %g keeps the fixed form. */
#define FIXED_FROM (-4)
#define FIXED_UNTIL 6

static size_t put_text(char *out, const char *text)
{
	size_t len = strlen(text);

	memcpy(out, text, len);
	return len;
}

static const char pairs[] = "00010203040506070809"
			    "10111213141516171819"
			    "20212223242526272829"
			    "30313233343536373839"
			    "40414243444546474849"
			    "50515253545556575859"
			    "60616263646566676869"
			    "70717273747576777879"
			    "80818283848586878889"
			    "90919293949596979899";

static size_t put_integer(char *out, uint64_t n)
{
	char digits[20];
	size_t start = sizeof(digits);

	for (; n >= 100; n /= 100)
		memcpy(digits + (start -= 2), pairs + n % 100 * 2, 2);
	if (n >= 10)
		memcpy(digits + (start -= 2), pairs + n * 2, 2);
	else
		digits[--start] = (char)('0' + n);
	memcpy(out, digits + start, sizeof(digits) - start);
	return sizeof(digits) - start;
}

/* 0.00ddd, dd.d or dd000: `point` digits stand before the point. */
static size_t put_fixed(char *out, const char *digits, size_t count, int point)
{
	size_t len = 0;

	if (point <= 0) {
		len = put_text(out, "0.");
		for (; point < 0; point++)
			out[len++] = '0';
	}
	for (size_t i = 0; i < count; i++) {
		if (i > 0 && (int)i == point)
			out[len++] = '.';
		out[len++] = digits[i];
	}
	for (int i = (int)count; i < point; i++)
		out[len++] = '0';
	return len;
}

/* d.ddde+xx: at least two digits of exponent. */
static size_t put_exponent(char *out, const char *digits, size_t count, int exponent)
{
	size_t len = 0;

	out[len++] = digits[0];
	if (count > 1) {
		out[len++] = '.';
		memcpy(out + len, digits + 1, count - 1);
		len += count - 1;
	}
	out[len++] = 'e';
	out[len++] = exponent < 0 ? '-' : '+';
	exponent = exponent < 0 ? -exponent : exponent;
	if (exponent < 10)
		out[len++] = '0';
	return len + put_integer(out + len, (uint64_t)exponent);
}

/*
 * Most values of logs have up to three digits behind the point: thousandths
 * whose quotient, correctly rounded, is the value read back as it.  With at most
 * 15 digits no other decimal as short does.
 */
static bool find_thousandths(double value, struct decimal *decimal)
{
	uint64_t thousandths;

	if (value >= 1e12)
		return false;
	thousandths = (uint64_t)(value * 1000 + 0.5);
	*decimal = (struct decimal){thousandths, -3};
	return (double)thousandths / 1000 == value;
}

static size_t put_positive(char *out, double value)
{
	struct decimal decimal;
	char digits[20];
	size_t count;
	int exponent;

	if (!find_thousandths(value, &decimal))
		decimal = shortest_decimal(value);
	while (decimal.digits % 10 == 0) {
		decimal.digits /= 10;
		decimal.exponent++;
	}
	count = put_integer(digits, decimal.digits);
	exponent = decimal.exponent + (int)count - 1;
	if (exponent < FIXED_FROM || exponent >= FIXED_UNTIL)
		return put_exponent(out, digits, count, exponent);
	return put_fixed(out, digits, count, exponent + 1);
}

/* NaN, infinities and zeros too. */
static size_t put_float(char *out, double value)
{
	size_t sign = 0;

	if (isnan(value))
		return put_text(out, "NaN");
	if (isinf(value))
		return put_text(out, value > 0 ? "+Inf" : "-Inf");
	if (signbit(value))
		out[sign++] = '-';
	if (value == 0)
		return sign + put_text(out + sign, "0");
	return sign + put_positive(out + sign, fabs(value));
}

size_t number_format(char *out, double value)
{
	double size = fabs(value);
	size_t sign = 0;

	if (!(size < EXACT_INTEGERS) || size != (double)(uint64_t)size)
		return put_float(out, value);
	if (signbit(value))
		out[sign++] = '-';
	return sign + put_integer(out + sign, (uint64_t)size);
}

size_t number_format_le(char *out, double value)
{
	size_t len = put_float(out, value);

	/* An integer in fixed form: "NaN" and "+Inf" have letters too. */
	for (size_t i = 0; i < len; i++)
		if (!((out[i] >= '0' && out[i] <= '9') || out[i] == '-'))
			return len;
	return len + put_text(out + len, ".0");
}
