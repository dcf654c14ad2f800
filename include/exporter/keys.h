/*
 * keys.h - the series of one metric: from number to label text and back.
 *
 * For family.h.  Numbers ascend from 0; a key never moves, and its text does not
 * change while it is in use.  A number whose series is gone may be given to
 * another text.  Who adds, finds or removes holds the family's lock; readers take
 * none: a key below keys_count() that is not gone is complete.
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
	atomic_bool limited; /* one of those that the limits bound, and that expire */
	atomic_bool marked;
	atomic_bool hidden;
	atomic_bool expired; /* not shown, and not counted against the limits */
	atomic_bool leaving; /* nobody has asked for it since it was to go */
	atomic_bool gone;    /* no series has the number; the text means nothing */
	/* They change with the text; of the one who saves: what is saved. */
	atomic_uchar version;
	unsigned char saved_version;
	bool past_changed;         /* it is in the family's list; with its lock */
	_Atomic uint64_t born;     /* sequence of the first cut that held it */
	struct past *_Atomic past; /* when it was hidden (life.h); NULL: it never was */
};

/*
 * They lie in segments of which each is twice as long as the one before, so
 * the list of segments has a fixed length and nothing ever moves.
 */
#define KEYS_SEGMENTS 28

struct keys {
	struct series_key *_Atomic segments[KEYS_SEGMENTS];
	atomic_uint count;
	uint32_t *free; /* numbers to be given away */
	size_t free_count;
	uint32_t *given; /* of those, since keys_take_given() */
	size_t given_count;
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

/* The same with the next number, whatever is free; and that number, gone and free. */
uint32_t keys_append(struct keys *keys, struct slice text, uint64_t born, bool limited);
void keys_append_free(struct keys *keys);

/*
 * The series is gone: its text is not found any more.  Readers may go on reading it
 * until keys_free(), after which the number may be given to another.
 */
void keys_remove(struct keys *keys, uint32_t number);
void keys_free(struct keys *keys, uint32_t number);

/* Numbers that were given anew since the last call; the caller frees the list. */
uint32_t *keys_take_given(struct keys *keys, size_t *count);

#endif
