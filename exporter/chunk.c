#include "exporter/chunk.h"

#include <stdlib.h>
#include <string.h>

#include "common/xalloc.h"

static struct chunk *create(size_t width)
{
	struct chunk *chunk =
		xcalloc(1, sizeof(*chunk) + CHUNK_SERIES * width * sizeof(union slot));

	atomic_init(&chunk->refs, 1);
	return chunk;
}

static struct chunk *copy(const struct chunk *chunk, size_t width)
{
	size_t slots_bytes = CHUNK_SERIES * width * sizeof(union slot);
	struct chunk *mine = xmalloc(sizeof(*mine) + slots_bytes);

	atomic_init(&mine->refs, 1);
	memcpy(mine->slots, chunk->slots, slots_bytes);
	return mine;
}

/*
 * Only the owner adds references, so one that reads 1 stays 1.  Acquire pairs
 * with the release in chunk_unref(): the last reader's reads come before our
 * writes.
 */
struct chunk *chunk_own(struct chunk *chunk, size_t width)
{
	struct chunk *mine;

	if (!chunk)
		return create(width);
	if (atomic_load_explicit(&chunk->refs, memory_order_acquire) == 1)
		return chunk;
	mine = copy(chunk, width);
	chunk_unref(chunk);
	return mine;
}

struct chunk *chunk_ref(struct chunk *chunk)
{
	atomic_fetch_add_explicit(&chunk->refs, 1, memory_order_relaxed);
	return chunk;
}

void chunk_unref(struct chunk *chunk)
{
	if (chunk &&
	    atomic_fetch_sub_explicit(&chunk->refs, 1, memory_order_acq_rel) == 1)
		free(chunk);
}
