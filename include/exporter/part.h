/*
 * part.h - one worker's share of a cut: references to its chunks.
 *
 * For the exporter's own modules.  Never changes once made.
 */
#ifndef EXPORTER_PART_H
#define EXPORTER_PART_H

#include <stddef.h>
#include <stdint.h>

#include "exporter/chunk.h"
#include "exporter/store.h"

/* Of one family. */
struct share {
	struct chunk **chunks; /* NULL: untouched, all zero */
	size_t chunk_count;
	size_t series;  /* of all workers, when the part was taken */
	uint64_t round; /* of life.h: what the store has done */
};

struct part {
	uint64_t sequence;
	struct schema *schema;
	struct chunk **chunks; /* of all shares */
	size_t chunk_count;
	struct share shares[]; /* one a family of the schema */
};

/* Takes a reference to the schema.  The caller fills the shares in. */
struct part *part_create(uint64_t sequence, struct schema *schema, size_t chunk_count);

/* References the chunks (NULLs included) of the family at `metric`. */
void part_add(struct part *part, size_t metric, uint64_t round,
	      struct chunk *const *chunks, size_t chunk_count);

/* NULL where nobody touched the series, which then is all zero. */
static inline const union slot *share_slots(const struct share *share, uint32_t series,
					    size_t width)
{
	size_t i = series / CHUNK_SERIES;

	if (i >= share->chunk_count || !share->chunks[i])
		return NULL;
	return chunk_slots(share->chunks[i], series, width);
}

#endif
