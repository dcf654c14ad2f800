#include "common/log.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/strbuf.h"
#include "common/utf8.h"

static enum log_level min_level = LOG_LEVEL_INFO;
static enum log_format line_format = LOG_FORMAT_LOGFMT;

static const char *const level_names[] = {"debug", "info", "warn", "error"};

void log_configure(enum log_level level, enum log_format format)
{
	min_level = level;
	line_format = format;
}

bool log_enabled(enum log_level level)
{
	return level >= min_level;
}

static void add_quoted(struct strbuf *out, const char *text)
{
	strbuf_putc(out, '"');
	for (const char *p = text; *p; p++) {
		unsigned char c = (unsigned char)*p;

		if (c == '"' || c == '\\')
			strbuf_addf(out, "\\%c", c);
		else if (c == '\n')
			strbuf_puts(out, "\\n");
		else if (c < 0x20 || c == 0x7f)
			strbuf_addf(out, "\\u%04x", c);
		else
			strbuf_putc(out, (char)c);
	}
	strbuf_putc(out, '"');
}

/* Text from a log or a file name may be any bytes; the line is UTF-8. */
static void add_text(struct strbuf *out, const char *text)
{
	struct strbuf valid = STRBUF_INIT;

	utf8_add_valid(&valid, slice_of(text));
	if (line_format == LOG_FORMAT_JSON || *text == '\0' ||
	    strpbrk(text, " \"=\\\n\r\t") || valid.len != strlen(text))
		add_quoted(out, valid.ptr);
	else
		strbuf_puts(out, valid.ptr);
	strbuf_finish(&valid);
}

static void add_key(struct strbuf *out, const char *key)
{
	if (line_format == LOG_FORMAT_JSON)
		strbuf_addf(out, "%s\"%s\":", out->len > 1 ? "," : "", key);
	else
		strbuf_addf(out, "%s%s=", out->len > 0 ? " " : "", key);
}

static void add_time(struct strbuf *out)
{
	int64_t now_ns = clock_wall_ns();
	time_t seconds = (time_t)(now_ns / NS_PER_SECOND);
	struct tm tm;
	char text[64];
	size_t n;

	gmtime_r(&seconds, &tm);
	n = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(text + n, sizeof(text) - n, ".%03dZ",
		 (int)(now_ns % NS_PER_SECOND / NS_PER_MS));
	add_key(out, "ts");
	add_text(out, text);
}

static void add_fields(struct strbuf *out, const struct log_field *fields)
{
	for (; fields->key; fields++) {
		add_key(out, fields->key);
		if (fields->text)
			add_text(out, fields->text);
		else
			strbuf_addf(out, "%lld", (long long)fields->number);
	}
}

void log_write(enum log_level level, const char *message,
	       const struct log_field *fields)
{
	struct strbuf out = STRBUF_INIT;

	if (!log_enabled(level))
		return;
	if (line_format == LOG_FORMAT_JSON)
		strbuf_putc(&out, '{');
	add_time(&out);
	add_key(&out, "level");
	add_text(&out, level_names[level]);
	add_key(&out, "msg");
	add_text(&out, message);
	add_fields(&out, fields);
	strbuf_puts(&out, line_format == LOG_FORMAT_JSON ? "}\n" : "\n");
	if (write(STDERR_FILENO, out.ptr, out.len) == -1) {
		/* Nowhere left to say it. */
	}
	strbuf_finish(&out);
}
