#include "exporter/landing.h"

static const char *entity(char c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	default:
		return NULL;
	}
}

/* Text for HTML, in quotes or between tags. */
static void add_escaped(struct strbuf *out, struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		const char *escaped = entity(text.ptr[i]);

		if (escaped)
			strbuf_puts(out, escaped);
		else
			strbuf_putc(out, text.ptr[i]);
	}
}

static void add_link(struct strbuf *out, const char *path, const char *what)
{
	strbuf_puts(out, "<li><a href=\"");
	add_escaped(out, slice_of(path));
	strbuf_puts(out, "\">");
	add_escaped(out, slice_of(path));
	strbuf_addf(out, "</a>: %s</li>\n", what);
}

void landing_add_page(struct strbuf *out, const char *telemetry_path,
		      const char *version)
{
	strbuf_puts(out, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n"
			 "<meta charset=\"utf-8\">\n<title>logtally</title>\n</head>\n"
			 "<body>\n<h1>logtally");
	if (version) {
		strbuf_putc(out, ' ');
		add_escaped(out, slice_of(version));
	}
	strbuf_puts(out,
		    "</h1>\n<p>Metrics from log files, for Prometheus.</p>\n<ul>\n");
	add_link(out, telemetry_path, "the metrics");
	add_link(out, "/-/ready", "whether they are complete");
	add_link(out, "/-/healthy", "whether the process lives");
	strbuf_puts(out, "</ul>\n</body>\n</html>\n");
}
