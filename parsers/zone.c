#include "parsers/zone.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/arena.h"
#include "common/strbuf.h"
#include "common/xalloc.h"

#define MAX_FILE_BYTES (1024 * 1024)

/* From `at` (UTC seconds) on, this offset holds. */
struct transition {
	int64_t at;
	int offset;
	const char *name; /* CEST */
};

/* A rule of a POSIX TZ text: when in the year a change comes. */
struct rule {
	char kind; /* 'M': month, week, day; 'J': 1-365 without leap day; 'N': 0-365 */
	int month, week, day;
	int seconds; /* local wall clock */
};

struct zone {
	int first_offset;
	char *names; /* one after the other */
	struct transition *transitions;
	size_t count;
	/* What holds after the last transition. */
	int standard_offset, summer_offset;
	struct slice standard_name, summer_name; /* of `rules` */
	char *rules;
	bool has_summer;
	struct rule summer_start, summer_end;
};

int64_t days_from_civil(int64_t year, int month, int day)
{
	/* Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms". */
	int64_t y = year - (month <= 2), era = (y >= 0 ? y : y - 399) / 400;
	int64_t yoe = y - era * 400;
	int64_t doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	int64_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;

	return era * 146097 + doe - 719468;
}

int64_t year_of_days(int64_t days)
{
	int64_t z = days + 719468, era = (z >= 0 ? z : z - 146096) / 146097;
	int64_t doe = z - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);

	return yoe + era * 400 + (doy >= 306);
}

/* -- POSIX TZ text (POSIX.1-2017, 8.3; RFC 8536, 3.3) ----------------------- */

static bool take_name(const char **p, struct slice *name)
{
	const char *start = *p;

	if (**p == '<') {
		*p = strchr(*p, '>');
		if (!*p)
			return false;
		*name = (struct slice){start + 1, (size_t)(*p - start - 1)};
		(*p)++;
		return true;
	}
	while ((**p >= 'a' && **p <= 'z') || (**p >= 'A' && **p <= 'Z'))
		(*p)++;
	*name = (struct slice){start, (size_t)(*p - start)};
	return name->len >= 3;
}

static bool read_int(const char **p, int *value)
{
	char *end;
	long n = strtol(*p, &end, 10);

	if (end == *p || n < -1000 || n > 1000)
		return false;
	*p = end;
	*value = (int)n;
	return true;
}

/* [+-]hh[:mm[:ss]] */
static bool read_time(const char **p, int *seconds)
{
	int sign = **p == '-' ? -1 : 1, h, m = 0, s = 0;

	if (**p == '-' || **p == '+')
		(*p)++;
	if (!read_int(p, &h))
		return false;
	if (**p == ':') {
		(*p)++;
		if (!read_int(p, &m))
			return false;
	}
	if (**p == ':') {
		(*p)++;
		if (!read_int(p, &s))
			return false;
	}
	*seconds = sign * (h * 3600 + m * 60 + s);
	return true;
}

static bool read_rule(const char **p, struct rule *rule)
{
	if (*(*p)++ != ',')
		return false;
	rule->seconds = 7200;
	rule->kind = **p == 'M' || **p == 'J' ? *(*p)++ : 'N';
	if (!read_int(p, rule->kind == 'M' ? &rule->month : &rule->day))
		return false;
	if (rule->kind == 'M' &&
	    (*(*p)++ != '.' || !read_int(p, &rule->week) || *(*p)++ != '.' ||
	     !read_int(p, &rule->day) || rule->month < 1 || rule->month > 12))
		return false;
	if (**p != '/')
		return true;
	(*p)++;
	return read_time(p, &rule->seconds);
}

static bool read_posix(struct zone *zone, const char *text)
{
	const char *p;
	int west;

	free(zone->rules);
	p = zone->rules = xstrdup(text);
	if (!take_name(&p, &zone->standard_name) || !read_time(&p, &west))
		return false;
	zone->standard_offset = -west;
	zone->summer_offset = 3600 - west;
	if (*p == '\0')
		return true;
	if (!take_name(&p, &zone->summer_name))
		return false;
	if (*p != ',' && *p != '\0') {
		if (!read_time(&p, &west))
			return false;
		zone->summer_offset = -west;
	}
	zone->has_summer = read_rule(&p, &zone->summer_start) &&
			   read_rule(&p, &zone->summer_end) && *p == '\0';
	return zone->has_summer;
}

static bool is_leap(int64_t year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* Local seconds since 1970 at which the rule's change comes in a year. */
static int64_t rule_seconds(const struct rule *rule, int64_t year)
{
	int64_t days = days_from_civil(year, 1, 1);

	if (rule->kind == 'M') {
		int64_t first = days_from_civil(year, rule->month, 1);
		int64_t next = rule->month == 12
				       ? days_from_civil(year + 1, 1, 1)
				       : days_from_civil(year, rule->month + 1, 1);
		int64_t weekday = ((first + 4) % 7 + 7) % 7;

		days = first + (rule->day - weekday + 7) % 7 + (rule->week - 1) * 7;
		if (days >= next)
			days -= 7;
	} else if (rule->kind == 'J') {
		days += rule->day - 1 + (is_leap(year) && rule->day >= 60);
	} else {
		days += rule->day;
	}
	return days * 86400 + rule->seconds;
}

static int offset_by_rules(const struct zone *zone, int64_t utc)
{
	int64_t local = utc + zone->standard_offset, year, start, end;
	int64_t days = local / 86400 - (local % 86400 < 0);

	if (!zone->has_summer)
		return zone->standard_offset;
	year = year_of_days(days);
	start = rule_seconds(&zone->summer_start, year) - zone->standard_offset;
	end = rule_seconds(&zone->summer_end, year) - zone->summer_offset;
	if (start < end ? utc >= start && utc < end : utc >= start || utc < end)
		return zone->summer_offset;
	return zone->standard_offset;
}

/* -- TZif (RFC 8536) ------------------------------------------------------- */

static int64_t big_endian(const char *p, int bytes)
{
	uint64_t value = (unsigned char)p[0] & 0x80 ? UINT64_MAX : 0;

	for (int i = 0; i < bytes; i++)
		value = value << 8 | (unsigned char)p[i];
	return (int64_t)value;
}

struct header {
	size_t utc_local, standard_wall, leaps, times, types, characters;
};

static bool read_header(struct slice file, size_t at, struct header *h)
{
	const char *p = file.ptr + at + 20;

	if (file.len < at + 44 || memcmp(file.ptr + at, "TZif", 4) != 0)
		return false;
	h->utc_local = (size_t)big_endian(p, 4);
	h->standard_wall = (size_t)big_endian(p + 4, 4);
	h->leaps = (size_t)big_endian(p + 8, 4);
	h->times = (size_t)big_endian(p + 12, 4);
	h->types = (size_t)big_endian(p + 16, 4);
	h->characters = (size_t)big_endian(p + 20, 4);
	return h->times < 100000 && h->types > 0 && h->types < 256 &&
	       h->characters < 100000 && h->leaps < 100000 && h->utc_local < 1000 &&
	       h->standard_wall < 1000;
}

static size_t body_bytes(const struct header *h, size_t time_bytes)
{
	return h->times * (time_bytes + 1) + h->types * 6 + h->characters +
	       h->leaps * (time_bytes + 4) + h->standard_wall + h->utc_local;
}

static const char *name_of(const struct zone *zone, const struct header *h,
			   const char *type)
{
	size_t at = (unsigned char)type[5];

	return at < h->characters ? zone->names + at : "";
}

static bool read_body(struct zone *zone, struct slice file, size_t at,
		      const struct header *h, size_t time_bytes)
{
	const char *times = file.ptr + at;
	const char *indices = times + h->times * time_bytes;
	const char *types = indices + h->times;

	if (file.len < at + body_bytes(h, time_bytes))
		return false;
	zone->names = xcalloc(h->characters + 1, 1);
	memcpy(zone->names, types + h->types * 6, h->characters);
	zone->transitions = xcalloc(h->times, sizeof(*zone->transitions));
	zone->count = h->times;
	zone->first_offset = (int)big_endian(types, 4);
	for (size_t i = 0; i < h->times; i++) {
		size_t type = (unsigned char)indices[i];

		if (type >= h->types)
			return false;
		zone->transitions[i].at =
			big_endian(times + i * time_bytes, (int)time_bytes);
		zone->transitions[i].offset = (int)big_endian(types + type * 6, 4);
		zone->transitions[i].name = name_of(zone, h, types + type * 6);
	}
	zone->standard_offset = h->times > 0 ? zone->transitions[h->times - 1].offset
					     : zone->first_offset;
	return true;
}

static bool read_tzif(struct zone *zone, struct slice file)
{
	struct header h;
	size_t at = 44;
	const char *footer, *end;
	char *text;

	if (!read_header(file, 0, &h))
		return false;
	if (file.ptr[4] < '2')
		return read_body(zone, file, at, &h, 4);
	at += body_bytes(&h, 4);
	if (!read_header(file, at, &h) || !read_body(zone, file, at + 44, &h, 8))
		return false;
	at += 44 + body_bytes(&h, 8);
	if (at >= file.len || file.ptr[at] != '\n')
		return true;
	footer = file.ptr + at + 1;
	end = memchr(footer, '\n', file.len - at - 1);
	if (!end || end == footer)
		return true;
	text = xstrndup(footer, (size_t)(end - footer));
	read_posix(zone, text);
	free(text);
	return true;
}

static bool read_file(const char *path, struct strbuf *out)
{
	FILE *f = fopen(path, "re");
	size_t n;

	if (!f)
		return false;
	do {
		n = fread(strbuf_room(out, 8192), 1, 8192, f);
		out->len += n;
	} while (n > 0 && out->len < MAX_FILE_BYTES);
	fclose(f);
	return out->len > 0;
}

static bool load_path(struct zone *zone, const char *path)
{
	struct strbuf file = STRBUF_INIT;
	bool ok = read_file(path, &file) && read_tzif(zone, strbuf_slice(&file));

	strbuf_finish(&file);
	return ok;
}

static bool load_name(struct zone *zone, const char *name)
{
	const char *directory = getenv("TZDIR");
	char *path;
	bool ok;

	if (strstr(name, "..") || *name == '/' || *name == '\0')
		return false;
	path = xasprintf("%s/%s", directory ? directory : "/usr/share/zoneinfo", name);
	ok = load_path(zone, path);
	free(path);
	return ok;
}

/* -- names ---------------------------------------------------------------- */

/* +02:00, -0330, +5 */
static bool read_offset(const char *text, int *offset)
{
	int h = 0, m = 0, digits = 0, sign = *text == '-' ? -1 : 1;

	if (*text != '+' && *text != '-')
		return false;
	for (text++; *text; text++) {
		if (*text == ':' && digits == 2)
			continue;
		if (*text < '0' || *text > '9' || digits == 4)
			return false;
		if (digits++ < 2)
			h = h * 10 + (*text - '0');
		else
			m = m * 10 + (*text - '0');
	}
	*offset = sign * (h * 3600 + m * 60);
	return digits > 0 && digits != 3 && h < 24 && m < 60;
}

static bool load_local(struct zone *zone)
{
	const char *tz = getenv("TZ");

	if (!tz) {
		load_path(zone, "/etc/localtime"); /* without it the time is UTC */
		return true;
	}
	if (*tz == ':')
		tz++;
	if (*tz == '\0')
		return true;
	if (*tz == '/')
		return load_path(zone, tz);
	return load_name(zone, tz) || read_posix(zone, tz);
}

struct zone *zone_load(const char *name, struct error *err)
{
	struct zone *zone = xcalloc(1, sizeof(*zone));

	if (strcmp(name, "UTC") == 0 || strcmp(name, "Z") == 0 ||
	    read_offset(name, &zone->standard_offset)) {
		zone->first_offset = zone->standard_offset;
		return zone;
	}
	if (strcmp(name, "local") == 0 ? load_local(zone) : load_name(zone, name))
		return zone;
	zone_destroy(zone);
	error_set(err,
		  "the zone %.*s is not known: write UTC, local, an offset such as "
		  "+02:00, or a name such as Europe/Berlin",
		  SLICE_SHOWN(slice_of(name)));
	return NULL;
}

void zone_destroy(struct zone *zone)
{
	if (!zone)
		return;
	free(zone->transitions);
	free(zone->names);
	free(zone->rules);
	free(zone);
}

static int offset_at_utc(const struct zone *zone, int64_t utc)
{
	size_t low = 0, high = zone->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (zone->transitions[middle].at <= utc)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0 && zone->count > 0)
		return zone->first_offset;
	if (low == zone->count)
		return offset_by_rules(zone, utc);
	return zone->transitions[low - 1].offset;
}

/* Beyond the transitions: the offsets a day before and after bracket any change. */
static int offset_by_rules_at_local(const struct zone *zone, int64_t local_seconds)
{
	int before = offset_at_utc(zone, local_seconds - 86400);
	int after = offset_at_utc(zone, local_seconds + 86400);

	if (offset_at_utc(zone, local_seconds - before) == before)
		return before;
	if (offset_at_utc(zone, local_seconds - after) == after)
		return after;
	return before;
}

static int offset_before(const struct zone *zone, size_t transition)
{
	return transition > 0 ? zone->transitions[transition - 1].offset
			      : zone->first_offset;
}

/*
 * By the wall clock a change comes when the larger of its offsets says so: in a fold
 * after the hour has been there once, in a gap at its end.
 */
int zone_offset_at_local(const struct zone *zone, int64_t local_seconds)
{
	size_t low = 0, high = zone->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct transition *t = &zone->transitions[middle];
		int before = offset_before(zone, middle);

		if (t->at + (t->offset > before ? t->offset : before) <= local_seconds)
			low = middle + 1;
		else
			high = middle;
	}
	return low < zone->count ? offset_before(zone, low)
				 : offset_by_rules_at_local(zone, local_seconds);
}

static bool is_called(const struct zone *zone, int64_t utc, struct slice name)
{
	size_t low = zone->count;

	while (low > 0 && zone->transitions[low - 1].at > utc)
		low--;
	if (low < zone->count || !zone->rules)
		return low > 0 && slice_is(name, zone->transitions[low - 1].name);
	return slice_eq(name, zone->has_summer && offset_by_rules(zone, utc) ==
							  zone->summer_offset
				      ? zone->summer_name
				      : zone->standard_name);
}

/* No hour comes twice that is longer ago than this. */
#define LONGEST_FOLD 10800

int zone_offset_at_local_named(const struct zone *zone, int64_t local_seconds,
			       struct slice name)
{
	int first = zone_offset_at_local(zone, local_seconds);
	int second = offset_at_utc(zone, local_seconds - first + LONGEST_FOLD);

	if (second < first && offset_at_utc(zone, local_seconds - second) == second &&
	    is_called(zone, local_seconds - second, name) &&
	    !is_called(zone, local_seconds - first, name))
		return second;
	return first;
}
