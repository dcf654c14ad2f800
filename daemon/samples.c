#include "daemon/samples.h"

#include <math.h>
#include <stdlib.h>

#include "common/xalloc.h"
#include "exporter/sketch.h"
#include "parsers/sample.h"
#include "parsers/value.h"

struct sample {
	char *key;    /* name{labels in order} */
	char *family; /* of a bucket or a quantile: its labels without that one */
	struct slice line;
	struct slice series, number; /* the two parts of the line */
	double value;
	bool has_value;
	bool is_gauge;
	bool is_quantile; /* of a sketch: it is so exact and no more */
	bool is_state;    /* a label has the metric's name */
	bool expected;
};

struct samples {
	struct sample *list;
	size_t count;
};

static int by_text(const void *a, const void *b)
{
	const struct slice *x = a, *y = b;
	int order = memcmp(x->ptr, y->ptr, x->len < y->len ? x->len : y->len);

	return order != 0 ? order : (x->len > y->len) - (x->len < y->len);
}

/* The number's text in le="0.5" and quantile="0.5"; NULL: it is another label. */
static struct slice bound_of(struct slice label)
{
	size_t before = slice_starts(label, "le=\"")         ? 4
			: slice_starts(label, "quantile=\"") ? 10
							     : label.len;

	if (before == label.len)
		return (struct slice){NULL, 0};
	return (struct slice){label.ptr + before, label.len - before - 1};
}

/* name{a="1",b="2"} with the pairs in order; without those numbers if asked. */
static char *canonical(const struct sample_line *sample, size_t name_len,
		       bool without_bound)
{
	struct strbuf key = STRBUF_INIT;
	struct slice labels[SAMPLE_MAX_LABELS];
	size_t shown = 0;

	memcpy(labels, sample->labels, sample->label_count * sizeof(*labels));
	qsort(labels, sample->label_count, sizeof(*labels), by_text);
	strbuf_add(&key, sample->name.ptr, name_len);
	for (size_t i = 0; i < sample->label_count; i++) {
		struct slice label = labels[i], bound = bound_of(label);
		double number;

		if (bound.ptr && without_bound)
			continue;
		strbuf_puts(&key, shown++ ? "," : "{");
		if (bound.ptr && value_parse(VALUE_NUMBER, bound, &number))
			strbuf_addf(&key, "%.*s%.17g", (int)(bound.ptr - label.ptr),
				    label.ptr, number);
		else
			strbuf_add_slice(&key, label);
	}
	if (shown > 0)
		strbuf_putc(&key, '}');
	strbuf_room(&key, 0); /* its own memory even when empty */
	return key.ptr;
}

static bool has_label(const struct sample_line *sample, struct slice name)
{
	for (size_t i = 0; i < sample->label_count; i++) {
		struct slice label = sample->labels[i];

		if (label.len > name.len && label.ptr[name.len] == '=' &&
		    memcmp(label.ptr, name.ptr, name.len) == 0)
			return true;
	}
	return false;
}

/* What is no sample is like no other. */
static struct sample parse_sample(struct slice line)
{
	struct sample s = {.line = line, .series = line};
	struct sample_line read;
	struct sample_fault fault;
	size_t name_len;

	s.has_value = sample_read(line, &read, &fault);
	if (read.series.len == 0) {
		s.key = xstrndup(line.ptr, line.len);
		return s;
	}
	s.series = read.series;
	s.number = read.number;
	s.value = read.value;
	s.key = canonical(&read, read.name.len, false);
	s.is_quantile = has_label(&read, slice_of("quantile"));
	s.is_state = has_label(&read, read.name);
	name_len = read.name.len - (slice_ends(read.name, "_bucket") ? 7 : 0);
	if (s.is_quantile || name_len < read.name.len)
		s.family = canonical(&read, name_len, true);
	return s;
}

/* The name after "# TYPE ", if the family is a gauge; else empty. */
static struct slice gauge_of(struct slice comment)
{
	const char *space;

	if (comment.len < 8 || memcmp(comment.ptr, "# TYPE ", 7) != 0)
		return (struct slice){"", 0};
	space = memrchr(comment.ptr, ' ', comment.len);
	if (!slice_is(
		    (struct slice){space, comment.len - (size_t)(space - comment.ptr)},
		    " gauge"))
		return (struct slice){"", 0};
	return (struct slice){comment.ptr + 7, (size_t)(space - comment.ptr) - 7};
}

static struct samples parse(struct slice text)
{
	struct samples samples = {NULL, 0};
	struct slice gauge = {"", 0};

	while (text.len > 0) {
		const char *newline = memchr(text.ptr, '\n', text.len);
		struct slice line = {text.ptr,
				     newline ? (size_t)(newline - text.ptr) : text.len};

		text.ptr += line.len + (newline ? 1 : 0);
		text.len -= line.len + (newline ? 1 : 0);
		line = slice_trim(line);
		if (line.len > 0 && *line.ptr == '#')
			gauge = gauge_of(line);
		if (line.len == 0 || *line.ptr == '#')
			continue;
		samples.list =
			xgrow(samples.list, samples.count, sizeof(*samples.list));
		samples.list[samples.count] = parse_sample(line);
		samples.list[samples.count].is_gauge =
			gauge.len > 0 && line.len > gauge.len &&
			memcmp(line.ptr, gauge.ptr, gauge.len) == 0 &&
			strchr("{ ", line.ptr[gauge.len]);
		samples.count++;
	}
	return samples;
}

static void finish(struct samples *samples)
{
	for (size_t i = 0; i < samples->count; i++) {
		free(samples->list[i].key);
		free(samples->list[i].family);
	}
	free(samples->list);
}

static struct sample *find(const struct samples *samples, const char *key)
{
	for (size_t i = 0; i < samples->count; i++)
		if (strcmp(samples->list[i].key, key) == 0)
			return &samples->list[i];
	return NULL;
}

static bool same_value(const struct sample *want, const struct sample *have)
{
	double error = want->is_quantile ? SKETCH_ERROR : 0;

	return want->has_value && have->has_value &&
	       (want->value == have->value ||
		(isnan(want->value) && isnan(have->value)) ||
		fabs(want->value - have->value) <= (error + 1e-12) * fabs(want->value));
}

/* Somebody expects these buckets or quantiles, or does not expect count and sum. */
static bool buckets_count(const struct samples *expected, const struct sample *bucket)
{
	struct strbuf key = STRBUF_INIT;
	size_t name = strcspn(bucket->family, "{");
	bool by_count;

	for (size_t i = 0; i < expected->count; i++)
		if (expected->list[i].family &&
		    strcmp(expected->list[i].family, bucket->family) == 0)
			return true;
	strbuf_addf(&key, "%.*s_count%s", (int)name, bucket->family,
		    bucket->family + name);
	by_count = find(expected, key.ptr) != NULL;
	strbuf_finish(&key);
	return !by_count;
}

static bool may_be_left_out(const struct samples *expected, const struct sample *got)
{
	if (got->family && !buckets_count(expected, got))
		return true;
	return got->has_value && (!got->is_gauge || got->is_state) &&
	       (got->value == 0 || isnan(got->value));
}

/* Both of one series, and what each says. */
static void add_change(struct strbuf *out, const struct sample *want,
		       const struct sample *have)
{
	strbuf_addf(out, "      ~ %.*s: expected %.*s, got %.*s\n",
		    SLICE_ARG(want->series), SLICE_ARG(want->number),
		    SLICE_ARG(have->number));
}

/* What is of one metric stands together: a label may have another value. */
static void add_unexpected(struct strbuf *out, const struct samples *expected,
			   struct samples *got, const struct sample *like)
{
	size_t name = like ? strcspn(like->key, "{") : 0;

	for (size_t i = 0; i < got->count; i++) {
		struct sample *have = &got->list[i];

		if (have->expected || may_be_left_out(expected, have))
			continue;
		if (like && (strcspn(have->key, "{") != name ||
			     memcmp(have->key, like->key, name) != 0))
			continue;
		have->expected = true; /* it is told */
		strbuf_addf(out, "      + %.*s\n", SLICE_ARG(have->line));
	}
}

static void pair_up(const struct samples *expected, const struct samples *got)
{
	for (size_t i = 0; i < expected->count; i++) {
		struct sample *have = find(got, expected->list[i].key);

		if (have)
			have->expected = true;
	}
}

bool samples_compare(struct slice expected_text, struct slice got_text,
		     struct strbuf *difference)
{
	struct samples expected = parse(expected_text), got = parse(got_text);
	size_t before = difference->len;
	bool same;

	pair_up(&expected, &got);
	for (size_t i = 0; i < expected.count; i++) {
		const struct sample *want = &expected.list[i];
		const struct sample *have = find(&got, want->key);

		if (have && !same_value(want, have)) {
			add_change(difference, want, have);
		} else if (!have) {
			strbuf_addf(difference, "      - %.*s\n",
				    SLICE_ARG(want->line));
			add_unexpected(difference, &expected, &got, want);
		}
	}
	add_unexpected(difference, &expected, &got, NULL);
	same = difference->len == before;
	finish(&expected);
	finish(&got);
	return same;
}
