/*
 * hashmap.h - from byte strings to pointers.
 *
 * The values belong to the caller, keys are shorter than 4 GiB.  Not thread safe.
 */
#ifndef COMMON_HASHMAP_H
#define COMMON_HASHMAP_H

#include <stdbool.h>
#include <stddef.h>

#include "common/slice.h"

struct hashmap;

/* Copies the keys. */
struct hashmap *hashmap_create(void);
/* Keys stay where they are as long as they are in the map: mostly in the values. */
struct hashmap *hashmap_create_borrowing(void);

/* The values stay.  NULL is accepted. */
void hashmap_destroy(struct hashmap *map);

size_t hashmap_count(const struct hashmap *map);

/* NULL if there is no such key. */
void *hashmap_get(const struct hashmap *map, struct slice key);

/* Adds or replaces; `value` is not NULL.  Returns the value replaced, or NULL. */
void *hashmap_put(struct hashmap *map, struct slice key, void *value);

/* Returns the value taken out, or NULL. */
void *hashmap_remove(struct hashmap *map, struct slice key);

/*
 * Visits every entry in no particular order: start with *cursor = 0, stop
 * when it returns false.  The map must not change in between, except that
 * the entry just returned may be removed by hashmap_remove().
 */
bool hashmap_next(const struct hashmap *map, size_t *cursor, struct slice *key,
		  void **value);

#endif
