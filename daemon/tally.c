#include "daemon/tally.h"

#include <stdlib.h>

#include "common/clock.h"
#include "common/xalloc.h"
#include "daemon/own_metrics.h"
#include "parsers/engine.h"

struct tally {
	struct store *store;
	const struct setup *setup;
	struct engine *engine;
	uint32_t *match_series, *last_match_series, *cpu_series; /* one a rule */
	uint32_t malformed_series[MALFORMED_REASONS], limit_series[RECORD_CUTS];
	int64_t block_time_ns;
};

/* -- rules to updates ----------------------------------------------------- */

static enum update_result on_update(void *ctx, const struct update *update)
{
	struct tally *t = ctx;
	struct update shifted = *update;

	shifted.metric += OWN_STORED;
	return store_update(t->store, &shifted);
}

static void rule_labels(const struct tally *t, size_t rule, struct slice *labels)
{
	const struct rule_info *info = patterns_rule(t->setup->patterns, rule);

	labels[0] = slice_of(info->patterns);
	labels[1] = slice_of(info->name);
}

static void on_error(void *ctx, size_t rule, enum rule_error error)
{
	struct tally *t = ctx;
	struct slice labels[3];
	struct update update = {.metric = OWN_RULE_ERRORS,
				.op = UPDATE_ADD,
				.value = 1,
				.time_ns = METRIC_NO_TIME,
				.labels = labels};

	rule_labels(t, rule, labels);
	labels[2] = slice_of(rule_error_name(error));
	store_update(t->store, &update);
}

static void on_matched(void *ctx, size_t rule, uint64_t count)
{
	struct tally *t = ctx;

	store_add(t->store, OWN_RULE_MATCHES, t->match_series[rule], (double)count);
	store_set(t->store, OWN_RULE_LAST_MATCH, t->last_match_series[rule],
		  clock_seconds(t->block_time_ns), t->block_time_ns);
}

static void on_cpu(void *ctx, size_t rule, double cpu_ns)
{
	struct tally *t = ctx;

	store_add(t->store, OWN_RULE_CPU, t->cpu_series[rule], cpu_ns / 1e9);
}

static const struct engine_ops engine_ops = {
	.update = on_update, .error = on_error, .matched = on_matched, .cpu = on_cpu};

/* -- setups --------------------------------------------------------------- */

struct tally *tally_create(struct registry *registry)
{
	struct tally *t = xcalloc(1, sizeof(*t));

	t->store = store_create(registry);
	return t;
}

void tally_destroy(struct tally *t)
{
	if (!t)
		return;
	engine_destroy(t->engine);
	store_destroy(t->store);
	free(t->match_series);
	free(t->last_match_series);
	free(t->cpu_series);
	free(t);
}

static void find_rule_series(struct tally *t)
{
	size_t rules = patterns_rule_count(t->setup->patterns);

	t->match_series = xreallocarray(t->match_series, rules, sizeof(uint32_t));
	t->last_match_series =
		xreallocarray(t->last_match_series, rules, sizeof(uint32_t));
	t->cpu_series = xreallocarray(t->cpu_series, rules, sizeof(uint32_t));
	for (size_t i = 0; i < rules; i++) {
		struct slice labels[2];

		rule_labels(t, i, labels);
		t->match_series[i] = store_series(t->store, OWN_RULE_MATCHES, labels);
		t->last_match_series[i] =
			store_series(t->store, OWN_RULE_LAST_MATCH, labels);
		t->cpu_series[i] = store_series(t->store, OWN_RULE_CPU, labels);
	}
}

static uint32_t series_of(struct tally *t, enum own_metric metric, const char *reason)
{
	struct slice label = slice_of(reason);

	return store_series(t->store, metric, &label);
}

static void find_reasons(struct tally *t)
{
	for (int i = 0; i < MALFORMED_REASONS; i++)
		t->malformed_series[i] = series_of(t, OWN_MALFORMED_LINES,
						   malformed_name((enum malformed)i));
	for (int i = 0; i < RECORD_CUTS; i++)
		t->limit_series[i] = series_of(t, OWN_RECORD_LIMITS,
					       record_cut_name((enum record_cut)i));
}

static void add_each(struct tally *t, enum own_metric metric, const uint32_t *series,
		     const uint64_t *counts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (counts[i] > 0)
			store_add(t->store, metric, series[i], (double)counts[i]);
}

void tally_use(struct tally *t, const struct setup *setup)
{
	engine_destroy(t->engine);
	t->setup = setup;
	t->engine = engine_create(setup->patterns,
				  (uint32_t)setup->config->limits.match_steps,
				  &engine_ops, t);
	store_use(t->store, setup->schema);
	find_rule_series(t);
	find_reasons(t);
}

static void add_counts(struct tally *t, const struct engine_counts *here,
		       struct engine_counts *counts)
{
	if (here->unmatched_lines > 0)
		store_add(t->store, OWN_UNMATCHED_LINES, 0,
			  (double)here->unmatched_lines);
	if (here->scan_misses > 0)
		store_add(t->store, OWN_SCAN_MISSES, 0, (double)here->scan_misses);
	add_each(t, OWN_MALFORMED_LINES, t->malformed_series, here->malformed,
		 MALFORMED_REASONS);
	add_each(t, OWN_RECORD_LIMITS, t->limit_series, here->cut_records, RECORD_CUTS);
	counts->lines += here->lines;
	counts->unmatched_lines += here->unmatched_lines;
}

void tally_feed(struct tally *t, struct source *source, const struct block *block,
		struct engine_counts *counts)
{
	struct engine_counts here = {0};

	t->block_time_ns = block->read_time_ns;
	engine_feed(t->engine, source, block, &here);
	store_add(t->store, OWN_LINES, 0, (double)here.lines);
	store_add(t->store, OWN_BYTES_READ, 0, (double)block->bytes.len);
	add_counts(t, &here, counts);
}

void tally_close(struct tally *t, struct source *source, int64_t now_ns,
		 struct engine_counts *counts)
{
	struct engine_counts here = {0};

	t->block_time_ns = clock_wall_ns();
	engine_close(t->engine, source, now_ns, &here);
	add_counts(t, &here, counts);
}

void tally_restore(struct tally *t, struct source *source,
		   const struct open_record *open, int64_t now_ns,
		   struct engine_counts *counts)
{
	struct engine_counts here = {0};

	t->block_time_ns = clock_wall_ns();
	engine_restore(t->engine, source, open, now_ns, &here);
	add_counts(t, &here, counts);
}

struct store *tally_store(struct tally *t)
{
	return t->store;
}
