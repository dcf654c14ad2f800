#include "parsers/value.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "parsers/timestamp.h"

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* -- numbers -------------------------------------------------------------- */

/* More than can decide how a double is rounded: 767 digits do. */
#define MAX_DIGITS 800
#define MAX_EXPONENT 1000000000

/* The digits as an integer, times ten to the exponent. */
struct decimal {
	bool negative;
	int64_t exponent;
	size_t count; /* without leading zeros */
	char digits[MAX_DIGITS + 1];
};

/* Digits beyond the limit count only as "a little more". */
static void add_digit(struct decimal *d, char digit, bool behind_point)
{
	if (d->count == 0 && digit == '0') {
		d->exponent -= behind_point;
		return;
	}
	if (d->count < MAX_DIGITS) {
		d->digits[d->count++] = digit;
		d->exponent -= behind_point;
		return;
	}
	d->exponent += !behind_point;
	if (digit != '0' && d->count == MAX_DIGITS) {
		d->digits[d->count++] = '1';
		d->exponent--;
	}
}

static bool take_sign(struct slice *text)
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
	bool negative = take_sign(&text);
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

/* [+-]digits[.digits][e[+-]digits], with a digit before the e. */
static bool read_decimal(struct slice text, struct decimal *d)
{
	bool point = false, any = false;

	d->negative = take_sign(&text);
	d->exponent = 0;
	d->count = 0;
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];

		if (is_digit(c)) {
			add_digit(d, c, point);
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

/* Without a decimal point strtod() does not depend on the locale. */
static double round_exactly(const struct decimal *d)
{
	char text[MAX_DIGITS + 32];

	snprintf(text, sizeof(text), "%.*se%lld", (int)d->count, d->digits,
		 (long long)d->exponent);
	return strtod(text, NULL);
}

static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
				1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
				1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

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

static double decimal_value(const struct decimal *d)
{
	return d->negative ? -magnitude(d) : magnitude(d);
}

static bool is_word(struct slice text, const char *word)
{
	if (text.len != strlen(word))
		return false;
	for (size_t i = 0; i < text.len; i++)
		if ((text.ptr[i] | 0x20) != word[i])
			return false;
	return true;
}

static bool parse_special(struct slice text, double *value)
{
	double sign = take_sign(&text) ? -1 : 1;

	if (is_word(text, "nan"))
		*value = copysign(NAN, sign);
	else if (is_word(text, "inf") || is_word(text, "infinity"))
		*value = copysign(INFINITY, sign);
	else
		return false;
	return true;
}

/* What logs mostly have: up to 15 digits, perhaps a point among them. */
static bool parse_plain(struct slice text, double *value)
{
	uint64_t mantissa = 0;
	size_t point = text.len, digits = 0;

	if (text.len > 16)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		if (is_digit(text.ptr[i])) {
			mantissa = mantissa * 10 + (uint64_t)(text.ptr[i] - '0');
			digits++;
		} else if (text.ptr[i] == '.' && point == text.len) {
			point = i;
		} else {
			return false;
		}
	}
	if (digits == 0 || digits > 15)
		return false;
	*value = point < text.len ? (double)mantissa / powers[text.len - point - 1]
				  : (double)mantissa;
	return true;
}

static bool parse_number(struct slice text, double *value)
{
	struct decimal d;

	if (parse_plain(text, value))
		return true;
	if (!read_decimal(text, &d))
		return parse_special(text, value);
	*value = decimal_value(&d);
	return true;
}

/* -- grouped -------------------------------------------------------------- */

/* Up to three digits, then commas with three digits each, then a fraction. */
static bool is_grouped(struct slice text)
{
	size_t i = 0, group = 0, groups = 0;

	for (; i < text.len && text.ptr[i] != '.'; i++) {
		if (is_digit(text.ptr[i])) {
			group++;
			continue;
		}
		if (text.ptr[i] != ',' || group == 0 || group > 3 ||
		    (groups > 0 && group != 3))
			return false;
		groups++;
		group = 0;
	}
	if (groups > 0 ? group != 3 : i == 0)
		return false;
	for (i++; i < text.len; i++)
		if (!is_digit(text.ptr[i]))
			return false;
	return true;
}

static bool parse_grouped(struct slice text, double *value)
{
	struct decimal d = {.negative = take_sign(&text)};
	bool point = false;

	if (!is_grouped(text))
		return false;
	for (size_t i = 0; i < text.len; i++) {
		if (is_digit(text.ptr[i]))
			add_digit(&d, text.ptr[i], point);
		point = point || text.ptr[i] == '.';
	}
	*value = decimal_value(&d);
	return true;
}

/* -- durations ------------------------------------------------------------ */

/* A unit is `seconds` times ten to the exponent, so that decimals stay exact. */
static const struct unit {
	const char *name;
	int seconds;
	int exponent;
} units[] = {
	{"ns", 1, -9},        {"us", 1, -6},      {"\xC2\xB5s", 1, -6},
	{"\xCE\xBCs", 1, -6}, {"ms", 1, -3},      {"s", 1, 0},
	{"m", 60, 0},         {"h", 3600, 0},     {"d", 86400, 0},
	{"min", 60, 0},       {"mins", 60, 0},    {"sec", 1, 0},
	{"secs", 1, 0},       {"hr", 3600, 0},    {"hrs", 3600, 0},
	{"second", 1, 0},     {"seconds", 1, 0},  {"minute", 60, 0},
	{"minutes", 60, 0},   {"hour", 3600, 0},  {"hours", 3600, 0},
	{"day", 86400, 0},    {"days", 86400, 0}, {"w", 604800, 0},
};

static const struct unit *find_unit(struct slice name)
{
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (slice_is(name, units[i].name))
			return &units[i];
	return NULL;
}

static bool is_smaller(const struct unit *a, const struct unit *b)
{
	return a->exponent != b->exponent ? a->exponent < b->exponent
					  : a->seconds < b->seconds;
}

static struct slice take_while_number(struct slice *text)
{
	struct slice number = {text->ptr, 0};

	while (number.len < text->len &&
	       (is_digit(number.ptr[number.len]) || number.ptr[number.len] == '.'))
		number.len++;
	text->ptr += number.len;
	text->len -= number.len;
	return number;
}

static void skip_spaces(struct slice *text)
{
	while (text->len > 0 && text->ptr[0] == ' ') {
		text->ptr++;
		text->len--;
	}
}

/* A number and its unit, with or without a space between them. */
static const struct unit *take_part(struct slice *text, double *seconds)
{
	struct slice number = take_while_number(text), name;
	const struct unit *unit;
	struct decimal d;

	skip_spaces(text);
	name = (struct slice){text->ptr, 0};
	while (name.len < text->len && !is_digit(name.ptr[name.len]) &&
	       name.ptr[name.len] != ' ')
		name.len++;
	text->ptr += name.len;
	text->len -= name.len;
	unit = find_unit(name);
	if (!unit || !read_decimal(number, &d))
		return NULL;
	d.exponent += unit->exponent;
	*seconds = decimal_value(&d) * unit->seconds;
	return unit;
}

/* 1h30m, 1m 30s, 2.5 ms: each unit smaller than the one before it. */
static bool parse_units(struct slice text, double *seconds)
{
	const struct unit *last = NULL;

	*seconds = 0;
	do {
		double part;
		const struct unit *unit = take_part(&text, &part);

		if (!unit || (last && !is_smaller(unit, last)))
			return false;
		*seconds += part;
		last = unit;
		if (text.len > 0 && text.ptr[text.len - 1] == ' ')
			return false;
		skip_spaces(&text);
	} while (text.len > 0);
	return true;
}

/* 01:30, 00:01:30.5: the last is seconds. */
static bool parse_clock(struct slice text, double *seconds)
{
	double total = 0, value;
	int parts = 0;

	for (;;) {
		struct slice number = take_while_number(&text);

		if (!parse_number(number, &value) || (parts > 0 && value >= 60) ||
		    ++parts > 3)
			return false;
		total = total * 60 + value;
		if (text.len == 0)
			break;
		if (text.ptr[0] != ':' || memchr(number.ptr, '.', number.len))
			return false;
		text.ptr++;
		text.len--;
	}
	*seconds = total;
	return parts > 1;
}

static bool parse_duration(struct slice text, double *value)
{
	bool negative = take_sign(&text);

	if (slice_is(text, "0"))
		*value = 0;
	else if (!parse_units(text, value) && !parse_clock(text, value))
		return false;
	if (negative)
		*value = -*value;
	return true;
}

/* -- timestamps ----------------------------------------------------------- */

/* Seconds until year 5138; milli-, micro- and nanoseconds by their size. */
static bool parse_epoch(struct slice text, double *value)
{
	struct decimal d;
	double size;

	if (!read_decimal(text, &d))
		return false;
	size = magnitude(&d);
	if (size >= 1e17)
		d.exponent -= 9;
	else if (size >= 1e14)
		d.exponent -= 6;
	else if (size >= 1e11)
		d.exponent -= 3;
	*value = decimal_value(&d);
	return isfinite(*value);
}

static bool parse_timestamp(struct slice text, double *value)
{
	struct decimal d;
	char digits[32];
	int64_t ns;

	if (parse_epoch(text, value))
		return true;
	if (!timestamp_parse(NULL, text, 0, &ns))
		return false;
	snprintf(digits, sizeof(digits), "%lld", (long long)ns);
	read_decimal(slice_of(digits), &d);
	d.exponent -= 9;
	*value = decimal_value(&d);
	return true;
}

static const struct kind {
	const char *name;
	bool (*parse)(struct slice text, double *value);
} kinds[VALUE_KINDS] = {
	[VALUE_NUMBER] = {"number", parse_number},
	[VALUE_GROUPED] = {"grouped", parse_grouped},
	[VALUE_DURATION] = {"duration", parse_duration},
	[VALUE_TIMESTAMP] = {"timestamp", parse_timestamp},
};

const char *value_as_name(enum value_as as)
{
	return kinds[as].name;
}

bool value_parse(enum value_as as, struct slice text, double *value)
{
	double parsed;

	if (!kinds[as].parse(text, &parsed))
		return false;
	*value = parsed;
	return true;
}
