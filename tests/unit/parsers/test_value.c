#include <criterion/criterion.h>
#include <inttypes.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/strbuf.h"
#include "parsers/value.h"

static void expect_value(enum value_as as, const char *text, double expected)
{
	double value = -12345;

	cr_expect(value_parse(as, slice_of(text), &value), "%s is no %s", text,
		  value_as_name(as));
	cr_expect(memcmp(&value, &expected, sizeof(value)) == 0, "%s as %s is %.17g",
		  text, value_as_name(as), value);
}

static void expect_none(enum value_as as, const char *text)
{
	double value = -12345;

	cr_expect_not(value_parse(as, slice_of(text), &value), "%s is the %s %.17g",
		      text, value_as_name(as), value);
	cr_expect_eq(value, -12345, "%s wrote %.17g", text, value);
}

/* The bits of strtod(). */
static void expect_as_strtod(const char *text)
{
	expect_value(VALUE_NUMBER, text, strtod(text, NULL));
}

static uint64_t random_bits(uint64_t *state)
{
	*state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return *state >> 16;
}

Test(value, kinds_have_the_names_of_the_key)
{
	cr_expect_str_eq(value_as_name(VALUE_NUMBER), "number");
	cr_expect_str_eq(value_as_name(VALUE_GROUPED), "grouped");
	cr_expect_str_eq(value_as_name(VALUE_DURATION), "duration");
	cr_expect_str_eq(value_as_name(VALUE_TIMESTAMP), "timestamp");
}

Test(value, numbers_are_those_of_strtod)
{
	const char *const texts[] = {
		"0",
		"-0",
		"+0",
		"000",
		"12",
		"-1.5",
		"+2e3",
		".5",
		"5.",
		"-.5e-3",
		"1e22",
		"1e23",
		"123456789012345e22",
		"9007199254740993",
		"9007199254740992.5",
		"0.1",
		"0.3",
		"2.2250738585072011e-308",
		"2.2250738585072014e-308",
		"4.9e-324",
		"2.4e-324",
		"1e-400",
		"1e400",
		"-1e400",
		"1.7976931348623157e308",
		"1.7976931348623159e308",
		"0e99999999999999999999",
		"1e-99999999999999999999",
		"00000000000000001e1",
		"0.000000000000000000000000000001",
		"123456789.123456789e-5",
		"1E5",
		"6250000000000000000000000000000000e-12",
		"100000000000000016777215",
		"100000000000000016777216",
		"179769313486231580793728971405301199",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		expect_as_strtod(texts[i]);
}

Test(value, random_numbers_are_those_of_strtod)
{
	uint64_t state = 42;

	for (int i = 0; i < 200000; i++) {
		char text[80];
		int n = snprintf(text, sizeof(text), "%s%" PRIu64,
				 random_bits(&state) % 2 ? "-" : "",
				 random_bits(&state) >> random_bits(&state) % 48);

		if (random_bits(&state) % 4)
			n += snprintf(text + n, sizeof(text) - (size_t)n, ".%" PRIu64,
				      random_bits(&state) >> random_bits(&state) % 48);
		if (random_bits(&state) % 2)
			snprintf(text + n, sizeof(text) - (size_t)n, "e%d",
				 (int)(random_bits(&state) % 660) - 330);
		expect_as_strtod(text);
	}
}

Test(value, halfway_cases_are_decided_by_a_digit_far_behind)
{
	struct strbuf text = STRBUF_INIT;

	/* 2^53 + 1 lies between two doubles. */
	strbuf_puts(&text, "9007199254740993.");
	for (int i = 0; i < 1200; i++)
		strbuf_putc(&text, '0');
	expect_value(VALUE_NUMBER, text.ptr, 9007199254740992.0);
	strbuf_putc(&text, '1');
	expect_value(VALUE_NUMBER, text.ptr, 9007199254740994.0);
	strbuf_finish(&text);
}

Test(value, digits_without_end_keep_their_weight)
{
	struct strbuf text = STRBUF_INIT;

	strbuf_puts(&text, "0.");
	for (int i = 0; i < 3000; i++)
		strbuf_putc(&text, '0');
	strbuf_puts(&text, "7e3001");
	expect_value(VALUE_NUMBER, text.ptr, 7);
	strbuf_clear(&text);
	for (int i = 0; i < 3000; i++)
		strbuf_putc(&text, '3');
	strbuf_puts(&text, "e-2999");
	expect_as_strtod(text.ptr);
	strbuf_finish(&text);
}

Test(value, special_numbers)
{
	expect_value(VALUE_NUMBER, "inf", INFINITY);
	expect_value(VALUE_NUMBER, "-Infinity", -INFINITY);
	expect_value(VALUE_NUMBER, "+INF", INFINITY);
	expect_as_strtod("nan");
	expect_as_strtod("-NaN");
}

Test(value, what_only_looks_like_a_number_is_none)
{
	const char *const texts[] = {"",      " 1",    "1 ",  "1,5",    "0x1F", "1e",
				     "1e+",   "e5",    ".",   "-",      "+-1",  "--1",
				     "1.2.3", "1e5.5", "1_0", "nan(1)", "infi", "١",
				     "1e 5",  "-.",    "N/A"};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		expect_none(VALUE_NUMBER, texts[i]);
	cr_expect_not(value_parse(VALUE_NUMBER, (struct slice){NULL, 0}, &(double){0}));
	cr_expect_not(
		value_parse(VALUE_NUMBER, (struct slice){"1\0", 2}, &(double){0}));
}

Test(value, only_the_slice_is_read)
{
	double value;

	cr_expect(value_parse(VALUE_NUMBER, (struct slice){"12345", 2}, &value));
	cr_expect_eq(value, 12);
}

Test(value, the_locale_does_not_matter)
{
	if (!setlocale(LC_ALL, "de_DE.UTF-8"))
		setlocale(LC_ALL, "C.UTF-8");
	expect_value(VALUE_NUMBER, "1.5", 1.5);
	expect_value(VALUE_NUMBER, "12345678901234567890.5", 12345678901234567890.5);
	expect_none(VALUE_NUMBER, "1,5");
}

Test(value, grouped_numbers_have_groups_of_three)
{
	expect_value(VALUE_GROUPED, "1,440", 1440);
	expect_value(VALUE_GROUPED, "-1,234,567.8", -1234567.8);
	expect_value(VALUE_GROUPED, "999", 999);
	expect_value(VALUE_GROUPED, "1440", 1440);
	expect_value(VALUE_GROUPED, "+12,000.", 12000);
	expect_value(VALUE_GROUPED, "0,001", 1);
	expect_none(VALUE_GROUPED, "");
	expect_none(VALUE_GROUPED, "1,44");
	expect_none(VALUE_GROUPED, "1,4400");
	expect_none(VALUE_GROUPED, "1234,567");
	expect_none(VALUE_GROUPED, ",123");
	expect_none(VALUE_GROUPED, "1,,234");
	expect_none(VALUE_GROUPED, "1,234,");
	expect_none(VALUE_GROUPED, "1.234,5");
	expect_none(VALUE_GROUPED, "1,234e3");
	expect_none(VALUE_GROUPED, "1,.5");
	expect_none(VALUE_GROUPED, ".");
	expect_none(VALUE_GROUPED, "nan");
}

Test(value, durations_with_one_unit_are_exact)
{
	expect_value(VALUE_DURATION, "250ms", 0.25);
	expect_value(VALUE_DURATION, "0.1ms", 0.0001);
	expect_value(VALUE_DURATION, "17.3 ms", 0.0173);
	expect_value(VALUE_DURATION, "3us", 0.000003);
	expect_value(VALUE_DURATION, "3µs", 0.000003);
	expect_value(VALUE_DURATION, "3μs", 0.000003);
	expect_value(VALUE_DURATION, "7ns", 7e-9);
	expect_value(VALUE_DURATION, "1.5s", 1.5);
	expect_value(VALUE_DURATION, "2m", 120);
	expect_value(VALUE_DURATION, "1.5h", 5400);
	expect_value(VALUE_DURATION, "2d", 172800);
	expect_value(VALUE_DURATION, "5 minutes", 300);
	expect_value(VALUE_DURATION, "-1.5s", -1.5);
	expect_value(VALUE_DURATION, "0", 0);
	expect_value(VALUE_DURATION, "3 weeks", 1814400);
	expect_value(VALUE_DURATION, "12 msecs", 0.012);
	expect_value(VALUE_DURATION, "5 microseconds", 5e-6);
	expect_value(VALUE_DURATION, "0.07m", 4.2); /* not 0.07 * 60 */
	expect_value(VALUE_DURATION, "1.13h", 4068);
}

Test(value, durations_with_several_units_add_up)
{
	expect_value(VALUE_DURATION, "1m30s", 90);
	expect_value(VALUE_DURATION, "1h 2m", 3720);
	expect_value(VALUE_DURATION, "1h2m3s4ms", 3723.004);
	expect_value(VALUE_DURATION, "1 h 30 min", 5400);
	expect_value(VALUE_DURATION, "1d12h", 129600);
	expect_value(VALUE_DURATION, "0.1m0.2s", 6.2); /* 6 + 0.2 */
	expect_value(VALUE_DURATION, "1h0.1s0.2ms", 3600.1002);
	expect_value(VALUE_DURATION, "-1m30s", -90);
	expect_value(VALUE_DURATION, "1 hour, 2 minutes", 3720);
	expect_value(VALUE_DURATION, "2 days 3h", 183600);
}

Test(value, durations_as_on_a_clock)
{
	expect_value(VALUE_DURATION, "00:01:30.5", 90.5);
	expect_value(VALUE_DURATION, "1:30", 90);
	expect_value(VALUE_DURATION, "100:00:00", 360000);
	expect_value(VALUE_DURATION, "-0:00:01.1", -1.1);
	expect_value(VALUE_DURATION, "0:00:00.000003", 0.000003);
}

/* Python prints minus half a second as a day less 0.5 s. */
Test(value, days_and_a_clock_as_timedelta_and_interval_are_printed)
{
	expect_value(VALUE_DURATION, "1 day, 2:03:04", 93784);
	expect_value(VALUE_DURATION, "-1 day, 23:59:59.500000", -0.5);
	expect_value(VALUE_DURATION, "2 days 03:00:00", 183600);
	expect_value(VALUE_DURATION, "-2 days -03:00:00", -183600);
	expect_value(VALUE_DURATION, "-2 days +03:00:00", -162000);
	expect_none(VALUE_DURATION, "1h 02:03");
	expect_none(VALUE_DURATION, "1 day,2:03:04");
	expect_none(VALUE_DURATION, "1 day, ");
	expect_none(VALUE_DURATION, "1 day02:03:04");
	expect_none(VALUE_DURATION, "1 day, 2:03:04 5s");
}

Test(value, what_is_no_duration)
{
	const char *const texts[] = {
		"",         "5",     "1.5",   "s",     "1x",     "1m1m",
		"1s1m",     "1ms1s", "1s ",   " 1s",   "1:60",   "1:2:3:4",
		"1:30.5:1", ":30",   "1:",    "1h,2m", "1.2.3s", "--1s",
		"1e3s",     "inf",   "nan s", "1s-2ms"};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		expect_none(VALUE_DURATION, texts[i]);
}

Test(value, sizes_are_bytes)
{
	static const struct {
		const char *text;
		double bytes;
	} cases[] = {
		{"77", 77},
		{"77B", 77},
		{"77 bytes", 77},
		{"1,024 B", 1024},
		{"1,234,567", 1234567},
		{"0", 0},
		{"1.5GiB", 1610612736},
		{"1.1 GiB", 1181116006.4},
		{"10 MB", 10e6},
		{"10MiB", 10485760},
		{"512k", 524288},
		{"512K", 524288},
		{"512kB", 512000},
		{"512 KB", 512000},
		{"64kb", 64000},
		{"64Ki", 65536},
		{"2m", 2097152},
		{"2M", 2097152},
		{"1.5G", 1610612736},
		{"3T", 3298534883328},
		{"1P", 1125899906842624},
		{"1E", 1152921504606846976},
		{"1 EiB", 1152921504606846976},
		{"0.1EB", 1e17},
		{"-5 MB", -5e6},
		{"+5MB", 5e6},
		{".5k", 512},
		{"0.3KiB", 307.2},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		expect_value(VALUE_BYTES, cases[i].text, cases[i].bytes);
}

Test(value, what_is_no_size)
{
	const char *const texts[] = {
		"",       "B",        "MB",  "1 ",     "1 MB ", " 1MB",   "1Mb",
		"1 Mbit", "1MB/s",    "1e3", "1,02 B", "1,5MB", "1.2.3k", "1 XB",
		"1K i",   "1 MiB 2k", "inf", "nan",    "--1k",  "0x10",   "1kBs"};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		expect_none(VALUE_BYTES, texts[i]);
}

Test(value, percent_is_a_ratio)
{
	expect_value(VALUE_PERCENT, "97.5%", 0.975);
	expect_value(VALUE_PERCENT, "97.5 %", 0.975);
	expect_value(VALUE_PERCENT, "97.5", 0.975);
	expect_value(VALUE_PERCENT, "7%", 0.07); /* 7 * 0.01 is another double */
	expect_value(VALUE_PERCENT, "-0.1%", -0.001);
	expect_value(VALUE_PERCENT, "1.5e1%", 0.15);
	expect_value(VALUE_PERCENT, "250%", 2.5);
	expect_none(VALUE_PERCENT, "");
	expect_none(VALUE_PERCENT, "%");
	expect_none(VALUE_PERCENT, " 5%");
	expect_none(VALUE_PERCENT, "5% ");
	expect_none(VALUE_PERCENT, "5%%");
	expect_none(VALUE_PERCENT, "5 ");
	expect_none(VALUE_PERCENT, "97,5%");
	expect_none(VALUE_PERCENT, "nan%");
}

Test(value, epochs_by_their_magnitude)
{
	expect_value(VALUE_TIMESTAMP, "1763640001", 1763640001);
	expect_value(VALUE_TIMESTAMP, "1763640001.25", 1763640001.25);
	expect_value(VALUE_TIMESTAMP, "1763640001123", 1763640001.123);
	expect_value(VALUE_TIMESTAMP, "1763640001123456", 1763640001.123456);
	expect_value(VALUE_TIMESTAMP, "1763640001123456789", 1763640001.123456789);
	expect_value(VALUE_TIMESTAMP, "0", 0);
	expect_value(VALUE_TIMESTAMP, "-1", -1);
	expect_none(VALUE_TIMESTAMP, "nan");
	expect_none(VALUE_TIMESTAMP, "inf");
	expect_none(VALUE_TIMESTAMP, "1e999");
}

Test(value, dates_are_seconds_since_1970)
{
	expect_value(VALUE_TIMESTAMP, "1970-01-01T00:00:00Z", 0);
	expect_value(VALUE_TIMESTAMP, "2026-11-20 12:00:01,123", 1795176001.123);
	expect_value(VALUE_TIMESTAMP, "2026-11-20T12:00:01.123456789+02:00",
		     1795168801.123456789);
	expect_value(VALUE_TIMESTAMP, "1969-12-31T23:59:59.5Z", -0.5);
	expect_none(VALUE_TIMESTAMP, "2026-11-20T12:00:01 ");
	expect_none(VALUE_TIMESTAMP, "yesterday");
}
