#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"
#include "parsers/timestamp_cache.h"

#define NOON_NS (INT64_C(1795176000) * NS_PER_SECOND) /* 2026-11-20 12:00:00 UTC */

static struct error err;

static struct zone *loaded(const char *name)
{
	struct zone *zone = zone_load(name, &err);

	cr_assert(zone, "%s: %s", name, err.text);
	return zone;
}

static struct timestamp_layout *compiled(const char *layout, const struct zone *zone)
{
	struct timestamp_layout *t = timestamp_compile(layout, zone, &err);

	cr_assert(t, "%s: %s", layout, err.text);
	return t;
}

/* What Python's datetime says: "2026-11-20T12:00:01.000000000Z". */
static int64_t utc(const char *iso)
{
	int64_t ns = 0;

	cr_assert(timestamp_parse(NULL, slice_of(iso), 0, &ns), "%s", iso);
	return ns;
}

static void expect_in(const char *zone_name, const char *layout, const char *text,
		      int64_t now_ns, const char *iso)
{
	struct zone *zone = loaded(zone_name);
	struct timestamp_layout *t = compiled(layout, zone);
	int64_t ns = -1;

	cr_expect(timestamp_parse(t, slice_of(text), now_ns, &ns), "%s does not fit %s",
		  text, layout ? layout : "ISO 8601");
	cr_expect_eq(ns, utc(iso), "%s is %" PRId64 " not %" PRId64 " (%s)", text, ns,
		     utc(iso), iso);
	timestamp_destroy(t);
	zone_destroy(zone);
}

static void expect_time(const char *layout, const char *text, const char *iso)
{
	expect_in("UTC", layout, text, NOON_NS, iso);
}

static void expect_misfit(const char *layout, const char *text)
{
	struct timestamp_layout *t = compiled(layout, NULL);
	int64_t ns = -1;

	cr_expect_not(timestamp_parse(t, slice_of(text), NOON_NS, &ns), "%s fits %s",
		      text, layout ? layout : "ISO 8601");
	cr_expect_eq(ns, -1);
	timestamp_destroy(t);
}

static void expect_refused(const char *layout, const char *text)
{
	cr_expect_null(timestamp_compile(layout, NULL, &err), "%s", layout);
	cr_expect(strstr(err.text, text), "%s: %s", layout, err.text);
}

Test(timestamp, iso_8601_and_rfc_3339)
{
	static const struct {
		const char *text;
		int64_t seconds;
		int64_t ns;
	} cases[] = {
		{"1970-01-01T00:00:00Z", 0, 0},
		{"2026-11-20T12:00:01Z", 1795176001, 0},
		{"2026-11-20 12:00:01", 1795176001, 0},
		{"2026-11-20t12:00:01z", 1795176001, 0},
		{"2026-11-20T12:00", 1795176000, 0},
		{"2026-11-20", 1795132800, 0},
		{"2026-11-20T12", 1795176000, 0},
		{"2026-11-20T12+02", 1795168800, 0},
		{"20261120T120001Z", 1795176001, 0},
		{"2026-11-20 12:00:01,123", 1795176001, 123000000},
		{"2026-11-20 12:00:01.123456789", 1795176001, 123456789},
		{"2026-11-20 12:00:01.1234567891", 1795176001, 123456789},
		{"2026-11-20T14:00:01+02:00", 1795176001, 0},
		{"2026-11-20T06:30:01-0530", 1795176001, 0},
		{"2026-11-20T14:00:01+02", 1795176001, 0},
		{"2026-11-20 12:00:01 +0000", 1795176001, 0},
		{"2026-11-20 12:00:01 UTC", 1795176001, 0},
		{"2026-12-31T23:59:60Z", 1798761600, 0},
		{"2024-02-29T00:00:00Z", 1709164800, 0},
		{"1969-12-31T23:59:59.5Z", -1, 500000000},
		{"1900-03-01T00:00:00Z", -2203891200, 0},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int64_t ns = 0;

		cr_expect(timestamp_parse(NULL, slice_of(cases[i].text), 0, &ns), "%s",
			  cases[i].text);
		cr_expect_eq(ns, cases[i].seconds * NS_PER_SECOND + cases[i].ns,
			     "%s is %" PRId64, cases[i].text, ns);
	}
}

Test(timestamp, what_is_not_iso_8601)
{
	const char *const texts[] = {
		"",
		"2026",
		"2026-11",
		"2026-11-31",
		"2025-02-29",
		"1900-02-29",
		"2026-13-01",
		"2026-00-01",
		"2026-11-20T",
		"2026-11-20T24:00:00",
		"2026-11-20T12:60:00",
		"2026-11-20T12:00:61",
		"2026-11-20T12:00:01.",
		"2026-11-20T12:00.5",
		"2026-11-20T12:0001",
		"2026-11-20T1200:01",
		"2026-1120",
		"2026-11-20T12:00:01 ",
		"2026-11-20T12:00:01X",
		"2026-11-20T12:00:01 CET",
		"2026-11-20T12:00:01+2",
		"2026-11-20T12:00:01-0-0330",
		"2026-11-20T12:00:01+0UTC",
		"2026-11-20T12:00:01+02:",
		"2026-11-20T12:00:01+24:00",
		" 2026-11-20",
		"2026-11-20x",
		"9999-01-01T00:00:00Z",
		"12026-11-20",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		expect_misfit(NULL, texts[i]);
}

Test(timestamp, the_layouts_of_common_logs)
{
	expect_time("%Y-%m-%d %H:%M:%S,%f", "2026-11-20 12:00:01,123",
		    "2026-11-20T12:00:01.123Z");
	expect_time("%d/%b/%Y:%H:%M:%S %z", "20/Nov/2026:14:00:01 +0200",
		    "2026-11-20T12:00:01Z");
	expect_time("%b %e %H:%M:%S", "Nov  1 12:00:01", "2026-11-01T12:00:01Z");
	expect_time("%b %d %H:%M:%S", "Nov 20 12:00:01", "2026-11-20T12:00:01Z");
	expect_time("%a %b %d %H:%M:%S.%f %Y", "Fri Nov 20 12:00:01.000001 2026",
		    "2026-11-20T12:00:01.000001Z");
	expect_time("%A, %d %B %Y %I:%M:%S %p", "FRIDAY, 20 november 2026 12:00:01 AM",
		    "2026-11-20T00:00:01Z");
	expect_time("%b %d, %Y %l:%M:%S %p", "Nov 20, 2026  1:02:03 pm",
		    "2026-11-20T13:02:03Z");
	expect_time("%s", "1795176001.25", "2026-11-20T12:00:01.25Z");
	expect_time("%s", "1795176001", "2026-11-20T12:00:01Z");
	expect_time("%F %T", "2026-11-20 12:00:01", "2026-11-20T12:00:01Z");
	expect_time("%D %R", "11/20/26 12:01", "2026-11-20T12:01:00Z");
	expect_time("%y%m%d", "690102", "1969-01-02T00:00:00Z");
	expect_time("%y%m%d", "680102", "2068-01-02T00:00:00Z");
	expect_time("%Y-%j", "2024-366", "2024-12-31T00:00:00Z");
	expect_time("%Y %m %d 100%% %T", "2026 11 20 100% 12:00:01",
		    "2026-11-20T12:00:01Z");
}

Test(timestamp, all_of_the_text_must_fit)
{
	expect_misfit("%Y-%m-%d", "2026-11-20x");
	expect_misfit("%Y-%m-%d", "2026-11-2O");
	expect_misfit("%Y-%m-%d", "2026-11-31");
	expect_misfit("%Y-%m-%d", "");
	expect_misfit("%Y-%j", "2026-366");
	expect_misfit("%Y-%j", "2026-0");
	expect_misfit("%I:%M %p", "13:00 PM");
	expect_misfit("%I:%M %p", "1:00 XM");
	expect_misfit("%b %d", "Nox 20");
	expect_misfit("%b %d", "Nov 32");
	expect_misfit("%H:%M:%S.%f", "12:00:01.");
}

Test(timestamp, zones_in_the_text_win)
{
	expect_in("Europe/Berlin", "%F %T %z", "2026-07-01 12:00:00 +00:00", NOON_NS,
		  "2026-07-01T12:00:00Z");
	expect_in("Europe/Berlin", "%F %T %Z", "2026-07-01 12:00:00 UTC", NOON_NS,
		  "2026-07-01T12:00:00Z");
	expect_in("Europe/Berlin", "%F %T %Z", "2026-07-01 12:00:00 CEST", NOON_NS,
		  "2026-07-01T10:00:00Z");
	expect_in("Europe/Berlin", NULL, "2026-07-01T12:00:00Z", NOON_NS,
		  "2026-07-01T12:00:00Z");
}

Test(timestamp, the_zone_holds_where_the_text_has_none)
{
	expect_in("Europe/Berlin", NULL, "2026-07-01T12:00:00", NOON_NS,
		  "2026-07-01T10:00:00Z");
	expect_in("Europe/Berlin", "%F %T", "2026-11-20 12:00:00", NOON_NS,
		  "2026-11-20T11:00:00Z");
	expect_in("+05:30", "%F %T", "2026-11-20 12:00:00", NOON_NS,
		  "2026-11-20T06:30:00Z");
	expect_in("America/New_York", "%F %T", "2026-07-01 12:00:00", NOON_NS,
		  "2026-07-01T16:00:00Z");
}

Test(timestamp, a_gap_takes_the_offset_before_it_and_a_fold_the_first)
{
	expect_in("Europe/Berlin", "%F %T", "2026-03-29 01:59:59", NOON_NS,
		  "2026-03-29T00:59:59Z");
	expect_in("Europe/Berlin", "%F %T", "2026-03-29 02:30:00", NOON_NS,
		  "2026-03-29T01:30:00Z");
	expect_in("Europe/Berlin", "%F %T", "2026-03-29 03:00:00", NOON_NS,
		  "2026-03-29T01:00:00Z");
	expect_in("Europe/Berlin", "%F %T", "2026-10-25 02:30:00", NOON_NS,
		  "2026-10-25T00:30:00Z");
	expect_in("Europe/Berlin", "%F %T", "2026-10-25 03:00:00", NOON_NS,
		  "2026-10-25T02:00:00Z");
}

Test(timestamp, an_abbreviation_tells_which_of_two_hours_it_is)
{
	const char *layout = "%F %T %Z";

	expect_in("Europe/Berlin", layout, "2026-10-25 02:30:00 CEST", NOON_NS,
		  "2026-10-25T00:30:00Z");
	expect_in("Europe/Berlin", layout, "2026-10-25 02:30:00 CET", NOON_NS,
		  "2026-10-25T01:30:00Z");
	expect_in("Europe/Berlin", layout, "2026-10-25 02:30:00 EST", NOON_NS,
		  "2026-10-25T00:30:00Z");
	expect_in("Europe/Berlin", layout, "2026-10-25 03:00:00 CEST", NOON_NS,
		  "2026-10-25T02:00:00Z");
	expect_in("Europe/Berlin", layout, "2099-10-25 02:30:00 CET", NOON_NS,
		  "2099-10-25T01:30:00Z");
	expect_in("Australia/Lord_Howe", "%F %T %Z", "2026-04-05 01:45:00 +1030",
		  NOON_NS, "2026-04-04T15:15:00Z");
}

Test(timestamp, years_behind_the_last_transition_follow_the_rule)
{
	expect_in("Europe/Berlin", "%F %T", "2099-07-01 12:00:00", NOON_NS,
		  "2099-07-01T10:00:00Z");
	expect_in("Europe/Berlin", "%F %T", "2099-12-01 12:00:00", NOON_NS,
		  "2099-12-01T11:00:00Z");
	expect_in("Australia/Sydney", "%F %T", "2099-12-31 23:59:59", NOON_NS,
		  "2099-12-31T12:59:59Z");
	expect_in("Australia/Sydney", "%F %T", "2099-07-01 12:00:00", NOON_NS,
		  "2099-07-01T02:00:00Z");
}

Test(timestamp, a_date_without_a_year_is_the_latest_that_is_not_ahead)
{
	const char *layout = "%b %d %H:%M:%S";

	expect_in("UTC", layout, "Dec 31 23:59:59", utc("2027-01-01T00:00:10Z"),
		  "2026-12-31T23:59:59Z");
	expect_in("UTC", layout, "Nov 20 12:00:01", utc("2026-06-01T00:00:00Z"),
		  "2025-11-20T12:00:01Z");
	expect_in("UTC", layout, "Jan  5 00:00:00", utc("2026-12-20T00:00:00Z"),
		  "2026-01-05T00:00:00Z");
	expect_in("Asia/Tokyo", layout, "Jan  1 00:00:01", utc("2026-12-31T15:00:02Z"),
		  "2026-12-31T15:00:01Z");
}

Test(timestamp, a_date_without_a_year_may_be_ahead_by_a_day)
{
	const char *layout = "%b %d %H:%M:%S";

	expect_in("UTC", layout, "Jan  1 00:00:01", utc("2026-12-31T23:59:50Z"),
		  "2027-01-01T00:00:01Z");
	expect_in("UTC", layout, "Jan  1 23:59:50", utc("2026-12-31T23:59:50Z"),
		  "2027-01-01T23:59:50Z");
	expect_in("UTC", layout, "Jan  1 23:59:51", utc("2026-12-31T23:59:50Z"),
		  "2026-01-01T23:59:51Z");
}

Test(timestamp, a_leap_day_without_a_year_is_in_a_leap_year)
{
	expect_in("UTC", "%b %d", "Feb 29", utc("2026-11-20T00:00:00Z"),
		  "2024-02-29T00:00:00Z");
	expect_in("UTC", "%b %d", "Feb 29", utc("2024-03-01T00:00:00Z"),
		  "2024-02-29T00:00:00Z");
	expect_in("UTC", "%b %d", "Feb 29", utc("2024-02-28T12:00:00Z"),
		  "2024-02-29T00:00:00Z");
	expect_in("UTC", "%b %d", "Feb 29", utc("2103-12-01T00:00:00Z"),
		  "2096-02-29T00:00:00Z");
	expect_in("UTC", "%j", "366", utc("2103-12-01T00:00:00Z"),
		  "2096-12-31T00:00:00Z");
}

Test(timestamp, a_time_without_a_date_is_at_most_an_hour_ahead)
{
	expect_in("UTC", "%H:%M:%S", "23:59:59", utc("2026-11-20T00:00:10Z"),
		  "2026-11-19T23:59:59Z");
	expect_in("UTC", "%H:%M:%S", "00:00:01", utc("2026-11-19T23:59:50Z"),
		  "2026-11-20T00:00:01Z");
	expect_in("UTC", "%H:%M:%S", "13:00:00", utc("2026-11-20T11:00:00Z"),
		  "2026-11-19T13:00:00Z");
	expect_in("America/New_York", "%H:%M", "20:00", utc("2026-11-20T01:30:00Z"),
		  "2026-11-20T01:00:00Z");
	expect_in("UTC", "%H:%M:%S", "00:00:00", utc("1970-01-01T01:00:00Z"),
		  "1970-01-01T00:00:00Z");
}

Test(timestamp, epochs_of_each_unit)
{
	expect_time("epoch", "1795176001.25", "2026-11-20T12:00:01.25Z");
	expect_time("epoch", "1795176001,25", "2026-11-20T12:00:01.25Z");
	expect_time("epoch_ms", "1795176001250", "2026-11-20T12:00:01.25Z");
	expect_time("epoch_ms", "1795176001250.125", "2026-11-20T12:00:01.250125Z");
	expect_time("epoch_us", "1795176001250000", "2026-11-20T12:00:01.25Z");
	expect_time("epoch_us", "1795176001250000.0019",
		    "2026-11-20T12:00:01.250000001Z");
	expect_time("epoch_ns", "1795176001250000000", "2026-11-20T12:00:01.25Z");
	expect_time("epoch_ns", "1795176001250000000.9", "2026-11-20T12:00:01.25Z");
	expect_time("epoch", "0", "1970-01-01T00:00:00Z");
	expect_time("epoch", "-1", "1969-12-31T23:59:59Z");
	expect_time("epoch", "-0.5", "1969-12-31T23:59:59.5Z");
	expect_time("epoch_ms", "-1", "1969-12-31T23:59:59.999Z");
	expect_time("epoch_ns", "-9223372035000000000", "1677-09-21T00:12:45Z");
	expect_time("[%s]", "[-1.5]", "1969-12-31T23:59:58.5Z");
	expect_time("%s.%f", "1795176001.250", "2026-11-20T12:00:01.25Z");
	expect_time("%s,%f UTC", "1795176001,250 UTC", "2026-11-20T12:00:01.25Z");
	expect_misfit("epoch", "");
	expect_misfit("epoch", "-");
	expect_misfit("epoch", "1.");
	expect_misfit("epoch", "1e9");
	expect_misfit("epoch", " 1");
	expect_misfit("epoch", "9223372036");
	expect_misfit("epoch", "12345678901234567890");
	expect_misfit("epoch_ns", "9223372036854775808");
	expect_refused("epoch_min", "no day");
}

Test(timestamp, letters_of_whole_dates_and_of_weekdays)
{
	expect_time("%c", "Fri Nov 20 12:00:01 2026", "2026-11-20T12:00:01Z");
	expect_time("%x %X", "11/20/26 12:00:01", "2026-11-20T12:00:01Z");
	expect_time("%F %I %P %u%w", "2026-11-20 01 pm 55", "2026-11-20T13:00:00Z");
	expect_time("%F %T %Z", "2026-11-20 12:00:01 +03", "2026-11-20T09:00:01Z");
	expect_refused("%Y-%W %w", "%W is not read");
	expect_refused("%G-W%V", "%j");
}

Test(timestamp, a_leap_second_is_the_next_minutes_first)
{
	expect_time("%F %T", "2016-12-31 23:59:60", "2017-01-01T00:00:00Z");
	expect_time(NULL, "2016-12-31T23:59:60.5Z", "2017-01-01T00:00:00.5Z");
	expect_misfit("%F %T", "2016-12-31 23:59:61");
}

Test(timestamp, a_layout_that_cannot_be_is_refused)
{
	expect_refused("%Y-%m-%d %Q", "%Q is not known");
	expect_refused("%Y-%m-%d %", "% is not known");
	expect_refused("%Y-%m-%d %I:%M", "add %p");
	expect_refused("%Y-%m-%d %H:%M %p", "write %I");
	expect_refused("%Y-%m %H:%M", "add %d");
	expect_refused("%Y-%d %H:%M", "add %m");
	expect_refused("%S.%f", "add %M");
	expect_refused("%F %R.%f", "add %S");
	expect_refused("time", "no day");
	expect_refused("", "no day");
}

Test(timestamp, a_zone_that_is_not_known_is_refused)
{
	const char *const names[] = {"Europe/Berln",   "",         "../../etc/passwd",
				     "/etc/localtime", "+25:00",   "Europe",
				     "+1:2:3",         "tzdata.zi"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		cr_expect_null(zone_load(names[i], &err), "%s", names[i]);
		cr_expect(strstr(err.text, "Europe/Berlin"), "%s", err.text);
	}
}

Test(timestamp, local_is_the_process_zone)
{
	static const struct {
		const char *tz;
		int offset;
	} cases[] = {
		{"Asia/Tokyo", 32400},
		{":Asia/Tokyo", 32400},
		{"", 0},
		{"UTC0", 0},
		{"<+0330>-3:30", 12600},
		{"EST5EDT,M3.2.0,M11.1.0", -14400},
		{"/usr/share/zoneinfo/Asia/Tokyo", 32400},
	};
	int64_t july = 1782907200; /* 2026-07-01 12:00:00 */

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct zone *zone;

		setenv("TZ", cases[i].tz, 1);
		zone = loaded("local");
		cr_expect_eq(zone_offset_at_local(zone, july), cases[i].offset, "%s",
			     cases[i].tz);
		zone_destroy(zone);
	}
	setenv("TZ", "No/Such_Place", 1);
	cr_expect_null(zone_load("local", &err));
}

Test(timestamp, a_broken_zone_file_is_refused)
{
	char dir[] = "/tmp/zoneXXXXXX", path[64];
	char bytes[4096];
	size_t len;
	FILE *f = fopen("/usr/share/zoneinfo/Europe/Berlin", "re");

	cr_assert(f && mkdtemp(dir));
	len = fread(bytes, 1, sizeof(bytes), f);
	fclose(f);
	setenv("TZDIR", dir, 1);
	snprintf(path, sizeof(path), "%s/X", dir);
	/* Cut off anywhere before the footer, it is none, and nothing beyond is read.
	 */
	for (size_t cut = 0; cut + 64 < len; cut += 7) {
		struct zone *zone;

		f = fopen(path, "we");
		cr_assert(f && fwrite(bytes, 1, cut, f) == cut && fclose(f) == 0);
		zone = zone_load("X", &err);
		cr_expect_null(zone, "cut at %zu of %zu", cut, len);
		zone_destroy(zone);
	}
	unlink(path);
	rmdir(dir);
}

/* Each time right after each other one, also those that do not parse. */
static void expect_cached_as_parsed(const char *layout, const char *const *texts,
				    size_t count)
{
	struct zone *zone = loaded("Europe/Berlin");
	struct timestamp_layout *t = compiled(layout, zone);
	struct timestamp_cache cache = {.head_len = 0};

	for (size_t i = 0; i < count * count; i++) {
		const char *both[] = {texts[i / count], texts[i % count]};

		for (int j = 0; j < 2; j++) {
			int64_t now_ns = NOON_NS + (int64_t)i * 86400 * NS_PER_SECOND;
			int64_t want = -1, got = -1;
			bool ok = timestamp_parse(t, slice_of(both[j]), now_ns, &want);

			cr_expect_eq(timestamp_parse_cached(&cache, t,
							    slice_of(both[j]), now_ns,
							    &got),
				     ok, "%s after %s", both[j], both[1 - j]);
			cr_expect_eq(got, want, "%s after %s", both[j], both[1 - j]);
		}
	}
	timestamp_destroy(t);
	zone_destroy(zone);
}
#define EXPECT_CACHED(layout, ...)                                      \
	expect_cached_as_parsed(layout, (const char *[]){__VA_ARGS__},  \
				sizeof((const char *[]){__VA_ARGS__}) / \
					sizeof(char *))

Test(timestamp, a_time_does_not_depend_on_the_one_before)
{
	EXPECT_CACHED("%Y-%m-%d %H:%M:%S,%f", "2026-11-20 12:00:01,5",
		      "2026-11-20 12:00:01,123456789", "2026-11-20 12:00:01,1234567891",
		      "2026-11-20 12:00:01,", "2026-11-20 12:00:01", "",
		      "2026-11-20 12:00:01,12x", "2026-11-20 12:00:02,000",
		      "2026-11-20 12:00:01.5", "2026-10-25 02:30:00,1", ",5", "5");
	EXPECT_CACHED(NULL, "2026-11-20T12:00:01.5", "2026-11-20T12:00:01.25",
		      "2026-11-20T12:00:01.5Z", "2026-11-20T12:00:01.75Z",
		      "2026-11-20T12:00:01Z", "2026-11-20T12:00:01",
		      "2026-11-20T12:00:01,5", "2026-11-20T12:00:01.5+02:00",
		      "2026-11-20T12:00:01.5 Z", "2026-11-20", "2026-11-20T12:00:01.Z",
		      "2026-11-20T12:00.5", "20261120T120001.5", "Z", "");
	EXPECT_CACHED("%d/%b/%Y:%H:%M:%S %z", "20/Nov/2026:12:00:01 +0000",
		      "20/Nov/2026:12:00:01 +0100", "20/Nov/2026:12:00:02 +0000", "x");
	EXPECT_CACHED("%b %d %H:%M:%S", "Nov 20 12:00:01", "Nov 21 12:00:01",
		      "Feb 28 12:00:01", "Feb 29 12:00:01");
	EXPECT_CACHED("%H:%M:%S.%f", "12:00:01.5", "12:00:01.25", "00:00:01.5");
	EXPECT_CACHED("%s", "1763640001", "1763640001.5", "1763640001.25");
	EXPECT_CACHED("epoch", "-1.5", "-1.25", "-1", "1.5", "1,5");
	EXPECT_CACHED("%s.%f", "-1.5", "-1.25", "-1", "1.5", "1.25");
	EXPECT_CACHED("%y%m%d %H:%M:%S.%f", "261120 12:00:01.5", "261120 12:00:01.6");
}
