#include <math.h>
#include <stdlib.h>

#include "common/suggest.h"
#include "common/xalloc.h"
#include "parsers/loader.h"

static void load_as(struct loader *l, const struct yaml_node *metric,
		    struct rule_metric *out)
{
	const struct yaml_node *node = yaml_get(metric, "as");
	const char *names[VALUE_KINDS];
	const char *closest;
	char *instead;

	if (!node || !yaml_expect(node, YAML_SCALAR, "as", l->diag))
		return;
	for (int i = 0; i < VALUE_KINDS; i++) {
		names[i] = value_as_name((enum value_as)i);
		if (slice_is(node->text, names[i])) {
			out->as = (enum value_as)i;
			return;
		}
	}
	closest = suggest_closest(node->text.ptr, names, VALUE_KINDS);
	instead = closest ? xasprintf("did you mean %s?", closest)
			  : xstrdup("write number, grouped, duration, bytes, percent "
				    "or timestamp");
	diag_error(l->diag, node->at, instead, "as: %.*s is not known",
		   SLICE_SHOWN(node->text));
	free(instead);
}

static void check_constant_value(struct loader *l, const struct yaml_node *node,
				 struct rule_metric *out)
{
	double ignored;

	if (out->value.count != 1 || !template_is_constant(&out->value) ||
	    value_parse(out->as, out->value.parts[0].text, &ignored))
		return;
	diag_error(l->diag, node->at, "write a number, or $name for a capture",
		   "value: %.*s is not a %s", SLICE_SHOWN(node->text),
		   value_as_name(out->as));
}

/* 9 ms times 0.001 is not the double that 0.009 is; divided by 1000 it is. */
static void load_scale(struct loader *l, const struct yaml_node *metric,
		       struct rule_metric *out)
{
	const struct yaml_node *node = yaml_get(metric, "scale");
	double divisor;

	out->scale = 1;
	if (!node || !load_number(l, node, "scale", &out->scale) || out->scale == 0)
		return;
	divisor = round(1 / out->scale);
	if (divisor > 1 && 1 / divisor == out->scale)
		out->divisor = divisor;
}

static void check_constant_state(struct loader *l, const struct yaml_node *node,
				 const struct metric_def *def,
				 const struct rule_metric *out)
{
	if (out->value.count != 1 || !template_is_constant(&out->value) ||
	    def->state_count == 0)
		return;
	for (size_t i = 0; i < def->state_count; i++)
		if (slice_is(out->value.parts[0].text, def->states[i]))
			return;
	diag_error(l->diag, node->at, "write one of them, or add it to states",
		   "value: %.*s is none of the states of %s", SLICE_SHOWN(node->text),
		   def->name);
}

/* A unique has no value: the text of a field is looked at. */
static void load_from(struct loader *l, const struct yaml_node *metric,
		      const struct field_scope *scope, struct rule_metric *out)
{
	const struct yaml_node *node = yaml_get(metric, "from");

	if (node)
		out->from = load_field(l, scope, node, "from");
	else
		diag_error(l->diag, metric->at, "add from: and a field's name",
			   "a unique needs the field whose different texts it counts");
}

static bool needs_value(const struct metric_def *def, const struct rule_metric *out)
{
	return def->kind != METRIC_COUNTER && out->op != UPDATE_ADD &&
	       out->op != UPDATE_SUBTRACT;
}

void load_value(struct loader *l, const struct yaml_node *metric,
		const struct field_scope *scope, const struct metric_def *def,
		struct rule_metric *out)
{
	const struct yaml_node *node = yaml_get(metric, "value");
	struct slice text;

	load_as(l, metric, out);
	load_scale(l, metric, out);
	if (def->kind == METRIC_UNIQUE) {
		load_from(l, metric, scope, out);
		return;
	}
	if (!node) {
		if (needs_value(def, out))
			diag_error(l->diag, metric->at,
				   def->kind == METRIC_STATE
					   ? "add value: $name or one of the states"
					   : "add value: $name or a number",
				   "a %s needs a value", metric_kind_name(def->kind));
		return;
	}
	if (!yaml_expect(node, YAML_SCALAR, "value", l->diag) ||
	    !yaml_pattern_text(node, "value", &text, l->diag) ||
	    !template_parse(&out->value, text, node->at, l->arena, scope, l->diag))
		return;
	out->has_value = true;
	for (size_t i = 0; i < out->value.count; i++)
		if (out->value.parts[i].field &&
		    out->value.parts[i].field->builtin == FIELD_TIME)
			out->value_is_time = true;
	if (def->kind == METRIC_STATE)
		check_constant_state(l, node, def, out);
	else
		check_constant_value(l, node, out);
}
