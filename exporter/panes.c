#include "exporter/panes.h"

#include <assert.h>
#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "common/xalloc.h"
#include "exporter/distinct.h"
#include "exporter/pane.h"
#include "exporter/panes_list.h"
#include "exporter/sketch.h"

struct panes_shape panes_shape(enum panes_kind kind, int64_t window_ns)
{
	return (struct panes_shape){kind, window_ns / PANES + (window_ns % PANES > 0)};
}

/* ---- what is kept of a pane ---- */

static double extreme_of(const struct pane *pane)
{
	double value;

	memcpy(&value, &pane->cells[0], sizeof(value));
	return value;
}

/* Zeros are one, whatever their sign: else the order would show. */
static struct pane *take_extreme(enum panes_kind kind, struct pane *pane, double value)
{
	uint64_t cell;

	value += 0.0;
	memcpy(&cell, &value, sizeof(cell));
	if (pane->count == 0)
		return pane_insert(pane, 0, cell);
	if (kind == PANES_LEAST ? value < extreme_of(pane) : value > extreme_of(pane))
		pane->cells[0] = cell;
	return pane;
}

static struct pane *add(enum panes_kind kind, struct pane *pane, union seen seen)
{
	switch (kind) {
	case PANES_SKETCH:
		return sketch_add(pane, seen.value);
	case PANES_DISTINCT:
		return distinct_add(pane, seen.hash);
	default:
		return take_extreme(kind, pane, seen.value);
	}
}

static struct pane *merge(enum panes_kind kind, struct pane *into,
			  const struct pane *from)
{
	switch (kind) {
	case PANES_SKETCH:
		return sketch_merge(into, from);
	case PANES_DISTINCT:
		return distinct_merge(into, from);
	default:
		return take_extreme(kind, into, extreme_of(from));
	}
}

/* ---- the list ---- */

struct panes *panes_create(void)
{
	struct panes *panes = xcalloc(1, sizeof(*panes));

	atomic_init(&panes->refs, 1);
	return panes;
}

struct panes *panes_ref(struct panes *panes)
{
	if (panes)
		atomic_fetch_add_explicit(&panes->refs, 1, memory_order_relaxed);
	return panes;
}

void panes_unref(struct panes *panes)
{
	if (!panes ||
	    atomic_fetch_sub_explicit(&panes->refs, 1, memory_order_acq_rel) != 1)
		return;
	for (size_t i = 0; i < panes->count; i++)
		pane_unref(panes->list[i]);
	free(panes);
}

/* To write to: as chunk_own(). */
static struct panes *own(struct panes *panes)
{
	struct panes *mine;

	if (!panes)
		return panes_create();
	if (atomic_load_explicit(&panes->refs, memory_order_acquire) == 1)
		return panes;
	mine = panes_create();
	for (size_t i = 0; i < panes->count; i++)
		mine->list[mine->count++] = pane_ref(panes->list[i]);
	panes_unref(panes);
	return mine;
}

static int64_t newest(const struct panes *panes)
{
	return panes->list[panes->count - 1]->index;
}

static void let_go(struct panes *panes, int64_t newest_index)
{
	size_t old = 0;

	while (old < panes->count && panes->list[old]->index < newest_index - PANES)
		pane_unref(panes->list[old++]);
	panes->count -= old;
	memmove(panes->list, panes->list + old, panes->count * sizeof(panes->list[0]));
}

/* The place of the pane, which the caller makes if it is not there. */
static struct pane **place_of(struct panes *panes, int64_t index)
{
	size_t at = panes->count;

	if (at == 0 || index > newest(panes))
		let_go(panes, index);
	at = panes->count;
	while (at > 0 && panes->list[at - 1]->index >= index)
		at--;
	if (at < panes->count && panes->list[at]->index == index)
		return &panes->list[at];
	assert(panes->count <= PANES);
	memmove(panes->list + at + 1, panes->list + at,
		(panes->count - at) * sizeof(panes->list[0]));
	panes->list[at] = NULL;
	panes->count++;
	return &panes->list[at];
}

/* Rounded down, also before 1970. */
static int64_t index_of(const struct panes_shape *shape, int64_t time_ns)
{
	return time_ns / shape->pane_ns - (time_ns % shape->pane_ns < 0);
}

struct panes *panes_add(const struct panes_shape *shape, struct panes *panes,
			union seen seen, int64_t time_ns)
{
	int64_t index = index_of(shape, time_ns);
	struct pane **place;

	if (panes && index < newest(panes) - PANES)
		return panes;
	panes = own(panes);
	place = place_of(panes, index);
	*place = *place ? pane_own(*place) : pane_create(index, 1);
	*place = add(shape->kind, *place, seen);
	return panes;
}

struct panes *panes_merge(const struct panes_shape *shape, const struct panes *a,
			  const struct panes *b)
{
	struct panes *merged = panes_create();
	const struct panes *both[] = {a, b};

	for (size_t i = 0; i < 2; i++)
		for (size_t j = 0; both[i] && j < both[i]->count; j++) {
			struct pane *pane = both[i]->list[j], **place;

			if (merged->count > 0 && pane->index < newest(merged) - PANES)
				continue;
			place = place_of(merged, pane->index);
			*place = *place ? merge(shape->kind, pane_own(*place), pane)
					: pane_ref(pane);
		}
	return merged;
}

struct pane *panes_whole(const struct panes_shape *shape, const struct panes *panes)
{
	struct pane *whole = NULL;

	for (size_t i = 0; panes && i < panes->count; i++)
		whole = whole ? merge(shape->kind, pane_own(whole), panes->list[i])
			      : pane_ref(panes->list[i]);
	return whole;
}

double panes_number(const struct panes_shape *shape, const struct panes *panes)
{
	struct pane *whole = panes_whole(shape, panes);
	bool counts = shape->kind == PANES_DISTINCT;
	double number = counts ? 0 : NAN;

	if (whole)
		number = counts ? distinct_count(whole) : extreme_of(whole);
	pane_unref(whole);
	return number;
}
