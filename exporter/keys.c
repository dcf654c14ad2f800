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

	for (uint32_t i = 0; i < count; i++)
		free(keys_at(keys, i)->text);
	for (size_t i = 0; i < KEYS_SEGMENTS; i++)
		free(keys->segments[i]);
	free(keys->table);
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
		*slot_of(keys, text_at(keys, i)) = i + 1;
}

uint32_t keys_find(const struct keys *keys, struct slice text)
{
	return keys->table_size ? *slot_of(keys, text) - 1 : KEYS_NONE;
}

uint32_t keys_add(struct keys *keys, struct slice text, uint64_t born, bool limited)
{
	uint32_t number = keys->count;
	unsigned segment = segment_of(number);
	struct series_key *key;

	assert(segment < KEYS_SEGMENTS && text.len <= UINT32_MAX);
	if (number == segment_start(segment))
		keys->segments[segment] =
			xcalloc((size_t)SEGMENT_FIRST << segment, sizeof(*key));
	if ((size_t)number * 2 >= keys->table_size)
		grow_table(keys);
	key = keys_at(keys, number);
	key->text = xstrndup(text.ptr, text.len);
	key->text_bytes = (uint32_t)text.len;
	key->limited = limited;
	atomic_init(&key->born, born);
	*slot_of(keys, text) = number + 1;
	atomic_store_explicit(&keys->count, number + 1, memory_order_release);
	return number;
}
