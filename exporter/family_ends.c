#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/xalloc.h"
#include "exporter/family_inside.h"
#include "exporter/life.h"

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
	most = family_limit(family);
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
		family_count_limited(family, !expired);
	pthread_mutex_unlock(&family->lock);
	if (expired)
		atomic_fetch_add(&family->unshown, 1);
	else
		atomic_fetch_sub(&family->unshown, 1);
}

struct past *family_set_past(struct family *family, uint32_t series, struct past *past)
{
	struct series_key *key = keys_at(&family->keys, series);
	struct past *before;

	pthread_mutex_lock(&family->lock);
	before = atomic_exchange(&key->past, past);
	if (!key->past_changed) {
		family->changed_pasts =
			xgrow(family->changed_pasts, family->changed_past_count,
			      sizeof(*family->changed_pasts));
		family->changed_pasts[family->changed_past_count++] = series;
		key->past_changed = true;
	}
	pthread_mutex_unlock(&family->lock);
	return before;
}

uint32_t *family_changed_pasts(struct family *family, size_t *count)
{
	uint32_t *list = NULL;

	pthread_mutex_lock(&family->lock);
	*count = family->changed_past_count;
	if (*count > 0) {
		list = xcalloc(*count, sizeof(*list));
		memcpy(list, family->changed_pasts, *count * sizeof(*list));
	}
	pthread_mutex_unlock(&family->lock);
	return list;
}

void family_note_pasts_saved(struct family *family, uint64_t sequence)
{
	size_t kept = 0;

	pthread_mutex_lock(&family->lock);
	for (size_t i = 0; i < family->changed_past_count; i++) {
		uint32_t series = family->changed_pasts[i];
		struct series_key *key = keys_at(&family->keys, series);
		const struct past *past = atomic_load(&key->past);

		key->past_changed = past && past->sequence > sequence;
		if (key->past_changed)
			family->changed_pasts[kept++] = series;
	}
	family->changed_past_count = kept;
	pthread_mutex_unlock(&family->lock);
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
