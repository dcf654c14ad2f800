#include "exporter/keys.h"

#include <assert.h>
#include <stdlib.h>
#include <xxhash.h>

#include "common/xalloc.h"

#define SEGMENT_FIRST 16

void keys_init(struct keys *keys, uint64_t seed)
{
	keys->seed = seed;
}

void keys_finish(struct keys *keys)
{
	uint32_t count = keys->count;

	for (uint32_t i = 0; i < count; i++) {
		free(keys_at(keys, i)->text);
		free(keys_at(keys, i)->past);
	}
	for (size_t i = 0; i < KEYS_SEGMENTS; i++)
		free(keys->segments[i]);
	free(keys->table);
	free(keys->free);
	free(keys->given);
}

size_t keys_count(const struct keys *keys)
{
	return atomic_load_explicit(&keys->count, memory_order_acquire);
}

static unsigned segment_of(uint32_t number)
{
	return 31 - (unsigned)__builtin_clz(number / SEGMENT_FIRST + 1);
}

static size_t segment_start(unsigned segment)
{
	return SEGMENT_FIRST * (((size_t)1 << segment) - 1);
}

/* Relaxed: whoever knows the number got it after the segment was published. */
struct series_key *keys_at(const struct keys *keys, uint32_t number)
{
	unsigned segment = segment_of(number);
	struct series_key *first =
		atomic_load_explicit(&keys->segments[segment], memory_order_relaxed);

	return first + (number - segment_start(segment));
}

static struct slice text_at(const struct keys *keys, uint32_t number)
{
	const struct series_key *key = keys_at(keys, number);

	return (struct slice){key->text, key->text_bytes};
}

/* The slot of the text, or the free one where the search for it ends. */
static uint32_t *slot_of(const struct keys *keys, struct slice text)
{
	size_t mask = keys->table_size - 1;
	size_t i = XXH3_64bits_withSeed(text.ptr, text.len, keys->seed) & mask;

	while (keys->table[i] != 0 &&
	       !slice_eq(text_at(keys, keys->table[i] - 1), text))
		i = (i + 1) & mask;
	return &keys->table[i];
}

static void grow_table(struct keys *keys)
{
	free(keys->table);
	keys->table_size = keys->table_size ? keys->table_size * 2 : SEGMENT_FIRST * 2;
	keys->table = xcalloc(keys->table_size, sizeof(*keys->table));
	for (uint32_t i = 0; i < keys->count; i++)
		if (!keys_at(keys, i)->gone)
			*slot_of(keys, text_at(keys, i)) = i + 1;
}

uint32_t keys_find(const struct keys *keys, struct slice text)
{
	return keys->table_size ? *slot_of(keys, text) - 1 : KEYS_NONE;
}

/* Not yet published. */
static struct series_key *next_key(struct keys *keys)
{
	uint32_t number = keys->count;
	unsigned segment = segment_of(number);

	assert(segment < KEYS_SEGMENTS);
	if (number == segment_start(segment))
		keys->segments[segment] = xcalloc((size_t)SEGMENT_FIRST << segment,
						  sizeof(struct series_key));
	if ((size_t)number * 2 >= keys->table_size)
		grow_table(keys);
	return keys_at(keys, number);
}

static void publish_key(struct keys *keys)
{
	atomic_store_explicit(&keys->count, keys->count + 1, memory_order_release);
}

static void fill(struct series_key *key, struct slice text, uint64_t born, bool limited)
{
	key->text = xstrndup(text.ptr, text.len);
	key->text_bytes = (uint32_t)text.len;
	key->limited = limited;
	atomic_store_explicit(&key->born, born, memory_order_relaxed);
}

/* A reader that finds it not gone finds the rest as well. */
static uint32_t give(struct keys *keys, struct slice text, uint64_t born, bool limited)
{
	uint32_t number = keys->free[--keys->free_count];
	struct series_key *key = keys_at(keys, number);

	free(key->text);
	free(atomic_exchange(&key->past, NULL));
	fill(key, text, born, limited);
	key->expired = key->leaving = false;
	key->version++;
	atomic_store_explicit(&key->gone, false, memory_order_release);
	*slot_of(keys, text) = number + 1;
	keys->given = xgrow(keys->given, keys->given_count, sizeof(*keys->given));
	keys->given[keys->given_count++] = number;
	return number;
}

uint32_t keys_append(struct keys *keys, struct slice text, uint64_t born, bool limited)
{
	uint32_t number = keys->count;

	assert(text.len <= UINT32_MAX);
	fill(next_key(keys), text, born, limited);
	*slot_of(keys, text) = number + 1;
	publish_key(keys);
	return number;
}

uint32_t keys_add(struct keys *keys, struct slice text, uint64_t born, bool limited)
{
	return (keys->free_count > 0 ? give : keys_append)(keys, text, born, limited);
}

void keys_append_free(struct keys *keys)
{
	uint32_t number = keys->count;

	next_key(keys)->gone = true;
	publish_key(keys);
	keys_free(keys, number);
}

/* What a search would pass over moves up, so that no search ends too early. */
static void close_gap(struct keys *keys, uint32_t *gap)
{
	size_t mask = keys->table_size - 1, at = (size_t)(gap - keys->table);

	*gap = 0;
	for (size_t i = (at + 1) & mask; keys->table[i] != 0; i = (i + 1) & mask) {
		uint32_t entry = keys->table[i];

		keys->table[i] = 0;
		*slot_of(keys, text_at(keys, entry - 1)) = entry;
	}
}

void keys_remove(struct keys *keys, uint32_t number)
{
	struct series_key *key = keys_at(keys, number);

	close_gap(keys, slot_of(keys, text_at(keys, number)));
	key->version++;
	atomic_store_explicit(&key->gone, true, memory_order_release);
}

void keys_free(struct keys *keys, uint32_t number)
{
	keys->free = xgrow(keys->free, keys->free_count, sizeof(*keys->free));
	keys->free[keys->free_count++] = number;
}

uint32_t *keys_take_given(struct keys *keys, size_t *count)
{
	uint32_t *given = keys->given;

	*count = keys->given_count;
	keys->given = NULL;
	keys->given_count = 0;
	return given;
}
