#include "exporter/chunk.h"

#include <stdlib.h>
#include <string.h>

#include "common/xalloc.h"

static struct chunk *create(const struct layout *layout)
{
	struct chunk *chunk = xcalloc(1, sizeof(*chunk) + CHUNK_SERIES * layout->width *
								  sizeof(union slot));

	atomic_init(&chunk->refs, 1);
	chunk->panes_width = layout->panes.kind ? (uint32_t)layout->width : 0;
	return chunk;
}

static struct panes *panes_at(const struct chunk *chunk, size_t series)
{
	size_t width = chunk->panes_width;

	return chunk->slots[series * width + SLOTS_PANES(width)].panes;
}

static struct chunk *copy(const struct chunk *chunk, size_t width)
{
	size_t slots_bytes = CHUNK_SERIES * width * sizeof(union slot);
	struct chunk *mine = xmalloc(sizeof(*mine) + slots_bytes);

	atomic_init(&mine->refs, 1);
	mine->panes_width = chunk->panes_width;
	memcpy(mine->slots, chunk->slots, slots_bytes);
	for (size_t i = 0; mine->panes_width > 0 && i < CHUNK_SERIES; i++)
		panes_ref(panes_at(mine, i));
	return mine;
}

static void destroy(struct chunk *chunk)
{
	for (size_t i = 0; chunk->panes_width > 0 && i < CHUNK_SERIES; i++)
		panes_unref(panes_at(chunk, i));
	free(chunk);
}

/*
 * Only the owner adds references, so one that reads 1 stays 1.  Acquire pairs
 * with the release in chunk_unref(): the last reader's reads come before our
 * writes.
 */
struct chunk *chunk_own(struct chunk *chunk, const struct layout *layout)
{
	struct chunk *mine;

	if (!chunk)
		return create(layout);
	if (atomic_load_explicit(&chunk->refs, memory_order_acquire) == 1)
		return chunk;
	mine = copy(chunk, layout->width);
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
		destroy(chunk);
}
