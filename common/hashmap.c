#include "common/hashmap.h"

#include <stdint.h>
#include <stdlib.h>
#include <xxhash.h>

#include "common/xalloc.h"

/*
 * Open addressing, linear probing; a removed entry leaves a tombstone.  There are
 * maps of very many entries: 32 bits of the hash tell enough.
 */
struct entry {
	uint32_t hash;
	uint32_t key_len; /* REMOVED where there is no key: a tombstone */
	const char *key;  /* NULL: never used, or removed */
	void *value;
};

#define REMOVED 1

struct hashmap {
	struct entry *entries;
	size_t capacity; /* a power of two */
	size_t count;
	size_t used; /* with tombstones */
	bool borrows;
};

struct hashmap *hashmap_create(void)
{
	struct hashmap *map = xcalloc(1, sizeof(*map));

	map->capacity = 8;
	map->entries = xcalloc(map->capacity, sizeof(*map->entries));
	return map;
}

struct hashmap *hashmap_create_borrowing(void)
{
	struct hashmap *map = hashmap_create();

	map->borrows = true;
	return map;
}

static void free_key(const struct hashmap *map, struct entry *e)
{
	if (!map->borrows)
		free((char *)e->key);
}

void hashmap_destroy(struct hashmap *map)
{
	if (!map)
		return;
	for (size_t i = 0; i < map->capacity; i++)
		free_key(map, &map->entries[i]);
	free(map->entries);
	free(map);
}

size_t hashmap_count(const struct hashmap *map)
{
	return map->count;
}

static bool holds(const struct entry *e, uint32_t hash, struct slice key)
{
	return e->key && e->hash == hash &&
	       slice_eq((struct slice){e->key, e->key_len}, key);
}

/* The entry of the key, or the free one where the search for it ended. */
static struct entry *find(const struct hashmap *map, uint32_t hash, struct slice key)
{
	size_t mask = map->capacity - 1;
	size_t i = hash & mask;

	while (map->entries[i].key || map->entries[i].key_len == REMOVED) {
		if (holds(&map->entries[i], hash, key))
			break;
		i = (i + 1) & mask;
	}
	return &map->entries[i];
}

static uint32_t hash_of(struct slice key)
{
	return (uint32_t)XXH3_64bits(key.ptr, key.len);
}

void *hashmap_get(const struct hashmap *map, struct slice key)
{
	const struct entry *e = find(map, hash_of(key), key);

	return e->key ? e->value : NULL;
}

static void rehash(struct hashmap *map, size_t capacity)
{
	struct entry *old = map->entries;
	size_t old_capacity = map->capacity;

	map->entries = xcalloc(capacity, sizeof(*map->entries));
	map->capacity = capacity;
	map->used = map->count;
	for (size_t i = 0; i < old_capacity; i++)
		if (old[i].key)
			*find(map, old[i].hash,
			      (struct slice){old[i].key, old[i].key_len}) = old[i];
	free(old);
}

void *hashmap_put(struct hashmap *map, struct slice key, void *value)
{
	uint32_t hash = hash_of(key);
	struct entry *e = find(map, hash, key);
	void *replaced = e->value;

	if (e->key) {
		e->value = value;
		if (map->borrows)
			e->key = key.ptr;
		return replaced;
	}
	if ((map->used + 1) * 4 > map->capacity * 3) {
		rehash(map, map->count * 4 > map->capacity ? map->capacity * 2
							   : map->capacity);
		e = find(map, hash, key);
	}
	*e = (struct entry){.hash = hash,
			    .key = map->borrows ? key.ptr : xstrndup(key.ptr, key.len),
			    .key_len = (uint32_t)key.len,
			    .value = value};
	map->count++;
	map->used++;
	return NULL;
}

void *hashmap_remove(struct hashmap *map, struct slice key)
{
	struct entry *e = find(map, hash_of(key), key);
	void *value = e->value;

	if (!e->key)
		return NULL;
	free_key(map, e);
	*e = (struct entry){.key_len = REMOVED};
	map->count--;
	return value;
}

bool hashmap_next(const struct hashmap *map, size_t *cursor, struct slice *key,
		  void **value)
{
	for (; *cursor < map->capacity; (*cursor)++) {
		const struct entry *e = &map->entries[*cursor];

		if (!e->key)
			continue;
		*key = (struct slice){e->key, e->key_len};
		*value = e->value;
		(*cursor)++;
		return true;
	}
	return false;
}
