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

static void grow(struct index *index)
{
	struct index_entry *old = index->entries;
	size_t old_capacity = index->capacity;

	index->capacity = old_capacity ? old_capacity * 2 : CAPACITY_FIRST;
	index->entries = xcalloc(index->capacity, sizeof(*index->entries));
	for (size_t i = 0; i < old_capacity; i++)
		if (old[i].number_plus_1 != 0)
			*find(index, old[i].hash) = old[i];
	free(old);
}

void index_add(struct index *index, XXH128_hash_t hash, uint32_t number)
{
	if ((index->count + 1) * 4 > index->capacity * 3)
		grow(index);
	*find(index, hash) =
		(struct index_entry){.hash = hash, .number_plus_1 = number + 1};
	index->count++;
}
