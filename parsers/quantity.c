#include "parsers/quantity.h"

#include <stdint.h>

#include "parsers/decimal.h"

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static void skip_spaces(struct slice *text)
{
	while (text->len > 0 && text->ptr[0] == ' ') {
		text->ptr++;
		text->len--;
	}
}

static bool ends_in_space(struct slice text)
{
	return text.len > 0 && text.ptr[text.len - 1] == ' ';
}

static struct slice take(struct slice *text, size_t n)
{
	struct slice taken = {text->ptr, n};

	text->ptr += n;
	text->len -= n;
	return taken;
}

/* Digits and points, and commas where `grouped`. */
static struct slice take_number(struct slice *text, bool grouped)
{
	size_t n = 0;

	while (n < text->len && (is_digit(text->ptr[n]) || text->ptr[n] == '.' ||
				 (grouped && text->ptr[n] == ',')))
		n++;
	return take(text, n);
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

/* Without a sign. */
static bool read_grouped(struct slice text, struct decimal *d)
{
	bool point = false;

	*d = (struct decimal){0};
	if (!is_grouped(text))
		return false;
	for (size_t i = 0; i < text.len; i++) {
		if (is_digit(text.ptr[i]))
			decimal_add_digit(d, text.ptr[i], point);
		point = point || text.ptr[i] == '.';
	}
	return true;
}

bool grouped_parse(struct slice text, double *value)
{
	bool negative = decimal_take_sign(&text);
	struct decimal d;

	if (!read_grouped(text, &d))
		return false;
	d.negative = negative;
	*value = decimal_value(&d);
	return true;
}

/* -- durations ------------------------------------------------------------ */

/* A unit is `seconds` times ten to the exponent, so that decimals stay exact. */
static const struct time_unit {
	const char *name;
	unsigned seconds;
	int exponent;
} time_units[] = {
	{"s", 1, 0},
	{"ms", 1, -3},
	{"us", 1, -6},
	{"\xC2\xB5s", 1, -6}, /* micro sign */
	{"\xCE\xBCs", 1, -6}, /* Greek mu */
	{"ns", 1, -9},
	{"m", 60, 0},
	{"h", 3600, 0},
	{"d", 86400, 0},
	{"w", 604800, 0},
	{"sec", 1, 0},
	{"secs", 1, 0},
	{"second", 1, 0},
	{"seconds", 1, 0},
	{"msec", 1, -3},
	{"msecs", 1, -3},
	{"millisecond", 1, -3},
	{"milliseconds", 1, -3},
	{"usec", 1, -6},
	{"usecs", 1, -6},
	{"microsecond", 1, -6},
	{"microseconds", 1, -6},
	{"nsec", 1, -9},
	{"nsecs", 1, -9},
	{"nanosecond", 1, -9},
	{"nanoseconds", 1, -9},
	{"min", 60, 0},
	{"mins", 60, 0},
	{"minute", 60, 0},
	{"minutes", 60, 0},
	{"hr", 3600, 0},
	{"hrs", 3600, 0},
	{"hour", 3600, 0},
	{"hours", 3600, 0},
	{"day", 86400, 0},
	{"days", 86400, 0},
	{"week", 604800, 0},
	{"weeks", 604800, 0},
};

static const struct time_unit *find_time_unit(struct slice name)
{
	for (size_t i = 0; i < sizeof(time_units) / sizeof(time_units[0]); i++)
		if (slice_is(name, time_units[i].name))
			return &time_units[i];
	return NULL;
}

static bool is_smaller(const struct time_unit *a, const struct time_unit *b)
{
	return a->exponent != b->exponent ? a->exponent < b->exponent
					  : a->seconds < b->seconds;
}

/* A number and its unit, with or without a space between them. */
static const struct time_unit *take_part(struct slice *text, struct decimal *d)
{
	struct slice number = take_number(text, false);
	const struct time_unit *unit;
	size_t n = 0;

	skip_spaces(text);
	while (n < text->len && !is_digit(text->ptr[n]) && text->ptr[n] != ' ' &&
	       text->ptr[n] != ',')
		n++;
	unit = find_time_unit(take(text, n));
	if (!unit || !decimal_read(number, d))
		return NULL;
	d->exponent += unit->exponent;
	decimal_multiply(d, unit->seconds);
	return unit;
}

/* What may stand between two parts: nothing, spaces, or a comma and spaces. */
static bool take_separator(struct slice *text)
{
	if (text->len > 1 && text->ptr[0] == ',' && text->ptr[1] == ' ')
		take(text, 1);
	skip_spaces(text);
	return text->len > 0 && text->ptr[0] != ',';
}

/* One part of a clock: below 60 behind a colon; the last may have decimals. */
static bool take_clock_part(struct slice *text, int parts, __int128 *attos)
{
	struct slice number = take_number(text, false);
	const __int128 minute = (__int128)60 * 1000000000 * 1000000000;
	struct decimal d;
	bool last = text->len == 0;

	return decimal_read(number, &d) && decimal_to_attos(&d, attos) &&
	       (parts == 0 || *attos < minute) &&
	       (last || !memchr(number.ptr, '.', number.len));
}

/* 01:30, 00:01:30.5: the last is seconds. */
static bool parse_clock(struct slice text, __int128 *total)
{
	__int128 part;
	int parts = 0;

	*total = 0;
	for (;;) {
		if (parts == 3 || !take_clock_part(&text, parts, &part) ||
		    *total > ((__int128)1 << 120))
			return false;
		parts++;
		*total = *total * 60 + part;
		if (text.len == 0)
			return parts > 1;
		if (text.ptr[0] != ':')
			return false;
		take(&text, 1);
	}
}

/* Behind days, as Python's timedelta and PostgreSQL's interval are printed. */
static bool add_clock(struct slice text, bool days_are_negative, double *seconds,
		      __int128 total)
{
	bool negative = decimal_take_sign(&text);
	__int128 clock;

	if (!parse_clock(text, &clock))
		return false;
	if (days_are_negative)
		total = -total;
	*seconds = decimal_from_attos(total + (negative ? -clock : clock));
	return true;
}

/* 1h30m, 1m 30s, 1 hour, 5 minutes: each unit smaller than the one before it. */
static bool parse_units(struct slice text, bool negative, double *seconds)
{
	const struct time_unit *last = NULL;
	__int128 total = 0, part;
	struct decimal d;

	while (true) {
		const struct time_unit *unit = take_part(&text, &d);

		if (!unit || (last && !is_smaller(unit, last)))
			return false;
		if (!last && text.len == 0) {
			d.negative = negative;
			*seconds = decimal_value(&d);
			return true;
		}
		if (!decimal_to_attos(&d, &part))
			return false;
		total += part;
		if (text.len == 0)
			break;
		if (!take_separator(&text))
			return false;
		if (!last && unit->seconds == 86400 && text.ptr[-1] == ' ' &&
		    add_clock(text, negative, seconds, total))
			return true;
		last = unit;
	}
	*seconds = decimal_from_attos(negative ? -total : total);
	return true;
}

bool duration_parse(struct slice text, double *seconds)
{
	bool negative = decimal_take_sign(&text);
	__int128 clock;

	if (ends_in_space(text))
		return false;
	if (slice_is(text, "0")) {
		*seconds = negative ? -0.0 : 0;
		return true;
	}
	if (parse_units(text, negative, seconds))
		return true;
	if (!parse_clock(text, &clock))
		return false;
	*seconds = decimal_from_attos(negative ? -clock : clock);
	return true;
}

/* -- bytes ---------------------------------------------------------------- */

#define SI(n) (3 * (n)) /* powers of ten */
#define IEC(n) (UINT64_C(1) << (10 * (n)))

static const struct size_unit {
	const char *name;
	uint64_t factor;
	int exponent;
} size_units[] = {
	{"", 1, 0},         {"B", 1, 0},        {"b", 1, 0},        {"byte", 1, 0},
	{"bytes", 1, 0},    {"Bytes", 1, 0},    {"k", IEC(1), 0},   {"K", IEC(1), 0},
	{"Ki", IEC(1), 0},  {"KiB", IEC(1), 0}, {"kib", IEC(1), 0}, {"kiB", IEC(1), 0},
	{"kB", 1, SI(1)},   {"KB", 1, SI(1)},   {"kb", 1, SI(1)},   {"m", IEC(2), 0},
	{"M", IEC(2), 0},   {"Mi", IEC(2), 0},  {"MiB", IEC(2), 0}, {"mib", IEC(2), 0},
	{"MB", 1, SI(2)},   {"mb", 1, SI(2)},   {"g", IEC(3), 0},   {"G", IEC(3), 0},
	{"Gi", IEC(3), 0},  {"GiB", IEC(3), 0}, {"gib", IEC(3), 0}, {"GB", 1, SI(3)},
	{"gb", 1, SI(3)},   {"t", IEC(4), 0},   {"T", IEC(4), 0},   {"Ti", IEC(4), 0},
	{"TiB", IEC(4), 0}, {"tib", IEC(4), 0}, {"TB", 1, SI(4)},   {"tb", 1, SI(4)},
	{"P", IEC(5), 0},   {"Pi", IEC(5), 0},  {"PiB", IEC(5), 0}, {"PB", 1, SI(5)},
	{"E", IEC(6), 0},   {"Ei", IEC(6), 0},  {"EiB", IEC(6), 0}, {"EB", 1, SI(6)},
};

bool bytes_parse(struct slice text, double *bytes)
{
	bool negative = decimal_take_sign(&text);
	struct slice number = take_number(&text, true);
	struct decimal d;

	if (number.len > 0 && memchr(number.ptr, ',', number.len)
		    ? !read_grouped(number, &d)
		    : !decimal_read(number, &d))
		return false;
	if (ends_in_space(text))
		return false;
	d.negative = negative;
	skip_spaces(&text);
	for (size_t i = 0; i < sizeof(size_units) / sizeof(size_units[0]); i++) {
		if (!slice_is(text, size_units[i].name))
			continue;
		d.exponent += size_units[i].exponent;
		decimal_multiply(&d, size_units[i].factor);
		*bytes = decimal_value(&d);
		return true;
	}
	return false;
}

/* -- percent -------------------------------------------------------------- */

bool percent_parse(struct slice text, double *ratio)
{
	struct decimal d;

	if (text.len > 0 && text.ptr[text.len - 1] == '%') {
		text.len--;
		while (ends_in_space(text))
			text.len--;
	}
	if (!decimal_read(text, &d))
		return false;
	d.exponent -= 2;
	*ratio = decimal_value(&d);
	return true;
}
