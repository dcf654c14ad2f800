#include "daemon/samples.h"

#include <math.h>
#include <stdlib.h>

#include "common/xalloc.h"
#include "exporter/sketch.h"
#include "parsers/value.h"

#define MAX_LABELS 64

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
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Where the label pair at `p` ends; NULL if it does not. */
static const char *pair_end(const char *p, const char *end)
{
	while (p < end && *p != '"')
		p++;
	for (p++; p < end && *p != '"'; p++)
		if (*p == '\\')
			p++;
	return p < end ? p + 1 : NULL;
}

static size_t split_pairs(const char *p, const char *end, char **pairs)
{
	size_t count = 0;

	while (p < end && count < MAX_LABELS) {
		const char *stop;

		while (p < end && (*p == ',' || *p == ' '))
			p++;
		stop = p < end ? pair_end(p, end) : NULL;
		if (!stop)
			break;
		pairs[count++] = xstrndup(p, (size_t)(stop - p));
		p = stop;
	}
	return count;
}

/* The number's text in le="0.5" and quantile="0.5"; NULL: it is another label. */
static const char *bound_of(const char *pair)
{
	if (strncmp(pair, "le=\"", 4) == 0)
		return pair + 4;
	return strncmp(pair, "quantile=\"", 10) == 0 ? pair + 10 : NULL;
}

/* name{a="1",b="2"} with the pairs in order; without those numbers if asked. */
static char *canonical(const char *line, size_t name_len, const char *labels,
		       const char *labels_end, bool without_bound)
{
	struct strbuf key = STRBUF_INIT;
	char *pairs[MAX_LABELS];
	size_t count = split_pairs(labels, labels_end, pairs), shown = 0;

	strbuf_add(&key, line, name_len);
	qsort(pairs, count, sizeof(*pairs), by_text);
	for (size_t i = 0; i < count; i++) {
		const char *bound = bound_of(pairs[i]);
		double number;

		if (bound && !without_bound &&
		    value_parse(VALUE_NUMBER, (struct slice){bound, strlen(bound) - 1},
				&number))
			strbuf_addf(&key, "%s%.*s%.17g", shown++ ? "," : "{",
				    (int)(bound - pairs[i] - 1), pairs[i], number);
		else if (!bound)
			strbuf_addf(&key, "%s%s", shown++ ? "," : "{", pairs[i]);
		free(pairs[i]);
	}
	if (shown > 0)
		strbuf_putc(&key, '}');
	strbuf_room(&key, 0); /* its own memory even when empty */
	return key.ptr;
}

static bool has_label(const char *labels, const char *labels_end, const char *name,
		      size_t name_len)
{
	char *pairs[MAX_LABELS];
	size_t count = split_pairs(labels, labels_end, pairs);
	bool found = false;

	for (size_t i = 0; i < count; i++) {
		found |= strncmp(pairs[i], name, name_len) == 0 &&
			 pairs[i][name_len] == '=';
		free(pairs[i]);
	}
	return found;
}

static bool ends(const char *text, size_t len, const char *suffix)
{
	size_t n = strlen(suffix);

	return len > n && memcmp(text + len - n, suffix, n) == 0;
}

static struct sample parse_sample(struct slice line)
{
	struct sample s = {.line = line};
	const char *end = line.ptr + line.len, *p;
	const char *labels, *labels_end;
	size_t name_len = 0;

	while (name_len < line.len && !strchr("{ \t", line.ptr[name_len]))
		name_len++;
	p = labels = labels_end = line.ptr + name_len;
	if (p < end && *p == '{') {
		labels = ++p;
		while (p < end && *p != '}') {
			if (*p == '"') {
				for (p++; p < end && *p != '"'; p++)
					if (*p == '\\')
						p++;
			}
			p++;
		}
		labels_end = p < end ? p : end;
		p = p < end ? p + 1 : end;
	}
	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	while (end > p && (end[-1] == ' ' || end[-1] == '\r'))
		end--;
	s.series = (struct slice){line.ptr, (size_t)(labels_end - line.ptr)};
	if (labels_end > line.ptr + name_len)
		s.series.len++; /* the brace */
	s.number = (struct slice){p, (size_t)(end - p)};
	s.has_value = value_parse(VALUE_NUMBER, (struct slice){p, (size_t)(end - p)},
				  &s.value);
	s.key = canonical(line.ptr, name_len, labels, labels_end, false);
	if (ends(line.ptr, name_len, "_bucket"))
		s.family = canonical(line.ptr, name_len - strlen("_bucket"), labels,
				     labels_end, true);
	s.is_quantile = has_label(labels, labels_end, "quantile", strlen("quantile"));
	if (s.is_quantile)
		s.family = canonical(line.ptr, name_len, labels, labels_end, true);
	s.is_state = has_label(labels, labels_end, line.ptr, name_len);
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
		while (line.len > 0 && (*line.ptr == ' ' || *line.ptr == '\t')) {
			line.ptr++;
			line.len--;
		}
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
