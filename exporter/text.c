#include "exporter/text.h"

#include <string.h>

#include "exporter/number.h"

/* Runs that need no escape are copied whole. */
static void add_escaped(struct strbuf *out, struct slice text, const char *special)
{
	size_t from = 0;

	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];

		if (c == '\0' || !strchr(special, c))
			continue;
		strbuf_add(out, text.ptr + from, i - from);
		strbuf_putc(out, '\\');
		strbuf_putc(out, c == '\n' ? 'n' : c);
		from = i + 1;
	}
	strbuf_add(out, text.ptr + from, text.len - from);
}

void text_add_label(struct strbuf *labels, const char *name, struct slice value)
{
	if (labels->len > 0)
		strbuf_putc(labels, ',');
	strbuf_puts(labels, name);
	strbuf_puts(labels, "=\"");
	add_escaped(labels, value, "\\\"\n");
	strbuf_putc(labels, '"');
}

void text_add_header(struct strbuf *out, const char *name, enum metric_kind kind,
		     const char *help)
{
	const char *type = metric_is_gauge(kind) ? "gauge" : metric_kind_name(kind);

	if (help[0] != '\0') {
		strbuf_puts(out, "# HELP ");
		strbuf_puts(out, name);
		strbuf_putc(out, ' ');
		add_escaped(out, slice_of(help), "\\\n");
		strbuf_putc(out, '\n');
	}
	strbuf_puts(out, "# TYPE ");
	strbuf_puts(out, name);
	strbuf_putc(out, ' ');
	strbuf_puts(out, type);
	strbuf_putc(out, '\n');
}

static char *put(char *to, struct slice text)
{
	if (text.len > 0)
		memcpy(to, text.ptr, text.len);
	return to + text.len;
}

/* The hot path of a scrape: room once, then plain copies. */
void text_add_sample(struct strbuf *out, struct slice name, struct slice suffix,
		     struct slice labels, struct slice last_label, double value)
{
	size_t text_bytes = name.len + suffix.len + labels.len + last_label.len;
	char *start =
		strbuf_room(out, text_bytes + NUMBER_MAX_BYTES + sizeof("{,} \n"));
	char *to = put(put(start, name), suffix);

	if (labels.len > 0 || last_label.len > 0) {
		*to++ = '{';
		to = put(to, labels);
		if (labels.len > 0 && last_label.len > 0)
			*to++ = ',';
		to = put(to, last_label);
		*to++ = '}';
	}
	*to++ = ' ';
	to += number_format(to, value);
	*to++ = '\n';
	*to = '\0';
	out->len += (size_t)(to - start);
}
