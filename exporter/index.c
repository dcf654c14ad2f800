#include "exporter/index.h"

#include <stdlib.h>

#include "common/xalloc.h"

#define CAPACITY_FIRST 8

void index_finish(struct index *index)
{
	free(index->entries);
	*index = (struct index){0};
}

/* The entry of the hash, or the free one where the search for it ends. */
static struct index_entry *find(const struct index *index, XXH128_hash_t hash)
{
	size_t mask = index->capacity - 1;
	size_t i = hash.low64 & mask;

	while (index->entries[i].number_plus_1 != 0 &&
	       !XXH128_isEqual(index->entries[i].hash, hash))
		i = (i + 1) & mask;
	return &index->entries[i];
}

uint32_t index_get(const struct index *index, XXH128_hash_t hash)
{
	if (index->capacity == 0)
		return INDEX_NONE;
	return find(index, hash)->number_plus_1 - 1; /* 0 - 1 is INDEX_NONE */
}

static void rebuild(struct index *index, size_t capacity)
{
	struct index_entry *old = index->entries;
	size_t old_capacity = index->capacity;

	index->capacity = capacity;
	index->entries = xcalloc(index->capacity, sizeof(*index->entries));
	for (size_t i = 0; i < old_capacity; i++)
		if (old[i].number_plus_1 != 0)
			*find(index, old[i].hash) = old[i];
	free(old);
}

void index_add(struct index *index, XXH128_hash_t hash, uint32_t number)
{
	if ((index->count + 1) * 4 > index->capacity * 3)
		rebuild(index, index->capacity ? index->capacity * 2 : CAPACITY_FIRST);
	*find(index, hash) =
		(struct index_entry){.hash = hash, .number_plus_1 = number + 1};
	index->count++;
}

void index_drop(struct index *index, bool (*drops)(const void *ctx, uint32_t number),
		const void *ctx)
{
	size_t before = index->count;

	for (size_t i = 0; i < index->capacity; i++) {
		struct index_entry *entry = &index->entries[i];

		if (entry->number_plus_1 == 0 || !drops(ctx, entry->number_plus_1 - 1))
			continue;
		entry->number_plus_1 = 0;
		index->count--;
	}
	/* Searches must not end where one was. */
	if (index->count < before)
		rebuild(index, index->capacity);
}
