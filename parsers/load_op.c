#include "parsers/loader.h"

/* What a gauge's update does, which of its rules it goes with. */
static const struct {
	const char *name;
	enum update_op op;
	bool adds;
	enum metric_extreme extreme;
} gauge_ops[] = {
	{"set", UPDATE_SET, false, EXTREME_NONE},
	{"add", UPDATE_ADD, true, EXTREME_NONE},
	{"subtract", UPDATE_SUBTRACT, true, EXTREME_NONE},
	{"min", UPDATE_OBSERVE, false, EXTREME_LEAST},
	{"max", UPDATE_OBSERVE, false, EXTREME_GREATEST},
};
#define OP_COUNT (sizeof(gauge_ops) / sizeof(gauge_ops[0]))

static const enum update_op usual_ops[METRIC_KINDS] = {
	[METRIC_COUNTER] = UPDATE_ADD,       [METRIC_GAUGE] = UPDATE_SET,
	[METRIC_HISTOGRAM] = UPDATE_OBSERVE, [METRIC_SUMMARY] = UPDATE_OBSERVE,
	[METRIC_UNIQUE] = UPDATE_SEE,        [METRIC_STATE] = UPDATE_SET,
};

void load_op(struct loader *l, const struct yaml_node *metric, struct metric_def *def,
	     struct rule_metric *out)
{
	const struct yaml_node *node = yaml_get(metric, "op");

	out->op = usual_ops[def->kind];
	if (!node || def->kind != METRIC_GAUGE ||
	    !yaml_expect(node, YAML_SCALAR, "op", l->diag))
		return;
	for (size_t i = 0; i < OP_COUNT; i++) {
		if (slice_is(node->text, gauge_ops[i].name)) {
			out->op = gauge_ops[i].op;
			def->gauge_adds = gauge_ops[i].adds;
			def->extreme = gauge_ops[i].extreme;
			return;
		}
	}
	diag_error(l->diag, node->at, "write set, add, subtract, min or max",
		   "op: %.*s is not known", SLICE_SHOWN(node->text));
}

/* -- mode, first --------------------------------------------------------- */

static void load_first(struct loader *l, const struct yaml_node *metric,
		       struct rule_metric *out)
{
	const struct yaml_node *node = yaml_get(metric, "first");

	if (!node || !yaml_expect(node, YAML_SCALAR, "first", l->diag))
		return;
	if (out->op != UPDATE_TOTAL)
		diag_error(l->diag, node->at, "add mode: total, or leave the key out",
			   "first is about running totals");
	else if (!slice_is(node->text, "count"))
		diag_error(l->diag, node->at,
			   "write count, or leave the key out for a first total that "
			   "counts nothing",
			   "first: %.*s is not known", SLICE_SHOWN(node->text));
	else
		out->first_counts = true;
}

/* After op. */
void load_mode(struct loader *l, const struct yaml_node *metric, enum metric_kind kind,
	       struct rule_metric *out)
{
	const struct yaml_node *node = yaml_get(metric, "mode");

	if (node && yaml_expect(node, YAML_SCALAR, "mode", l->diag)) {
		if (kind != METRIC_COUNTER)
			diag_error(l->diag, node->at,
				   kind == METRIC_GAUGE
					   ? "leave the key out: a gauge shows the "
					     "total as it is"
					   : "leave the key out",
				   "only a counter has a mode");
		else if (!slice_is(node->text, "total"))
			diag_error(l->diag, node->at,
				   "write total, or leave the key out",
				   "mode: %.*s is not known", SLICE_SHOWN(node->text));
		else if (!yaml_get(metric, "value"))
			diag_error(l->diag, node->at,
				   "add value: $name, the running total",
				   "mode: total needs a value");
		else
			out->op = UPDATE_TOTAL;
	}
	load_first(l, metric, out);
}
