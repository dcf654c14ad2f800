#include "exporter/pane.h"

#include <stdlib.h>
#include <string.h>

#include "common/xalloc.h"

struct pane *pane_create(int64_t index, uint32_t room)
{
	struct pane *pane = xmalloc(sizeof(*pane) + room * sizeof(pane->cells[0]));

	atomic_init(&pane->refs, 1);
	pane->count = 0;
	pane->room = room;
	pane->is_dense = false;
	pane->index = index;
	return pane;
}

struct pane *pane_ref(struct pane *pane)
{
	atomic_fetch_add_explicit(&pane->refs, 1, memory_order_relaxed);
	return pane;
}

void pane_unref(struct pane *pane)
{
	if (pane &&
	    atomic_fetch_sub_explicit(&pane->refs, 1, memory_order_acq_rel) == 1)
		free(pane);
}

/* Acquire pairs with the release of the last reader. */
struct pane *pane_own(struct pane *pane)
{
	struct pane *mine;

	if (atomic_load_explicit(&pane->refs, memory_order_acquire) == 1)
		return pane;
	mine = pane_create(pane->index, pane->count);
	mine->count = pane->count;
	mine->is_dense = pane->is_dense;
	memcpy(mine->cells, pane->cells, pane->count * sizeof(pane->cells[0]));
	pane_unref(pane);
	return mine;
}

/* Grows by a half, so that many small ones stay small. */
static struct pane *make_room(struct pane *pane)
{
	struct pane *larger = pane_create(pane->index, pane->room + pane->room / 2 + 2);

	larger->count = pane->count;
	larger->is_dense = pane->is_dense;
	memcpy(larger->cells, pane->cells, pane->count * sizeof(pane->cells[0]));
	free(pane);
	return larger;
}

struct pane *pane_insert(struct pane *pane, uint32_t at, uint64_t cell)
{
	if (pane->count == pane->room)
		pane = make_room(pane);
	memmove(pane->cells + at + 1, pane->cells + at,
		(pane->count - at) * sizeof(pane->cells[0]));
	pane->cells[at] = cell;
	pane->count++;
	return pane;
}

uint32_t pane_find(const struct pane *pane, uint64_t cell)
{
	uint32_t from = 0, until = pane->count;

	while (from < until) {
		uint32_t middle = from + (until - from) / 2;

		if (pane->cells[middle] < cell)
			from = middle + 1;
		else
			until = middle;
	}
	return from;
}
