#include "exporter/form.h"

#include <string.h>

#include "exporter/number.h"

static void begin(struct strbuf *out)
{
	strbuf_putc(out, '[');
}

static void end(struct strbuf *out)
{
	strbuf_puts(out, "]\n");
}

/* The text is valid; where it is escaped for the text format it stays so. */
static void add_text(struct strbuf *out, struct slice text, bool is_escaped)
{
	strbuf_putc(out, '"');
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.ptr[i];

		if (c < 0x20) {
			strbuf_addf(out, "\\u%04x", c);
			continue;
		}
		if (!is_escaped && (c == '"' || c == '\\'))
			strbuf_putc(out, '\\');
		strbuf_putc(out, (char)c);
	}
	strbuf_putc(out, '"');
}

static void add_number(struct strbuf *out, const char *before, double value)
{
	char *start, *to;

	strbuf_puts(out, before);
	start = to = strbuf_room(out, NUMBER_MAX_BYTES + 2);
	*to++ = '"';
	to += number_format(to, value);
	*to++ = '"';
	*to = '\0';
	out->len += (size_t)(to - start);
}

static void begin_family(struct strbuf *out, const struct form_family *family,
			 bool is_first)
{
	static const char *const types[] = {
		[METRIC_COUNTER] = "COUNTER",
		[METRIC_GAUGE] = "GAUGE",
		[METRIC_HISTOGRAM] = "HISTOGRAM",
	};

	strbuf_puts(out, is_first ? "{\"name\":" : ",\n{\"name\":");
	add_text(out, family->name, false);
	strbuf_puts(out, ",\"help\":");
	add_text(out, slice_of(family->help), false);
	strbuf_addf(out, ",\"type\":\"%s\",\"metrics\":[\n",
		    types[family_kind(family->family)]);
}

static void end_family(struct strbuf *out)
{
	strbuf_puts(out, "]}");
}

/* The length of name="value" at the front, and that of the name. */
static size_t pair_len(struct slice labels, size_t *name_len)
{
	size_t i = 0;

	while (labels.ptr[i] != '=')
		i++;
	*name_len = i;
	for (i += 2; labels.ptr[i] != '"'; i++)
		i += labels.ptr[i] == '\\';
	return i + 1;
}

/* The escapes of the text format, \\ \" \n, are JSON's too. */
static void add_labels(struct strbuf *out, struct slice labels)
{
	strbuf_puts(out, "\"labels\":{");
	while (labels.len > 0) {
		size_t name_len, len = pair_len(labels, &name_len);
		size_t around = strlen("=\"\"");

		add_text(out, (struct slice){labels.ptr, name_len}, true);
		strbuf_putc(out, ':');
		add_text(out,
			 (struct slice){labels.ptr + name_len + 2,
					len - name_len - around},
			 true);
		if (len < labels.len)
			strbuf_putc(out, labels.ptr[len++]);
		labels = (struct slice){labels.ptr + len, labels.len - len};
	}
	strbuf_puts(out, "},");
}

/* The bound is what is quoted in le="0.1". */
static void add_bound(struct strbuf *out, struct slice le, double count)
{
	strbuf_add(out, le.ptr + strlen("le="), le.len - strlen("le="));
	add_number(out, ":", count);
}

static void add_histogram(struct strbuf *out, const struct family *family,
			  const union slot *slots)
{
	size_t buckets = family_layout(family)->bound_count + 1;
	double count = 0;

	strbuf_puts(out, "\"buckets\":{");
	for (size_t i = 0; i < buckets; i++) {
		count += slots[i].number;
		if (i > 0)
			strbuf_putc(out, ',');
		add_bound(out, family_le(family, i), count);
	}
	add_number(out, "},\"count\":", count);
	add_number(out, ",\"sum\":", slots[buckets].number);
}

static void add_series(struct strbuf *out, const struct form_family *family,
		       struct slice labels, const union slot *slots, bool is_first)
{
	strbuf_puts(out, is_first ? "{" : ",\n{");
	if (labels.len > 0)
		add_labels(out, labels);
	if (family_kind(family->family) == METRIC_HISTOGRAM)
		add_histogram(out, family->family, slots);
	else
		add_number(out, "\"value\":", slots[0].number);
	strbuf_putc(out, '}');
}

const struct form form_json = {
	.begin = begin,
	.begin_family = begin_family,
	.add_series = add_series,
	.end_family = end_family,
	.end = end,
};
