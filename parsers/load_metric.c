#include <math.h>
#include <stdlib.h>

#include "common/clock.h"
#include "common/name.h"
#include "common/suggest.h"
#include "common/xalloc.h"
#include "parsers/loader.h"

#define KEYS(array) array, sizeof(array) / sizeof((array)[0])

static const char *const metric_keys[] = {"counter", "gauge",   "histogram",  "help",
					  "labels",  "value",   "as",         "scale",
					  "op",      "buckets", "max_series", "declare",
					  "expire",  "mode",    "first"};
static const struct {
	const char *key;
	enum metric_kind kind;
} kinds[] = {
	{"counter", METRIC_COUNTER},
	{"gauge", METRIC_GAUGE},
	{"histogram", METRIC_HISTOGRAM},
};
#define KIND_COUNT (sizeof(kinds) / sizeof(kinds[0]))

static const struct {
	const char *name;
	enum update_op op;
	bool adds;
} gauge_ops[] = {
	{"set", UPDATE_SET, false},
	{"add", UPDATE_ADD, true},
	{"subtract", UPDATE_SUBTRACT, true},
};
#define OP_COUNT (sizeof(gauge_ops) / sizeof(gauge_ops[0]))

/* -- names ---------------------------------------------------------------- */

static void check_metric_name(struct loader *l, const struct yaml_node *node,
			      enum metric_kind kind)
{
	struct slice name = node->text;

	if (!name_is_metric(name))
		diag_error(l->diag, node->at,
			   "use letters, digits and _, not a digit first",
			   "%.*s is not a metric name", SLICE_ARG(name));
	else if (slice_starts(name, "logtally_") || slice_starts(name, "process_"))
		diag_error(l->diag, node->at, "choose another prefix",
			   "%.*s: names starting logtally_ and process_ are the "
			   "daemon's own",
			   SLICE_ARG(name));
	else if (kind == METRIC_COUNTER && !slice_ends(name, "_total"))
		diag_error(l->diag, node->at, "add _total to its name",
			   "the counter %.*s does not end in _total", SLICE_ARG(name));
	else if (kind != METRIC_COUNTER && slice_ends(name, "_total"))
		diag_warning(l->diag, node->at, "drop _total from its name",
			     "%.*s is no counter", SLICE_ARG(name));
}

/* -- value ---------------------------------------------------------------- */

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
		   SLICE_ARG(node->text));
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
		   "value: %.*s is not a %s", SLICE_ARG(node->text),
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

static void load_value(struct loader *l, const struct yaml_node *metric,
		       const struct field_scope *scope, enum metric_kind kind,
		       struct rule_metric *out)
{
	const struct yaml_node *node = yaml_get(metric, "value");
	struct slice text;

	load_as(l, metric, out);
	load_scale(l, metric, out);
	if (!node) {
		if (kind != METRIC_COUNTER && out->op != UPDATE_ADD &&
		    out->op != UPDATE_SUBTRACT)
			diag_error(l->diag, metric->at, "add value: $name or a number",
				   "a %s needs a value",
				   kind == METRIC_GAUGE ? "gauge" : "histogram");
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
	check_constant_value(l, node, out);
}

static bool load_op(struct loader *l, const struct yaml_node *metric,
		    struct metric_def *def, struct rule_metric *out)
{
	const struct yaml_node *node = yaml_get(metric, "op");

	out->op = def->kind == METRIC_COUNTER     ? UPDATE_ADD
		  : def->kind == METRIC_HISTOGRAM ? UPDATE_OBSERVE
						  : UPDATE_SET;
	if (!node || !yaml_expect(node, YAML_SCALAR, "op", l->diag))
		return true;
	if (def->kind != METRIC_GAUGE) {
		diag_error(l->diag, node->at, "leave the key out",
			   "only a gauge has an op");
		return false;
	}
	for (size_t i = 0; i < OP_COUNT; i++) {
		if (slice_is(node->text, gauge_ops[i].name)) {
			out->op = gauge_ops[i].op;
			def->gauge_adds = gauge_ops[i].adds;
			return true;
		}
	}
	diag_error(l->diag, node->at, "write set, add or subtract",
		   "op: %.*s is not known", SLICE_ARG(node->text));
	return false;
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
			   "first: %.*s is not known", SLICE_ARG(node->text));
	else
		out->first_counts = true;
}

/* After op. */
static void load_mode(struct loader *l, const struct yaml_node *metric,
		      enum metric_kind kind, struct rule_metric *out)
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
				   "mode: %.*s is not known", SLICE_ARG(node->text));
		else if (!yaml_get(metric, "value"))
			diag_error(l->diag, node->at,
				   "add value: $name, the running total",
				   "mode: total needs a value");
		else
			out->op = UPDATE_TOTAL;
	}
	load_first(l, metric, out);
}

/* -- expire --------------------------------------------------------------- */

#define MAX_EXPIRE_SECONDS (100.0 * 365 * 86400)

static void load_expire(struct loader *l, const struct yaml_node *metric,
			struct metric_def *def)
{
	const struct yaml_node *node = yaml_get(metric, "expire");
	double seconds;

	if (!node || !yaml_expect(node, YAML_SCALAR, "expire", l->diag))
		return;
	if (!value_parse(VALUE_DURATION, node->text, &seconds))
		diag_error(l->diag, node->at,
			   "write a number with its unit: 90s, 30m, 36h or 7d",
			   "expire: %.*s is not a duration", SLICE_ARG(node->text));
	else if (seconds <= 0)
		diag_error(l->diag, node->at,
			   "leave the key out for series that never expire",
			   "expire: %.*s is not a time to live", SLICE_ARG(node->text));
	else if (seconds > MAX_EXPIRE_SECONDS)
		diag_error(l->diag, node->at,
			   "leave the key out for series that never expire",
			   "expire: %.*s is over 100 years", SLICE_ARG(node->text));
	else
		def->expire_ns = (int64_t)(seconds * (double)NS_PER_SECOND);
}

/* -- one metric, merged with its namesakes -------------------------------- */

static const struct yaml_node *
load_kind(struct loader *l, const struct yaml_node *metric, enum metric_kind *kind)
{
	const struct yaml_node *found = NULL;

	for (size_t i = 0; i < KIND_COUNT; i++) {
		const struct yaml_node *node = yaml_get(metric, kinds[i].key);

		if (node && found)
			diag_error(l->diag, node->at, "write two entries",
				   "one metric cannot be of two kinds");
		if (!node || found)
			continue;
		found = node;
		*kind = kinds[i].kind;
	}
	if (!found)
		diag_error(l->diag, metric->at,
			   "add counter:, gauge: or histogram: and the metric's name",
			   "a metric has no kind");
	if (found && !yaml_expect(found, YAML_SCALAR, "a metric's name", l->diag))
		return NULL;
	return found;
}

static struct metric_slot *find_metric(struct loader *l, const char *name,
				       size_t *index)
{
	for (*index = 0; *index < l->metric_count; (*index)++)
		if (strcmp(l->metrics[*index]->def.name, name) == 0)
			return l->metrics[*index];
	return NULL;
}

/* Puts the rule's labels into the order of the metric's; false if they differ. */
static bool order_labels(const struct metric_def *def, struct rule_metric *out)
{
	if (out->label_count != def->label_count)
		return false;
	for (size_t i = 0; i < def->label_count; i++) {
		size_t j = i;

		while (j < out->label_count &&
		       strcmp(out->labels[j].name, def->labels[i]) != 0)
			j++;
		if (j == out->label_count)
			return false;
		struct label_rule swap = out->labels[i];
		out->labels[i] = out->labels[j];
		out->labels[j] = swap;
	}
	return true;
}

static bool same_buckets(const struct metric_def *a, const struct metric_def *b)
{
	return a->bucket_count == b->bucket_count &&
	       (a->bucket_count == 0 ||
		memcmp(a->buckets, b->buckets, a->bucket_count * sizeof(double)) == 0);
}

/* After order_labels(). */
static bool same_hashes(const struct metric_def *def, const struct rule_metric *out)
{
	for (size_t i = 0; i < out->label_count; i++)
		if (out->labels[i].hash != (def->hashed_labels >> i & 1))
			return false;
	return true;
}

/* What the two disagree about, or NULL. */
static const char *disagreement(const struct metric_slot *first,
				const struct metric_def *def, bool has_help,
				struct rule_metric *out)
{
	if (first->def.kind != def->kind)
		return "kind";
	if (!order_labels(&first->def, out))
		return "label names";
	if (!same_buckets(&first->def, def))
		return "buckets";
	if (!same_hashes(&first->def, out))
		return "hash: the label would show what the other hides";
	if (first->def.gauge_adds != def->gauge_adds)
		return "op: set does not go with add or subtract";
	if (first->def.expire_ns && def->expire_ns &&
	    first->def.expire_ns != def->expire_ns)
		return "expire";
	if (has_help && first->has_help && strcmp(first->def.help, def->help) != 0)
		return "help";
	return NULL;
}

static struct metric_slot *add_slot(struct loader *l, struct metric_slot *slot)
{
	l->metrics = xgrow(l->metrics, l->metric_count, sizeof(struct metric_slot *));
	l->metrics[l->metric_count++] = slot;
	return slot;
}

static struct metric_slot *add_metric(struct loader *l, const struct metric_def *def,
				      struct position at, const struct rule_metric *out)
{
	struct metric_slot *slot = arena_alloc(l->arena, sizeof(*slot));
	const char **names = arena_alloc(l->arena, out->label_count * sizeof(*names));

	for (size_t i = 0; i < out->label_count; i++)
		names[i] = out->labels[i].name;
	slot->def = *def;
	slot->def.labels = names;
	slot->def.label_count = out->label_count;
	slot->at = at;
	return add_slot(l, slot);
}

/* No label of a rule has the name of the one that is added. */
static void add_base(struct loader *l, const struct metric_slot *counter,
		     const char *name)
{
	struct metric_slot *slot = arena_alloc(l->arena, sizeof(*slot));
	size_t count = counter->def.label_count;
	const char **names = arena_alloc(l->arena, (count + 1) * sizeof(*names));

	for (size_t i = 0; i < count; i++)
		names[i] = counter->def.labels[i];
	names[count] = ":path";
	slot->def = (struct metric_def){.kind = METRIC_GAUGE,
					.name = arena_strdup(l->arena, name),
					.help = "",
					.labels = names,
					.label_count = count + 1,
					.hashed_labels = counter->def.hashed_labels,
					.hash_key_id = counter->def.hash_key_id,
					.is_base = true};
	slot->at = counter->at;
	add_slot(l, slot);
}

/* Where the running totals of the metric are kept. */
static void find_base(struct loader *l, const struct metric_slot *counter,
		      struct rule_metric *out)
{
	char *name = xasprintf("%s:base", counter->def.name);
	size_t index;

	if (!find_metric(l, name, &index))
		add_base(l, counter, name);
	out->base_after = index - out->metric;
	free(name);
}

static void merge_metric(struct loader *l, const struct yaml_node *metric,
			 const struct yaml_node *name, struct metric_def *def,
			 bool has_help, struct rule_metric *out)
{
	struct metric_slot *slot = find_metric(l, def->name, &out->metric);
	const struct yaml_node *max_series = yaml_get(metric, "max_series");
	const char *differs = slot ? disagreement(slot, def, has_help, out) : NULL;

	if (differs) {
		diag_error(l->diag, name->at, "let both say the same, or rename one",
			   "%s differs in %s from its definition at %s:%d:%d",
			   def->name, differs, slot->at.file, slot->at.line,
			   slot->at.column);
		return;
	}
	if (!slot)
		slot = add_metric(l, def, name->at, out);
	if (has_help && !slot->has_help)
		slot->def.help = def->help;
	slot->has_help |= has_help;
	if (def->expire_ns)
		slot->def.expire_ns = def->expire_ns;
	if (max_series)
		load_count(l, max_series, "max_series", 100000000,
			   &slot->def.max_series);
	load_declare(l, metric, &slot->def);
	if (out->op == UPDATE_TOTAL)
		find_base(l, slot, out);
}

void load_metric(struct loader *l, const struct yaml_node *node,
		 const struct field_scope *scope, struct rule_metric *out)
{
	struct metric_def def = {.help = ""};
	const struct yaml_node *name, *help = yaml_get(node, "help");

	yaml_check_keys(node, "a metric", KEYS(metric_keys), l->diag);
	out->at = node->at;
	name = load_kind(l, node, &def.kind);
	if (!name)
		return;
	check_metric_name(l, name, def.kind);
	def.name = name->text.ptr;
	if (help && yaml_expect(help, YAML_SCALAR, "help", l->diag))
		def.help = help->text.ptr;
	load_op(l, node, &def, out);
	load_mode(l, node, def.kind, out);
	load_expire(l, node, &def);
	if (def.kind == METRIC_HISTOGRAM)
		load_buckets(l, node, &def);
	else if (yaml_get(node, "buckets"))
		diag_error(l->diag, yaml_get(node, "buckets")->at, "leave the key out",
			   "only a histogram has buckets");
	load_labels(l, node, scope, def.kind, out);
	load_hashes(l, &def, out);
	load_value(l, node, scope, def.kind, out);
	merge_metric(l, node, name, &def, help != NULL, out);
}

void load_base_limits(struct loader *l)
{
	for (size_t i = 0; i < l->metric_count; i++) {
		char *name = xasprintf("%s:base", l->metrics[i]->def.name);
		size_t index;
		struct metric_slot *base = find_metric(l, name, &index);

		if (base)
			base->def.max_series = l->metrics[i]->def.max_series;
		free(name);
	}
}

/* A histogram also takes the names NAME_bucket, NAME_count and NAME_sum. */
void load_check_metric_names(struct loader *l)
{
	static const char *const suffixes[] = {"_bucket", "_count", "_sum"};

	for (size_t i = 0; i < l->metric_count; i++) {
		const struct metric_slot *h = l->metrics[i];

		for (int s = 0; s < 3 && h->def.kind == METRIC_HISTOGRAM; s++) {
			char *taken = xasprintf("%s%s", h->def.name, suffixes[s]);
			size_t index;
			const struct metric_slot *other = find_metric(l, taken, &index);

			if (other)
				diag_error(l->diag, other->at, "rename one",
					   "%s is a series of the histogram %s at "
					   "%s:%d:%d",
					   taken, h->def.name, h->at.file, h->at.line,
					   h->at.column);
			free(taken);
		}
	}
}
