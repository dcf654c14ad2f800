#include "exporter/family.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/xalloc.h"
#include "exporter/chunk.h"
#include "exporter/life.h"
#include "exporter/saved.h"
#include "exporter/shape.h"

struct family {
	atomic_uint refs;
	bool own;
	bool is_base;
	struct shape shape;
	struct strbuf signature;
	struct family_saved saved; /* of the one who saves */
	struct family_limits *limits;

	struct keys keys; /* adding takes the lock */
	_Atomic uint64_t overflows;
	_Atomic uint64_t forgotten; /* expired series that had to go */
	_Atomic int64_t expire_ns;  /* 0: never */
	atomic_size_t unshown;      /* keys that are expired or gone */
	atomic_bool pressure;       /* the limit was met */
	atomic_bool marks;          /* family_mark_begin() was called */
	/* Only the thread that makes cuts, or as life.h says. */
	uint32_t stamped;
	bool gives; /* free numbers, now or earlier */
	struct life *life;

	pthread_mutex_t lock; /* for what follows, and for births */
	size_t max_series;
	size_t limited_series;  /* that count against the limits */
	size_t occupied_series; /* and the expired ones, until their number is free */
	struct family_values values; /* that no store has taken yet */
};

/* ---- creation ---- */

struct family *family_create(const struct metric_def *def, bool own,
			     const struct const_label *labels, size_t label_count,
			     struct slice signature, struct family_limits *limits,
			     uint64_t seed)
{
	struct family *f = xcalloc(1, sizeof(*f));

	atomic_init(&f->refs, 1);
	f->own = own;
	f->is_base = def->is_base;
	shape_init(&f->shape, def, own ? NULL : labels, own ? 0 : label_count);
	f->limits = limits;
	keys_init(&f->keys, seed);
	f->signature = (struct strbuf)STRBUF_INIT;
	strbuf_add_slice(&f->signature, signature);
	f->life = life_create();
	pthread_mutex_init(&f->lock, NULL);
	return f;
}

static void free_values(struct family *f)
{
	for (size_t i = 0; i < f->values.chunk_count; i++)
		chunk_unref(f->values.chunks[i]);
	free(f->values.chunks);
}

static void destroy(struct family *f)
{
	atomic_fetch_sub(&f->limits->limited_series, f->limited_series);
	keys_finish(&f->keys);
	life_destroy(f->life);
	free(f->saved.texts);
	free_values(f);
	shape_finish(&f->shape);
	strbuf_finish(&f->signature);
	pthread_mutex_destroy(&f->lock);
	free(f);
}

struct family *family_ref(struct family *family)
{
	atomic_fetch_add_explicit(&family->refs, 1, memory_order_relaxed);
	return family;
}

void family_unref(struct family *family)
{
	if (family &&
	    atomic_fetch_sub_explicit(&family->refs, 1, memory_order_acq_rel) == 1)
		destroy(family);
}

/* ---- what it is ---- */

const char *family_name(const struct family *family)
{
	return family->shape.name;
}

struct slice family_name_slice(const struct family *family)
{
	return (struct slice){family->shape.name, family->shape.name_bytes};
}

bool family_is_base(const struct family *family)
{
	return family->is_base;
}

enum metric_kind family_kind(const struct family *family)
{
	return family->shape.layout.kind;
}

const struct layout *family_layout(const struct family *family)
{
	return &family->shape.layout;
}

size_t family_label_count(const struct family *family)
{
	return family->shape.label_count;
}

struct slice family_signature(const struct family *family)
{
	return strbuf_slice(&family->signature);
}

struct family_saved *family_saved(struct family *family)
{
	return &family->saved;
}

struct slice family_le(const struct family *family, size_t bucket)
{
	return strbuf_slice(&family->shape.le[bucket]);
}

size_t family_states(const struct family *family)
{
	return family->shape.state_count;
}

struct slice family_state(const struct family *family, size_t state)
{
	return strbuf_slice(&family->shape.states[state]);
}

const char *family_state_list(const struct family *family)
{
	return family->shape.state_count > 0 ? family->shape.state_list.ptr : NULL;
}

size_t family_series(const struct family *family)
{
	return keys_count(&family->keys);
}

size_t family_live_series(const struct family *family)
{
	size_t unshown = atomic_load_explicit(&family->unshown, memory_order_relaxed);
	size_t count = keys_count(&family->keys);

	return count > unshown ? count - unshown : 0;
}

uint64_t family_forgotten(const struct family *family)
{
	return atomic_load_explicit(&family->forgotten, memory_order_relaxed);
}

int64_t family_expire_ns(const struct family *family)
{
	return atomic_load_explicit(&family->expire_ns, memory_order_relaxed);
}

uint64_t family_overflows(const struct family *family)
{
	return atomic_load_explicit(&family->overflows, memory_order_relaxed);
}

const struct series_key *family_key(const struct family *family, uint32_t series)
{
	return keys_at(&family->keys, series);
}

/* ---- labels ---- */

bool family_render(const struct family *family, const struct slice *values,
		   struct strbuf *text, struct strbuf *scratch, bool *exact)
{
	bool any = family->own || family->is_base;
	size_t most = any ? SIZE_MAX : family->limits->label_value_bytes;

	return shape_render(&family->shape, values, most, text, scratch, exact);
}

/* ---- limits ---- */

/* More than that are on their way out only while an old cut is still being read. */
#define OCCUPIED(most) (4 * (most))

static size_t most_series(const struct family *f)
{
	return f->max_series ? f->max_series : f->limits->series_per_metric;
}

static void count_limited(struct family *f, bool one_more)
{
	if (one_more) {
		f->limited_series++;
		atomic_fetch_add(&f->limits->limited_series, 1);
	} else {
		f->limited_series--;
		atomic_fetch_sub(&f->limits->limited_series, 1);
	}
}

static bool fits(struct family *f)
{
	size_t most = most_series(f);

	/* Of a base all are kept as if they had expired, soon after their birth. */
	if ((f->limited_series >= most && !f->is_base) ||
	    f->occupied_series >= OCCUPIED(most))
		return false;
	count_limited(f, true);
	if (f->limits->limited_series > f->limits->series) {
		count_limited(f, false);
		return false;
	}
	f->occupied_series++;
	return true;
}

/* Any set that is declared, or the only one there can be, does not count. */
static void free_of_limits(struct family *f, uint32_t series)
{
	struct series_key *key = keys_at(&f->keys, series);

	if (!key->limited)
		return;
	key->limited = false;
	f->occupied_series--;
	if (!key->expired)
		count_limited(f, false);
}

static uint32_t add(struct family *f, struct slice text, uint64_t born, bool limited)
{
	if (f->keys.free_count > 0)
		atomic_fetch_sub(&f->unshown, 1);
	return keys_add(&f->keys, text, born, limited);
}

static uint32_t ask_unlimited(struct family *f, struct slice text, uint64_t born)
{
	uint32_t series = keys_find(&f->keys, text);

	if (series == FAMILY_NO_SERIES)
		return add(f, text, born, false);
	keys_at(&f->keys, series)->leaving = false;
	free_of_limits(f, series);
	return series;
}

static uint32_t ask_other(struct family *f, uint64_t born)
{
	struct strbuf text = STRBUF_INIT;
	uint32_t series;

	if (metric_is_gauge(f->shape.layout.kind))
		return FAMILY_NO_SERIES;
	shape_render_other(&f->shape, &text);
	series = ask_unlimited(f, strbuf_slice(&text), born);
	strbuf_finish(&text);
	return series;
}

/* Neither the daemon's own metrics nor the only series there can be. */
static bool has_limits(const struct family *f)
{
	return !f->own && f->shape.label_count > 0;
}

static uint32_t ask(struct family *f, struct slice text, uint64_t born,
		    bool *overflowed)
{
	uint32_t series = keys_find(&f->keys, text);

	if (series != FAMILY_NO_SERIES) {
		keys_at(&f->keys, series)->leaving = false;
		return series;
	}
	if (!has_limits(f))
		return add(f, text, born, false);
	if (fits(f))
		return add(f, text, born, true);
	*overflowed = true;
	f->pressure = true;
	atomic_fetch_add_explicit(&f->overflows, 1, memory_order_relaxed);
	return ask_other(f, born);
}

uint32_t family_ask(struct family *family, struct slice text, uint64_t born,
		    bool *overflowed)
{
	uint32_t series;

	*overflowed = false;
	pthread_mutex_lock(&family->lock);
	series = ask(family, text, born, overflowed);
	pthread_mutex_unlock(&family->lock);
	return series;
}

/* Which is no label set of the log's, and may have come from before the start. */
static void free_other(struct family *f)
{
	struct strbuf text = STRBUF_INIT;
	uint32_t series;

	shape_render_other(&f->shape, &text);
	series = keys_find(&f->keys, strbuf_slice(&text));
	if (series != FAMILY_NO_SERIES)
		free_of_limits(f, series);
	strbuf_finish(&text);
}

/* Of a base any time is too long ago. */
static int64_t expire_ns(const struct family *f, const struct metric_def *def)
{
	if (f->is_base)
		return 1;
	return f->own || !f->limits->expires ? 0 : def->expire_ns;
}

void family_take_over(struct family *family, const struct metric_def *def)
{
	bool is_gauge = metric_is_gauge(def->kind);
	bool alone = def->label_count == 0 && !is_gauge;
	size_t count = alone ? 1 : def->declared_count;
	struct strbuf text = STRBUF_INIT, scratch = STRBUF_INIT;
	bool exact;

	family->expire_ns = expire_ns(family, def);
	pthread_mutex_lock(&family->lock);
	family->max_series = def->max_series;
	if (has_limits(family) && !is_gauge)
		free_other(family);
	for (size_t i = 0; i < count; i++) {
		shape_render(&family->shape, def->declared + i * def->label_count,
			     SIZE_MAX, &text, &scratch, &exact);
		family_touch(family,
			     ask_unlimited(family, strbuf_slice(&text), BORN_UNSEEN));
	}
	pthread_mutex_unlock(&family->lock);
	strbuf_finish(&text);
	strbuf_finish(&scratch);
}

/* ---- from before the start ---- */

bool family_adopt(struct family *family, struct slice text, uint64_t born)
{
	bool limited = has_limits(family), is_new;

	pthread_mutex_lock(&family->lock);
	is_new = keys_find(&family->keys, text) == FAMILY_NO_SERIES;
	if (is_new) {
		keys_append(&family->keys, text, born, limited);
		family->occupied_series += limited;
		if (limited)
			count_limited(family, true);
	}
	pthread_mutex_unlock(&family->lock);
	return is_new;
}

void family_adopt_past(struct family *family, uint32_t series, struct past *past)
{
	free(atomic_exchange(&keys_at(&family->keys, series)->past, past));
}

struct family_values *family_values(struct family *family)
{
	return &family->values;
}

struct family_values family_take_values(struct family *family)
{
	struct family_values values;

	pthread_mutex_lock(&family->lock);
	values = family->values;
	family->values = (struct family_values){0};
	pthread_mutex_unlock(&family->lock);
	return values;
}

/* ---- the end of series ---- */

struct life *family_life(struct family *family)
{
	return family->life;
}

struct series_key *family_key_to_write(struct family *family, uint32_t series)
{
	return keys_at(&family->keys, series);
}

size_t family_most_series(struct family *family)
{
	size_t most;

	pthread_mutex_lock(&family->lock);
	most = most_series(family);
	pthread_mutex_unlock(&family->lock);
	return most;
}

bool family_take_pressure(struct family *family)
{
	return atomic_exchange(&family->pressure, false);
}

void family_set_expired(struct family *family, uint32_t series, bool expired)
{
	struct series_key *key = keys_at(&family->keys, series);

	pthread_mutex_lock(&family->lock);
	key->expired = expired;
	if (key->limited)
		count_limited(family, !expired);
	pthread_mutex_unlock(&family->lock);
	if (expired)
		atomic_fetch_add(&family->unshown, 1);
	else
		atomic_fetch_sub(&family->unshown, 1);
}

void family_leave(struct family *family, const uint32_t *series, size_t count)
{
	pthread_mutex_lock(&family->lock);
	for (size_t i = 0; i < count; i++) {
		struct series_key *key = keys_at(&family->keys, series[i]);

		/* Others are declared, or the only one that there can be. */
		key->leaving = key->limited;
	}
	pthread_mutex_unlock(&family->lock);
}

void family_stay(struct family *family, uint32_t series)
{
	pthread_mutex_lock(&family->lock);
	keys_at(&family->keys, series)->leaving = false;
	pthread_mutex_unlock(&family->lock);
}

bool family_remove(struct family *family, uint32_t series)
{
	struct series_key *key = keys_at(&family->keys, series);
	bool removed;

	pthread_mutex_lock(&family->lock);
	removed = key->leaving && key->expired && key->limited;
	if (removed)
		keys_remove(&family->keys, series);
	key->leaving = false;
	pthread_mutex_unlock(&family->lock);
	return removed;
}

void family_count_forgotten(struct family *family, size_t count)
{
	atomic_fetch_add(&family->forgotten, count);
}

void family_free(struct family *family, const uint32_t *series, size_t count)
{
	pthread_mutex_lock(&family->lock);
	for (size_t i = 0; i < count; i++)
		keys_free(&family->keys, series[i]);
	family->occupied_series -= count;
	pthread_mutex_unlock(&family->lock);
}

void family_adopt_free(struct family *family)
{
	pthread_mutex_lock(&family->lock);
	keys_append_free(&family->keys);
	pthread_mutex_unlock(&family->lock);
	atomic_fetch_add(&family->unshown, 1);
}

/* ---- marks ---- */

/*
 * The order matters against family_mark_end() in another thread, which first
 * hides a series and then looks for its mark again: one of the two sees the
 * other.
 */
void family_touch(struct family *family, uint32_t series)
{
	struct series_key *key;

	if (!atomic_load_explicit(&family->marks, memory_order_relaxed))
		return;
	key = keys_at(&family->keys, series);
	atomic_store(&key->marked, true);
	atomic_store(&key->hidden, false);
}

void family_mark_begin(struct family *family)
{
	size_t count = family_series(family);

	atomic_store(&family->marks, true);
	for (size_t i = 0; i < count; i++)
		atomic_store(&keys_at(&family->keys, (uint32_t)i)->marked, false);
}

void family_mark_end(struct family *family)
{
	size_t count = family_series(family);

	for (size_t i = 0; i < count; i++) {
		struct series_key *key = keys_at(&family->keys, (uint32_t)i);

		if (atomic_load(&key->marked))
			continue;
		atomic_store(&key->hidden, true);
		if (atomic_load(&key->marked))
			atomic_store(&key->hidden, false);
	}
}

/* ---- births as scrapers see them ---- */

static void stamp(struct family *f, uint32_t series, uint64_t sequence)
{
	struct series_key *key = keys_at(&f->keys, series);
	uint64_t born = BORN_UNSEEN;

	if ((atomic_compare_exchange_strong(&key->born, &born, sequence) ||
	     born == BORN_OLD) &&
	    f->expire_ns > 0)
		life_add(f->life, series);
}

static void stamp_given(struct family *f, uint64_t sequence)
{
	uint32_t *given;
	size_t count;

	pthread_mutex_lock(&f->lock);
	given = keys_take_given(&f->keys, &count);
	pthread_mutex_unlock(&f->lock);
	for (size_t i = 0; i < count; i++)
		stamp(f, given[i], sequence);
	free(given);
}

void family_stamp(struct family *family, size_t count, uint64_t sequence)
{
	for (; family->stamped < count; family->stamped++)
		stamp(family, family->stamped, sequence);
	if (family->unshown > 0)
		family->gives = true;
	if (family->gives)
		stamp_given(family, sequence);
}
