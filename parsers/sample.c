#include "parsers/sample.h"

#include <string.h>

#include "common/name.h"
#include "parsers/value.h"

struct cursor {
	struct slice line;
	size_t at;
	struct sample_fault *fault;
};

static char next(const struct cursor *c)
{
	return c->at < c->line.len ? c->line.ptr[c->at] : '\0';
}

static bool fail(struct cursor *c, size_t at, const char *what, const char *instead)
{
	*c->fault = (struct sample_fault){at, what, instead};
	return false;
}

static void skip_blanks(struct cursor *c)
{
	while (next(c) == ' ' || next(c) == '\t')
		c->at++;
}

/* What stands before one of the characters in `until`, or the end. */
static struct slice take_until(struct cursor *c, const char *until)
{
	size_t from = c->at;

	while (c->at < c->line.len && !strchr(until, next(c)))
		c->at++;
	return (struct slice){c->line.ptr + from, c->at - from};
}

static bool read_name(struct cursor *c, struct sample_line *sample)
{
	sample->name = take_until(c, "{ \t");
	if (!name_is_metric(sample->name))
		return fail(c, 0, "no metric's name begins the line",
			    "write name{label=\"text\"} number");
	return true;
}

/* From one quote to the other. */
static bool read_text(struct cursor *c)
{
	size_t from = c->at++;

	for (; c->at < c->line.len; c->at++) {
		if (next(c) == '"') {
			c->at++;
			return true;
		}
		if (next(c) != '\\')
			continue;
		c->at++;
		if (next(c) == '\0' || !strchr("\\\"n", next(c)))
			return fail(c, c->at - 1,
				    "this escape is none in a label's text",
				    "write \\\\, \\\" or \\n");
	}
	return fail(c, from, "nothing closes this quote",
		    "end the label's text with \"");
}

static bool read_label(struct cursor *c, struct sample_line *sample)
{
	size_t from = c->at;
	struct slice name = take_until(c, "=\",} \t");

	if (!name_is_label(name) || next(c) != '=')
		return fail(c, from, "a label must stand here", "write name=\"text\"");
	c->at++;
	if (next(c) != '"')
		return fail(c, c->at, "a label's text must stand in double quotes",
			    "write name=\"text\"");
	if (!read_text(c))
		return false;
	if (sample->label_count == SAMPLE_MAX_LABELS)
		return fail(c, from, "no series has so many labels", "leave some out");
	sample->labels[sample->label_count++] =
		(struct slice){c->line.ptr + from, c->at - from};
	return true;
}

static bool read_labels(struct cursor *c, struct sample_line *sample)
{
	size_t brace = c->at++;

	for (skip_blanks(c); next(c) != '}'; skip_blanks(c)) {
		if (c->at == c->line.len)
			return fail(c, brace, "nothing closes this brace",
				    "write } behind the last label");
		if (!read_label(c, sample))
			return false;
		skip_blanks(c);
		if (next(c) == ',')
			c->at++;
		else if (next(c) != '}' && c->at < c->line.len)
			return fail(c, c->at, "a label ends here",
				    "write a comma before the next one, or }");
	}
	c->at++;
	return true;
}

static bool read_number(struct cursor *c, struct sample_line *sample)
{
	size_t from;

	skip_blanks(c);
	from = c->at;
	sample->number = take_until(c, " \t");
	if (sample->number.len == 0)
		return fail(c, from, "no number follows the series",
			    "write name{label=\"text\"} number");
	if (!value_parse(VALUE_NUMBER, sample->number, &sample->value))
		return fail(c, from, "this is not a number",
			    "write it like 42, 0.5, 1e9, +Inf or NaN");
	skip_blanks(c);
	if (c->at < c->line.len)
		return fail(c, c->at, "something follows the number",
			    "leave it out: each sample has a line of its own");
	return true;
}

bool sample_read(struct slice line, struct sample_line *sample,
		 struct sample_fault *fault)
{
	struct cursor c = {line, 0, fault};

	*sample = (struct sample_line){.value = 0};
	if (!read_name(&c, sample))
		return false;
	if (next(&c) == '{' && !read_labels(&c, sample))
		return false;
	sample->series = (struct slice){line.ptr, c.at};
	return read_number(&c, sample);
}
