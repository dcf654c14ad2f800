#include "exporter/slots.h"

#include <assert.h>
#include <math.h>
#include <string.h>

_Static_assert(sizeof(union slot) == sizeof(double), "slots are an array of doubles");

struct layout layout_of(const struct metric_def *def)
{
	struct layout layout = {.kind = def->kind, .width = 2};

	if (def->kind == METRIC_GAUGE) {
		layout.gauge_adds = def->gauge_adds;
	} else if (def->kind == METRIC_HISTOGRAM) {
		assert(def->bucket_count <= METRIC_MAX_BUCKETS);
		layout.bounds = def->buckets;
		layout.bound_count = def->bucket_count;
		layout.width = def->bucket_count + 3;
	}
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

static enum update_result update_gauge(const struct layout *layout, union slot *slots,
				       enum update_op op, double value, int64_t time_ns)
{
	int64_t *set_ns = time_of(layout, slots);

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
		assert(op != UPDATE_OBSERVE);
		return update_gauge(layout, slots, op, value, time_ns);
	case METRIC_HISTOGRAM:
		assert(op == UPDATE_OBSERVE);
		slots[bucket_of(layout, value)].number += 1;
		slots[layout->bound_count + 1].number += value;
		break;
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

	if (layout->kind == METRIC_GAUGE && !layout->gauge_adds) {
		merge_latest(layout, total, slots);
		return;
	}
	for (size_t i = 0; i + 1 < layout->width; i++)
		total[i].number += slots[i].number;
	if (ns != 0)
		note_time(time_of(layout, total), ns);
}

bool slots_have_value(const struct layout *layout, const union slot *slots)
{
	return layout->kind != METRIC_GAUGE || slots_time(layout, slots) != 0;
}

struct slots_value slots_value(const struct layout *layout, const union slot *slots)
{
	size_t buckets = layout->bound_count + 1;
	struct slots_value value = {.number = slots[0].number,
				    .time_ns = slots_time(layout, slots)};

	if (layout->kind == METRIC_HISTOGRAM) {
		value.number = slots[buckets].number;
		value.buckets = &slots->number;
		value.bucket_count = buckets;
	}
	return value;
}

bool slots_value_fits(const struct layout *layout, const struct slots_value *value)
{
	size_t buckets = layout->kind == METRIC_HISTOGRAM ? layout->bound_count + 1 : 0;

	return value->bucket_count == buckets;
}

void slots_restore(const struct layout *layout, union slot *slots,
		   const struct slots_value *value)
{
	if (value->bucket_count > 0)
		memcpy(slots, value->buckets,
		       value->bucket_count * sizeof(*value->buckets));
	slots[value->bucket_count].number = value->number;
	*time_of(layout, slots) = value->time_ns;
}
