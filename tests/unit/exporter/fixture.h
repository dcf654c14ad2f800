/* fixture.h - a registry with a few workers' stores, rendered to text. */
#ifndef TEST_EXPORTER_FIXTURE_H
#define TEST_EXPORTER_FIXTURE_H

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/strbuf.h"
#include "exporter/cut.h"
#include "exporter/exposition.h"
#include "exporter/registry.h"
#include "exporter/store.h"

#define MAX_STORES 4
#define LABELS(...) ((const struct slice[]){__VA_ARGS__})
#define TEXT(text) ((struct slice){(text), sizeof(text) - 1})

static struct registry *registry;
static struct schema *schema;
static struct store *stores[MAX_STORES];
static size_t store_count;
static uint64_t sequence;
static struct strbuf rendered = STRBUF_INIT;

static inline void start(const struct registry_options *options, size_t workers)
{
	registry = registry_create(options);
	store_count = workers;
	for (size_t i = 0; i < workers; i++)
		stores[i] = store_create(registry);
}

/* What a reload does; the first call is the start. */
static inline void bind_full(const struct metric_def *const *defs, size_t count,
			     size_t own_count, const struct const_label *labels,
			     size_t label_count, int64_t now_ns)
{
	struct schema *old = schema;

	schema = registry_bind(registry, defs, count, own_count, labels, label_count,
			       now_ns, 1000);
	for (size_t i = 0; i < store_count; i++)
		store_use(stores[i], schema);
	schema_unref(old);
}

static inline void bind_defs(const struct metric_def *const *defs, size_t count)
{
	bind_full(defs, count, 0, NULL, 0, 0);
}

static inline void stop(void)
{
	for (size_t i = 0; i < store_count; i++)
		store_destroy(stores[i]);
	schema_unref(schema);
	registry_destroy(registry);
	strbuf_finish(&rendered);
	cr_expect_eq(cuts_alive(), 0, "every cut is released");
	schema = NULL;
	store_count = 0;
	sequence = 0;
}

static inline enum update_result apply(size_t worker, size_t metric, enum update_op op,
				       double value, int64_t time_ns,
				       const struct slice *labels)
{
	struct update update = {.metric = metric,
				.op = op,
				.value = value,
				.time_ns = time_ns,
				.labels = labels};

	return store_update(stores[worker], &update);
}

static inline enum update_result add(size_t worker, size_t metric, double value,
				     const struct slice *labels)
{
	return apply(worker, metric, UPDATE_ADD, value, METRIC_NO_TIME, labels);
}

static inline struct cut *make_cut_hiding(bool hide_patterns)
{
	struct part *parts[MAX_STORES];

	sequence++;
	for (size_t i = 0; i < store_count; i++)
		parts[i] = store_cut(stores[i], sequence);
	return cut_create(sequence, schema, parts, store_count, hide_patterns);
}

static inline struct cut *make_cut(void)
{
	return make_cut_hiding(false);
}

/* Borrowed until the next rendering. */
static inline const char *render_pieces(struct cut *cut, uint64_t seen,
					struct slice tail, size_t piece_bytes)
{
	struct exposition *e = exposition_create(cut, seen, tail);
	size_t n;

	strbuf_clear(&rendered);
	while ((n = exposition_read(e, strbuf_room(&rendered, piece_bytes),
				    piece_bytes)) > 0) {
		rendered.len += n;
		rendered.ptr[rendered.len] = '\0';
	}
	exposition_destroy(e);
	return rendered.ptr;
}

static inline const char *render(struct cut *cut, uint64_t seen)
{
	return render_pieces(cut, seen, TEXT(""), 4096);
}

/* Makes a cut, shows it to somebody who saw `seen`, and lets go of it. */
static inline const char *scrape(uint64_t seen)
{
	struct cut *cut = make_cut();
	const char *text = render(cut, seen);

	cut_unref(cut);
	return text;
}

#endif
