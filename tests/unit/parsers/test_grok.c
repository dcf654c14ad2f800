#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "parsers/grok.h"
#include "parsers/regex.h"

static struct diag *diag;
static struct regex_scratch *scratch;
static const struct position here = {"f.yml", 3, 5};

static void setup(void)
{
	diag = diag_create();
	scratch = regex_scratch_create(1000000);
}

static void teardown(void)
{
	diag_destroy(diag);
	regex_scratch_destroy(scratch);
}

TestSuite(grok, .init = setup, .fini = teardown);

static void expect_said(const char *said)
{
	struct strbuf out = STRBUF_INIT;

	diag_render(diag, &out);
	cr_expect_str_eq(out.ptr, said, "said:\n%sexpected:\n%s", out.ptr, said);
	strbuf_finish(&out);
}

static void expect_expanded(const char *pattern, const struct grok_definition *defs,
			    size_t count, const char *expanded)
{
	struct strbuf out = STRBUF_INIT;

	cr_expect(grok_expand(slice_of(pattern), here, defs, count, &out, diag));
	cr_expect_str_eq(out.ptr, expanded);
	expect_said("");
	strbuf_finish(&out);
}

static void expect_error(const char *pattern, const struct grok_definition *defs,
			 size_t count, const char *said)
{
	struct strbuf out = STRBUF_INIT;

	cr_expect_not(grok_expand(slice_of(pattern), here, defs, count, &out, diag));
	expect_said(said);
	strbuf_finish(&out);
}

static struct regex *compiled(const char *pattern)
{
	struct strbuf out = STRBUF_INIT;
	struct regex *regex = NULL;

	if (grok_expand(slice_of(pattern), here, NULL, 0, &out, diag))
		regex = regex_compile(strbuf_slice(&out), here, diag);
	strbuf_finish(&out);
	expect_said("");
	cr_assert(regex, "%s", pattern);
	return regex;
}

static struct slice group_named(const struct regex *regex, const char *name)
{
	unsigned groups[16];
	size_t count = regex_groups_named(regex, name, groups, 16);
	struct slice text = {NULL, 0};

	cr_assert_leq(count, 16);
	for (size_t i = 0; i < count && !text.ptr; i++)
		text = regex_group(scratch, groups[i]);
	return text;
}

/* The pattern matches all of the line; `captures` are names and texts, then NULL. */
static void expect_captures(const char *pattern, const char *line,
			    const char *const *captures)
{
	struct regex *regex = compiled(pattern);

	cr_expect_eq(regex_match(regex, scratch, slice_of(line)), REGEX_MATCH,
		     "%s does not match %s", pattern, line);
	cr_expect_eq(regex_group(scratch, 0).len, strlen(line),
		     "%s matches only '%.*s' of %s", pattern,
		     SLICE_ARG(regex_group(scratch, 0)), line);
	for (; captures && *captures; captures += 2) {
		struct slice got = group_named(regex, captures[0]);

		cr_expect(got.ptr && slice_is(got, captures[1]),
			  "%s is '%.*s' not '%s'", captures[0], SLICE_ARG(got),
			  captures[1]);
	}
	regex_destroy(regex);
}

#define CAPTURES(...)                           \
	(const char *const[])                   \
	{                                       \
		__VA_ARGS__ __VA_OPT__(, ) NULL \
	}

static void expect_whole(const char *name, const char *const *texts, bool matches)
{
	struct strbuf pattern = STRBUF_INIT;
	struct regex *regex;

	strbuf_addf(&pattern, "^%%{%s}$", name);
	regex = compiled(pattern.ptr);
	for (; *texts; texts++)
		cr_expect_eq(regex_match(regex, scratch, slice_of(*texts)),
			     matches ? REGEX_MATCH : REGEX_NO_MATCH, "%s and %s", name,
			     *texts);
	regex_destroy(regex);
	strbuf_finish(&pattern);
}

#define EXPECT_IS(name, ...) expect_whole(name, CAPTURES(__VA_ARGS__), true)
#define EXPECT_IS_NOT(name, ...) expect_whole(name, CAPTURES(__VA_ARGS__), false)

Test(grok, a_reference_becomes_a_group)
{
	expect_expanded("^%{WORD} x", NULL, 0, "^(?:\\b\\w+\\b) x");
	expect_expanded("%{USER:u}", NULL, 0, "(?<u>(?:[\\w.-]+))");
	expect_expanded("%{WORD:n:int}|%{WORD:}", NULL, 0,
			"(?<n>\\b\\w+\\b)|(?:\\b\\w+\\b)");
}

Test(grok, what_is_no_reference_stays)
{
	expect_expanded("a{2} %d 100% %", NULL, 0, "a{2} %d 100% %");
	expect_expanded("\\%{WORD} \\\\%{SPACE} x\\", NULL, 0,
			"\\%{WORD} \\\\(?:\\s*) x\\");
	expect_expanded("%{2} %{1,} %{1,3}", NULL, 0, "%{2} %{1,} %{1,3}");
}

Test(grok, definitions_come_before_the_built_in_ones)
{
	struct grok_definition defs[] = {
		{"WORD", slice_of("[a-z]+"), here},
		{"PAIR", slice_of("%{WORD:key}=%{INT}"), here},
	};

	expect_expanded("%{PAIR:p}", defs, 2, "(?<p>(?<key>[a-z]+)=(?:[+-]?\\d+))");
	expect_expanded("%{USER}", defs, 2, "(?:(?:[\\w.-]+))");
}

Test(grok, an_unknown_name_gets_the_closest)
{
	struct grok_definition defs[] = {{"PARTICIPANT", slice_of("p\\d+"), here}};

	expect_error("x=%{PARTICIPNT:p}, %{wrd}%{QQQQQQQQQQQ}", defs, 1,
		     "f.yml:3:5: no pattern has the name PARTICIPNT: did you mean "
		     "%{PARTICIPANT}?\n"
		     "    x=%{PARTICIPNT:p}, %{wrd}%{QQQQQQQQQQQ}\n"
		     "        ^\n"
		     "f.yml:3:5: no pattern has the name wrd: did you mean %{WORD}?\n"
		     "    x=%{PARTICIPNT:p}, %{wrd}%{QQQQQQQQQQQ}\n"
		     "                         ^\n"
		     "f.yml:3:5: no pattern has the name QQQQQQQQQQQ: define it under "
		     "`definitions`\n"
		     "    x=%{PARTICIPNT:p}, %{wrd}%{QQQQQQQQQQQ}\n"
		     "                               ^\n");
}

Test(grok, a_definition_that_uses_itself_is_shown_with_its_way)
{
	struct grok_definition defs[] = {
		{"A", slice_of("a%{B}"), {"f.yml", 1, 4}},
		{"B", slice_of("b%{A}"), {"f.yml", 2, 4}},
	};

	expect_error("%{A}", defs, 2,
		     "f.yml:1:4: the definition A uses itself: A -> B -> A\n");
}

Test(grok, an_error_in_a_definition_stands_there)
{
	struct grok_definition defs[] = {
		{"A", slice_of("a%{NOSUCHTHING}"), {"f.yml", 1, 4}}};

	expect_error("%{A} %{A}", defs, 1,
		     "f.yml:1:4: no pattern has the name NOSUCHTHING: define it under "
		     "`definitions`\n"
		     "    a%{NOSUCHTHING}\n"
		     "       ^\n");
}

Test(grok, a_capture_name_has_only_letters_digits_and_underscore)
{
	expect_error(
		"%{IP:client.ip}", NULL, 0,
		"f.yml:3:5: a capture's name has up to 32 letters, digits and _, no "
		"digit first: write %{IP:client_ip}\n"
		"    %{IP:client.ip}\n"
		"         ^\n");
}

Test(grok, a_nested_field_name_gets_a_plain_one)
{
	expect_error(
		"%{IP:[source][ip]}", NULL, 0,
		"f.yml:3:5: a capture's name has up to 32 letters, digits and _, no "
		"digit first: write %{IP:source_ip}\n"
		"    %{IP:[source][ip]}\n"
		"         ^\n");
}

Test(grok, a_capture_name_may_not_begin_with_a_digit)
{
	expect_error(
		"%{IP:2nd}", NULL, 0,
		"f.yml:3:5: a capture's name has up to 32 letters, digits and _, no "
		"digit first: write %{IP:_2nd}\n"
		"    %{IP:2nd}\n"
		"         ^\n");
}

Test(grok, an_open_brace_must_be_closed)
{
	expect_error("a %{IP", NULL, 0,
		     "f.yml:3:5: a %{ is never closed: write } behind the name; the "
		     "characters themselves are \\%{\n"
		     "    a %{IP\n"
		     "      ^\n");
}

Test(grok, a_reference_has_a_name)
{
	expect_error("a %{}%{x y}", NULL, 0,
		     "f.yml:3:5: this is not a grok reference: write %{NAME} or "
		     "%{NAME:capture}; the characters themselves are \\%{\n"
		     "    a %{}%{x y}\n"
		     "      ^\n"
		     "f.yml:3:5: this is not a grok reference: write %{NAME} or "
		     "%{NAME:capture}; the characters themselves are \\%{\n"
		     "    a %{}%{x y}\n"
		     "         ^\n");
}

Test(grok, definitions_that_double_each_other_are_bounded)
{
	struct grok_definition defs[40];
	char names[41][8], patterns[40][32];

	for (int i = 0; i < 40; i++) {
		snprintf(names[i], sizeof(names[i]), "D%d", i);
		snprintf(patterns[i], sizeof(patterns[i]),
			 i < 39 ? "%%{D%d}%%{D%d}" : "x", i + 1, i + 1);
		defs[i] =
			(struct grok_definition){names[i], slice_of(patterns[i]), here};
	}
	expect_error("%{D0}", defs, 40,
		     "f.yml:3:5: the pattern has more than 262144 bytes with its "
		     "definitions: use fewer definitions within definitions\n");
}

Test(grok, every_built_in_pattern_compiles)
{
	size_t count = 0;

	for (; grok_builtin_name(count); count++) {
		struct strbuf pattern = STRBUF_INIT;

		cr_expect(strlen(grok_builtin_pattern(count)) > 0);
		strbuf_addf(&pattern, "%%{%s:all}", grok_builtin_name(count));
		regex_destroy(compiled(pattern.ptr));
		strbuf_finish(&pattern);
		for (size_t i = 0; i < count; i++)
			cr_expect_str_neq(grok_builtin_name(i),
					  grok_builtin_name(count));
	}
	cr_expect_gt(count, 100);
}

Test(grok, the_names_that_logstash_users_expect_are_there)
{
	const char *const names[] = {
		"USERNAME",
		"USER",
		"EMAILLOCALPART",
		"EMAILADDRESS",
		"INT",
		"BASE10NUM",
		"NUMBER",
		"BASE16NUM",
		"BASE16FLOAT",
		"POSINT",
		"NONNEGINT",
		"WORD",
		"NOTSPACE",
		"SPACE",
		"DATA",
		"GREEDYDATA",
		"QUOTEDSTRING",
		"UUID",
		"URN",
		"MAC",
		"CISCOMAC",
		"WINDOWSMAC",
		"COMMONMAC",
		"IPV6",
		"IPV4",
		"IP",
		"HOSTNAME",
		"IPORHOST",
		"HOSTPORT",
		"PATH",
		"UNIXPATH",
		"TTY",
		"WINPATH",
		"URIPROTO",
		"URIHOST",
		"URIPATH",
		"URIPARAM",
		"URIPATHPARAM",
		"URI",
		"MONTH",
		"MONTHNUM",
		"MONTHNUM2",
		"MONTHDAY",
		"DAY",
		"YEAR",
		"HOUR",
		"MINUTE",
		"SECOND",
		"TIME",
		"DATE_US",
		"DATE_EU",
		"ISO8601_TIMEZONE",
		"ISO8601_SECOND",
		"TIMESTAMP_ISO8601",
		"DATE",
		"DATESTAMP",
		"TZ",
		"DATESTAMP_RFC822",
		"DATESTAMP_RFC2822",
		"DATESTAMP_OTHER",
		"DATESTAMP_EVENTLOG",
		"SYSLOGTIMESTAMP",
		"PROG",
		"SYSLOGPROG",
		"SYSLOGHOST",
		"SYSLOGFACILITY",
		"HTTPDATE",
		"QS",
		"SYSLOGBASE",
		"LOGLEVEL",
		"HTTPDUSER",
		"HTTPDERROR_DATE",
		"HTTPD_COMMONLOG",
		"HTTPD_COMBINEDLOG",
		"HTTPD20_ERRORLOG",
		"HTTPD24_ERRORLOG",
		"HTTPD_ERRORLOG",
		"COMMONAPACHELOG",
		"COMBINEDAPACHELOG",
		"SYSLOG5424PRINTASCII",
		"SYSLOGBASE2",
		"SYSLOGPAMSESSION",
		"CRON_ACTION",
		"CRONLOG",
		"SYSLOGLINE",
		"SYSLOG5424PRI",
		"SYSLOG5424SD",
		"SYSLOG5424BASE",
		"SYSLOG5424LINE",
		"JAVACLASS",
		"JAVAFILE",
		"JAVAMETHOD",
		"JAVASTACKTRACEPART",
		"JAVATHREAD",
		"JAVALOGMESSAGE",
		"CATALINA_DATESTAMP",
		"TOMCAT_DATESTAMP",
		"CATALINALOG",
		"TOMCATLOG",
		"HAPROXYTIME",
		"HAPROXYDATE",
		"HAPROXYCAPTUREDREQUESTHEADERS",
		"HAPROXYCAPTUREDRESPONSEHEADERS",
		"HAPROXYHTTPBASE",
		"HAPROXYHTTP",
		"HAPROXYTCP",
		"HAPROXYERROR",
		"REDISTIMESTAMP",
		"REDISLOG",
		"REDISMONLOG",
		"POSTGRESQL",
		"MONGO_LOG",
		"MONGO_QUERY",
		"MONGO_WORDDASH",
		"MONGO_SLOWQUERY",
		"MONGO3_SEVERITY",
		"MONGO3_COMPONENT",
		"MONGO3_LOG",
		"RUBY_LOGLEVEL",
		"RUBY_LOGGER",
		"SQUID3",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct strbuf pattern = STRBUF_INIT;

		strbuf_addf(&pattern, "%%{%s}", names[i]);
		regex_destroy(compiled(pattern.ptr));
		strbuf_finish(&pattern);
	}
}

Test(grok, numbers)
{
	EXPECT_IS("NUMBER", "1", "-1.5", "+.5", "12345.678");
	EXPECT_IS_NOT("NUMBER", "", "1.", "x", "1e5");
	EXPECT_IS("INT", "0", "-12", "+3");
	EXPECT_IS("POSINT", "1", "10");
	EXPECT_IS_NOT("POSINT", "0", "01", "-1");
	EXPECT_IS("BASE16NUM", "ff", "0xFF", "-0x1a");
	EXPECT_IS("BASE16FLOAT", "0x1f.8", "a");
}

Test(grok, addresses)
{
	EXPECT_IS("IPV4", "0.0.0.0", "192.168.1.255");
	EXPECT_IS_NOT("IPV4", "256.1.1.1", "1.2.3", "1.2.3.4.5");
	EXPECT_IS("IPV6", "::", "::1", "1::", "fe80::1%eth0", "1:2:3:4:5:6:7:8",
		  "1:2:3:4:5:6:7::", "1::8", "1:2::7:8", "::ffff:10.0.0.1",
		  "64:ff9b::192.0.2.33", "1:2:3:4:5:6:1.2.3.4", "::2:3:4:5:6:7:8",
		  "1:2:3:4:5::1.2.3.4", "2001:0db8:85a3:0000:0000:8a2e:0370:7334");
	EXPECT_IS_NOT("IPV6", "1", ":", "1:2", "1::2::3",
		      "12345::", "1:2:3:4:5:6:7:8:9", "::1.2.3.256");
	EXPECT_IS("HOSTNAME", "a", "web-01.example.com", "example.com.", "4you.net");
	EXPECT_IS_NOT("HOSTNAME", "-a", "a_b", "");
	EXPECT_IS("HOSTPORT", "db:5432", "10.0.0.1:80", "2001:db8::1:5432");
	EXPECT_IS("MAC", "00:1a:2B:3c:4d:5e", "00-1a-2b-3c-4d-5e", "001a.2b3c.4d5e");
	EXPECT_IS("EMAILADDRESS", "a.b+c@example.com");
}

Test(grok, an_address_is_found_whole_within_a_line)
{
	expect_captures("from %{IP:ip} port", "from 1:2::3:4 port",
			CAPTURES("ip", "1:2::3:4"));
	expect_captures("%{IP:ip}:%{INT:port}", "::ffff:10.0.0.1:8080",
			CAPTURES("ip", "::ffff:10.0.0.1", "port", "8080"));
}

Test(grok, paths_and_uris)
{
	EXPECT_IS("UNIXPATH", "/", "/var/log/x.log", "/a//b");
	EXPECT_IS("WINPATH", "C:\\Temp\\x.txt", "\\\\server\\share");
	EXPECT_IS("TTY", "/dev/pts/0", "/dev/tty1");
	EXPECT_IS("URI", "http://example.com/",
		  "https://u:p@example.com:8080/a/b?c=d&e=%20", "file:///etc/passwd",
		  "s3://bucket/key");
	EXPECT_IS("URIPATHPARAM", "/a/b.html?x=1&y[]=2", "/");
	EXPECT_IS("UUID", "123e4567-e89b-12d3-a456-426614174000");
	EXPECT_IS("URN", "urn:isbn:0451450523");
	EXPECT_IS("QUOTEDSTRING", "\"\"", "\"a \\\" b\"", "'x'", "`y`");
	EXPECT_IS_NOT("QUOTEDSTRING", "\"a", "a\"", "'a\"");
}

Test(grok, dates)
{
	EXPECT_IS("TIMESTAMP_ISO8601", "2026-11-20T12:00:01.123Z",
		  "2026-11-20 12:00:01,123", "2026-11-20T12:00:01+02:00",
		  "2026-11-20T1200-0500");
	EXPECT_IS_NOT("TIMESTAMP_ISO8601", "2026-13-20T12:00:01", "2026-11-20");
	EXPECT_IS("MONTH", "Jan", "January", "feb", "März", "Mar", "May", "Mai", "Dez",
		  "Sept", "September", "OCT", "Oktober");
	EXPECT_IS("HTTPDATE", "20/Nov/2026:12:00:01 +0000");
	EXPECT_IS("SYSLOGTIMESTAMP", "Nov  1 12:00:01", "Nov 20 12:00:01");
	EXPECT_IS("DATESTAMP", "11/20/2026 12:00:01", "20.11.2026-12:00:01");
	EXPECT_IS("DATESTAMP_RFC822", "Fri Nov 20 2026 12:00:01 UTC");
	EXPECT_IS("DATESTAMP_RFC2822", "Fri, 20 Nov 2026 12:00:01 +0000");
	EXPECT_IS("DATESTAMP_OTHER", "Fri Nov 20 12:00:01 EST 2026");
	EXPECT_IS("DATESTAMP_EVENTLOG", "20261120120001");
	EXPECT_IS("TIME", "12:00:60", "1:02:03.5");
	EXPECT_IS_NOT("TIME", "24:00:00", "12:60:00");
	EXPECT_IS("TZ", "UTC", "PST", "CEST", "GMT", "JST");
}

Test(grok, levels)
{
	EXPECT_IS("LOGLEVEL", "INFO", "Warning", "warn", "ERROR", "err", "Critical",
		  "FATAL", "emerg", "EMERGENCY", "notice");
	expect_captures("\\[%{LOGLEVEL:level}\\]", "[information]",
			CAPTURES("level", "information"));
}

Test(grok, an_apache_line)
{
	expect_captures(
		"%{COMBINEDAPACHELOG}",
		"203.0.113.7 - frank [10/Oct/2000:13:55:36 -0700] \"GET "
		"/apache_pb.gif HTTP/1.0\" 200 2326 \"http://www.example.com/\" "
		"\"Mozilla/4.08 [en]\"",
		CAPTURES("clientip", "203.0.113.7", "ident", "-", "auth", "frank",
			 "timestamp", "10/Oct/2000:13:55:36 -0700", "verb", "GET",
			 "request", "/apache_pb.gif", "httpversion", "1.0", "response",
			 "200", "bytes", "2326", "referrer",
			 "\"http://www.example.com/\""));
	expect_captures("%{COMMONAPACHELOG}",
			"::1 - a@b.de [10/Oct/2000:13:55:36 -0700] \"-\" 408 -",
			CAPTURES("clientip", "::1", "auth", "a@b.de", "rawrequest", "-",
				 "response", "408"));
}

Test(grok, apache_error_lines)
{
	expect_captures("%{HTTPD_ERRORLOG}",
			"[Fri Nov 20 12:00:01.123456 2026] [core:error] [pid 35708:tid "
			"4328636416] [client 72.15.99.187:1234] File does not exist",
			CAPTURES("loglevel", "error", "module", "core", "pid", "35708",
				 "tid", "4328636416", "clientip", "72.15.99.187",
				 "clientport", "1234", "message",
				 "File does not exist"));
	expect_captures(
		"%{HTTPD_ERRORLOG}",
		"[Fri Nov 20 12:00:01 2026] [error] [client 1.2.3.4] File missing",
		CAPTURES("loglevel", "error", "clientip", "1.2.3.4", "message",
			 "File missing"));
}

Test(grok, nginx_error_lines)
{
	expect_captures(
		"%{NGINX_ERROR}",
		"2026/11/20 12:00:01 [error] 7#8: *9 connect() failed (111: "
		"refused), client: 10.0.0.1, server: x.org, request: \"GET / "
		"HTTP/1.1\", upstream: \"http://127.0.0.1:8000/\", host: \"x.org\"",
		CAPTURES("loglevel", "error", "pid", "7", "connection", "9", "message",
			 "connect() failed (111: refused)", "clientip", "10.0.0.1"));
	expect_captures("%{NGINX_ERROR}", "2026/11/20 12:00:01 [notice] 1#1: start",
			CAPTURES("loglevel", "notice", "message", "start"));
}

Test(grok, syslog_lines)
{
	expect_captures("%{SYSLOGLINE}",
			"Nov 20 12:00:01 web-01 sshd[4242]: Accepted publickey for bob",
			CAPTURES("timestamp", "Nov 20 12:00:01", "logsource", "web-01",
				 "program", "sshd", "pid", "4242", "message",
				 "Accepted publickey for bob"));
	expect_captures("%{SYSLOGLINE}", "2026-11-20T12:00:01.1+00:00 web kernel: up",
			CAPTURES("timestamp8601", "2026-11-20T12:00:01.1+00:00",
				 "program", "kernel", "message", "up"));
	expect_captures("%{SYSLOG5424LINE}",
			"<165>1 2026-11-20T12:00:01.003Z h.example.com app - ID47 "
			"[x@1 a=\"b\\]\"][y] hello",
			CAPTURES("syslog5424_pri", "165", "syslog5424_app", "app",
				 "syslog5424_msgid", "ID47", "syslog5424_msg",
				 "hello"));
	expect_captures(
		"%{SYSLOGPAMSESSION}",
		"Nov 20 12:00:01 h su: pam_unix(su:session): session opened for "
		"user root(uid=0) by bob(uid=1000)",
		CAPTURES("pam_module", "pam_unix", "pam_caller", "su:session",
			 "pam_session_state", "opened", "username", "root", "pam_by",
			 "bob(uid=1000)"));
	expect_captures("%{CRONLOG}", "Nov 20 12:00:01 h CRON[99]: (root) CMD (run x)",
			CAPTURES("user", "root", "action", "CMD", "message", "run x"));
}

Test(grok, haproxy_lines)
{
	expect_captures(
		"%{HAPROXYHTTP}",
		"Feb  6 12:14:14 localhost haproxy[14389]: 10.0.1.2:33317 "
		"[06/Feb/2009:12:14:14.655] http-in static/srv1 10/0/30/69/109 200 "
		"2750 - - ---- 1/1/1/1/0 0/0 {1wt.eu} {} \"GET /index.html "
		"HTTP/1.1\"",
		CAPTURES("client_ip", "10.0.1.2", "backend_name", "static",
			 "server_name", "srv1", "time_duration", "109",
			 "http_status_code", "200", "http_verb", "GET", "http_request",
			 "/index.html", "captured_request_headers", "1wt.eu",
			 "accept_date", "06/Feb/2009:12:14:14.655"));
	expect_captures("%{HAPROXYTCP}",
			"Feb  6 12:12:56 localhost haproxy[14387]: 2001:db8::1:33313 "
			"[06/Feb/2009:12:12:51.443] fnt bck/srv1 0/0/5007 212 -- "
			"0/0/0/0/3 0/0",
			CAPTURES("client_ip", "2001:db8::1", "client_port", "33313",
				 "frontend_name", "fnt", "bytes_read", "212"));
	expect_captures("%{HAPROXYERROR}",
			"Dec  3 18:27:14 localhost haproxy[6103]: 127.0.0.1:56059 "
			"[03/Dec/2012:17:35:10.380] frt/f1: Connection error",
			CAPTURES("frontend_name", "frt", "bind_name", "f1",
				 "error_message", "Connection error"));
}

Test(grok, java_and_ruby_lines)
{
	expect_captures("%{JAVASTACKTRACEPART}",
			"\tat com.example.Foo$Bar.<init>(Foo.java:42)",
			CAPTURES("class", "com.example.Foo$Bar", "method", "<init>",
				 "file", "Foo.java", "line", "42"));
	expect_captures("%{CATALINALOG}",
			"Jan 9, 2014 7:13:13 AM org.apache.catalina.Startup run it",
			CAPTURES("class", "org.apache.catalina.Startup", "logmessage",
				 "run it"));
	expect_captures(
		"%{TOMCATLOG}",
		"2014-01-09 20:03:28,269 -0800 | ERROR | com.example.Service - bad",
		CAPTURES("level", "ERROR", "class", "com.example.Service"));
	expect_captures("%{RUBY_LOGGER}",
			"I, [2026-11-20T12:00:01.123456 #42]  INFO -- web: hello",
			CAPTURES("pid", "42", "loglevel", "INFO", "progname", "web"));
}

Test(grok, database_lines)
{
	expect_captures("%{REDISLOG}", "12:M 20 Nov 2026 12:00:01.123 * ",
			CAPTURES("pid", "12", "timestamp", "20 Nov 2026 12:00:01.123"));
	expect_captures("%{REDISLOG}", "[12] 20 Nov 12:00:01 * ",
			CAPTURES("pid", "12"));
	expect_captures(
		"%{REDISMONLOG}",
		"1339518083.107412 [0 127.0.0.1:60866] \"keys\" \"*\"",
		CAPTURES("database", "0", "command", "keys", "params", "\"*\""));
	expect_captures(
		"%{MONGO3_LOG}",
		"2026-11-20T12:00:01.123+0000 I NETWORK  [conn1] end connection",
		CAPTURES("severity", "I", "component", "NETWORK", "context", "conn1",
			 "message", "end connection"));
	expect_captures(
		"%{PG_TIMESTAMP} %{PG_ERROR_LEVEL}",
		"2026-11-20 12:00:01.123 UTC ERROR:", CAPTURES("log_level", "ERROR"));
	expect_captures(
		"%{SQUID3}",
		"1525344856.899  16867 10.170.72.111 TCP_TUNNEL/200 6256 CONNECT "
		"x.org:443 - HIER_DIRECT/35.1.2.3 -",
		CAPTURES("duration", "16867", "cache_result", "TCP_TUNNEL",
			 "status_code", "200", "server", "35.1.2.3"));
}
