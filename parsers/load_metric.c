#include <math.h>
#include <stdlib.h>

#include "common/suggest.h"
#include "common/xalloc.h"
#include "parsers/loader.h"

#define MAX_DECLARED 10000
#define KEYS(array) array, sizeof(array) / sizeof((array)[0])

static const char *const metric_keys[] = {
	"counter", "gauge", "histogram", "help",    "labels",     "value",
	"as",      "scale", "op",        "buckets", "max_series", "declare"};
static const char *const label_keys[] = {"from", "replace", "map", "lower", "default"};
static const char *const replace_keys[] = {"pattern", "with"};
static const char *const linear_keys[] = {"start", "width", "count"};
static const char *const factor_keys[] = {"start", "factor", "count"};

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

/* The default of Prometheus' client libraries: seconds of a web request. */
static const double default_buckets[] = {0.005, 0.01, 0.025, 0.05, 0.1, 0.25,
					 0.5,   1,    2.5,   5,    10};

/* -- names ---------------------------------------------------------------- */

/* Prometheus data model: [a-zA-Z_][a-zA-Z0-9_]*; metrics may have colons. */
static bool is_valid_name(struct slice name, bool colons)
{
	for (size_t i = 0; i < name.len; i++) {
		char c = name.ptr[i];
		bool digit = c >= '0' && c <= '9';

		if (!(c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		      (digit && i > 0) || (colons && c == ':')))
			return false;
	}
	return name.len > 0;
}

static bool starts(struct slice name, const char *prefix)
{
	return name.len >= strlen(prefix) &&
	       memcmp(name.ptr, prefix, strlen(prefix)) == 0;
}

static bool ends(struct slice name, const char *suffix)
{
	size_t n = strlen(suffix);

	return name.len >= n && memcmp(name.ptr + name.len - n, suffix, n) == 0;
}

static void check_metric_name(struct loader *l, const struct yaml_node *node,
			      enum metric_kind kind)
{
	struct slice name = node->text;

	if (!is_valid_name(name, true))
		diag_error(l->diag, node->at,
			   "use letters, digits and _, not a digit first",
			   "%.*s is not a metric name", SLICE_ARG(name));
	else if (starts(name, "logtally_") || starts(name, "process_"))
		diag_error(l->diag, node->at, "choose another prefix",
			   "%.*s: names starting logtally_ and process_ are the "
			   "daemon's own",
			   SLICE_ARG(name));
	else if (kind == METRIC_COUNTER && !ends(name, "_total"))
		diag_error(l->diag, node->at, "add _total to its name",
			   "the counter %.*s does not end in _total", SLICE_ARG(name));
	else if (kind != METRIC_COUNTER && ends(name, "_total"))
		diag_warning(l->diag, node->at, "drop _total from its name",
			     "%.*s is no counter", SLICE_ARG(name));
}

static void check_label_name(struct loader *l, const struct yaml_node *node,
			     enum metric_kind kind)
{
	struct slice name = node->text;

	if (!is_valid_name(name, false) || starts(name, "__"))
		diag_error(l->diag, node->at,
			   "use letters, digits and _, not a digit or __ first",
			   "%.*s is not a label name", SLICE_ARG(name));
	else if (slice_is(name, "le") || slice_is(name, "quantile"))
		diag_error(l->diag, node->at, "choose another name",
			   "the label %.*s belongs to Prometheus' own %s",
			   SLICE_ARG(name),
			   kind == METRIC_HISTOGRAM ? "histograms" : "metric kinds");
	else if (slice_is(name, "job") || slice_is(name, "instance"))
		diag_warning(l->diag, node->at, "choose another name",
			     "Prometheus sets the label %.*s itself", SLICE_ARG(name));
	for (size_t i = 0; i < l->options->global_label_count; i++)
		if (slice_is(name, l->options->global_labels[i]))
			diag_error(l->diag, node->at, "choose another name",
				   "the configuration's labels have %.*s already",
				   SLICE_ARG(name));
}

/* -- numbers -------------------------------------------------------------- */

static bool load_number(struct loader *l, const struct yaml_node *node,
			const char *what, double *value)
{
	if (!yaml_expect(node, YAML_SCALAR, what, l->diag))
		return false;
	if (value_parse(VALUE_NUMBER, node->text, value) && isfinite(*value))
		return true;
	diag_error(l->diag, node->at, "write a number", "%s: %.*s is not a number",
		   what, SLICE_ARG(node->text));
	return false;
}

static bool load_count(struct loader *l, const struct yaml_node *node, const char *what,
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
				   SLICE_ARG(item->text));
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

static void load_buckets(struct loader *l, const struct yaml_node *metric,
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

/* -- labels --------------------------------------------------------------- */

static void load_replace(struct loader *l, const struct yaml_node *node,
			 struct label_rule *label)
{
	const struct yaml_node *list = yaml_get(node, "replace");

	if (!list || !yaml_expect(list, YAML_SEQUENCE, "replace", l->diag))
		return;
	label->replace = arena_alloc(l->arena, list->count * sizeof(*label->replace));
	for (size_t i = 0; i < list->count; i++) {
		const struct yaml_node *item = list->items[i];
		struct label_replacement *r = &label->replace[label->replace_count];
		const struct yaml_node *pattern, *with;

		if (!yaml_expect(item, YAML_MAPPING, "a replacement", l->diag))
			continue;
		yaml_check_keys(item, "a replacement", KEYS(replace_keys), l->diag);
		pattern = yaml_get(item, "pattern");
		with = yaml_get(item, "with");
		if (!pattern || !with) {
			diag_error(l->diag, item->at,
				   "write {pattern: 'regex', with: 'text'}",
				   "a replacement lacks pattern or with");
			continue;
		}
		r->regex = load_regex(l, pattern, "replace");
		if (r->regex && yaml_expect(with, YAML_SCALAR, "with", l->diag)) {
			r->with = with->text;
			label->replace_count++;
		}
	}
}

static void load_map(struct loader *l, const struct yaml_node *node,
		     struct label_rule *label)
{
	const struct yaml_node *map = yaml_get(node, "map");

	if (!map || !yaml_expect(map, YAML_MAPPING, "map", l->diag))
		return;
	label->map = hashmap_create();
	for (size_t i = 0; i < map->count; i++)
		if (yaml_expect(map->items[i], YAML_SCALAR, "map", l->diag))
			hashmap_put(label->map, map->keys[i]->text,
				    &map->items[i]->text);
}

static void load_lower(struct loader *l, const struct yaml_node *node,
		       struct label_rule *label)
{
	const struct yaml_node *lower = yaml_get(node, "lower");

	if (!lower || !yaml_expect(lower, YAML_SCALAR, "lower", l->diag))
		return;
	label->lower = slice_is(lower->text, "true");
	if (!label->lower && !slice_is(lower->text, "false"))
		diag_error(l->diag, lower->at, "write true or false", "lower is %.*s",
			   SLICE_ARG(lower->text));
}

static void load_label_mapping(struct loader *l, const struct yaml_node *node,
			       const struct field_scope *scope,
			       struct label_rule *label)
{
	const struct yaml_node *from = yaml_get(node, "from");
	const struct yaml_node *fallback = yaml_get(node, "default");
	struct field *field;

	yaml_check_keys(node, "a label", KEYS(label_keys), l->diag);
	if (!from)
		diag_error(l->diag, node->at, "add from: and a capture's name",
			   "the label %s does not say where it comes from",
			   label->name);
	field = from ? load_field(l, scope, from, "from") : NULL;
	if (field) {
		label->value.parts = arena_alloc(l->arena, sizeof(*label->value.parts));
		label->value.parts[0].field = field;
		label->value.count = 1;
	}
	load_replace(l, node, label);
	load_map(l, node, label);
	load_lower(l, node, label);
	if (fallback && yaml_expect(fallback, YAML_SCALAR, "default", l->diag))
		label->fallback = fallback->text;
}

static void load_label(struct loader *l, const struct yaml_node *name,
		       struct yaml_node *node, const struct field_scope *scope,
		       struct label_rule *label)
{
	struct slice text;

	label->name = name->text.ptr;
	label->at = name->at;
	label->fallback = slice_of("");
	if (node->kind == YAML_MAPPING)
		load_label_mapping(l, node, scope, label);
	else if (yaml_expect(node, YAML_SCALAR, "a label", l->diag) &&
		 yaml_pattern_text(node, "a label", &text, l->diag))
		template_parse(&label->value, text, node->at, l->arena, scope, l->diag);
}

static void load_labels(struct loader *l, const struct yaml_node *metric,
			const struct field_scope *scope, enum metric_kind kind,
			struct rule_metric *out)
{
	const struct yaml_node *labels = yaml_get(metric, "labels");

	if (!labels || !yaml_expect(labels, YAML_MAPPING, "labels", l->diag))
		return;
	if (labels->count > METRIC_MAX_LABELS) {
		diag_error(l->diag, labels->at, "use fewer", "more than %d labels",
			   METRIC_MAX_LABELS);
		return;
	}
	out->labels = arena_alloc(l->arena, labels->count * sizeof(*out->labels));
	for (size_t i = 0; i < labels->count; i++) {
		check_label_name(l, labels->keys[i], kind);
		load_label(l, labels->keys[i], labels->items[i], scope,
			   &out->labels[out->label_count++]);
	}
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
			  : xstrdup("write number, grouped, duration or timestamp");
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

static void load_value(struct loader *l, const struct yaml_node *metric,
		       const struct field_scope *scope, enum metric_kind kind,
		       struct rule_metric *out)
{
	const struct yaml_node *node = yaml_get(metric, "value");
	const struct yaml_node *scale = yaml_get(metric, "scale");
	struct slice text;

	load_as(l, metric, out);
	out->scale = 1;
	if (scale)
		load_number(l, scale, "scale", &out->scale);
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

/* -- declared label sets -------------------------------------------------- */

/* The values that one entry of `declare` gives a label; NULL after an error. */
static struct yaml_node *const *declared_values(struct loader *l,
						const struct yaml_node *entry,
						const char *label, size_t *count)
{
	struct yaml_node *const *value = NULL;

	for (size_t i = 0; i < entry->count; i++)
		if (slice_is(entry->keys[i]->text, label))
			value = &entry->items[i];
	if (!value) {
		diag_error(l->diag, entry->at, "give every label a value or a list",
			   "declare leaves out the label %s", label);
		*count = 0;
		return NULL;
	}
	return load_scalars(l, value, "declare", count);
}

static void add_product(struct loader *l, const struct yaml_node *entry,
			struct metric_def *def)
{
	struct yaml_node *const *values[METRIC_MAX_LABELS] = {NULL};
	size_t counts[METRIC_MAX_LABELS] = {0}, rows = 1;
	struct slice *all;

	for (size_t i = 0; i < def->label_count; i++) {
		values[i] = declared_values(l, entry, def->labels[i], &counts[i]);
		rows *= counts[i];
		if (rows == 0)
			return;
		if (rows > MAX_DECLARED) {
			diag_error(l->diag, entry->at, "declare fewer",
				   "more than %d declared label sets", MAX_DECLARED);
			return;
		}
	}
	all = arena_alloc(l->arena, (def->declared_count + rows) * def->label_count *
					    sizeof(*all));
	if (def->declared_count > 0)
		memcpy(all, def->declared,
		       def->declared_count * def->label_count * sizeof(*all));
	for (size_t row = 0; row < rows; row++) {
		size_t rest = row;

		for (size_t i = def->label_count; i-- > 0; rest /= counts[i])
			all[(def->declared_count + row) * def->label_count + i] =
				values[i][rest % counts[i]]->text;
	}
	def->declared = all;
	def->declared_count += rows;
}

static void load_declare(struct loader *l, const struct yaml_node *metric,
			 struct metric_def *def)
{
	const struct yaml_node *list = yaml_get(metric, "declare");

	if (!list || !yaml_expect(list, YAML_SEQUENCE, "declare", l->diag))
		return;
	if (def->kind == METRIC_GAUGE) {
		diag_error(l->diag, list->at, "leave the key out",
			   "a gauge has no value before it is set");
		return;
	}
	for (size_t i = 0; i < list->count; i++) {
		if (!yaml_expect(list->items[i], YAML_MAPPING, "declare", l->diag))
			continue;
		yaml_check_keys(list->items[i], "declare", def->labels,
				def->label_count, l->diag);
		add_product(l, list->items[i], def);
	}
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
	if (first->def.gauge_adds != def->gauge_adds)
		return "op: set does not go with add or subtract";
	if (has_help && first->has_help && strcmp(first->def.help, def->help) != 0)
		return "help";
	return NULL;
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
	l->metrics = xgrow(l->metrics, l->metric_count, sizeof(struct metric_slot *));
	l->metrics[l->metric_count++] = slot;
	return slot;
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
	if (max_series)
		load_count(l, max_series, "max_series", 100000000,
			   &slot->def.max_series);
	load_declare(l, metric, &slot->def);
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
	if (def.kind == METRIC_HISTOGRAM)
		load_buckets(l, node, &def);
	else if (yaml_get(node, "buckets"))
		diag_error(l->diag, yaml_get(node, "buckets")->at, "leave the key out",
			   "only a histogram has buckets");
	load_labels(l, node, scope, def.kind, out);
	load_value(l, node, scope, def.kind, out);
	merge_metric(l, node, name, &def, help != NULL, out);
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
