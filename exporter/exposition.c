#include "exporter/exposition.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/utf8.h"
#include "common/xalloc.h"
#include "exporter/family.h"
#include "exporter/form.h"
#include "exporter/life.h"
#include "exporter/number.h"
#include "exporter/pane.h"
#include "exporter/sketch.h"
#include "exporter/slots.h"
#include "exporter/text.h"

/* Rendered at a time; one series may go beyond. */
#define BATCH_BYTES ((size_t)32 * 1024)

static const struct slice nothing = {"", 0};
static const union slot zeros[SLOTS_MAX];

/* Where a family is being rendered. */
struct place {
	size_t metric;
	struct form_family family;
	bool is_age; /* the times of its last updates are shown */
	size_t series_count;
	size_t next;     /* of the series, in the order in which they are shown */
	uint32_t *order; /* by label text; NULL: by number, which is by birth */
	bool has_header;
};

struct exposition {
	struct cut *cut;
	uint64_t sequence; /* of the cut */
	uint64_t seen_sequence;
	struct exposition_options options;
	const struct form *form;
	size_t rank; /* of the item after this one */
	struct place at;
	bool begun, has_families, ended;
	struct strbuf pending; /* rendered, from `taken` on not yet read */
	size_t taken;
	struct strbuf tail;
	union slot scratch[SLOTS_MAX];
};

struct exposition *exposition_create(struct cut *cut, uint64_t seen_sequence,
				     struct slice tail)
{
	struct exposition *e = xcalloc(1, sizeof(*e));

	e->cut = cut_ref(cut);
	e->sequence = cut_sequence(cut);
	e->seen_sequence = seen_sequence;
	e->form = &form_text;
	e->pending = e->tail = (struct strbuf)STRBUF_INIT;
	strbuf_add_slice(&e->tail, tail);
	return e;
}

void exposition_destroy(struct exposition *exposition)
{
	if (!exposition)
		return;
	free(exposition->at.order);
	cut_unref(exposition->cut);
	strbuf_finish(&exposition->pending);
	strbuf_finish(&exposition->tail);
	free(exposition);
}

void exposition_set_options(struct exposition *exposition,
			    const struct exposition_options *options)
{
	static const struct form *const forms[] = {
		[EXPOSITION_TEXT] = &form_text,
		[EXPOSITION_JSON] = &form_json,
	};

	exposition->options = *options;
	exposition->form = forms[options->format];
}

/* ---- series ---- */

/* A number may have been given to another series since the cut. */
static bool is_shown(const struct exposition *e, const struct series_key *key,
		     uint64_t born)
{
	return !atomic_load_explicit(&key->gone, memory_order_acquire) &&
	       born <= e->sequence &&
	       !atomic_load_explicit(&key->hidden, memory_order_relaxed) &&
	       !atomic_load_explicit(&key->expired, memory_order_relaxed);
}

/* It has just expired, or came back since the cut, whose value was never shown. */
static bool is_hidden(const struct exposition *e, const struct past *past)
{
	return past && (past->is_hidden || past->sequence > e->sequence);
}

/* What the scraper is to see once before the value; NULL: nothing. */
static const union slot *slots_before(const struct exposition *e,
				      const struct past *past, uint64_t born)
{
	if (metric_is_gauge(family_kind(e->at.family.family)))
		return NULL;
	if (past && past->sequence > e->seen_sequence)
		return past->slots;
	return born > e->seen_sequence ? zeros : NULL;
}

/* NULL: not to be shown. */
static const union slot *slots_to_show(struct exposition *e, uint32_t series,
				       const struct series_key *key)
{
	uint64_t born = atomic_load_explicit(&key->born, memory_order_acquire);
	const union slot *before;
	const struct past *past;

	if (!is_shown(e, key, born))
		return NULL;
	past = atomic_load_explicit(&key->past, memory_order_acquire);
	if (is_hidden(e, past))
		return NULL;
	before = slots_before(e, past, born);
	return before ? before : cut_slots(e->cut, e->at.metric, series, e->scratch);
}

static void write_series(struct exposition *e, const struct form_series *series)
{
	struct place *at = &e->at;

	if (!at->has_header)
		e->form->begin_family(&e->pending, &at->family, !e->has_families);
	e->form->add_series(&e->pending, &at->family, series, !at->has_header);
	at->has_header = e->has_families = true;
}

/* What the scraper is to see once before is the sums: quantiles are as they are. */
static void add_value(struct exposition *e, uint32_t number, struct slice labels,
		      const union slot *slots)
{
	const struct form_family *family = &e->at.family;
	const struct layout *layout = family_layout(family->family);
	struct panes *panes = cut_panes(e->cut, e->at.metric, number);
	double at_quantiles[METRIC_MAX_QUANTILES];
	struct form_series series = {
		.labels = labels, .sums = slots, .at_quantiles = at_quantiles};

	if (layout->panes.kind == PANES_SKETCH) {
		struct pane *whole = panes_whole(&layout->panes, panes);

		for (size_t i = 0; i < family->quantile_count; i++)
			at_quantiles[i] =
				whole ? sketch_quantile(whole, family->quantiles[i].q)
				      : NAN;
		pane_unref(whole);
	} else {
		series.number = slots_number(layout, slots, panes);
	}
	write_series(e, &series);
	panes_unref(panes);
}

/* As near as a double comes: the nanoseconds alone have too many digits for one. */
static double seconds_of(int64_t time_ns)
{
	int64_t seconds = time_ns / NS_PER_SECOND;

	return (double)seconds + (double)(time_ns % NS_PER_SECOND) / NS_PER_SECOND;
}

static void add_age(struct exposition *e, struct slice labels, const union slot *slots)
{
	int64_t time_ns = slots_time(family_layout(e->at.family.family), slots);
	struct form_series series = {.labels = labels, .number = seconds_of(time_ns)};

	if (time_ns != 0 && time_ns != METRIC_NO_TIME)
		write_series(e, &series);
}

static void add_series(struct exposition *e, uint32_t number)
{
	const struct series_key *key = family_key(e->at.family.family, number);
	const union slot *slots = slots_to_show(e, number, key);
	struct slice labels = {key->text, key->text_bytes};

	if (slots && e->at.is_age)
		add_age(e, labels, slots);
	else if (slots)
		add_value(e, number, labels, slots);
}

static int compare_keys(const void *a, const void *b, void *family)
{
	const struct series_key *x = family_key(family, *(const uint32_t *)a);
	const struct series_key *y = family_key(family, *(const uint32_t *)b);
	size_t least = x->text_bytes < y->text_bytes ? x->text_bytes : y->text_bytes;
	int difference = memcmp(x->text, y->text, least);

	if (difference != 0)
		return difference;
	return (x->text_bytes > y->text_bytes) - (x->text_bytes < y->text_bytes);
}

/* Numbers without a series are left out. */
static void order_by_labels(struct place *at, struct family *family)
{
	size_t count = 0;

	at->order = xcalloc(at->series_count, sizeof(*at->order));
	for (size_t i = 0; i < at->series_count; i++)
		if (!atomic_load_explicit(&family_key(family, (uint32_t)i)->gone,
					  memory_order_acquire))
			at->order[count++] = (uint32_t)i;
	at->series_count = count;
	qsort_r(at->order, count, sizeof(*at->order), compare_keys, family);
}

/* ---- families ---- */

static bool shows(const struct exposition *e, size_t metric)
{
	return cut_shows(e->cut, metric) &&
	       (!e->options.shows || e->options.shows(metric));
}

static void enter_item(struct exposition *e, const struct schema_item *item)
{
	struct schema *schema = cut_schema(e->cut);
	struct family *family = schema_family(schema, item->index);

	e->at = (struct place){
		.metric = item->index,
		.family = {.family = family,
			   .kind = item->is_age ? METRIC_GAUGE : family_kind(family),
			   .name = slice_of(item->name),
			   .help = item->help},
		.is_age = item->is_age,
		.series_count = cut_series(e->cut, item->index),
	};
	e->at.family.quantiles =
		schema_quantiles(schema, item->index, &e->at.family.quantile_count);
	if (e->options.by_labels)
		order_by_labels(&e->at, family);
}

static void leave_family(struct exposition *e)
{
	if (e->at.has_header)
		e->form->end_family(&e->pending);
	free(e->at.order);
	e->at = (struct place){0};
}

static bool next_family(struct exposition *e)
{
	struct schema *schema = cut_schema(e->cut);

	leave_family(e);
	while (e->rank < schema_item_count(schema)) {
		const struct schema_item *item = schema_item(schema, e->rank++);

		if (!shows(e, item->index))
			continue;
		enter_item(e, item);
		return true;
	}
	return false;
}

static void end(struct exposition *e)
{
	e->form->end(&e->pending);
	strbuf_add_slice(&e->pending, strbuf_slice(&e->tail));
	e->ended = true;
}

static void render_batch(struct exposition *e)
{
	struct place *at = &e->at;

	strbuf_clear(&e->pending);
	e->taken = 0;
	if (!e->begun)
		e->form->begin(&e->pending);
	e->begun = true;
	while (e->pending.len < BATCH_BYTES && !e->ended) {
		if (at->next < at->series_count) {
			add_series(e, at->order ? at->order[at->next]
						: (uint32_t)at->next);
			at->next++;
		} else if (!next_family(e)) {
			end(e);
		}
	}
}

size_t exposition_read(struct exposition *exposition, char *out, size_t size_bytes)
{
	struct strbuf *pending = &exposition->pending;
	size_t filled = 0;

	while (filled < size_bytes) {
		size_t len;

		if (exposition->taken == pending->len)
			render_batch(exposition);
		len = pending->len - exposition->taken;
		if (len == 0)
			break;
		len = len < size_bytes - filled ? len : size_bytes - filled;
		memcpy(out + filled, pending->ptr + exposition->taken, len);
		exposition->taken += len;
		filled += len;
	}
	return filled;
}

/* ---- families that the daemon makes itself ---- */

void exposition_add_header(struct strbuf *out, const char *name, enum metric_kind kind,
			   const char *help)
{
	text_add_header(out, name, kind, help);
}

void exposition_add_sample(struct strbuf *out, const char *name, const char *labels,
			   double value)
{
	text_add_sample(out, slice_of(name), nothing, slice_of(labels), nothing, value);
}

void exposition_add_label(struct strbuf *labels, const char *name, struct slice value)
{
	struct strbuf valid = STRBUF_INIT;

	utf8_add_valid(&valid, value);
	text_add_label(labels, name, strbuf_slice(&valid));
	strbuf_finish(&valid);
}

void exposition_add_le(struct strbuf *labels, double bound)
{
	char number[NUMBER_MAX_BYTES];
	size_t len = number_format_le(number, bound);

	text_add_label(labels, "le", (struct slice){number, len});
}
