/*
 * chunk.h - the values of 64 neighbouring series, shared until written.
 *
 * A store's thread writes; parts of cuts hold references and read.  The owner
 * asks for its chunk with chunk_own() before it writes, and gets a copy while
 * anybody else holds the old one, which so never changes again.
 */
#ifndef EXPORTER_CHUNK_H
#define EXPORTER_CHUNK_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "exporter/slots.h"

#define CHUNK_SERIES 64

struct chunk {
	atomic_uint refs;
	uint32_t panes_width; /* width of a series with panes, which are kept; or 0 */
	union slot slots[];
};

/*
 * The chunk to write to: `chunk` itself, or a copy if others hold it (the
 * caller's reference moves to the copy), or a new one, all zero, if NULL.  The chunks
 * of a family have the layout in common.
 */
struct chunk *chunk_own(struct chunk *chunk, const struct layout *layout);

/* Only the owner's thread. */
struct chunk *chunk_ref(struct chunk *chunk);

/* Any thread.  NULL is accepted. */
void chunk_unref(struct chunk *chunk);

/* `series`: the number in its family. */
static inline union slot *chunk_slots(struct chunk *chunk, uint32_t series,
				      size_t width)
{
	return chunk->slots + (series % CHUNK_SERIES) * width;
}

#endif
