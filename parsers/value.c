#include "parsers/value.h"

#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

#include "common/clock.h"
#include "parsers/timestamp.h"

#define MAX_NUMBER_BYTES 400

static const char *const names[VALUE_KINDS] = {
	[VALUE_NUMBER] = "number",
	[VALUE_GROUPED] = "grouped",
	[VALUE_DURATION] = "duration",
	[VALUE_TIMESTAMP] = "timestamp",
};

const char *value_as_name(enum value_as as)
{
	return names[as];
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* -- numbers -------------------------------------------------------------- */

/* strtod takes more than a log's number: hexadecimal, spaces, nan(...). */
static bool is_number_text(struct slice text)
{
	size_t i = 0, digits = 0;

	if (i < text.len && (text.ptr[i] == '+' || text.ptr[i] == '-'))
		i++;
	for (; i < text.len && is_digit(text.ptr[i]); i++)
		digits++;
	if (i < text.len && text.ptr[i] == '.')
		for (i++; i < text.len && is_digit(text.ptr[i]); i++)
			digits++;
	if (digits == 0)
		return false;
	if (i < text.len && (text.ptr[i] == 'e' || text.ptr[i] == 'E')) {
		i++;
		if (i < text.len && (text.ptr[i] == '+' || text.ptr[i] == '-'))
			i++;
		if (i == text.len)
			return false;
		while (i < text.len && is_digit(text.ptr[i]))
			i++;
	}
	return i == text.len;
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
	double sign = 1;

	if (text.len > 0 && (text.ptr[0] == '+' || text.ptr[0] == '-')) {
		sign = text.ptr[0] == '-' ? -1 : 1;
		text.ptr++;
		text.len--;
	}
	if (is_word(text, "nan"))
		*value = NAN;
	else if (is_word(text, "inf") || is_word(text, "infinity"))
		*value = sign * INFINITY;
	else
		return false;
	return true;
}

static locale_t c_locale;

static void make_c_locale(void)
{
	c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

static double exact(struct slice text)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	char copy[MAX_NUMBER_BYTES + 1];

	pthread_once(&once, make_c_locale);
	memcpy(copy, text.ptr, text.len);
	copy[text.len] = '\0';
	return strtod_l(copy, NULL, c_locale);
}

/*
 * Clinger's fast path: up to 15 digits are an exact double, and so are the
 * powers of ten up to 22, so that one division rounds once.  False: not so simple.
 */
static bool parse_short(struct slice text, double *value)
{
	static const double powers[] = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
					1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
	size_t i = 0, fraction = 0, digits = 0;
	bool negative = text.ptr[0] == '-', point = false;
	uint64_t mantissa = 0;

	if (text.ptr[0] == '-' || text.ptr[0] == '+')
		i++;
	for (; i < text.len; i++) {
		if (text.ptr[i] == '.' && !point) {
			point = true;
			continue;
		}
		if (!is_digit(text.ptr[i]) || digits == 15)
			return false;
		mantissa = mantissa * 10 + (uint64_t)(text.ptr[i] - '0');
		digits++;
		fraction += point;
	}
	if (digits == 0)
		return false;
	*value = (double)mantissa / powers[fraction];
	if (negative)
		*value = -*value;
	return true;
}

static bool parse_number(struct slice text, double *value)
{
	if (text.len == 0 || text.len > MAX_NUMBER_BYTES)
		return false;
	if (parse_short(text, value))
		return true;
	if (!is_number_text(text))
		return parse_special(text, value);
	*value = exact(text);
	return true;
}

/* -- grouped -------------------------------------------------------------- */

/* Each comma has three digits behind it; none stands after the point. */
static bool parse_grouped(struct slice text, double *value)
{
	char plain[64];
	size_t len = 0, since_comma = 0;
	bool comma = false, point = false;

	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];

		if (c == ',') {
			if (point || (comma ? since_comma != 3
					    : since_comma == 0 || since_comma > 3))
				return false;
			comma = true;
			since_comma = 0;
			continue;
		}
		if (!point && comma && !is_digit(c) && since_comma != 3)
			return false;
		if (is_digit(c))
			since_comma++;
		else if (c == '.')
			point = true;
		else if (!(i == 0 && (c == '+' || c == '-')))
			return false;
		if (len == sizeof(plain))
			return false;
		plain[len++] = c;
	}
	if (comma && !point && since_comma != 3)
		return false;
	return parse_number((struct slice){plain, len}, value);
}

/* -- durations ------------------------------------------------------------ */

static const struct {
	const char *name;
	double seconds;
} units[] = {
	{"ns", 1e-9},   {"us", 1e-6},    {"\xC2\xB5s", 1e-6}, {"\xCE\xBCs", 1e-6},
	{"ms", 1e-3},   {"s", 1},        {"m", 60},           {"h", 3600},
	{"d", 86400},   {"min", 60},     {"sec", 1},          {"secs", 1},
	{"hr", 3600},   {"seconds", 1},  {"second", 1},       {"minutes", 60},
	{"minute", 60}, {"hours", 3600}, {"hour", 3600},      {"days", 86400},
	{"day", 86400}, {"w", 604800},
};

static bool unit_seconds(struct slice name, double *seconds)
{
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (slice_is(name, units[i].name)) {
			*seconds = units[i].seconds;
			return true;
		}
	}
	return false;
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

/* 1h30m, 1m 30s, 2.5 ms: each unit smaller than the one before it. */
static bool parse_units(struct slice text, double *seconds)
{
	double last_unit = INFINITY, total = 0;

	while (text.len > 0) {
		struct slice number = take_while_number(&text), name;
		double value, unit;

		skip_spaces(&text);
		name = (struct slice){text.ptr, 0};
		while (name.len < text.len && !is_digit(name.ptr[name.len]) &&
		       name.ptr[name.len] != ' ')
			name.len++;
		text.ptr += name.len;
		text.len -= name.len;
		if (!parse_number(number, &value) || !unit_seconds(name, &unit) ||
		    unit >= last_unit)
			return false;
		/* Division by a power of ten rounds as the decimal would. */
		total += unit < 1 ? value / round(1 / unit) : value * unit;
		last_unit = unit;
		if (text.len > 0 && text.ptr[0] == ' ') {
			skip_spaces(&text);
			if (text.len == 0)
				return false;
		}
	}
	*seconds = total;
	return last_unit < INFINITY;
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
	bool negative = text.len > 0 && text.ptr[0] == '-';

	if (negative || (text.len > 0 && text.ptr[0] == '+')) {
		text.ptr++;
		text.len--;
	}
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
	if (!parse_number(text, value) || !isfinite(*value))
		return false;
	if (fabs(*value) >= 1e17)
		*value /= 1e9;
	else if (fabs(*value) >= 1e14)
		*value /= 1e6;
	else if (fabs(*value) >= 1e11)
		*value /= 1e3;
	return true;
}

static struct timestamp_layout *iso;

static void make_iso(void)
{
	struct error err;

	iso = timestamp_compile(NULL, NULL, &err);
}

static bool parse_timestamp(struct slice text, double *value)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	int64_t ns, seconds;

	if (parse_epoch(text, value))
		return true;
	pthread_once(&once, make_iso);
	if (!timestamp_parse(iso, text, 0, &ns))
		return false;
	seconds = ns / NS_PER_SECOND;
	*value = (double)seconds + (double)(ns % NS_PER_SECOND) / 1e9;
	return true;
}

bool value_parse(enum value_as as, struct slice text, double *value)
{
	double parsed;
	bool ok = as == VALUE_NUMBER     ? parse_number(text, &parsed)
		  : as == VALUE_GROUPED  ? parse_grouped(text, &parsed)
		  : as == VALUE_DURATION ? parse_duration(text, &parsed)
					 : parse_timestamp(text, &parsed);

	if (ok)
		*value = parsed;
	return ok;
}
