#include <stdlib.h>

#include "common/clock.h"
#include "common/name.h"
#include "common/xalloc.h"
#include "parsers/loader.h"

#define KEYS(array) array, sizeof(array) / sizeof((array)[0])

static const char *const metric_keys[] = {
	"counter",   "gauge",  "histogram", "summary", "unique",   "state",
	"help",      "labels", "value",     "as",      "scale",    "op",
	"buckets",   "from",   "window",    "states",  "declare",  "max_series",
	"quantiles", "expire", "mode",      "first",   "track_age"};

/* -- names ---------------------------------------------------------------- */

/* False: it is no name, which nothing else can be said of. */
static bool check_metric_name(struct loader *l, const struct yaml_node *node,
			      enum metric_kind kind)
{
	struct slice name = node->text;

	if (!name_is_metric(name)) {
		diag_error(l->diag, node->at,
			   "use letters, digits and _, not a digit first",
			   "%.*s is not a metric name", SLICE_SHOWN(name));
		return false;
	}
	if (slice_starts(name, "logtally_") || slice_starts(name, "process_"))
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
	return true;
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
			   "expire: %.*s is not a duration", SLICE_SHOWN(node->text));
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

	for (int i = 0; i < METRIC_KINDS; i++) {
		const char *key = metric_kind_name((enum metric_kind)i);
		const struct yaml_node *node = yaml_get(metric, key);

		if (node && found)
			diag_error(l->diag, node->at, "write two entries",
				   "one metric cannot be of two kinds");
		if (!node || found)
			continue;
		found = node;
		*kind = (enum metric_kind)i;
	}
	if (!found)
		diag_error(l->diag, metric->at,
			   "add counter:, gauge:, histogram:, summary:, unique: or "
			   "state: and "
			   "the metric's name",
			   "a metric has no kind");
	if (found && !yaml_expect(found, YAML_SCALAR, "a metric's name", l->diag))
		return NULL;
	return found;
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
	if (first->def.extreme != def->extreme)
		return "op: min and max go with no other";
	if (first->def.gauge_adds != def->gauge_adds)
		return "op: set does not go with add or subtract";
	if (first->def.window_ns != def->window_ns)
		return "window";
	if (!load_same_quantiles(&first->def, def))
		return "quantiles";
	if (!load_same_states(&first->def, def))
		return "states";
	if (first->def.expire_ns && def->expire_ns &&
	    first->def.expire_ns != def->expire_ns)
		return "expire";
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
	load_add_metric(l, slot);
	return slot;
}

/*
 * Where the running totals of a counter are kept.  No metric of a rule has its name,
 * and no label of one that of the label that is added.
 */
static struct metric_slot *add_base(struct loader *l, const struct metric_slot *counter)
{
	struct metric_slot *slot = arena_alloc(l->arena, sizeof(*slot));
	size_t count = counter->def.label_count;
	const char **names = arena_alloc(l->arena, (count + 1) * sizeof(*names));

	for (size_t i = 0; i < count; i++)
		names[i] = counter->def.labels[i];
	names[count] = ":path";
	slot->def = (struct metric_def){.kind = METRIC_GAUGE,
					.name = arena_printf(l->arena,
							     "%s" LOAD_BASE_SUFFIX,
							     counter->def.name),
					.help = "",
					.labels = names,
					.label_count = count + 1,
					.hashed_labels = counter->def.hashed_labels,
					.hash_key_id = counter->def.hash_key_id,
					.is_base = true};
	slot->at = counter->at;
	load_add_metric(l, slot);
	return slot;
}

static void merge_metric(struct loader *l, const struct yaml_node *metric,
			 const struct yaml_node *name, struct metric_def *def,
			 bool has_help, struct rule_metric *out)
{
	struct metric_slot *slot = load_find_metric(l, def->name);
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
	out->metric = slot->index;
	if (has_help && !slot->has_help)
		slot->def.help = def->help;
	slot->has_help |= has_help;
	if (def->expire_ns)
		slot->def.expire_ns = def->expire_ns;
	slot->def.track_age |= def->track_age;
	if (max_series)
		load_count(l, max_series, "max_series", 100000000,
			   &slot->def.max_series);
	load_declare(l, metric, &slot->def);
	if (out->op != UPDATE_TOTAL)
		return;
	if (!slot->base)
		slot->base = add_base(l, slot);
	out->base_after = slot->base->index - slot->index;
}

/* What an earlier rule said of the metric; NULL: nothing that counts here. */
static const struct metric_def *earlier(struct loader *l, const struct metric_def *def)
{
	const struct metric_slot *slot = load_find_metric(l, def->name);

	return slot && slot->def.kind == def->kind && slot->def.extreme == def->extreme
		       ? &slot->def
		       : NULL;
}

void load_metric(struct loader *l, const struct yaml_node *node,
		 const struct field_scope *scope, struct rule_metric *out)
{
	struct metric_def def = {.help = ""};
	const struct yaml_node *name, *help = yaml_get(node, "help");
	bool is_named;

	yaml_check_keys(node, "a metric", KEYS(metric_keys), l->diag);
	out->at = node->at;
	name = load_kind(l, node, &def.kind);
	if (!name)
		return;
	is_named = check_metric_name(l, name, def.kind);
	def.name = name->text.ptr;
	if (help && yaml_expect(help, YAML_SCALAR, "help", l->diag))
		def.help = help->text.ptr;
	load_check_keys(l, node, def.kind);
	load_op(l, node, &def, out);
	load_mode(l, node, def.kind, out);
	load_window(l, node, earlier(l, &def), &def);
	load_states(l, node, earlier(l, &def), &def);
	load_expire(l, node, &def);
	if (def.kind == METRIC_HISTOGRAM)
		load_buckets(l, node, &def);
	load_labels(l, node, scope, def.kind, out);
	load_hashes(l, &def, out);
	load_check_state_label(l, name->at, &def, out);
	load_value(l, node, scope, &def, out);
	out->states = def.states;
	out->state_count = def.state_count;
	if (is_named)
		merge_metric(l, node, name, &def, help != NULL, out);
}

void load_base_limits(struct loader *l)
{
	for (size_t i = 0; i < l->metric_count; i++)
		if (l->metrics[i]->base)
			l->metrics[i]->base->def.max_series =
				l->metrics[i]->def.max_series;
}
