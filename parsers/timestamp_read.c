#include "parsers/timestamp_read.h"

#include <string.h>

#include "common/clock.h"

static const char *const months[] = {"january",   "february", "march",    "april",
				     "may",       "june",     "july",     "august",
				     "september", "october",  "november", "december"};
static const char *const weekdays[] = {"sunday",   "monday", "tuesday", "wednesday",
				       "thursday", "friday", "saturday"};

/* -- pieces --------------------------------------------------------------- */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static void skip(struct time_reading *r, size_t n)
{
	r->rest.ptr += n;
	r->rest.len -= n;
}

bool time_take_char(struct time_reading *r, char c)
{
	if (r->rest.len == 0 || r->rest.ptr[0] != c)
		return false;
	skip(r, 1);
	return true;
}

void time_skip_spaces(struct time_reading *r)
{
	while (r->rest.len > 0 && (r->rest.ptr[0] == ' ' || r->rest.ptr[0] == '\t'))
		skip(r, 1);
}

/* At least `least` digits, at most `most`. */
static bool take_digits(struct time_reading *r, size_t least, size_t most,
			int64_t *value)
{
	size_t n = 0;

	*value = 0;
	while (n < most && n < r->rest.len && is_digit(r->rest.ptr[n]))
		*value = *value * 10 + (r->rest.ptr[n++] - '0');
	skip(r, n);
	return n >= least;
}

/* The 19th, if what comes out is an int64_t. */
static bool take_last_digit(struct time_reading *r, int64_t *value)
{
	bool fits = !__builtin_mul_overflow(*value, 10, value) &&
		    !__builtin_add_overflow(*value, r->rest.ptr[0] - '0', value);

	skip(r, 1);
	return fits;
}

static bool take_int(struct time_reading *r, size_t least, size_t most, int low,
		     int high, int *value)
{
	int64_t wide;

	if (!take_digits(r, least, most, &wide) || wide < low || wide > high)
		return false;
	*value = (int)wide;
	return true;
}

static size_t same_letters(struct slice text, const char *word)
{
	size_t n = 0;

	while (n < text.len && word[n] && (text.ptr[n] | 0x20) == word[n])
		n++;
	return n;
}

/* The whole name or its first three letters. */
static bool take_name(struct time_reading *r, const char *const *names, int count,
		      int *index)
{
	for (int i = 0; i < count; i++) {
		size_t n = same_letters(r->rest, names[i]);

		if (n < 3)
			continue;
		skip(r, names[i][n] == '\0' ? n : 3);
		*index = i;
		return true;
	}
	return false;
}

/* -- one reader for each letter ------------------------------------------- */

static bool read_year(struct time_reading *r)
{
	r->has_year = r->has_date = true;
	return take_digits(r, 4, 4, &r->year);
}

static bool read_short_year(struct time_reading *r)
{
	if (!take_digits(r, 2, 2, &r->year))
		return false;
	r->year += r->year < 69 ? 2000 : 1900; /* as strptime(3) */
	r->has_year = r->has_date = true;
	return true;
}

static bool read_month(struct time_reading *r)
{
	r->has_date = true;
	return take_int(r, 1, 2, 1, 12, &r->month);
}

static bool read_month_name(struct time_reading *r)
{
	r->has_date = true;
	if (!take_name(r, months, 12, &r->month))
		return false;
	r->month++;
	return true;
}

static bool read_day(struct time_reading *r)
{
	r->has_date = true;
	time_skip_spaces(r);
	return take_int(r, 1, 2, 1, 31, &r->day);
}

static bool read_year_day(struct time_reading *r)
{
	r->has_date = true;
	return take_int(r, 1, 3, 1, 366, &r->year_day);
}

static bool read_hour(struct time_reading *r)
{
	time_skip_spaces(r);
	return take_int(r, 1, 2, 0, 23, &r->hour);
}

static bool read_hour12(struct time_reading *r)
{
	time_skip_spaces(r);
	r->has_hour12 = true;
	return take_int(r, 1, 2, 1, 12, &r->hour);
}

static bool read_minute(struct time_reading *r)
{
	return take_int(r, 1, 2, 0, 59, &r->minute);
}

/* A leap second counts as the next minute's first. */
static bool read_second(struct time_reading *r)
{
	return take_int(r, 1, 2, 0, 60, &r->second);
}

static bool read_fraction(struct time_reading *r)
{
	size_t before = r->rest.len;
	int64_t value;

	if (!take_digits(r, 1, 9, &value))
		return false;
	for (size_t n = before - r->rest.len; n < 9; n++)
		value *= 10;
	while (r->rest.len > 0 && is_digit(r->rest.ptr[0]))
		skip(r, 1); /* finer than a nanosecond */
	r->fraction_ns = value;
	return true;
}

static bool read_half(struct time_reading *r)
{
	if (r->rest.len < 2 || (r->rest.ptr[1] | 0x20) != 'm')
		return false;
	r->pm = (r->rest.ptr[0] | 0x20) == 'p';
	if (!r->pm && (r->rest.ptr[0] | 0x20) != 'a')
		return false;
	skip(r, 2);
	return true;
}

static bool read_weekday(struct time_reading *r)
{
	int ignored;

	return take_name(r, weekdays, 7, &ignored);
}

/* Sunday is 0 to one, 7 to the other. */
static bool read_weekday_number(struct time_reading *r)
{
	int ignored;

	return take_int(r, 1, 1, 0, 7, &ignored);
}

static bool read_hours_east(struct time_reading *r)
{
	int sign = r->rest.len > 0 && r->rest.ptr[0] == '-' ? -1 : 1, h, m = 0;

	if (!time_take_char(r, '+') && !time_take_char(r, '-'))
		return false;
	if (!take_int(r, 2, 2, 0, 23, &h))
		return false;
	if (time_take_char(r, ':') || (r->rest.len > 0 && is_digit(r->rest.ptr[0])))
		if (!take_int(r, 2, 2, 0, 59, &m))
			return false;
	r->offset = sign * (h * 3600 + m * 60);
	return true;
}

static bool read_offset(struct time_reading *r)
{
	r->offset = 0;
	r->has_offset =
		time_take_char(r, 'Z') || time_take_char(r, 'z') || read_hours_east(r);
	return r->has_offset;
}

/* Zones without letters are called by their offset: +03. */
static bool read_zone_name(struct time_reading *r)
{
	size_t n = 0;

	if (r->rest.len > 0 && (r->rest.ptr[0] == '+' || r->rest.ptr[0] == '-'))
		return read_offset(r);
	while (n < r->rest.len && ((r->rest.ptr[n] | 0x20) >= 'a') &&
	       ((r->rest.ptr[n] | 0x20) <= 'z'))
		n++;
	if (n == 0)
		return false;
	if (slice_is((struct slice){r->rest.ptr, n}, "UTC") ||
	    slice_is((struct slice){r->rest.ptr, n}, "GMT") ||
	    slice_is((struct slice){r->rest.ptr, n}, "Z")) {
		r->has_offset = true;
		r->offset = 0;
	}
	r->zone_name = (struct slice){r->rest.ptr, n};
	skip(r, n);
	return true;
}

/*
 * [+-]digits[.digits] of a unit of so many nanoseconds; what is finer than one is left
 * out.  A comma is a point, too.
 */
static bool read_epoch_in(struct time_reading *r, int64_t unit_ns)
{
	bool negative = r->rest.len > 0 && r->rest.ptr[0] == '-';
	__int128 ns;
	int64_t value;

	if (negative || (r->rest.len > 0 && r->rest.ptr[0] == '+'))
		skip(r, 1);
	if (!take_digits(r, 1, 18, &value) ||
	    (r->rest.len > 0 && is_digit(r->rest.ptr[0]) &&
	     !take_last_digit(r, &value)))
		return false;
	ns = (__int128)value * unit_ns;
	if (r->rest.len > 1 && (r->rest.ptr[0] == '.' || r->rest.ptr[0] == ',') &&
	    is_digit(r->rest.ptr[1])) {
		skip(r, 1);
		for (; r->rest.len > 0 && is_digit(r->rest.ptr[0]); skip(r, 1)) {
			unit_ns /= 10;
			ns += (r->rest.ptr[0] - '0') * unit_ns;
		}
	}
	if (ns > INT64_MAX)
		return false;
	ns = negative ? -ns : ns;
	r->has_epoch = true;
	r->epoch_seconds = (int64_t)(ns / NS_PER_SECOND) - (ns % NS_PER_SECOND < 0);
	r->fraction_ns = (int64_t)ns - r->epoch_seconds * NS_PER_SECOND;
	return true;
}

static bool read_epoch(struct time_reading *r)
{
	return read_epoch_in(r, NS_PER_SECOND);
}

static bool read_epoch_ms(struct time_reading *r)
{
	return read_epoch_in(r, NS_PER_SECOND / 1000);
}

static bool read_epoch_us(struct time_reading *r)
{
	return read_epoch_in(r, NS_PER_SECOND / 1000000);
}

static bool read_epoch_ns(struct time_reading *r)
{
	return read_epoch_in(r, 1);
}

static bool read_space(struct time_reading *r)
{
	time_skip_spaces(r);
	return true;
}

static bool read_percent(struct time_reading *r)
{
	return time_take_char(r, '%');
}

static const struct time_letter letters[] = {
	{'Y', read_year, NULL},
	{'y', read_short_year, NULL},
	{'m', read_month, NULL},
	{'b', read_month_name, NULL},
	{'B', read_month_name, NULL},
	{'h', read_month_name, NULL},
	{'d', read_day, NULL},
	{'e', read_day, NULL},
	{'j', read_year_day, NULL},
	{'H', read_hour, NULL},
	{'k', read_hour, NULL},
	{'I', read_hour12, NULL},
	{'l', read_hour12, NULL},
	{'M', read_minute, NULL},
	{'S', read_second, NULL},
	{'f', read_fraction, NULL},
	{'p', read_half, NULL},
	{'a', read_weekday, NULL},
	{'A', read_weekday, NULL},
	{'z', read_offset, NULL},
	{'Z', read_zone_name, NULL},
	{'s', read_epoch, NULL},
	{'n', read_space, NULL},
	{'t', read_space, NULL},
	{'%', read_percent, NULL},
	{'T', NULL, "%H:%M:%S"},
	{'R', NULL, "%H:%M"},
	{'D', NULL, "%m/%d/%y"},
	{'F', NULL, "%Y-%m-%d"},
	{'r', NULL, "%I:%M:%S %p"},
	{'X', NULL, "%H:%M:%S"},
	{'x', NULL, "%m/%d/%y"},
	{'P', NULL, "%p"},
	{'c', NULL, "%a %b %e %H:%M:%S %Y"},
	{'u', read_weekday_number, NULL},
	{'w', read_weekday_number, NULL},
};

const struct time_letter *time_letter(char letter)
{
	for (size_t i = 0; i < sizeof(letters) / sizeof(letters[0]); i++)
		if (letters[i].letter == letter)
			return &letters[i];
	return NULL;
}

time_reader time_epoch(const char *layout)
{
	static const struct {
		const char *layout;
		time_reader read;
	} epochs[] = {{"epoch", read_epoch},
		      {"epoch_ms", read_epoch_ms},
		      {"epoch_us", read_epoch_us},
		      {"epoch_ns", read_epoch_ns}};

	for (size_t i = 0; i < sizeof(epochs) / sizeof(epochs[0]); i++)
		if (strcmp(layout, epochs[i].layout) == 0)
			return epochs[i].read;
	return NULL;
}

/* -- ISO 8601 ------------------------------------------------------------- */

/* YYYY-MM-DD or YYYYMMDD. */
static bool read_iso_date(struct time_reading *r)
{
	bool dashes;

	if (!read_year(r))
		return false;
	dashes = time_take_char(r, '-');
	return take_int(r, 2, 2, 1, 12, &r->month) &&
	       (!dashes || time_take_char(r, '-')) && take_int(r, 2, 2, 1, 31, &r->day);
}

/* HH[:MM[:SS[.fraction]]] or without colons. */
static bool read_iso_time(struct time_reading *r)
{
	bool colons;

	if (!take_int(r, 2, 2, 0, 23, &r->hour))
		return false;
	if (r->rest.len == 0 || (r->rest.ptr[0] != ':' && !is_digit(r->rest.ptr[0])))
		return true;
	colons = time_take_char(r, ':');
	if (!take_int(r, 2, 2, 0, 59, &r->minute))
		return false;
	if (colons ? !time_take_char(r, ':')
		   : r->rest.len == 0 || !is_digit(r->rest.ptr[0]))
		return true;
	if (!take_int(r, 2, 2, 0, 60, &r->second))
		return false;
	return !(time_take_char(r, '.') || time_take_char(r, ',')) || read_fraction(r);
}

bool time_read_iso(struct time_reading *r)
{
	if (!read_iso_date(r))
		return false;
	if (r->rest.len == 0)
		return true;
	if (!time_take_char(r, 'T') && !time_take_char(r, 't') &&
	    !time_take_char(r, ' '))
		return false;
	if (!read_iso_time(r))
		return false;
	if (r->rest.len == 0)
		return true;
	time_take_char(r, ' ');
	if (r->rest.len > 0 && (r->rest.ptr[0] == '+' || r->rest.ptr[0] == '-'))
		return read_offset(r);
	return read_offset(r) || (read_zone_name(r) && r->has_offset);
}
