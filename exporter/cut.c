#include "exporter/cut.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/xalloc.h"
#include "exporter/family.h"
#include "exporter/life.h"
#include "exporter/part.h"
#include "exporter/slots.h"

struct cut {
	struct cut *older, *newer; /* that are alive */
	atomic_uint refs;
	uint64_t sequence;
	struct schema *schema;
	bool hide_patterns;
	struct part **parts;
	size_t part_count;
	size_t *series; /* by metric */
	/* By metric, then part; NULL where a part lacks the family. */
	const struct share **shares;
};

/* All that are alive, in ascending sequence. */
static struct {
	pthread_mutex_t lock;
	struct cut *oldest, *newest;
	size_t count;
} alive = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void enter(struct cut *cut)
{
	pthread_mutex_lock(&alive.lock);
	cut->older = alive.newest;
	*(cut->older ? &cut->older->newer : &alive.oldest) = cut;
	alive.newest = cut;
	alive.count++;
	pthread_mutex_unlock(&alive.lock);
}

static void leave(struct cut *cut)
{
	pthread_mutex_lock(&alive.lock);
	*(cut->older ? &cut->older->newer : &alive.oldest) = cut->newer;
	*(cut->newer ? &cut->newer->older : &alive.newest) = cut->older;
	alive.count--;
	pthread_mutex_unlock(&alive.lock);
}

size_t cuts_alive(void)
{
	size_t count;

	pthread_mutex_lock(&alive.lock);
	count = alive.count;
	pthread_mutex_unlock(&alive.lock);
	return count;
}

uint64_t cuts_oldest(void)
{
	uint64_t sequence;

	pthread_mutex_lock(&alive.lock);
	sequence = alive.oldest ? alive.oldest->sequence : UINT64_MAX;
	pthread_mutex_unlock(&alive.lock);
	return sequence;
}

static const struct share **shares_of(const struct cut *cut, size_t metric)
{
	return cut->shares + metric * cut->part_count;
}

static void resolve_part(struct cut *cut, size_t part_index)
{
	const struct part *part = cut->parts[part_index];
	size_t count = schema_total(cut->schema), index;

	for (size_t i = 0; i < count; i++) {
		index = i;
		if (part->schema == cut->schema ||
		    schema_find(part->schema, schema_family(cut->schema, i), &index))
			shares_of(cut, i)[part_index] = &part->shares[index];
	}
}

/*
 * A worker may have asked for a series before its part was taken and another
 * after its own: the cut holds all that any part knows of.
 */
static void count_series(struct cut *cut)
{
	for (size_t i = 0; i < schema_total(cut->schema); i++)
		for (size_t p = 0; p < cut->part_count; p++) {
			const struct share *share = shares_of(cut, i)[p];

			if (share && share->series > cut->series[i])
				cut->series[i] = share->series;
		}
}

static bool is_hidden(const struct cut *cut, size_t metric)
{
	return cut->hide_patterns && metric >= schema_own_count(cut->schema);
}

static void stamp_births(const struct cut *cut)
{
	for (size_t i = 0; i < schema_total(cut->schema); i++)
		family_stamp(schema_family(cut->schema, i), cut->series[i],
			     is_hidden(cut, i) ? BORN_OLD : cut->sequence);
}

static void update_lives(const struct cut *cut)
{
	int64_t now_ns = clock_wall_ns();

	for (size_t i = 0; i < schema_total(cut->schema); i++)
		life_update(schema_family(cut->schema, i), cut, i, now_ns,
			    is_hidden(cut, i));
}

struct cut *cut_create(uint64_t sequence, struct schema *schema,
		       struct part *const *parts, size_t part_count, bool hide_patterns)
{
	struct cut *cut = xcalloc(1, sizeof(*cut));

	assert(sequence != BORN_OLD);
	atomic_init(&cut->refs, 1);
	cut->sequence = sequence;
	cut->schema = schema_ref(schema);
	cut->hide_patterns = hide_patterns;
	cut->parts = xcalloc(part_count, sizeof(struct part *));
	cut->part_count = part_count;
	cut->series = xcalloc(schema_total(schema), sizeof(*cut->series));
	cut->shares = xcalloc(schema_total(schema) * part_count, sizeof(*cut->shares));
	for (size_t i = 0; i < part_count; i++) {
		cut->parts[i] = parts[i];
		if (parts[i])
			resolve_part(cut, i);
	}
	count_series(cut);
	stamp_births(cut);
	update_lives(cut);
	enter(cut);
	return cut;
}

struct cut *cut_ref(struct cut *cut)
{
	atomic_fetch_add_explicit(&cut->refs, 1, memory_order_relaxed);
	return cut;
}

void cut_unref(struct cut *cut)
{
	if (!cut || atomic_fetch_sub_explicit(&cut->refs, 1, memory_order_acq_rel) != 1)
		return;
	leave(cut);
	for (size_t i = 0; i < cut->part_count; i++)
		part_unref(cut->parts[i]);
	schema_unref(cut->schema);
	free(cut->parts);
	free(cut->series);
	free(cut->shares);
	free(cut);
}

uint64_t cut_sequence(const struct cut *cut)
{
	return cut->sequence;
}

struct schema *cut_schema(const struct cut *cut)
{
	return cut->schema;
}

bool cut_hides_patterns(const struct cut *cut)
{
	return cut->hide_patterns;
}

bool cut_shows(const struct cut *cut, size_t metric)
{
	return metric < schema_count(cut->schema) && !is_hidden(cut, metric) &&
	       !family_is_base(schema_family(cut->schema, metric));
}

size_t cut_series(const struct cut *cut, size_t metric)
{
	return cut->series[metric];
}

/* The slots of the only worker that touched the series are not copied. */
const union slot *cut_slots(const struct cut *cut, size_t metric, uint32_t series,
			    union slot *scratch)
{
	const struct layout *layout = family_layout(schema_family(cut->schema, metric));
	const struct share **shares = shares_of(cut, metric);
	const union slot *result = NULL;

	for (size_t p = 0; p < cut->part_count; p++) {
		const union slot *slots =
			shares[p] ? share_slots(shares[p], series, layout->width)
				  : NULL;

		if (!slots)
			continue;
		if (!result) {
			result = slots;
			continue;
		}
		if (result != scratch)
			result = memcpy(scratch, result,
					layout->width * sizeof(*scratch));
		slots_merge(layout, scratch, slots);
	}
	if (!result)
		result = memset(scratch, 0, layout->width * sizeof(*scratch));
	return slots_have_value(layout, result) ? result : NULL;
}

/* Mostly one worker has all of it. */
struct panes *cut_panes(const struct cut *cut, size_t metric, uint32_t series)
{
	const struct layout *layout = family_layout(schema_family(cut->schema, metric));
	const struct share **shares = shares_of(cut, metric);
	struct panes *result = NULL;

	for (size_t p = 0; layout->panes.kind && p < cut->part_count; p++) {
		const union slot *slots =
			shares[p] ? share_slots(shares[p], series, layout->width)
				  : NULL;
		struct panes *panes = slots ? slots_panes(layout, slots) : NULL;
		struct panes *before = result;

		if (!panes)
			continue;
		result = before ? panes_merge(&layout->panes, before, panes)
				: panes_ref(panes);
		panes_unref(before);
	}
	return result;
}

size_t cut_part_count(const struct cut *cut)
{
	return cut->part_count;
}

const struct share *cut_share(const struct cut *cut, size_t metric, size_t part)
{
	return shares_of(cut, metric)[part];
}

bool cut_value(const struct cut *cut, size_t metric, uint32_t series, double *value)
{
	const struct family *family = schema_family(cut->schema, metric);
	union slot scratch[SLOTS_MAX];
	const struct layout *layout = family_layout(family);
	const union slot *slots;
	struct panes *panes;

	if (layout->sums > 1 || series >= cut->series[metric])
		return false;
	slots = cut_slots(cut, metric, series, scratch);
	if (!slots)
		return false;
	panes = cut_panes(cut, metric, series);
	*value = slots_number(layout, slots, panes);
	panes_unref(panes);
	return true;
}
