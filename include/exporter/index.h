/*
 * index.h - from the hash of label values to a series number.
 *
 * Trusts the hash: 128 bits, seeded at random, are taken for the labels
 * themselves.  Not thread safe.
 */
#ifndef EXPORTER_INDEX_H
#define EXPORTER_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <xxhash.h>

#define INDEX_NONE UINT32_MAX

struct index_entry {
	XXH128_hash_t hash;
	uint32_t number_plus_1; /* 0: free */
};

/* All zero is an empty one. */
struct index {
	struct index_entry *entries;
	size_t capacity; /* 0 or a power of two */
	size_t count;
};

void index_finish(struct index *index);

/* INDEX_NONE if there is none. */
uint32_t index_get(const struct index *index, XXH128_hash_t hash);

/* `hash` is not there yet. */
void index_add(struct index *index, XXH128_hash_t hash, uint32_t number);

/* Forgets the entries of which `drops` is true. */
void index_drop(struct index *index, bool (*drops)(const void *ctx, uint32_t number),
		const void *ctx);

#endif
