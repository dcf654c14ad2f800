#include <criterion/criterion.h>
#include <float.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exporter/number.h"

#define RANDOM_NUMBERS 200000

struct example {
	double value;
	const char *text;
};

static void expect_text(size_t (*format)(char *, double),
			const struct example *examples, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		char text[NUMBER_MAX_BYTES + 1];

		text[format(text, examples[i].value)] = '\0';
		cr_expect_str_eq(text, examples[i].text, "%.17g is %s, not %s",
				 examples[i].value, text, examples[i].text);
	}
}

Test(number, integers_below_2_to_the_53_have_neither_point_nor_exponent)
{
	static const struct example examples[] = {
		{0, "0"},
		{-0.0, "-0"},
		{1, "1"},
		{-17, "-17"},
		{1000000, "1000000"},
		{1764590400, "1764590400"},
		{9007199254740991, "9007199254740991"},
		{-9007199254740991, "-9007199254740991"},
		{9007199254740992, "9.007199254740992e+15"},
		{1e21, "1e+21"},
	};

	expect_text(number_format, examples, sizeof(examples) / sizeof(*examples));
}

Test(number, fractions_are_written_as_go_writes_them)
{
	static const struct example examples[] = {
		{0.5, "0.5"},
		{-0.25, "-0.25"},
		{0.1 + 0.2, "0.30000000000000004"},
		{12.5, "12.5"},
		{123456.5, "123456.5"},
		{1234567.5, "1.2345675e+06"},
		{0.0001, "0.0001"},
		{0.00012, "0.00012"},
		{0.00001, "1e-05"},
		{1e-7, "1e-07"},
		{1.5e300, "1.5e+300"},
		{5e-324, "5e-324"},
		{DBL_MIN, "2.2250738585072014e-308"},
		{DBL_MAX, "1.7976931348623157e+308"},
		{NAN, "NaN"},
		{INFINITY, "+Inf"},
		{-INFINITY, "-Inf"},
	};

	expect_text(number_format, examples, sizeof(examples) / sizeof(*examples));
}

Test(number, le_is_a_canonical_float)
{
	static const struct example examples[] = {
		{0, "0.0"},         {1, "1.0"},           {-3, "-3.0"},
		{0.005, "0.005"},   {2.5, "2.5"},         {100000, "100000.0"},
		{1000000, "1e+06"}, {2500000, "2.5e+06"}, {1e-5, "1e-05"},
		{INFINITY, "+Inf"},
	};

	expect_text(number_format_le, examples, sizeof(examples) / sizeof(*examples));
}

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* All exponents alike, every eighth subnormal, every eighth a power of two. */
static double random_double(uint64_t *state)
{
	uint64_t bits = next_random(state);
	double value;

	if (bits % 8 == 1)
		bits &= ~(UINT64_C(0x7FF) << 52);
	if (bits % 8 == 2)
		bits &= UINT64_C(0xFFF) << 52;
	memcpy(&value, &bits, sizeof(value));
	return value;
}

static int count_digits(const char *text)
{
	char digits[32];
	size_t count = 0, first;

	for (; *text != '\0' && *text != 'e'; text++)
		if (*text >= '0' && *text <= '9')
			digits[count++] = *text;
	while (count > 0 && digits[count - 1] == '0')
		count--;
	for (first = 0; first < count && digits[first] == '0'; first++)
		;
	return (int)(count - first);
}

Test(number, random_doubles_read_back_the_same)
{
	uint64_t state = 88172645463325252u;

	for (int i = 0; i < RANDOM_NUMBERS; i++) {
		double value = random_double(&state);
		char text[NUMBER_MAX_BYTES + 1];

		if (!isfinite(value))
			continue;
		text[number_format(text, value)] = '\0';
		cr_assert_eq(strtod(text, NULL), value, "%a became %s", value, text);
	}
}

/* Half of them as logs have them: up to 19 digits, of which up to three are behind the
 * point. */
static double random_value(uint64_t *state)
{
	uint64_t bits = next_random(state);

	if (bits % 2 == 0)
		return random_double(state);
	return (double)(next_random(state) >> (bits >> 1) % 64) / 1000;
}

Test(number, no_shorter_text_reads_back_the_same)
{
	uint64_t state = 1234567891011u;

	for (int i = 0; i < RANDOM_NUMBERS; i++) {
		double value = random_value(&state);
		char text[NUMBER_MAX_BYTES + 1], shorter[64];
		int digits;

		if (!isfinite(value) || value == 0)
			continue;
		text[number_format(text, value)] = '\0';
		cr_assert_eq(strtod(text, NULL), value, "%a became %s", value, text);
		digits = count_digits(text);
		if (digits == 1)
			continue;
		snprintf(shorter, sizeof(shorter), "%.*e", digits - 2, value);
		cr_assert_neq(strtod(shorter, NULL), value, "%s, but %s does", text,
			      shorter);
	}
}
