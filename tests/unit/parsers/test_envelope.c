/* What container runtimes put around a line, and what their paths say. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "common/clock.h"
#include "parsers/envelope.h"
#include "parsers/kubernetes.h"

static struct strbuf text = STRBUF_INIT;

static void stop(void)
{
	strbuf_finish(&text);
}

TestSuite(envelope, .fini = stop);

/* "stream|time in ns|text", with `+` behind it if it goes on; "malformed". */
static const char *open_line(enum envelope envelope, const char *line)
{
	static char said[512];
	struct envelope_line opened;

	strbuf_clear(&text);
	strbuf_puts(&text, "before");
	if (!envelope_open(envelope, slice_of(line), &opened, &text)) {
		cr_expect_eq(text.len, 6, "nothing is appended");
		return "malformed";
	}
	snprintf(said, sizeof(said), "%.*s|%lld|%.*s%s",
		 SLICE_ARG(envelope_stream_name(opened.stream)),
		 opened.time_ns == ENVELOPE_NO_TIME ? -1LL : (long long)opened.time_ns,
		 (int)text.len - 6, text.ptr + 6, opened.goes_on ? "+" : "");
	return said;
}

#define docker(line) open_line(ENVELOPE_DOCKER, line)
#define cri(line) open_line(ENVELOPE_CRI, line)

#define TIME "\"time\":\"2016-10-06T00:17:09.669794202Z\""
#define TIME_NS "1475713029669794202"

Test(envelope, docker_lines_are_opened)
{
	cr_expect_str_eq(
		docker("{\"log\":\"hello\\n\",\"stream\":\"stdout\"," TIME "}"),
		"stdout|" TIME_NS "|hello");
	cr_expect_str_eq(docker("{\"log\":\"\\n\",\"stream\":\"stderr\"," TIME "}"),
			 "stderr|" TIME_NS "|");
	cr_expect_str_eq(
		docker("{\"log\":\"tty\\r\\n\",\"stream\":\"stdout\"," TIME "}"),
		"stdout|" TIME_NS "|tty");
	cr_expect_str_eq(docker(" { \"log\" : \"a\\n\" } "), "|-1|a");
}

Test(envelope, what_docker_adds_is_passed_over)
{
	cr_expect_str_eq(
		docker("{\"log\":\"a\\n\",\"stream\":\"stdout\",\"attrs\":{\"tag\":"
		       "\"x\\\"}\",\"n\":[1,{},null,-2e5,[\"]\"]]}," TIME "}"),
		"stdout|" TIME_NS "|a");
}

Test(envelope, a_docker_line_without_a_newline_goes_on)
{
	cr_expect_str_eq(docker("{\"log\":\"half\",\"stream\":\"stdout\"," TIME "}"),
			 "stdout|" TIME_NS "|half+");
	cr_expect_str_eq(docker("{\"log\":\"\",\"stream\":\"stdout\"," TIME "}"),
			 "stdout|" TIME_NS "|+");
	cr_expect_str_eq(docker("{\"log\":\"\\\\n\",\"stream\":\"stdout\"," TIME "}"),
			 "stdout|" TIME_NS "|\\n+");
}

Test(envelope, escapes_are_undone)
{
	cr_expect_str_eq(docker("{\"log\":\"\\\"\\\\\\/"
				"\\b\\f\\n\\r\\t\\u0041\\u00e9\\u20AC\\n\"}"),
			 "|-1|\"\\/\b\f\n\r\tA\xC3\xA9\xE2\x82\xAC");
	cr_expect_str_eq(docker("{\"log\":\"\\ud83d\\ude00\\n\"}"),
			 "|-1|\xF0\x9F\x98\x80");
}

Test(envelope, half_a_surrogate_pair_is_replaced)
{
	cr_expect_str_eq(docker("{\"log\":\"\\ud83d\\n\"}"), "|-1|\xEF\xBF\xBD");
	cr_expect_str_eq(docker("{\"log\":\"\\ud83dx\\n\"}"), "|-1|\xEF\xBF\xBDx");
	cr_expect_str_eq(docker("{\"log\":\"\\ude00\\n\"}"), "|-1|\xEF\xBF\xBD");
	cr_expect_str_eq(docker("{\"log\":\"\\ud83d\\ud83d\\ude00\\n\"}"),
			 "|-1|\xEF\xBF\xBD\xF0\x9F\x98\x80");
	cr_expect_str_eq(docker("{\"log\":\"\\ud83d\\u0041\\n\"}"), "|-1|\xEF\xBF\xBD"
								    "A");
}

Test(envelope, what_is_no_docker_line_is_malformed)
{
	static const char *const lines[] = {
		"",
		"plain text",
		"{}",
		"[\"log\"]",
		"{\"log\":\"a\\n\"",
		"{\"log\":\"a\\n\"} x",
		"{\"log\":\"a\\n\",}",
		"{\"log\":\"a\\n",
		"{\"log\":\"a\\x\\n\"}",
		"{\"log\":\"a\\u12g4\\n\"}",
		"{\"log\":\"a\\u12",
		"{\"log\":7}",
		"{\"log\":\"a\\n\",\"time\":\"yesterday\"}",
		"{\"log\":\"a\\n\",\"attrs\":{\"a\":1}",
		"{\"stream\":\"stdout\"}",
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		cr_expect_str_eq(docker(lines[i]), "malformed", "%s", lines[i]);
}

Test(envelope, cri_lines_are_opened)
{
	cr_expect_str_eq(cri("2016-10-06T00:17:09.669794202Z stdout F hello  world "),
			 "stdout|" TIME_NS "|hello  world ");
	cr_expect_str_eq(cri("2016-10-06T00:17:09.669794202Z stderr P half"),
			 "stderr|" TIME_NS "|half+");
	cr_expect_str_eq(cri("2016-10-06T00:17:09.669794202Z stdout P:later:F x"),
			 "stdout|" TIME_NS "|x+");
	cr_expect_str_eq(cri("2016-10-06T00:17:09.669794202Z stdout F "),
			 "stdout|" TIME_NS "|");
	cr_expect_str_eq(cri("2016-10-06T00:17:09.669794202Z stdout F"),
			 "stdout|" TIME_NS "|");
	cr_expect_str_eq(cri("2016-10-06T02:17:09.669794202+02:00 stdout F x"),
			 "stdout|" TIME_NS "|x");
	cr_expect_str_eq(cri("2016-10-06T00:17:09Z stdout F tty\r"),
			 "stdout|1475713029000000000|tty");
}

Test(envelope, what_is_no_cri_line_is_malformed)
{
	static const char *const lines[] = {
		"",
		"text",
		"2016-10-06T00:17:09Z",
		"2016-10-06T00:17:09Z stdout",
		"2016-10-06T00:17:09Z stdlog F x",
		"2016-10-06T00:17:09Z stdout X x",
		"2016-10-06T00:17:09Z stdout FP x",
		"2016-10-06T00:17:09Z  stdout F x",
		"2016-13-06T00:17:09Z stdout F x",
		"2016-10-06 00:17:09Z stdout F x",
		"2016-10-06T00:17:09.Z stdout F x",
		"2016-10-06T00:17:09 stdout F x",
		"2016-10-06T00:17:09+2:00 stdout F x",
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		cr_expect_str_eq(cri(lines[i]), "malformed", "%s", lines[i]);
}

Test(envelope, a_line_tells_what_it_is_in)
{
	cr_expect_eq(envelope_of(slice_of(
			     "{\"log\":\"a\\n\",\"stream\":\"stdout\"," TIME "}")),
		     ENVELOPE_DOCKER);
	cr_expect_eq(envelope_of(slice_of("2016-10-06T00:17:09Z stdout F x")),
		     ENVELOPE_CRI);
	cr_expect_eq(envelope_of(slice_of("")), ENVELOPE_NONE);
	cr_expect_eq(envelope_of(slice_of("{\"log\":\"a\\n\"}")), ENVELOPE_NONE,
		     "a program's own JSON may have such a key");
	cr_expect_eq(envelope_of(slice_of("2016-10-06T00:17:09Z INFO F x")),
		     ENVELOPE_NONE);
}

/* -- paths ---------------------------------------------------------------- */

/* "namespace pod container"; "" if it says nothing. */
static const char *parts_of(const char *path)
{
	static char said[256];
	struct slice namespace = kubernetes_part(slice_of(path), KUBERNETES_NAMESPACE);
	struct slice pod = kubernetes_part(slice_of(path), KUBERNETES_POD);
	struct slice container = kubernetes_part(slice_of(path), KUBERNETES_CONTAINER);

	if (!namespace.ptr)
		return "";
	snprintf(said, sizeof(said), "%.*s %.*s %.*s", SLICE_ARG(namespace),
		 SLICE_ARG(pod), SLICE_ARG(container));
	return said;
}

Test(kubernetes, the_path_of_a_container_says_whose_it_is)
{
	cr_expect_str_eq(parts_of("/var/log/pods/default_web-7f9c_0f5a-11/nginx/0.log"),
			 "default web-7f9c nginx");
	cr_expect_str_eq(
		parts_of("/var/log/containers/web-7f9c_default_my-nginx-0a1b2c.log"),
		"default web-7f9c my-nginx");
	cr_expect_str_eq(parts_of("/host/var/log/pods/ns_p_u/c/12.log"), "ns p c");
}

Test(kubernetes, other_paths_say_nothing)
{
	cr_expect_str_eq(parts_of("/var/log/app/default_web_1/nginx/0.log"), "");
	cr_expect_str_eq(parts_of("/var/log/pods/default_web/nginx/0.log"), "");
	cr_expect_str_eq(parts_of("/var/log/pods/default_web_1/0.log"), "");
	cr_expect_str_eq(parts_of("/var/log/pods/_web_1/c/0.log"), "");
	cr_expect_str_eq(parts_of("/var/log/pods/a_web_1/c/d/0.log"), "");
	cr_expect_str_eq(parts_of("/var/log/containers/web.log"), "");
	cr_expect_str_eq(parts_of("/var/log/containers/web_default_nginx"), "");
	cr_expect_str_eq(parts_of("/var/log/containers/"), "");
}
