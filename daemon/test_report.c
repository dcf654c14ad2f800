#include "daemon/test_report.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/arena.h"
#include "common/utf8.h"
#include "common/xalloc.h"

struct report_case {
	const char *name;
	struct position at;
	double seconds;
	const char *details; /* NULL: it passed */
};

struct suite {
	const char *path;
	struct report_case *cases;
	size_t count, failed;
	double seconds;
};

struct test_report {
	struct arena *arena;
	struct suite *suites;
	size_t count;
	size_t passed, failed;
};

struct test_report *test_report_create(void)
{
	struct test_report *report = xcalloc(1, sizeof(*report));

	report->arena = arena_create();
	return report;
}

void test_report_destroy(struct test_report *report)
{
	if (!report)
		return;
	for (size_t i = 0; i < report->count; i++)
		free(report->suites[i].cases);
	free(report->suites);
	arena_destroy(report->arena);
	free(report);
}

void test_report_file(struct test_report *report, const char *path)
{
	report->suites = xgrow(report->suites, report->count, sizeof(*report->suites));
	report->suites[report->count++] =
		(struct suite){.path = arena_strdup(report->arena, path)};
}

static void add_case(struct test_report *report, const char *name, struct position at,
		     double seconds, const char *details)
{
	struct suite *suite = &report->suites[report->count - 1];

	suite->cases = xgrow(suite->cases, suite->count, sizeof(*suite->cases));
	suite->cases[suite->count++] = (struct report_case){
		.name = arena_strdup(report->arena, name),
		.at = {.file = suite->path, .line = at.line, .column = at.column},
		.seconds = seconds,
		.details = details ? arena_strdup(report->arena, details) : NULL,
	};
	suite->seconds += seconds;
	suite->failed += details != NULL;
	report->failed += details != NULL;
	report->passed += details == NULL;
}

void test_report_case(struct test_report *report, const char *name, struct position at,
		      double seconds, const char *details)
{
	const char *path = report->suites[report->count - 1].path;

	add_case(report, name, at, seconds, details);
	if (details)
		printf("FAIL  %s:%d:%d: %s\n%s", path, at.line, at.column, name,
		       details);
	else
		printf("ok    %s: %s\n", path, name);
}

void test_report_broken(struct test_report *report, const char *details)
{
	add_case(report, "loads", (struct position){.line = 1, .column = 1}, 0,
		 details);
	printf("FAIL  %s: does not load\n", report->suites[report->count - 1].path);
}

size_t test_report_passed(const struct test_report *report)
{
	return report->passed;
}

size_t test_report_failed(const struct test_report *report)
{
	return report->failed;
}

/* -- JUnit ---------------------------------------------------------------- */

/* XML 1.0 has no way to write these, not even escaped. */
static bool is_unwritable(const char *p)
{
	unsigned char c = (unsigned char)*p;

	return (c < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7F ||
	       strncmp(p, "\xef\xbf\xbe", 3) == 0 || strncmp(p, "\xef\xbf\xbf", 3) == 0;
}

static void add_escaped(struct strbuf *out, const char *text)
{
	struct strbuf valid = STRBUF_INIT;

	utf8_add_valid(&valid, slice_of(text));
	for (const char *p = valid.ptr; *p; p++) {
		if (is_unwritable(p)) {
			strbuf_puts(out, "\xef\xbf\xbd");
			p += (unsigned char)*p >= 0x80 ? 2 : 0;
		} else if (strchr("&<>\"'\t\n\r", *p)) {
			strbuf_addf(out, "&#%d;", *p);
		} else {
			strbuf_putc(out, *p);
		}
	}
	strbuf_finish(&valid);
}

static void add_attribute(struct strbuf *out, const char *name, const char *value)
{
	strbuf_addf(out, " %s=\"", name);
	add_escaped(out, value);
	strbuf_putc(out, '"');
}

static void add_junit_case(struct strbuf *out, const struct report_case *c)
{
	char line[16];

	snprintf(line, sizeof(line), "%d", c->at.line);
	strbuf_puts(out, "    <testcase");
	add_attribute(out, "classname", c->at.file);
	add_attribute(out, "name", c->name);
	add_attribute(out, "file", c->at.file);
	add_attribute(out, "line", line);
	strbuf_addf(out, " time=\"%.6f\"", c->seconds);
	if (!c->details) {
		strbuf_puts(out, "/>\n");
		return;
	}
	strbuf_puts(out, ">\n      <failure");
	add_attribute(out, "message",
		      strcmp(c->name, "loads") == 0 ? "the file does not load"
						    : "other metrics than expected");
	strbuf_puts(out, " type=\"failure\">");
	add_escaped(out, c->details);
	strbuf_puts(out, "</failure>\n    </testcase>\n");
}

static void add_suite(struct strbuf *out, const struct suite *suite)
{
	strbuf_puts(out, "  <testsuite");
	add_attribute(out, "name", suite->path);
	strbuf_addf(out,
		    " tests=\"%zu\" failures=\"%zu\" errors=\"0\" skipped=\"0\" "
		    "time=\"%.6f\">\n",
		    suite->count, suite->failed, suite->seconds);
	for (size_t i = 0; i < suite->count; i++)
		add_junit_case(out, &suite->cases[i]);
	strbuf_puts(out, "  </testsuite>\n");
}

bool test_report_write_junit(const struct test_report *report, const char *file,
			     struct error *err)
{
	struct strbuf out = STRBUF_INIT;
	double seconds = 0;
	FILE *stream;
	bool ok;

	for (size_t i = 0; i < report->count; i++)
		seconds += report->suites[i].seconds;
	strbuf_addf(
		&out,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites "
		"name=\"logtally test\" tests=\"%zu\" failures=\"%zu\" errors=\"0\" "
		"time=\"%.6f\">\n",
		report->passed + report->failed, report->failed, seconds);
	for (size_t i = 0; i < report->count; i++)
		add_suite(&out, &report->suites[i]);
	strbuf_puts(&out, "</testsuites>\n");
	stream = fopen(file, "w");
	ok = stream && fwrite(out.ptr, 1, out.len, stream) == out.len;
	if (stream && fclose(stream) != 0)
		ok = false;
	strbuf_finish(&out);
	return ok || error_errno(err, "write %s", file);
}
