#include <pthread.h>
#include <stdlib.h>

#include "exporter/family_inside.h"

/* ---- limits ---- */

/* More than that are on their way out only while an old cut is still being read. */
#define OCCUPIED(most) (4 * (most))

size_t family_limit(const struct family *f)
{
	return f->max_series ? f->max_series : f->limits->series_per_metric;
}

void family_count_limited(struct family *f, bool one_more)
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
	size_t most = family_limit(f);

	/* Of a base all are kept as if they had expired, soon after their birth. */
	if ((f->limited_series >= most && !f->is_base) ||
	    f->occupied_series >= OCCUPIED(most))
		return false;
	family_count_limited(f, true);
	if (f->limits->limited_series > f->limits->series) {
		family_count_limited(f, false);
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
		family_count_limited(f, false);
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
			family_count_limited(family, true);
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
