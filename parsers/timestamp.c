#include "parsers/timestamp.h"

#include <stdlib.h>

#include "common/clock.h"
#include "common/xalloc.h"
#include "parsers/timestamp_read.h"

#define SECONDS_PER_DAY 86400

/* -- layouts -------------------------------------------------------------- */

/* A reader, or a character that must stand there (a space: any number). */
struct step {
	time_reader read;
	char literal;
};

struct timestamp_layout {
	const struct zone *zone;
	bool iso;
	enum timestamp_fraction fraction;
	bool has[128]; /* by letter */
	struct step *steps;
	size_t count;
};

static void add_step(struct timestamp_layout *t, struct step step)
{
	t->steps = xgrow(t->steps, t->count, sizeof(*t->steps));
	t->steps[t->count++] = step;
}

static bool unknown_letter(const char *letter, struct error *err)
{
	if (*letter && strchr("UWVGgC", *letter))
		return error_set(err,
				 "layout: %%%c is not read: write the date with %%Y, "
				 "%%m and %%d, or the day of the year with %%j",
				 *letter);
	return error_set(err,
			 "layout: %%%.1s is not known: use strptime's "
			 "letters (%%Y %%m %%d %%H %%M %%S %%b %%z ...), %%f "
			 "for a fraction, %%s for epoch seconds",
			 letter);
}

/* %s takes the fraction itself. */
static const char *skip_fraction_of_epoch(const char *p)
{
	bool follows = p[0] == 's' && (p[1] == '.' || p[1] == ',') && p[2] == '%' &&
		       p[3] == 'f';

	return follows ? p + 3 : p;
}

static bool compile(struct timestamp_layout *t, const char *layout, struct error *err)
{
	for (const char *p = layout; *p; p++) {
		const struct time_letter *letter;

		if (*p != '%') {
			add_step(t, (struct step){.literal = *p});
			continue;
		}
		letter = *++p ? time_letter(*p) : NULL;
		if (!letter)
			return unknown_letter(p, err);
		if (letter->same_as && !compile(t, letter->same_as, err))
			return false;
		if (letter->read) {
			t->has[(unsigned char)*p] = true;
			add_step(t, (struct step){.read = letter->read});
			p = skip_fraction_of_epoch(p);
		}
	}
	return true;
}

static bool has_any(const struct timestamp_layout *t, const char *wanted)
{
	for (; *wanted; wanted++)
		if (t->has[(unsigned char)*wanted])
			return true;
	return false;
}

/* If one of `these` is there, one of `those` must be. */
static const struct {
	const char *these;
	const char *those;
	const char *what;
} needs[] = {
	{"Il", "p", "%I is an hour of half a day: add %p, or write %H"},
	{"p", "Il", "%p is half a day: write %I for the hour"},
	{"YymbhB", "dej", "the date has no day: add %d"},
	{"Yyde", "mbhBj", "the date has no month: add %m or %b"},
	{"M", "HkIl", "minutes without an hour: add %H"},
	{"S", "M", "seconds without minutes: add %M"},
	{"f", "Ss", "a fraction without seconds: add %S"},
};

static bool is_complete(const struct timestamp_layout *t, struct error *err)
{
	for (size_t i = 0; i < sizeof(needs) / sizeof(needs[0]); i++)
		if (has_any(t, needs[i].these) && !has_any(t, needs[i].those))
			return error_set(err, "layout: %s", needs[i].what);
	if (!has_any(t, "djeHkIls"))
		return error_set(err, "layout: it names no day and no time of day");
	return true;
}

static enum timestamp_fraction find_fraction(const char *layout)
{
	size_t len = layout ? strlen(layout) : 0;

	if (!layout)
		return TIMESTAMP_FRACTION_OR_ZONE;
	if (len >= 3 && strcmp(layout + len - 2, "%f") == 0 &&
	    (layout[len - 3] == '.' || layout[len - 3] == ','))
		return TIMESTAMP_FRACTION_LAST;
	return TIMESTAMP_FRACTION_UNKNOWN;
}

struct timestamp_layout *timestamp_compile(const char *layout, const struct zone *zone,
					   struct error *err)
{
	struct timestamp_layout *t = xcalloc(1, sizeof(*t));

	t->zone = zone;
	t->iso = !layout;
	t->fraction = find_fraction(layout);
	if (layout && time_epoch(layout)) {
		add_step(t, (struct step){.read = time_epoch(layout)});
		t->has['s'] = true;
		return t;
	}
	if (!layout)
		return t;
	if (compile(t, layout, err) && is_complete(t, err)) {
		/* Before 1970 a fraction counts the other way. */
		if (t->has['s'])
			t->fraction = TIMESTAMP_FRACTION_UNKNOWN;
		return t;
	}
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

static bool run_steps(const struct timestamp_layout *t, struct time_reading *r)
{
	for (size_t i = 0; i < t->count; i++) {
		if (t->steps[i].read) {
			if (!t->steps[i].read(r))
				return false;
		} else if (t->steps[i].literal == ' ') {
			time_skip_spaces(r);
		} else if (!time_take_char(r, t->steps[i].literal)) {
			return false;
		}
	}
	return true;
}

/* -- to seconds ----------------------------------------------------------- */

static int offset_of(const struct timestamp_layout *t, const struct time_reading *r,
		     int64_t local)
{
	if (r->has_offset)
		return r->offset;
	if (!t || !t->zone)
		return 0;
	return r->zone_name.len > 0
		       ? zone_offset_at_local_named(t->zone, local, r->zone_name)
		       : zone_offset_at_local(t->zone, local);
}

static bool day_exists(int64_t year, int month, int day)
{
	int64_t next = month == 12 ? days_from_civil(year + 1, 1, 1)
				   : days_from_civil(year, month + 1, 1);

	return day <= next - days_from_civil(year, month, 1);
}

/* Of a date that most years do not have. */
static bool is_leap_day(const struct time_reading *r)
{
	return r->year_day == 366 ||
	       (r->year_day == 0 && r->month == 2 && r->day == 29);
}

static int64_t time_of_day(const struct time_reading *r)
{
	return r->hour * 3600 + r->minute * 60 + r->second;
}

static int64_t seconds_in_year(const struct timestamp_layout *t,
			       const struct time_reading *r, int64_t year)
{
	int64_t days = r->year_day > 0 ? days_from_civil(year, 1, 1) + r->year_day - 1
				       : days_from_civil(year, r->month, r->day);
	int64_t local = days * SECONDS_PER_DAY + time_of_day(r);

	return local - offset_of(t, r, local);
}

static bool date_exists(const struct time_reading *r, int64_t year)
{
	if (r->year_day > 0)
		return r->year_day <=
		       days_from_civil(year + 1, 1, 1) - days_from_civil(year, 1, 1);
	return day_exists(year, r->month, r->day);
}

/* A clock may be wrong, or in another zone; but not by more. */
#define DATE_MAY_BE_AHEAD SECONDS_PER_DAY
#define TIME_MAY_BE_AHEAD 3600

/*
 * Syslog's dates have no year: the latest in which they are not ahead of now.  From
 * one 29 February to the one before it can be eight years.
 */
static bool seconds_before(const struct timestamp_layout *t,
			   const struct time_reading *r, int64_t now, int64_t *seconds)
{
	int64_t latest = now + DATE_MAY_BE_AHEAD;
	int64_t year = year_of_days(latest / SECONDS_PER_DAY);
	int64_t span = is_leap_day(r) ? 9 : 2;

	for (int64_t y = year + 1; y >= year - span; y--) {
		if (!date_exists(r, y))
			continue;
		*seconds = seconds_in_year(t, r, y);
		if (*seconds <= latest)
			return true;
	}
	return false;
}

/* A time of day only: the latest day in which it is not ahead of now. */
static int64_t seconds_of_day(const struct timestamp_layout *t,
			      const struct time_reading *r, int64_t now)
{
	int64_t latest = now + TIME_MAY_BE_AHEAD, seconds;
	int64_t day = latest / SECONDS_PER_DAY + 1;

	do {
		int64_t local = day-- * SECONDS_PER_DAY + time_of_day(r);

		seconds = local - offset_of(t, r, local);
	} while (seconds > latest);
	return seconds;
}

static bool to_seconds(const struct timestamp_layout *t, const struct time_reading *r,
		       int64_t now, int64_t *seconds)
{
	if (r->has_epoch)
		*seconds = r->epoch_seconds;
	else if (!r->has_date)
		*seconds = seconds_of_day(t, r, now);
	else if (!r->has_year)
		return seconds_before(t, r, now, seconds);
	else if (!date_exists(r, r->year))
		return false;
	else
		*seconds = seconds_in_year(t, r, r->year);
	return true;
}

bool timestamp_parse(const struct timestamp_layout *t, struct slice text,
		     int64_t now_ns, int64_t *ns)
{
	struct time_reading r = {.rest = text, .month = 1, .day = 1};
	int64_t seconds = 0;

	if (!(!t || t->iso ? time_read_iso(&r) : run_steps(t, &r)) || r.rest.len > 0)
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

enum timestamp_fraction timestamp_fraction(const struct timestamp_layout *t)
{
	return t ? t->fraction : TIMESTAMP_FRACTION_OR_ZONE;
}

bool timestamp_needs_now(const struct timestamp_layout *t)
{
	return t && !t->iso && !has_any(t, "Yys");
}
