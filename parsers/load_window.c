#include <stdlib.h>

#include "common/clock.h"
#include "common/name.h"
#include "parsers/loader.h"

#define DEFAULT_WINDOW_NS (10 * 60 * NS_PER_SECOND)
#define MAX_WINDOW_SECONDS (100.0 * 365 * 86400)

static const double default_quantiles[] = {0.5, 0.9, 0.99};

/* -- which kinds take which key -------------------------------------------- */

#define KIND(kind) (1u << METRIC_##kind)
#define GAUGES (KIND(GAUGE) | KIND(UNIQUE) | KIND(STATE))
#define NUMBERS (KIND(COUNTER) | KIND(GAUGE) | KIND(HISTOGRAM) | KIND(SUMMARY))

static const struct {
	const char *key;
	unsigned kinds;
	const char *what;
	const char *instead;
} bound_keys[] = {
	{"op", KIND(GAUGE), "only a gauge has an op", "leave the key out"},
	{"buckets", KIND(HISTOGRAM), "only a histogram has buckets",
	 "leave the key out"},
	{"quantiles", KIND(SUMMARY), "only a summary has quantiles",
	 "make it a summary, or leave the key out"},
	{"window", KIND(SUMMARY) | KIND(UNIQUE) | KIND(GAUGE),
	 "only a summary, a unique, and a gauge with op: min or max have a window",
	 "leave the key out"},
	{"states", KIND(STATE), "only a state has states", "leave the key out"},
	{"from", KIND(UNIQUE), "only a unique counts the texts of a field",
	 "write value: $name"},
	{"value", ~KIND(UNIQUE), "a unique has no value",
	 "write from: and a field's name"},
	{"as", NUMBERS, "only numbers are read in some way", "leave the key out"},
	{"scale", NUMBERS, "only numbers have a scale", "leave the key out"},
	{"track_age", GAUGES, "only a gauge, a unique and a state have an age",
	 "leave the key out"},
};

void load_check_keys(struct loader *l, const struct yaml_node *metric,
		     enum metric_kind kind)
{
	for (size_t i = 0; i < sizeof(bound_keys) / sizeof(bound_keys[0]); i++) {
		const struct yaml_node *node = yaml_get(metric, bound_keys[i].key);

		if (node && !(bound_keys[i].kinds >> kind & 1))
			diag_error(l->diag, node->at, bound_keys[i].instead, "%s",
				   bound_keys[i].what);
	}
}

/* -- window ----------------------------------------------------------------- */

static bool has_window(const struct metric_def *def)
{
	return def->kind == METRIC_SUMMARY || def->kind == METRIC_UNIQUE ||
	       def->extreme != EXTREME_NONE;
}

static void read_window(struct loader *l, const struct yaml_node *node,
			struct metric_def *def)
{
	double seconds;

	if (!yaml_expect(node, YAML_SCALAR, "window", l->diag))
		return;
	if (!value_parse(VALUE_DURATION, node->text, &seconds))
		diag_error(l->diag, node->at,
			   "write a number with its unit: 90s, 10m, 36h or 7d",
			   "window: %.*s is not a duration", SLICE_SHOWN(node->text));
	else if (seconds < 1 || seconds > MAX_WINDOW_SECONDS)
		diag_error(l->diag, node->at, "write 1s or more, up to 100 years",
			   "window: %.*s is no length of a window",
			   SLICE_ARG(node->text));
	else
		def->window_ns = (int64_t)(seconds * (double)NS_PER_SECOND);
}

/* -- quantiles -------------------------------------------------------------- */

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static bool is_among(double quantile, const double *quantiles, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (quantiles[i] == quantile)
			return true;
	return false;
}

static size_t read_quantiles(struct loader *l, const struct yaml_node *node,
			     double *quantiles)
{
	size_t count = 0;

	for (size_t i = 0; i < node->count; i++) {
		const struct yaml_node *item = node->items[i];
		double *q = &quantiles[count];

		if (!load_number(l, item, "quantiles", q))
			continue;
		if (*q < 0 || *q > 1)
			diag_error(l->diag, item->at,
				   "write it as a ratio: the 99th percentile is 0.99",
				   "the quantile %.*s is not between 0 and 1",
				   SLICE_SHOWN(item->text));
		else if (is_among(*q, quantiles, count))
			diag_error(l->diag, item->at, "write it once",
				   "the quantile %.*s is there already",
				   SLICE_SHOWN(item->text));
		else
			count++;
	}
	qsort(quantiles, count, sizeof(*quantiles), by_size);
	return count;
}

static void load_quantiles(struct loader *l, const struct yaml_node *node,
			   struct metric_def *def)
{
	double quantiles[METRIC_MAX_QUANTILES], *copy;
	size_t count;

	if (!yaml_expect(node, YAML_SEQUENCE, "quantiles", l->diag))
		return;
	if (node->count == 0 || node->count > METRIC_MAX_QUANTILES) {
		diag_error(l->diag, node->at, "write some, such as [0.5, 0.9, 0.99]",
			   "quantiles: there must be 1 to %d", METRIC_MAX_QUANTILES);
		return;
	}
	count = read_quantiles(l, node, quantiles);
	copy = arena_alloc(l->arena, count * sizeof(*copy));
	memcpy(copy, quantiles, count * sizeof(*copy));
	def->quantiles = copy;
	def->quantile_count = count;
}

static void take_default_quantiles(struct metric_def *def)
{
	def->quantiles = default_quantiles;
	def->quantile_count = sizeof(default_quantiles) / sizeof(default_quantiles[0]);
}

bool load_same_quantiles(const struct metric_def *a, const struct metric_def *b)
{
	return a->quantile_count == b->quantile_count &&
	       (a->quantile_count == 0 ||
		memcmp(a->quantiles, b->quantiles,
		       a->quantile_count * sizeof(*a->quantiles)) == 0);
}

void load_window(struct loader *l, const struct yaml_node *metric,
		 const struct metric_def *earlier, struct metric_def *def)
{
	const struct yaml_node *window = yaml_get(metric, "window");
	const struct yaml_node *quantiles = yaml_get(metric, "quantiles");

	if (has_window(def))
		def->window_ns = earlier ? earlier->window_ns : DEFAULT_WINDOW_NS;
	if (window && has_window(def))
		read_window(l, window, def);
	else if (window && def->kind == METRIC_GAUGE)
		diag_error(l->diag, window->at,
			   "add op: min or op: max, or leave it out",
			   "only a summary, a unique, and a gauge with op: min or max "
			   "have a window");
	if (def->kind != METRIC_SUMMARY)
		return;
	if (quantiles) {
		load_quantiles(l, quantiles, def);
	} else if (earlier) {
		def->quantiles = earlier->quantiles;
		def->quantile_count = earlier->quantile_count;
	} else {
		take_default_quantiles(def);
	}
}

/* -- states, track_age ------------------------------------------------------- */

static bool is_printable(struct slice text)
{
	for (size_t i = 0; i < text.len; i++)
		if ((unsigned char)text.ptr[i] < 0x20)
			return false;
	return text.len > 0;
}

static bool is_state(struct slice text, const char *const *states, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (slice_is(text, states[i]))
			return true;
	return false;
}

static void read_states(struct loader *l, const struct yaml_node *node,
			struct metric_def *def)
{
	const char **states = arena_alloc(l->arena, node->count * sizeof(*states));

	for (size_t i = 0; i < node->count; i++) {
		const struct yaml_node *item = node->items[i];

		if (!yaml_expect(item, YAML_SCALAR, "states", l->diag))
			continue;
		if (!is_printable(item->text))
			diag_error(l->diag, item->at, "write a word for each state",
				   "a state has no text, or a control character in it");
		else if (is_state(item->text, states, def->state_count))
			diag_error(l->diag, item->at, "write it once",
				   "the state %.*s is there already",
				   SLICE_SHOWN(item->text));
		else
			states[def->state_count++] = item->text.ptr;
	}
	def->states = states;
}

void load_states(struct loader *l, const struct yaml_node *metric,
		 const struct metric_def *earlier, struct metric_def *def)
{
	const struct yaml_node *node = yaml_get(metric, "states");

	def->track_age =
		load_flag(l, metric, "track_age") && metric_is_gauge(def->kind);
	if (def->kind != METRIC_STATE)
		return;
	if (!node && earlier) {
		def->states = earlier->states;
		def->state_count = earlier->state_count;
	} else if (!node) {
		diag_error(l->diag, metric->at, "add states: [idle, running, failed]",
			   "a state needs the states that there are");
	} else if (yaml_expect(node, YAML_SEQUENCE, "states", l->diag)) {
		if (node->count == 0 || node->count > METRIC_MAX_STATES)
			diag_error(l->diag, node->at, "write all states that there are",
				   "states: there must be 1 to %d", METRIC_MAX_STATES);
		else
			read_states(l, node, def);
	}
}

bool load_same_states(const struct metric_def *a, const struct metric_def *b)
{
	if (a->state_count != b->state_count)
		return false;
	for (size_t i = 0; i < a->state_count; i++)
		if (strcmp(a->states[i], b->states[i]) != 0)
			return false;
	return true;
}

/* OpenMetrics names the label that tells the state as the metric itself. */
void load_check_state_label(struct loader *l, struct position at,
			    const struct metric_def *def, const struct rule_metric *out)
{
	if (def->kind != METRIC_STATE)
		return;
	if (name_is_reserved_label(slice_of(def->name)))
		diag_error(l->diag, at, "choose another name",
			   "%s cannot be a state: a label has the same name, which "
			   "belongs to Prometheus' own metric kinds",
			   def->name);
	else if (strcmp(def->name, "job") == 0 || strcmp(def->name, "instance") == 0)
		diag_warning(
			l->diag, at, "choose another name",
			"a label has the name of the state %s, and Prometheus sets "
			"that label itself",
			def->name);
	else if (!name_is_label(slice_of(def->name)))
		diag_error(l->diag, at,
			   "use letters, digits and _, not a digit or __ first",
			   "%s cannot be a state: a label has the same name",
			   def->name);
	for (size_t i = 0; i < out->label_count; i++)
		if (strcmp(out->labels[i].name, def->name) == 0)
			diag_error(l->diag, out->labels[i].at, "rename one",
				   "the label %s tells which state it is", def->name);
	for (size_t i = 0; i < l->options->global_label_count; i++)
		if (strcmp(l->options->global_labels[i], def->name) == 0)
			diag_error(l->diag, at, "rename one",
				   "the configuration's labels have %s, which tells "
				   "which state it is",
				   def->name);
}
