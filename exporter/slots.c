#include "exporter/slots.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(sizeof(union slot) == sizeof(double), "slots are an array of doubles");

static enum panes_kind panes_kind(const struct metric_def *def)
{
	if (def->kind == METRIC_SUMMARY)
		return PANES_SKETCH;
	if (def->kind == METRIC_UNIQUE)
		return PANES_DISTINCT;
	if (def->extreme != EXTREME_NONE)
		return def->extreme == EXTREME_LEAST ? PANES_LEAST : PANES_GREATEST;
	return PANES_NONE;
}

/* A summary has no bounds: its count is that of the bucket +Inf. */
static size_t sums(const struct metric_def *def)
{
	if (def->kind == METRIC_HISTOGRAM || def->kind == METRIC_SUMMARY)
		return def->bucket_count + 2;
	return panes_kind(def) == PANES_NONE;
}

struct layout layout_of(const struct metric_def *def)
{
	enum panes_kind kind = panes_kind(def);
	struct layout layout = {.kind = def->kind, .sums = sums(def)};

	assert(def->bucket_count <= METRIC_MAX_BUCKETS);
	assert(kind == PANES_NONE || def->window_ns > 0);
	layout.gauge_adds = def->gauge_adds;
	layout.bounds = def->buckets;
	layout.bound_count = def->bucket_count;
	if (kind != PANES_NONE)
		layout.panes = panes_shape(kind, def->window_ns);
	layout.width = layout.sums + (kind != PANES_NONE) + 1;
	return layout;
}

/* The last slot of every kind; 0 while the series has no log time. */
static int64_t *time_of(const struct layout *layout, union slot *slots)
{
	return &slots[layout->width - 1].time_ns;
}

int64_t slots_time(const struct layout *layout, const union slot *slots)
{
	return slots[layout->width - 1].time_ns;
}

/* The stored 0 means "none": the epoch itself moves by 1 ns. */
static int64_t stored_time(int64_t time_ns)
{
	return time_ns != 0 ? time_ns : 1;
}

/* METRIC_NO_TIME is before all others. */
static void note_time(int64_t *stored_ns, int64_t time_ns)
{
	time_ns = stored_time(time_ns);
	if (*stored_ns == 0 || time_ns > *stored_ns)
		*stored_ns = time_ns;
}

enum update_result layout_check(const struct layout *layout, enum update_op op,
				double value)
{
	if (op == UPDATE_SET)
		return UPDATE_DONE;
	if (!isfinite(value))
		return UPDATE_NOT_FINITE;
	if (layout->kind == METRIC_COUNTER && value < 0)
		return UPDATE_NEGATIVE;
	return UPDATE_DONE;
}

static enum update_result set_latest(union slot *value, int64_t *set_ns, double number,
				     int64_t time_ns)
{
	bool has_value = *set_ns != 0;

	if (has_value && time_ns != METRIC_NO_TIME && stored_time(time_ns) < *set_ns)
		return UPDATE_OLD;
	if (!has_value || time_ns != METRIC_NO_TIME)
		*set_ns = stored_time(time_ns);
	value->number = number;
	return UPDATE_DONE;
}

static void see(const struct layout *layout, union slot *slots, union seen seen,
		int64_t time_ns)
{
	struct panes **panes = &slots[SLOTS_PANES(layout->width)].panes;

	assert(time_ns != METRIC_NO_TIME);
	*panes = panes_add(&layout->panes, *panes, seen, time_ns);
	note_time(time_of(layout, slots), time_ns);
}

void slots_see(const struct layout *layout, union slot *slots, uint64_t hash,
	       int64_t time_ns)
{
	see(layout, slots, (union seen){.hash = hash}, time_ns);
}

void slots_clear(const struct layout *layout, union slot *slots)
{
	panes_unref(slots_panes(layout, slots));
	memset(slots, 0, layout->width * sizeof(*slots));
}

void slots_copy_sums(const struct layout *layout, union slot *to,
		     const union slot *from)
{
	memcpy(to, from, layout->width * sizeof(*to));
	if (layout->panes.kind)
		to[SLOTS_PANES(layout->width)].panes = NULL;
}

static enum update_result update_gauge(const struct layout *layout, union slot *slots,
				       enum update_op op, double value, int64_t time_ns)
{
	int64_t *set_ns = time_of(layout, slots);

	if (op == UPDATE_OBSERVE) {
		see(layout, slots, (union seen){.value = value}, time_ns);
		return UPDATE_DONE;
	}

	if (op == UPDATE_SET && !layout->gauge_adds)
		return set_latest(&slots[0], set_ns, value, time_ns);
	note_time(set_ns, time_ns);
	if (op == UPDATE_SET)
		slots[0].number = value;
	else
		slots[0].number += op == UPDATE_SUBTRACT ? -value : value;
	return UPDATE_DONE;
}

/* The first bound that is not below the value; bound_count: +Inf. */
static size_t bucket_of(const struct layout *layout, double value)
{
	size_t from = 0, to = layout->bound_count;

	while (from < to) {
		size_t middle = (from + to) / 2;

		if (layout->bounds[middle] < value)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

enum update_result slots_update(const struct layout *layout, union slot *slots,
				enum update_op op, double value, int64_t time_ns)
{
	switch (layout->kind) {
	case METRIC_COUNTER:
		assert(op == UPDATE_ADD);
		slots[0].number += value;
		break;
	case METRIC_GAUGE:
	case METRIC_STATE:
		assert((op == UPDATE_OBSERVE) == (layout->panes.kind != PANES_NONE));
		return update_gauge(layout, slots, op, value, time_ns);
	case METRIC_HISTOGRAM:
		assert(op == UPDATE_OBSERVE);
		slots[bucket_of(layout, value)].number += 1;
		slots[layout->bound_count + 1].number += value;
		break;
	case METRIC_SUMMARY:
		assert(op == UPDATE_OBSERVE);
		slots[0].number += 1;
		slots[1].number += value;
		see(layout, slots, (union seen){.value = value}, time_ns);
		return UPDATE_DONE;
	default:
		abort();
	}
	if (time_ns != METRIC_NO_TIME)
		note_time(time_of(layout, slots), time_ns);
	return UPDATE_DONE;
}

static void merge_latest(const struct layout *layout, union slot *total,
			 const union slot *slots)
{
	int64_t total_ns = slots_time(layout, total), ns = slots_time(layout, slots);

	if (ns != 0 && (total_ns == 0 || ns >= total_ns))
		memcpy(total, slots, layout->width * sizeof(*total));
}

void slots_merge(const struct layout *layout, union slot *total,
		 const union slot *slots)
{
	int64_t ns = slots_time(layout, slots);

	if (metric_is_gauge(layout->kind) && !layout->gauge_adds) {
		merge_latest(layout, total, slots);
		return;
	}
	for (size_t i = 0; i < layout->sums; i++)
		total[i].number += slots[i].number;
	if (ns != 0)
		note_time(time_of(layout, total), ns);
}

bool slots_have_value(const struct layout *layout, const union slot *slots)
{
	return !metric_is_gauge(layout->kind) || slots_time(layout, slots) != 0;
}

double slots_number(const struct layout *layout, const union slot *slots,
		    const struct panes *panes)
{
	if (layout->sums == 0)
		return panes_number(&layout->panes, panes);
	return slots[layout->sums - 1].number;
}

struct slots_value slots_value(const struct layout *layout, const union slot *slots,
			       const struct panes *panes, struct strbuf *encoded)
{
	struct slots_value value = {.number = slots_number(layout, slots, panes),
				    .time_ns = slots_time(layout, slots)};

	if (layout->sums > 1) {
		value.buckets = &slots->number;
		value.bucket_count = layout->sums - 1;
	}
	if (panes) {
		strbuf_clear(encoded);
		panes_encode(&layout->panes, panes, encoded);
		value.panes = strbuf_slice(encoded);
	}
	return value;
}

bool slots_restore(const struct layout *layout, union slot *slots,
		   const struct slots_value *value)
{
	size_t buckets = layout->sums > 1 ? layout->sums - 1 : 0;
	struct panes *panes = NULL;

	if (value->bucket_count != buckets)
		return false;
	if (value->panes.len > 0 && layout->panes.kind)
		panes = panes_decode(&layout->panes, value->panes);
	if (value->panes.len > 0 && !panes)
		return false;
	if (buckets > 0)
		memcpy(slots, value->buckets, buckets * sizeof(*value->buckets));
	if (layout->sums > 0)
		slots[layout->sums - 1].number = value->number;
	if (panes)
		slots[SLOTS_PANES(layout->width)].panes = panes;
	*time_of(layout, slots) = value->time_ns;
	return true;
}
