#include "parsers/timestamp.h"

#include <stdlib.h>

#include "common/clock.h"
#include "common/xalloc.h"

/* What has been read so far. */
struct reading {
	struct slice rest;
	int64_t year;
	int month, day, year_day;
	int hour, minute, second;
	int64_t fraction_ns;
	int64_t epoch_seconds;
	int offset;
	bool has_year, has_date, has_offset, has_epoch, has_hour12, pm;
};

typedef bool (*field_reader)(struct reading *r);

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

static void skip(struct reading *r, size_t n)
{
	r->rest.ptr += n;
	r->rest.len -= n;
}

static bool take_char(struct reading *r, char c)
{
	if (r->rest.len == 0 || r->rest.ptr[0] != c)
		return false;
	skip(r, 1);
	return true;
}

static void skip_spaces(struct reading *r)
{
	while (r->rest.len > 0 && (r->rest.ptr[0] == ' ' || r->rest.ptr[0] == '\t'))
		skip(r, 1);
}

/* At least `least` digits, at most `most`. */
static bool take_digits(struct reading *r, size_t least, size_t most, int64_t *value)
{
	size_t n = 0;

	*value = 0;
	while (n < most && n < r->rest.len && is_digit(r->rest.ptr[n]))
		*value = *value * 10 + (r->rest.ptr[n++] - '0');
	skip(r, n);
	return n >= least;
}

static bool take_int(struct reading *r, size_t least, size_t most, int low, int high,
		     int *value)
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

	while (word[n] && n < text.len && (text.ptr[n] | 0x20) == word[n])
		n++;
	return n;
}

/* The whole name or its first three letters. */
static bool take_name(struct reading *r, const char *const *names, int count,
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

static bool read_year(struct reading *r)
{
	r->has_year = r->has_date = true;
	return take_digits(r, 4, 4, &r->year);
}

static bool read_short_year(struct reading *r)
{
	if (!take_digits(r, 2, 2, &r->year))
		return false;
	r->year += r->year < 69 ? 2000 : 1900; /* as strptime(3) */
	r->has_year = r->has_date = true;
	return true;
}

static bool read_month(struct reading *r)
{
	r->has_date = true;
	return take_int(r, 1, 2, 1, 12, &r->month);
}

static bool read_month_name(struct reading *r)
{
	r->has_date = true;
	if (!take_name(r, months, 12, &r->month))
		return false;
	r->month++;
	return true;
}

static bool read_day(struct reading *r)
{
	r->has_date = true;
	skip_spaces(r);
	return take_int(r, 1, 2, 1, 31, &r->day);
}

static bool read_year_day(struct reading *r)
{
	r->has_date = true;
	return take_int(r, 3, 3, 1, 366, &r->year_day);
}

static bool read_hour(struct reading *r)
{
	skip_spaces(r);
	return take_int(r, 1, 2, 0, 23, &r->hour);
}

static bool read_hour12(struct reading *r)
{
	skip_spaces(r);
	r->has_hour12 = true;
	return take_int(r, 1, 2, 1, 12, &r->hour);
}

static bool read_minute(struct reading *r)
{
	return take_int(r, 1, 2, 0, 59, &r->minute);
}

/* A leap second counts as the next minute's first. */
static bool read_second(struct reading *r)
{
	return take_int(r, 1, 2, 0, 60, &r->second);
}

static bool read_fraction(struct reading *r)
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

static bool read_half(struct reading *r)
{
	if (r->rest.len < 2 || (r->rest.ptr[1] | 0x20) != 'm')
		return false;
	r->pm = (r->rest.ptr[0] | 0x20) == 'p';
	if (!r->pm && (r->rest.ptr[0] | 0x20) != 'a')
		return false;
	skip(r, 2);
	return true;
}

static bool read_weekday(struct reading *r)
{
	int ignored;

	return take_name(r, weekdays, 7, &ignored);
}

static bool read_offset(struct reading *r)
{
	int sign, h, m = 0;

	r->has_offset = true;
	if (take_char(r, 'Z') || take_char(r, 'z')) {
		r->offset = 0;
		return true;
	}
	sign = r->rest.len > 0 && r->rest.ptr[0] == '-' ? -1 : 1;
	if (!take_char(r, '+') && !take_char(r, '-'))
		return false;
	if (!take_int(r, 2, 2, 0, 23, &h))
		return false;
	if (take_char(r, ':') || (r->rest.len > 0 && is_digit(r->rest.ptr[0])))
		if (!take_int(r, 2, 2, 0, 59, &m))
			return false;
	r->offset = sign * (h * 3600 + m * 60);
	return true;
}

static bool read_zone_name(struct reading *r)
{
	size_t n = 0;

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
	skip(r, n);
	return true;
}

static bool read_epoch(struct reading *r)
{
	r->has_epoch = true;
	if (!take_digits(r, 1, 11, &r->epoch_seconds))
		return false;
	if (r->rest.len > 1 && r->rest.ptr[0] == '.' && is_digit(r->rest.ptr[1])) {
		skip(r, 1);
		return read_fraction(r);
	}
	return true;
}

static bool read_space(struct reading *r)
{
	skip_spaces(r);
	return true;
}

static bool read_percent(struct reading *r)
{
	return take_char(r, '%');
}

static const struct {
	char letter;
	field_reader read;
	const char *same_as; /* where it is short for others */
} letters[] = {
	{'Y', read_year, NULL},       {'y', read_short_year, NULL},
	{'m', read_month, NULL},      {'b', read_month_name, NULL},
	{'B', read_month_name, NULL}, {'h', read_month_name, NULL},
	{'d', read_day, NULL},        {'e', read_day, NULL},
	{'j', read_year_day, NULL},   {'H', read_hour, NULL},
	{'k', read_hour, NULL},       {'I', read_hour12, NULL},
	{'l', read_hour12, NULL},     {'M', read_minute, NULL},
	{'S', read_second, NULL},     {'f', read_fraction, NULL},
	{'p', read_half, NULL},       {'a', read_weekday, NULL},
	{'A', read_weekday, NULL},    {'z', read_offset, NULL},
	{'Z', read_zone_name, NULL},  {'s', read_epoch, NULL},
	{'n', read_space, NULL},      {'t', read_space, NULL},
	{'%', read_percent, NULL},    {'T', NULL, "%H:%M:%S"},
	{'R', NULL, "%H:%M"},         {'D', NULL, "%m/%d/%y"},
	{'F', NULL, "%Y-%m-%d"},      {'r', NULL, "%I:%M:%S %p"},
};

/* -- layouts -------------------------------------------------------------- */

/* A reader, or a character that must stand there (a space: any number). */
struct step {
	field_reader read;
	char literal;
};

struct timestamp_layout {
	const struct zone *zone;
	bool iso;
	struct step *steps;
	size_t count;
};

static void add_step(struct timestamp_layout *t, struct step step)
{
	t->steps = xgrow(t->steps, t->count, sizeof(*t->steps));
	t->steps[t->count++] = step;
}

static bool compile(struct timestamp_layout *t, const char *layout, struct error *err)
{
	for (const char *p = layout; *p; p++) {
		size_t i = 0, n = sizeof(letters) / sizeof(letters[0]);

		if (*p != '%') {
			add_step(t, (struct step){.literal = *p});
			continue;
		}
		p++;
		while (i < n && letters[i].letter != *p)
			i++;
		if (*p == '\0' || i == n)
			return error_set(
				err,
				"layout: %%%.1s is not known: use strptime's "
				"letters (%%Y %%m %%d %%H %%M %%S %%b %%z ...), %%f "
				"for a fraction, %%s for epoch seconds",
				p);
		if (letters[i].same_as) {
			if (!compile(t, letters[i].same_as, err))
				return false;
		} else {
			add_step(t, (struct step){.read = letters[i].read});
		}
	}
	return true;
}

struct timestamp_layout *timestamp_compile(const char *layout, const struct zone *zone,
					   struct error *err)
{
	struct timestamp_layout *t = xcalloc(1, sizeof(*t));

	t->zone = zone;
	t->iso = !layout;
	if (!layout || compile(t, layout, err))
		return t;
	timestamp_destroy(t);
	return NULL;
}

void timestamp_destroy(struct timestamp_layout *t)
{
	if (!t)
		return;
	free(t->steps);
	free(t);
}

static bool run_steps(const struct timestamp_layout *t, struct reading *r)
{
	for (size_t i = 0; i < t->count; i++) {
		if (t->steps[i].read) {
			if (!t->steps[i].read(r))
				return false;
		} else if (t->steps[i].literal == ' ') {
			skip_spaces(r);
		} else if (!take_char(r, t->steps[i].literal)) {
			return false;
		}
	}
	return true;
}

/* ISO 8601 and RFC 3339: date, T or space, time, fraction, offset. */
static bool read_iso(struct reading *r)
{
	bool dashes;

	if (!read_year(r))
		return false;
	dashes = take_char(r, '-');
	if (!take_int(r, 2, 2, 1, 12, &r->month) || (dashes && !take_char(r, '-')) ||
	    !take_int(r, 2, 2, 1, 31, &r->day))
		return false;
	if (r->rest.len == 0)
		return true;
	if (!take_char(r, 'T') && !take_char(r, 't') && !take_char(r, ' '))
		return false;
	if (!take_int(r, 2, 2, 0, 23, &r->hour))
		return false;
	take_char(r, ':');
	if (!take_int(r, 2, 2, 0, 59, &r->minute))
		return false;
	if (take_char(r, ':') || (r->rest.len > 0 && is_digit(r->rest.ptr[0])))
		if (!take_int(r, 2, 2, 0, 60, &r->second))
			return false;
	if ((take_char(r, '.') || take_char(r, ',')) && !read_fraction(r))
		return false;
	skip_spaces(r);
	if (r->rest.len == 0)
		return true;
	return read_offset(r) || (r->rest.ptr[0] >= 'A' && read_zone_name(r));
}

/* -- to seconds ----------------------------------------------------------- */

static int offset_of(const struct timestamp_layout *t, const struct reading *r,
		     int64_t local)
{
	if (r->has_offset)
		return r->offset;
	return t->zone ? zone_offset_at_local(t->zone, local) : 0;
}

static bool day_exists(int64_t year, int month, int day)
{
	int64_t next = month == 12 ? days_from_civil(year + 1, 1, 1)
				   : days_from_civil(year, month + 1, 1);

	return day <= next - days_from_civil(year, month, 1);
}

static int64_t seconds_in_year(const struct timestamp_layout *t,
			       const struct reading *r, int64_t year)
{
	int64_t days = r->year_day > 0 ? days_from_civil(year, 1, 1) + r->year_day - 1
				       : days_from_civil(year, r->month, r->day);
	int64_t local = days * 86400 + r->hour * 3600 + r->minute * 60 + r->second;

	return local - offset_of(t, r, local);
}

static int64_t distance(int64_t a, int64_t b)
{
	return a > b ? a - b : b - a;
}

/* Syslog's dates have no year: the one that brings them closest to now. */
static bool seconds_closest(const struct timestamp_layout *t, const struct reading *r,
			    int64_t now, int64_t *seconds)
{
	int64_t year = year_of_days(now / 86400);
	bool found = false;

	for (int64_t y = year - 1; y <= year + 1; y++) {
		int64_t candidate;

		if (r->year_day == 0 && !day_exists(y, r->month, r->day))
			continue;
		candidate = seconds_in_year(t, r, y);
		if (!found || distance(candidate, now) < distance(*seconds, now))
			*seconds = candidate;
		found = true;
	}
	return found;
}

/* A time of day only: the day that brings it closest to now. */
static int64_t seconds_of_day(const struct timestamp_layout *t, const struct reading *r,
			      int64_t now)
{
	int64_t closest = 0;

	for (int64_t day = now / 86400 - 2; day <= now / 86400 + 2; day++) {
		int64_t local =
			day * 86400 + r->hour * 3600 + r->minute * 60 + r->second;
		int64_t candidate = local - offset_of(t, r, local);

		if (closest == 0 || distance(candidate, now) < distance(closest, now))
			closest = candidate;
	}
	return closest;
}

static bool to_seconds(const struct timestamp_layout *t, const struct reading *r,
		       int64_t now, int64_t *seconds)
{
	if (r->has_epoch)
		*seconds = r->epoch_seconds;
	else if (!r->has_date)
		*seconds = seconds_of_day(t, r, now);
	else if (!r->has_year)
		return seconds_closest(t, r, now, seconds);
	else if (r->year_day == 0 && !day_exists(r->year, r->month, r->day))
		return false;
	else
		*seconds = seconds_in_year(t, r, r->year);
	return true;
}

bool timestamp_parse(const struct timestamp_layout *t, struct slice text,
		     int64_t now_ns, int64_t *ns)
{
	struct reading r = {.rest = text, .month = 1, .day = 1};
	int64_t seconds = 0;

	if (!(t->iso ? read_iso(&r) : run_steps(t, &r)) || r.rest.len > 0)
		return false;
	if (r.has_hour12)
		r.hour = r.hour % 12 + (r.pm ? 12 : 0);
	if (!to_seconds(t, &r, now_ns / NS_PER_SECOND, &seconds) ||
	    seconds > INT64_MAX / NS_PER_SECOND - 1 ||
	    seconds < INT64_MIN / NS_PER_SECOND + 1)
		return false;
	*ns = seconds * NS_PER_SECOND + r.fraction_ns;
	return true;
}
