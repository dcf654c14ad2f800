#include "exporter/exposition.h"

#include <stdlib.h>
#include <string.h>

#include "common/utf8.h"
#include "common/xalloc.h"
#include "exporter/family.h"
#include "exporter/life.h"
#include "exporter/number.h"
#include "exporter/slots.h"
#include "exporter/text.h"

/* Rendered at a time; one series may go beyond. */
#define BATCH_BYTES ((size_t)32 * 1024)

static const struct slice nothing = {"", 0};
static const union slot zeros[SLOTS_MAX];

/* Where a family is being rendered. */
struct place {
	size_t metric;
	const struct family *family;
	struct slice name;
	size_t series_count;
	uint32_t series;
	bool has_header;
};

struct exposition {
	struct cut *cut;
	uint64_t sequence; /* of the cut */
	uint64_t seen_sequence;
	size_t rank; /* of the family after this one */
	struct place at;
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
	e->pending = e->tail = (struct strbuf)STRBUF_INIT;
	strbuf_add_slice(&e->tail, tail);
	return e;
}

void exposition_destroy(struct exposition *exposition)
{
	if (!exposition)
		return;
	cut_unref(exposition->cut);
	strbuf_finish(&exposition->pending);
	strbuf_finish(&exposition->tail);
	free(exposition);
}

/* ---- series ---- */

static void add_single(struct strbuf *out, const struct place *at, struct slice labels,
		       const union slot *slots)
{
	text_add_sample(out, at->name, nothing, labels, nothing, slots[0].number);
}

static void add_histogram(struct strbuf *out, const struct place *at,
			  struct slice labels, const union slot *slots)
{
	size_t buckets = family_layout(at->family)->bound_count + 1;
	double count = 0;

	for (size_t i = 0; i < buckets; i++) {
		count += slots[i].number;
		text_add_sample(out, at->name, slice_of("_bucket"), labels,
				family_le(at->family, i), count);
	}
	text_add_sample(out, at->name, slice_of("_sum"), labels, nothing,
			slots[buckets].number);
	text_add_sample(out, at->name, slice_of("_count"), labels, nothing, count);
}

static const struct {
	void (*add)(struct strbuf *out, const struct place *at, struct slice labels,
		    const union slot *slots);
	bool born_at_zero;
} kinds[] = {
	[METRIC_COUNTER] = {add_single, true},
	[METRIC_GAUGE] = {add_single, false},
	[METRIC_HISTOGRAM] = {add_histogram, true},
};

/* A number may have been given to another series since the cut. */
static bool is_shown(const struct exposition *e, const struct series_key *key,
		     uint64_t born)
{
	return !atomic_load_explicit(&key->gone, memory_order_acquire) &&
	       born <= e->sequence &&
	       !atomic_load_explicit(&key->hidden, memory_order_relaxed) &&
	       !atomic_load_explicit(&key->expired, memory_order_relaxed);
}

/* What the scraper is to see once before the value; NULL: nothing. */
static const union slot *slots_before(const struct exposition *e,
				      const struct series_key *key, uint64_t born)
{
	const struct past *past;

	if (!kinds[family_kind(e->at.family)].born_at_zero)
		return NULL;
	past = atomic_load_explicit(&key->past, memory_order_acquire);
	if (past && past->sequence > e->seen_sequence && past->sequence <= e->sequence)
		return past->slots;
	return born > e->seen_sequence ? zeros : NULL;
}

/* NULL: not to be shown. */
static const union slot *slots_to_show(struct exposition *e,
				       const struct series_key *key)
{
	uint64_t born = atomic_load_explicit(&key->born, memory_order_acquire);
	const union slot *before;

	if (!is_shown(e, key, born))
		return NULL;
	before = slots_before(e, key, born);
	return before ? before
		      : cut_slots(e->cut, e->at.metric, e->at.series, e->scratch);
}

static void add_series(struct exposition *e)
{
	struct place *at = &e->at;
	const struct series_key *key = family_key(at->family, at->series);
	const union slot *slots = slots_to_show(e, key);

	if (!slots)
		return;
	if (!at->has_header)
		text_add_header(&e->pending, at->name.ptr, family_kind(at->family),
				schema_help(cut_schema(e->cut), at->metric));
	at->has_header = true;
	kinds[family_kind(at->family)].add(
		&e->pending, at, (struct slice){key->text, key->text_bytes}, slots);
}

/* ---- families ---- */

static bool next_family(struct exposition *e)
{
	struct schema *schema = cut_schema(e->cut);

	while (e->rank < schema_count(schema)) {
		size_t metric = schema_by_name(schema, e->rank++);
		struct family *family = schema_family(schema, metric);

		if (!cut_shows(e->cut, metric))
			continue;
		e->at = (struct place){
			.metric = metric,
			.family = family,
			.name = family_name_slice(family),
			.series_count = cut_series(e->cut, metric),
		};
		return true;
	}
	return false;
}

/* The tail is the last batch. */
static void render_batch(struct exposition *e)
{
	strbuf_clear(&e->pending);
	e->taken = 0;
	while (e->pending.len < BATCH_BYTES) {
		if (e->at.series < e->at.series_count) {
			add_series(e);
			e->at.series++;
		} else if (!next_family(e)) {
			strbuf_add_slice(&e->pending, strbuf_slice(&e->tail));
			strbuf_clear(&e->tail);
			return;
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
