/*
 * keys.h - the series of one metric: from number to label text and back.
 *
 * For family.h.  Numbers ascend from 0; a key never moves and its text never
 * changes.  Who adds or finds holds the family's lock; readers take none: a key
 * below keys_count() is complete.
 */
#ifndef EXPORTER_KEYS_H
#define EXPORTER_KEYS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/slice.h"

#define KEYS_NONE UINT32_MAX

struct series_key {
	char *text; /* rendered labels: a="x",b="y" */
	uint32_t text_bytes;
	bool limited; /* counts against the limits; the family's lock */
	atomic_bool marked;
	atomic_bool hidden;
	_Atomic uint64_t born; /* sequence of the first cut that held it */
};

/*
 * They lie in segments of which each is twice as long as the one before, so
 * the list of segments has a fixed length and nothing ever moves.
 */
#define KEYS_SEGMENTS 28

struct keys {
	struct series_key *_Atomic segments[KEYS_SEGMENTS];
	atomic_uint count;
	uint64_t seed;   /* of the hash of texts */
	uint32_t *table; /* by text: number + 1, or 0 */
	size_t table_size;
};

/* `keys` is all zero. */
void keys_init(struct keys *keys, uint64_t seed);
void keys_finish(struct keys *keys);

size_t keys_count(const struct keys *keys);
/* `number` is below keys_count(). */
struct series_key *keys_at(const struct keys *keys, uint32_t number);

/* KEYS_NONE if there is no such text. */
uint32_t keys_find(const struct keys *keys, struct slice text);

/* The text, which is copied, is new.  Returns its number. */
uint32_t keys_add(struct keys *keys, struct slice text, uint64_t born, bool limited);

#endif
