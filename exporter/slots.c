#include "exporter/slots.h"

#include <assert.h>
#include <math.h>
#include <string.h>

_Static_assert(sizeof(union slot) == sizeof(double), "slots are an array of doubles");

/* Slots of a gauge.  The second one is 0 while the gauge has no value. */
enum { GAUGE_VALUE, GAUGE_SET, GAUGE_WIDTH };

struct layout layout_of(const struct metric_def *def)
{
	struct layout layout = {.kind = def->kind, .width = 1};

	if (def->kind == METRIC_GAUGE) {
		layout.gauge_adds = def->gauge_adds;
		layout.width = GAUGE_WIDTH;
	} else if (def->kind == METRIC_HISTOGRAM) {
		assert(def->bucket_count <= METRIC_MAX_BUCKETS);
		layout.bounds = def->buckets;
		layout.bound_count = def->bucket_count;
		layout.width = def->bucket_count + 2;
	}
	return layout;
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

/* The stored time 0 means "no value": the epoch itself moves by 1 ns. */
static enum update_result set_latest(union slot *slots, double value, int64_t time_ns)
{
	bool has_value = slots[GAUGE_SET].time_ns != 0;

	if (time_ns == 0)
		time_ns = 1;
	if (has_value && time_ns != METRIC_NO_TIME &&
	    time_ns < slots[GAUGE_SET].time_ns)
		return UPDATE_OLD;
	if (!has_value || time_ns != METRIC_NO_TIME)
		slots[GAUGE_SET].time_ns = time_ns;
	slots[GAUGE_VALUE].number = value;
	return UPDATE_DONE;
}

static enum update_result update_gauge(const struct layout *layout, union slot *slots,
				       enum update_op op, double value, int64_t time_ns)
{
	if (op == UPDATE_SET && !layout->gauge_adds)
		return set_latest(slots, value, time_ns);
	if (slots[GAUGE_SET].time_ns == 0)
		slots[GAUGE_SET].time_ns = METRIC_NO_TIME;
	if (op == UPDATE_SET)
		slots[GAUGE_VALUE].number = value;
	else
		slots[GAUGE_VALUE].number += op == UPDATE_SUBTRACT ? -value : value;
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
	return UPDATE_DONE;
}

static void merge_gauge(const struct layout *layout, union slot *total,
			const union slot *slots)
{
	if (slots[GAUGE_SET].time_ns == 0)
		return;
	if (layout->gauge_adds) {
		total[GAUGE_VALUE].number += slots[GAUGE_VALUE].number;
		total[GAUGE_SET] = slots[GAUGE_SET];
	} else if (total[GAUGE_SET].time_ns == 0 ||
		   slots[GAUGE_SET].time_ns >= total[GAUGE_SET].time_ns) {
		memcpy(total, slots, GAUGE_WIDTH * sizeof(*total));
	}
}

void slots_merge(const struct layout *layout, union slot *total,
		 const union slot *slots)
{
	if (layout->kind == METRIC_GAUGE) {
		merge_gauge(layout, total, slots);
		return;
	}
	for (size_t i = 0; i < layout->width; i++)
		total[i].number += slots[i].number;
}

bool slots_have_value(const struct layout *layout, const union slot *slots)
{
	return layout->kind != METRIC_GAUGE || slots[GAUGE_SET].time_ns != 0;
}

struct slots_value slots_value(const struct layout *layout, const union slot *slots)
{
	size_t buckets = layout->bound_count + 1;

	switch (layout->kind) {
	case METRIC_GAUGE:
		return (struct slots_value){.number = slots[GAUGE_VALUE].number,
					    .time_ns = slots[GAUGE_SET].time_ns};
	case METRIC_HISTOGRAM:
		return (struct slots_value){.number = slots[buckets].number,
					    .buckets = &slots->number,
					    .bucket_count = buckets};
	default:
		return (struct slots_value){.number = slots[0].number};
	}
}

bool slots_value_fits(const struct layout *layout, const struct slots_value *value)
{
	size_t buckets = layout->kind == METRIC_HISTOGRAM ? layout->bound_count + 1 : 0;

	return value->bucket_count == buckets;
}

void slots_restore(const struct layout *layout, union slot *slots,
		   const struct slots_value *value)
{
	switch (layout->kind) {
	case METRIC_GAUGE:
		slots[GAUGE_VALUE].number = value->number;
		slots[GAUGE_SET].time_ns = value->time_ns;
		break;
	case METRIC_HISTOGRAM:
		memcpy(slots, value->buckets,
		       value->bucket_count * sizeof(*value->buckets));
		slots[value->bucket_count].number = value->number;
		break;
	default:
		slots[0].number = value->number;
	}
}
