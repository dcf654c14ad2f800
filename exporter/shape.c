#include "exporter/shape.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/utf8.h"
#include "common/xalloc.h"
#include "exporter/number.h"
#include "exporter/text.h"

static bool has_label(const struct metric_def *def, const char *name)
{
	for (size_t i = 0; i < def->label_count; i++)
		if (strcmp(def->labels[i], name) == 0)
			return true;
	return def->kind == METRIC_STATE && strcmp(def->name, name) == 0;
}

static void copy_labels(struct shape *shape, const struct metric_def *def,
			const struct const_label *consts, size_t const_count)
{
	shape->labels = xcalloc(def->label_count, sizeof(*shape->labels));
	shape->label_count = def->label_count;
	for (size_t i = 0; i < def->label_count; i++)
		shape->labels[i] = xstrdup(def->labels[i]);
	for (size_t i = 0; i < const_count; i++)
		if (!has_label(def, consts[i].name))
			text_add_label(&shape->const_labels, consts[i].name,
				       slice_of(consts[i].value));
}

static void copy_buckets(struct shape *shape)
{
	size_t count = shape->layout.bound_count;

	if (shape->layout.kind != METRIC_HISTOGRAM)
		return;
	shape->bounds = xcalloc(count, sizeof(*shape->bounds));
	if (count > 0)
		memcpy(shape->bounds, shape->layout.bounds,
		       count * sizeof(*shape->bounds));
	shape->layout.bounds = shape->bounds;
	shape->le = xcalloc(count + 1, sizeof(*shape->le));
	for (size_t i = 0; i <= count; i++) {
		char number[NUMBER_MAX_BYTES];
		size_t len = number_format_le(number,
					      i < count ? shape->bounds[i] : INFINITY);

		shape->le[i] = (struct strbuf)STRBUF_INIT;
		text_add_label(&shape->le[i], "le", (struct slice){number, len});
	}
}

static void copy_states(struct shape *shape, const struct metric_def *def)
{
	static const char *const separators[] = {"[", ","};
	size_t name_bytes = strlen(def->name) + 1;

	shape->state_count = def->state_count;
	shape->states = xcalloc(def->state_count, sizeof(*shape->states));
	for (size_t i = 0; i < def->state_count; i++) {
		shape->states[i] = (struct strbuf)STRBUF_INIT;
		text_add_label(&shape->states[i], def->name, slice_of(def->states[i]));
		/* A label's quotes and escapes are JSON's. */
		strbuf_puts(&shape->state_list, separators[i > 0]);
		strbuf_puts(&shape->state_list, shape->states[i].ptr + name_bytes);
	}
	if (def->state_count > 0)
		strbuf_putc(&shape->state_list, ']');
}

void shape_init(struct shape *shape, const struct metric_def *def,
		const struct const_label *consts, size_t const_count)
{
	assert(def->label_count <= METRIC_MAX_LABELS + (def->is_base ? 1u : 0u));
	*shape = (struct shape){
		.name = xstrdup(def->name),
		.layout = layout_of(def),
		.const_labels = STRBUF_INIT,
		.state_list = STRBUF_INIT,
	};
	copy_labels(shape, def, consts, const_count);
	copy_buckets(shape);
	copy_states(shape, def);
}

void shape_finish(struct shape *shape)
{
	for (size_t i = 0; i < shape->label_count; i++)
		free(shape->labels[i]);
	for (size_t i = 0; shape->le && i <= shape->layout.bound_count; i++)
		strbuf_finish(&shape->le[i]);
	for (size_t i = 0; i < shape->state_count; i++)
		strbuf_finish(&shape->states[i]);
	strbuf_finish(&shape->state_list);
	strbuf_finish(&shape->const_labels);
	free(shape->states);
	free(shape->labels);
	free(shape->le);
	free(shape->bounds);
	free(shape->name);
}

bool shape_render(const struct shape *shape, const struct slice *values,
		  size_t most_bytes, struct strbuf *text, struct strbuf *scratch,
		  bool *exact)
{
	*exact = true;
	strbuf_clear(text);
	for (size_t i = 0; i < shape->label_count; i++) {
		/* Making it valid never shortens a value. */
		if (values[i].len > most_bytes)
			return false;
		strbuf_clear(scratch);
		utf8_add_valid(scratch, values[i]);
		if (scratch->len > most_bytes)
			return false;
		*exact = *exact && slice_eq(strbuf_slice(scratch), values[i]);
		text_add_label(text, shape->labels[i], strbuf_slice(scratch));
	}
	if (shape->const_labels.len > 0) {
		if (text->len > 0)
			strbuf_putc(text, ',');
		strbuf_add_slice(text, strbuf_slice(&shape->const_labels));
	}
	return true;
}

void shape_render_other(const struct shape *shape, struct strbuf *text)
{
	struct slice values[METRIC_MAX_LABELS];
	struct strbuf scratch = STRBUF_INIT;
	bool exact;

	for (size_t i = 0; i < shape->label_count; i++)
		values[i] = slice_of("other");
	shape_render(shape, values, SIZE_MAX, text, &scratch, &exact);
	strbuf_finish(&scratch);
}
