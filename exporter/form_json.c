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
	static const char *const types[METRIC_KINDS] = {
		[METRIC_COUNTER] = "COUNTER",     [METRIC_GAUGE] = "GAUGE",
		[METRIC_HISTOGRAM] = "HISTOGRAM", [METRIC_SUMMARY] = "SUMMARY",
		[METRIC_UNIQUE] = "GAUGE",        [METRIC_STATE] = "GAUGE",
	};

	strbuf_puts(out, is_first ? "{\"name\":" : ",\n{\"name\":");
	add_text(out, family->name, false);
	strbuf_puts(out, ",\"help\":");
	add_text(out, slice_of(family->help), false);
	strbuf_addf(out, ",\"type\":\"%s\",\"metrics\":[\n", types[family->kind]);
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
static void add_pairs(struct strbuf *out, struct slice labels)
{
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
}

/* `last`: one more, or nothing. */
static void begin_series(struct strbuf *out, struct slice labels, struct slice last,
			 bool is_first)
{
	strbuf_puts(out, is_first ? "{" : ",\n{");
	if (labels.len + last.len == 0)
		return;
	strbuf_puts(out, "\"labels\":{");
	add_pairs(out, labels);
	if (labels.len > 0 && last.len > 0)
		strbuf_putc(out, ',');
	add_pairs(out, last);
	strbuf_puts(out, "},");
}

/* What is quoted in le="0.1" or quantile="0.5", and the value there. */
static void add_at(struct strbuf *out, struct slice label, double value, bool is_first)
{
	size_t name_len = (size_t)((const char *)memchr(label.ptr, '=', label.len) + 1 -
				   label.ptr);

	if (!is_first)
		strbuf_putc(out, ',');
	strbuf_add(out, label.ptr + name_len, label.len - name_len);
	add_number(out, ":", value);
}

static void add_histogram(struct strbuf *out, const struct family *family,
			  const union slot *sums)
{
	size_t buckets = family_layout(family)->bound_count + 1;
	double count = 0;

	strbuf_puts(out, "\"buckets\":{");
	for (size_t i = 0; i < buckets; i++) {
		count += sums[i].number;
		add_at(out, family_le(family, i), count, i == 0);
	}
	add_number(out, "},\"count\":", count);
	add_number(out, ",\"sum\":", sums[buckets].number);
}

static void add_summary(struct strbuf *out, const struct form_family *family,
			const struct form_series *series)
{
	strbuf_puts(out, "\"quantiles\":{");
	for (size_t i = 0; i < family->quantile_count; i++)
		add_at(out, slice_of(family->quantiles[i].label),
		       series->at_quantiles[i], i == 0);
	add_number(out, "},\"count\":", series->sums[0].number);
	add_number(out, ",\"sum\":", series->sums[1].number);
}

static void add_states(struct strbuf *out, const struct form_family *family,
		       const struct form_series *series, bool is_first)
{
	for (size_t i = 0; i < family_states(family->family); i++) {
		begin_series(out, series->labels, family_state(family->family, i),
			     is_first && i == 0);
		add_number(out, "\"value\":", (double)i == series->number);
		strbuf_putc(out, '}');
	}
}

static void add_series(struct strbuf *out, const struct form_family *family,
		       const struct form_series *series, bool is_first)
{
	if (family->kind == METRIC_STATE) {
		add_states(out, family, series, is_first);
		return;
	}
	begin_series(out, series->labels, (struct slice){"", 0}, is_first);
	if (family->kind == METRIC_HISTOGRAM)
		add_histogram(out, family->family, series->sums);
	else if (family->kind == METRIC_SUMMARY)
		add_summary(out, family, series);
	else
		add_number(out, "\"value\":", series->number);
	strbuf_putc(out, '}');
}

const struct form form_json = {
	.begin = begin,
	.begin_family = begin_family,
	.add_series = add_series,
	.end_family = end_family,
	.end = end,
};
