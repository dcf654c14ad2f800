#include <math.h>

#include "parsers/loader.h"

#define KEYS(array) array, sizeof(array) / sizeof((array)[0])

static const char *const linear_keys[] = {"start", "width", "count"};
static const char *const factor_keys[] = {"start", "factor", "count"};

/* The default of Prometheus' client libraries: seconds of a web request. */
static const double default_buckets[] = {0.005, 0.01, 0.025, 0.05, 0.1, 0.25,
					 0.5,   1,    2.5,   5,    10};

bool load_number(struct loader *l, const struct yaml_node *node, const char *what,
		 double *value)
{
	if (!yaml_expect(node, YAML_SCALAR, what, l->diag))
		return false;
	if (value_parse(VALUE_NUMBER, node->text, value) && isfinite(*value))
		return true;
	diag_error(l->diag, node->at, "write a number", "%s: %.*s is not a number",
		   what, SLICE_SHOWN(node->text));
	return false;
}

bool load_count(struct loader *l, const struct yaml_node *node, const char *what,
		size_t max, size_t *count)
{
	double value;

	if (!load_number(l, node, what, &value))
		return false;
	if (value >= 1 && value <= (double)max && value == floor(value)) {
		*count = (size_t)value;
		return true;
	}
	diag_error(l->diag, node->at, "write a whole number in that range",
		   "%s must be from 1 to %zu", what, max);
	return false;
}

/* -- buckets -------------------------------------------------------------- */

static size_t load_bucket_list(struct loader *l, const struct yaml_node *node,
			       double *bounds)
{
	size_t count = 0;

	if (node->count > METRIC_MAX_BUCKETS) {
		diag_error(l->diag, node->at, "use fewer", "more than %d buckets",
			   METRIC_MAX_BUCKETS);
		return 0;
	}
	for (size_t i = 0; i < node->count; i++) {
		const struct yaml_node *item = node->items[i];

		if (item->kind == YAML_SCALAR && slice_is(item->text, "+Inf") &&
		    i + 1 == node->count)
			break; /* it is always there */
		if (!load_number(l, item, "buckets", &bounds[count]))
			continue;
		if (count > 0 && bounds[count] <= bounds[count - 1])
			diag_error(l->diag, item->at, "write them in ascending order",
				   "the bucket %.*s is not above the one before it",
				   SLICE_SHOWN(item->text));
		count++;
	}
	return count;
}

static size_t load_bucket_row(struct loader *l, const struct yaml_node *node,
			      double *bounds)
{
	const struct yaml_node *step_node = yaml_get(node, "factor");
	bool factor = step_node != NULL;
	double start, step;
	size_t count;

	if (factor)
		yaml_check_keys(node, "buckets", KEYS(factor_keys), l->diag);
	else
		yaml_check_keys(node, "buckets", KEYS(linear_keys), l->diag);
	step_node = factor ? step_node : yaml_get(node, "width");
	if (!step_node || !yaml_get(node, "start") || !yaml_get(node, "count")) {
		diag_error(l->diag, node->at,
			   "write {start, factor, count} or {start, width, count}",
			   "buckets lack a key");
		return 0;
	}
	if (!load_number(l, yaml_get(node, "start"), "start", &start) ||
	    !load_number(l, step_node, factor ? "factor" : "width", &step) ||
	    !load_count(l, yaml_get(node, "count"), "count", METRIC_MAX_BUCKETS,
			&count))
		return 0;
	if (factor ? start <= 0 || step <= 1 : step <= 0) {
		diag_error(l->diag, step_node->at,
			   "start above 0 with a factor above 1, or a width above 0",
			   "these buckets do not ascend");
		return 0;
	}
	for (size_t i = 0; i < count; i++)
		bounds[i] = factor ? start * pow(step, (double)i)
				   : start + step * (double)i;
	return count;
}

void load_buckets(struct loader *l, const struct yaml_node *metric,
		  struct metric_def *def)
{
	const struct yaml_node *node = yaml_get(metric, "buckets");
	double bounds[METRIC_MAX_BUCKETS], *copy;

	if (!node) {
		def->buckets = default_buckets;
		def->bucket_count =
			sizeof(default_buckets) / sizeof(default_buckets[0]);
		return;
	}
	if (node->kind == YAML_SEQUENCE)
		def->bucket_count = load_bucket_list(l, node, bounds);
	else if (node->kind == YAML_MAPPING)
		def->bucket_count = load_bucket_row(l, node, bounds);
	else
		yaml_expect(node, YAML_SEQUENCE, "buckets", l->diag);
	copy = arena_alloc(l->arena, def->bucket_count * sizeof(*copy));
	memcpy(copy, bounds, def->bucket_count * sizeof(*copy));
	def->buckets = copy;
}
