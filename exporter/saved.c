#include "exporter/saved.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/xalloc.h"
#include "exporter/base.h"
#include "exporter/chunk.h"
#include "exporter/family.h"
#include "exporter/life.h"
#include "exporter/part.h"

/* ---- into families ---- */

static union slot *slots_of(struct family_values *values, uint32_t series,
			    const struct layout *layout)
{
	size_t i = series / CHUNK_SERIES;

	while (values->chunk_count <= i) {
		values->chunks = xgrow(values->chunks, values->chunk_count,
				       sizeof(struct chunk *));
		values->chunks[values->chunk_count++] = NULL;
	}
	values->chunks[i] = chunk_own(values->chunks[i], layout);
	return chunk_slots(values->chunks[i], series, layout->width);
}

bool family_restore(struct family *family, const struct saved_series *series)
{
	const struct layout *layout = family_layout(family);
	uint32_t number = (uint32_t)family_series(family);
	union slot *slots;

	if (series->is_free) {
		family_adopt_free(family);
		return true;
	}
	slots = slots_of(family_values(family), number, layout);
	if (!slots_restore(layout, slots, &series->value))
		return false;
	if (!family_adopt(family, series->labels, series->born)) {
		slots_clear(layout, slots);
		return false;
	}
	if (family_is_base(family))
		base_set(base_of(family, number), series->value.number,
			 series->value.time_ns);
	return true;
}

bool family_restore_past(struct family *family, uint32_t number, uint64_t sequence,
			 const struct slots_value *value)
{
	const struct layout *layout = family_layout(family);
	union slot slots[SLOTS_MAX] = {{0}};
	bool is_hidden = sequence == 0;

	if (number >= family_series(family) || !slots_restore(layout, slots, value))
		return false;
	family_adopt_past(family, number,
			  past_create(sequence, is_hidden, slots, layout));
	slots_clear(layout, slots);
	if (is_hidden) {
		life_add_hidden(family_life(family), number);
		family_set_expired(family, number, true);
	}
	return true;
}

/* ---- what is saved ---- */

void family_note_saved(struct family *family, const struct cut *cut, size_t metric)
{
	struct family_saved *saved = family_saved(family);

	saved->series = (uint32_t)cut_series(cut, metric);
	saved->is_there = true;
	for (size_t i = 0; i < saved->text_count; i++)
		family_key_to_write(family, saved->texts[i].number)->saved_version =
			saved->texts[i].version;
	saved->text_count = 0;
	family_note_pasts_saved(family, cut_sequence(cut));
}

void family_note_unsaved(struct family *family)
{
	struct family_saved *saved = family_saved(family);

	saved->series = 0;
	saved->is_there = false;
}

/* ---- out of cuts ---- */

static const union slot zeros[SLOTS_MAX];

struct walk {
	const struct cut *cut, *since;
	const struct cut_visitor *visitor;
	void *ctx;
	size_t metric, since_metric;
	bool is_in_since;
	struct family *family;
	const struct layout *layout;
	union slot scratch[SLOTS_MAX];
	struct strbuf encoded;
};

static struct slots_value value_of(struct walk *w, uint32_t number)
{
	const union slot *slots = cut_slots(w->cut, w->metric, number, w->scratch);
	struct panes *panes = cut_panes(w->cut, w->metric, number);
	struct slots_value value =
		slots_value(w->layout, slots ? slots : zeros, panes, &w->encoded);

	panes_unref(panes);
	return value;
}

static void visit_value(struct walk *w, uint32_t number)
{
	struct slots_value value = value_of(w, number);

	w->visitor->value(w->ctx, w->family, number, &value);
}

static void note_text(struct walk *w, uint32_t number, unsigned char version)
{
	struct family_saved *saved = family_saved(w->family);

	saved->texts = xgrow(saved->texts, saved->text_count, sizeof(*saved->texts));
	saved->texts[saved->text_count++] = (struct saved_text){number, version};
}

/*
 * Born after the cut means that the number was free in it; then the text is put with a
 * later one.  The version is read first: so is what changes from here on.
 */
static void visit_series(struct walk *w, uint32_t number)
{
	const struct series_key *key = family_key(w->family, number);
	unsigned char version = atomic_load(&key->version);
	bool gone = atomic_load(&key->gone);
	struct saved_series series = {
		.born = atomic_load(&key->born),
		.value = slots_value(w->layout, zeros, NULL, &w->encoded)};
	bool is_later = !gone && series.born > cut_sequence(w->cut);

	series.is_free = gone || is_later;
	if (!series.is_free) {
		series.labels = (struct slice){key->text, key->text_bytes};
		series.value = value_of(w, number);
	}
	if (version != key->saved_version && !is_later)
		note_text(w, number, version);
	w->visitor->series(w->ctx, w->family, number, &series);
}

/* What a number that is free was is nothing. */
static void visit_past(struct walk *w, uint32_t number)
{
	const struct series_key *key = family_key(w->family, number);
	const struct past *past = atomic_load(&key->past);
	struct slots_value value;

	if (atomic_load(&key->gone) || !past || past->sequence > cut_sequence(w->cut))
		return;
	value = slots_value(w->layout, past->slots, NULL, &w->encoded);
	w->visitor->past(w->ctx, w->family, number,
			 past->is_hidden ? 0 : past->sequence, &value);
}

static void visit_changed(struct walk *w, uint32_t number)
{
	const struct series_key *key = family_key(w->family, number);
	bool is_other = atomic_load(&key->version) != key->saved_version;

	(is_other ? visit_series : visit_value)(w, number);
}

static void visit_new(struct walk *w, uint32_t number)
{
	visit_series(w, number);
	/* What stands there in a base is something else. */
	if (!family_is_base(w->family))
		visit_past(w, number);
}

/* Of series that are saved: what is in the place of another is put before. */
static void visit_changed_pasts(struct walk *w, uint32_t saved)
{
	size_t count;
	uint32_t *list = family_changed_pasts(w->family, &count);

	for (size_t i = 0; i < count; i++)
		if (list[i] < saved)
			visit_past(w, list[i]);
	free(list);
}

static const struct chunk *chunk_of(const struct cut *cut, size_t metric, size_t part,
				    size_t i)
{
	const struct share *share = cut_share(cut, metric, part);

	return share && i < share->chunk_count ? share->chunks[i] : NULL;
}

/* One bit a series. */
static uint64_t difference(const struct chunk *a, const struct chunk *b, size_t width)
{
	uint64_t bits = 0;

	for (size_t i = 0; i < CHUNK_SERIES; i++) {
		const union slot *x = a ? a->slots + i * width : zeros;
		const union slot *y = b ? b->slots + i * width : zeros;
		int64_t differ = 0;

		for (size_t j = 0; j < width; j++)
			differ |= x[j].time_ns ^ y[j].time_ns;
		bits |= (uint64_t)(differ != 0) << i;
	}
	return bits;
}

/* Chunks that cuts hold never change: the same pointer is the same values. */
static uint64_t changed_in_chunk(const struct walk *w, size_t i)
{
	uint64_t bits = 0;

	if (!w->is_in_since)
		return UINT64_MAX;
	for (size_t part = 0; part < cut_part_count(w->cut); part++) {
		const struct chunk *now = chunk_of(w->cut, w->metric, part, i);
		const struct chunk *then = chunk_of(w->since, w->since_metric, part, i);

		if (now != then)
			bits |= difference(now, then, w->layout->width);
	}
	return bits;
}

static void visit_chunk(struct walk *w, size_t i, uint32_t saved)
{
	uint32_t first = (uint32_t)(i * CHUNK_SERIES);

	for (uint64_t bits = changed_in_chunk(w, i); bits != 0; bits &= bits - 1) {
		uint32_t number = first + (uint32_t)__builtin_ctzll(bits);

		if (number >= saved)
			return;
		visit_changed(w, number);
	}
}

static void visit_family(struct walk *w)
{
	uint32_t saved = family_saved(w->family)->series;

	family_saved(w->family)->text_count = 0;
	for (size_t i = 0; i * CHUNK_SERIES < saved; i++)
		visit_chunk(w, i, saved);
	visit_changed_pasts(w, saved);
	for (uint32_t i = saved; i < cut_series(w->cut, w->metric); i++)
		visit_new(w, i);
}

void cut_each_change(const struct cut *cut, const struct cut *since,
		     const struct cut_visitor *visitor, void *ctx)
{
	struct walk w = {.cut = cut,
			 .since = since,
			 .visitor = visitor,
			 .ctx = ctx,
			 .encoded = STRBUF_INIT};

	assert(cut_part_count(cut) == cut_part_count(since));
	for (w.metric = 0; w.metric < schema_total(cut_schema(cut)); w.metric++) {
		w.family = schema_family(cut_schema(cut), w.metric);
		w.layout = family_layout(w.family);
		w.is_in_since =
			schema_find(cut_schema(since), w.family, &w.since_metric);
		visit_family(&w);
	}
	strbuf_finish(&w.encoded);
}
