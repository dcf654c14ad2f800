#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "common/strbuf.h"
#include "tailer/rotation.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* What remains of a name, or "" if it ends in nothing that rotation appends. */
static struct slice base_of(const char *name)
{
	struct slice base = slice_of(name);

	if (!rotation_base(base, &base.len))
		base.len = 0;
	return base;
}

/* The names that it may be a rotation of, each with a blank before it. */
static const char *visits(const char *name)
{
	static struct strbuf out = STRBUF_INIT;

	strbuf_clear(&out);
	for (struct slice base = slice_of(name); rotation_strip(&base);)
		strbuf_addf(&out, " %.*s", SLICE_ARG(base));
	return out.ptr ? out.ptr : "";
}

Test(rotation, takes_off_what_rotation_appends)
{
	static const char *const parts[] = {
		".gz",
		".zst",
		"~",
		".old",
		/* logrotate, savelog, RotatingFileHandler, newsyslog */
		".0",
		".1",
		".99",
		".0000000001",
		".1795132800",
		/* logrotate's dateformat */
		"-20261124",
		"-2026112407",
		"-202611",
		"-1795132800",
		"-999999999",
		"-2026-11-24",
		"-20261124-235959",
		/* TimedRotatingFileHandler */
		".2026-11-24_12-34-56",
		".2026-11-24_12-34",
		".2026-11-24_12",
		".2026-11-24",
		/* log4j's DailyRollingFileAppender */
		".2026-11",
		".2026-11-24-12",
		".2026-11-24-12-34",
		/* kubelet, newsyslog -t, savelog -d, Ruby's Logger, scripts */
		".20261124-120000",
		".20261124T0000",
		".20261124T120000",
		".20261124120000",
		".20261124",
		"-202611241200",
		"-2026_11_24",
		".2026-11-24T12:34:56",
		"-2026-11-24_12:34",
		".20261124_12",
	};

	for (size_t i = 0; i < COUNT(parts); i++) {
		char name[64];

		snprintf(name, sizeof(name), "app.log%s", parts[i]);
		cr_expect(slice_is(base_of(name), "app.log"), "%s: %.*s", name,
			  SLICE_ARG(base_of(name)));
	}
}

Test(rotation, leaves_other_names_alone)
{
	static const char *const names[] = {
		"",
		".",
		"..",
		"app",
		"app.log",
		"app.log.err",
		"app.log.gz.part",
		"app.log-",
		"app.log.",
		"app.log.1a",
		"app.log.a1",
		"app.log1",
		"app-1",
		"app_1",
		"app-12",
		"app-123456",
		"app.log.12345678901",
		"gz",
		"old",
		"20261124",
		"app.loggz",
		"app.GZ",
		"app.log.gzip",
		"app.tgz",
		"app.bak",
		"app~1x",
		/* impossible dates and times */
		"app-20261324",
		"app-20260024",
		"app-20261132",
		"app-20261100",
		"app-18261124",
		"app-21261124",
		"app-202611242400",
		"app.2026-13-01",
		"app.2026-11-24_24",
		"app.2026-11-24_12-60",
		"app.2026-1-24",
		"app.2026-11-24 12",
		"app.2026-11-24_1",
		"app.2026-11-24_12_",
		"app-20261124x",
		"app-20261124T",
		"app_20261124",
		"app20261124",
		"app-12345678",
		"app-123456789012",
		/* these would leave nothing */
		".gz",
		".1",
		"~",
		".old",
		"-20261124",
		".2026-11-24",
		"..gz",
		"...1",
		".~",
		/* archives that cannot be read are not followed */
		"app.log.1.xz",
		"app.log.bz2",
	};

	for (size_t i = 0; i < COUNT(names); i++)
		cr_expect_eq(base_of(names[i]).len, 0, "%s: %.*s", names[i],
			     SLICE_ARG(base_of(names[i])));
}

Test(rotation, visits_every_name_it_may_be_a_rotation_of_longest_first)
{
	static const struct {
		const char *name, *bases;
	} rows[] = {
		{"app.log", ""},
		{"app.log.1", " app.log"},
		{"app.log.1.gz", " app.log.1 app.log"},
		{"app.log.1.1", " app.log.1 app.log"},
		{"app.log-20261124.gz", " app.log-20261124 app.log"},
		{"app.log.2026-11-24_12.zst", " app.log.2026-11-24_12 app.log"},
		{"app.log.old.gz~", " app.log.old.gz app.log.old app.log"},
		{"app.log.gz.1", " app.log.gz app.log"},
		{".1.2.gz", " .1.2 .1"},
		{"app.log.err.1", " app.log.err"},
		/* A name with a date may itself be followed and rotated. */
		{"app-20261124-1795132800", " app-20261124 app"},
		{"app-20261124-20261125", " app-20261124 app"},
		{"app-2026-11-24.log.1", " app-2026-11-24.log"},
		/* It may be a time, or a year and a month: both are visited. */
		{"app-20261124-202611.gz", " app-20261124-202611 app-20261124 app"},
		{"app-20261124-235959", " app"},
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		cr_expect_str_eq(visits(rows[i].name), rows[i].bases, "%s",
				 rows[i].name);
}

Test(rotation, has_no_limit_to_its_parts)
{
	struct strbuf name = STRBUF_INIT;
	size_t visited = 0;

	strbuf_puts(&name, "a");
	for (int i = 0; i < 60; i++)
		strbuf_puts(&name, ".1~");
	for (struct slice base = {name.ptr, name.len}; rotation_strip(&base);)
		visited++;
	cr_expect_eq(visited, 120);
	strbuf_finish(&name);
}

Test(rotation, reads_no_byte_beyond_the_name)
{
	static const char text[] = "app.log-20261124.gz";

	for (size_t len = 0; len < sizeof(text); len++) {
		char *copy = strndup(text, len);
		char *name = memcpy(malloc(len ? len : 1), copy, len);
		size_t base_len = 0;
		bool is = rotation_base((struct slice){name, len}, &base_len);

		cr_expect_eq(is,
			     len == strlen("app.log-202611") ||
				     len == strlen("app.log-20261124") ||
				     len == strlen(text),
			     "%s", copy);
		free(copy);
		free(name);
	}
}

Test(rotation, names_tell_archives)
{
	static const struct {
		const char *name;
		enum rotation_content content;
		const char *base;
	} rows[] = {
		{"app.log", ROTATION_PLAIN, "app.log"},
		{"app.log.1", ROTATION_PLAIN, "app.log.1"},
		{"app.log.old", ROTATION_PLAIN, "app.log.old"},
		{"app.log.gz", ROTATION_ARCHIVE, "app.log"},
		{"app.log.1.zst", ROTATION_ARCHIVE, "app.log.1"},
		{"app.log.gz.1", ROTATION_PLAIN, "app.log.gz.1"},
		{"app.log.1.xz", ROTATION_UNREADABLE, "app.log.1"},
		{"app.log-20261124.bz2", ROTATION_UNREADABLE, "app.log-20261124"},
		{"app.log.Z", ROTATION_UNREADABLE, "app.log"},
		{".xz", ROTATION_PLAIN, ".xz"},
		{"..gz", ROTATION_PLAIN, "..gz"},
		{"", ROTATION_PLAIN, ""},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct slice base = slice_of(rows[i].name);

		cr_expect_eq(rotation_content(base, &base.len), rows[i].content, "%s",
			     rows[i].name);
		cr_expect(slice_is(base, rows[i].base), "%s", rows[i].name);
	}
}
