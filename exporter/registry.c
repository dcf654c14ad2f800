#include "exporter/registry.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/random.h>

#include "common/clock.h"
#include "common/hashmap.h"
#include "common/strbuf.h"
#include "common/xalloc.h"
#include "exporter/family.h"

#define DEFAULT_SERIES 1000000
#define DEFAULT_SERIES_PER_METRIC 10000
#define DEFAULT_LABEL_VALUE_BYTES 1024

/* A family that the registry knows, in the newest schema or removed. */
struct known {
	struct family *family;
	uint64_t last_bind;   /* that named it */
	int64_t forget_at_ns; /* once removed */
};

struct registry {
	struct family_limits limits;
	uint64_t seed;
	uint64_t binds;
	struct hashmap *known; /* by signature: struct known */
};

struct entry {
	struct family *family;
	char *help;
};

struct schema {
	atomic_uint refs;
	size_t count;
	size_t own_count;
	size_t *by_name;
	struct entry entries[];
};

/* ---- the registry ---- */

static uint64_t random_seed(const void *registry)
{
	uint64_t seed;

	/* A sandbox may forbid the call: better a weak seed than none. */
	if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) != (ssize_t)sizeof(seed))
		seed = (uint64_t)clock_wall_ns() * 0x9E3779B97F4A7C15u ^
		       (uint64_t)(uintptr_t)registry;
	return seed;
}

struct registry *registry_create(const struct registry_options *options)
{
	struct registry *registry = xcalloc(1, sizeof(*registry));

	registry->seed = random_seed(registry);
	registry->known = hashmap_create();
	registry_set_limits(registry, options);
	return registry;
}

void registry_destroy(struct registry *registry)
{
	size_t cursor = 0;
	struct slice key;
	void *value;

	if (!registry)
		return;
	while (hashmap_next(registry->known, &cursor, &key, &value)) {
		struct known *known = value;

		family_unref(known->family);
		free(known);
	}
	hashmap_destroy(registry->known);
	free(registry);
}

static size_t or_default(size_t value, size_t by_default)
{
	return value ? value : by_default;
}

void registry_set_limits(struct registry *registry,
			 const struct registry_options *options)
{
	struct family_limits *limits = &registry->limits;

	limits->series = or_default(options->series, DEFAULT_SERIES);
	limits->series_per_metric =
		or_default(options->series_per_metric, DEFAULT_SERIES_PER_METRIC);
	limits->label_value_bytes =
		or_default(options->label_value_bytes, DEFAULT_LABEL_VALUE_BYTES);
}

uint64_t registry_seed(const struct registry *registry)
{
	return registry->seed;
}

/* ---- binding ---- */

struct binding {
	struct registry *registry;
	const struct const_label *labels;
	size_t label_count;
};

static void add_part(struct strbuf *out, const void *bytes, size_t len_bytes)
{
	strbuf_add(out, (const char *)&len_bytes, sizeof(len_bytes));
	strbuf_add(out, bytes, len_bytes);
}

static void add_text(struct strbuf *out, const char *text)
{
	add_part(out, text, strlen(text));
}

/* All that must agree for a family to go on, each part with its length. */
static void add_signature(struct strbuf *out, const struct binding *b,
			  const struct metric_def *def, bool own)
{
	const char flags[] = {(char)def->kind, def->gauge_adds, own};

	add_text(out, def->name);
	add_part(out, flags, sizeof(flags));
	add_part(out, def->buckets, def->bucket_count * sizeof(*def->buckets));
	add_part(out, &def->label_count, sizeof(def->label_count));
	for (size_t i = 0; i < def->label_count; i++)
		add_text(out, def->labels[i]);
	for (size_t i = 0; !own && i < b->label_count; i++) {
		add_text(out, b->labels[i].name);
		add_text(out, b->labels[i].value);
	}
}

static struct known *find_or_create(const struct binding *b,
				    const struct metric_def *def, bool own)
{
	struct strbuf signature = STRBUF_INIT;
	struct known *known;

	add_signature(&signature, b, def, own);
	known = hashmap_get(b->registry->known, strbuf_slice(&signature));
	if (!known) {
		known = xcalloc(1, sizeof(*known));
		known->family = family_create(def, own, b->labels, b->label_count,
					      &b->registry->limits, b->registry->seed);
		hashmap_put(b->registry->known, strbuf_slice(&signature), known);
	}
	strbuf_finish(&signature);
	return known;
}

static void bind_entry(const struct binding *b, struct entry *entry,
		       const struct metric_def *def, bool own)
{
	struct known *known = find_or_create(b, def, own);

	known->last_bind = b->registry->binds;
	family_take_over(known->family, def);
	entry->family = family_ref(known->family);
	entry->help = xstrdup(def->help);
}

/* Removed families whose time is over. */
static void forget(struct registry *registry, uint64_t bind, int64_t now_ns)
{
	size_t cursor = 0;
	struct slice key;
	void *value;

	while (hashmap_next(registry->known, &cursor, &key, &value)) {
		struct known *known = value;

		if (known->last_bind == bind || now_ns < known->forget_at_ns)
			continue;
		hashmap_remove(registry->known, key);
		family_drop(known->family);
		family_unref(known->family);
		free(known);
	}
}

/* Those that the bind before had and this one has not. */
static void retire(struct registry *registry, int64_t forget_at_ns)
{
	size_t cursor = 0;
	struct slice key;
	void *value;

	while (hashmap_next(registry->known, &cursor, &key, &value)) {
		struct known *known = value;

		if (known->last_bind + 1 == registry->binds)
			known->forget_at_ns = forget_at_ns;
	}
}

static int by_name(const void *a, const void *b, void *ctx)
{
	const struct schema *schema = ctx;
	const size_t *x = a, *y = b;

	return strcmp(family_name(schema->entries[*x].family),
		      family_name(schema->entries[*y].family));
}

static void sort_by_name(struct schema *schema)
{
	schema->by_name = xcalloc(schema->count, sizeof(*schema->by_name));
	for (size_t i = 0; i < schema->count; i++)
		schema->by_name[i] = i;
	qsort_r(schema->by_name, schema->count, sizeof(*schema->by_name), by_name,
		schema);
	for (size_t i = 1; i < schema->count; i++)
		assert(by_name(&schema->by_name[i - 1], &schema->by_name[i], schema) <
		       0);
}

struct schema *registry_bind(struct registry *registry,
			     const struct metric_def *const *defs, size_t count,
			     size_t own_count, const struct const_label *labels,
			     size_t label_count, int64_t now_ns,
			     int64_t keep_removed_ns)
{
	struct schema *schema =
		xcalloc(1, sizeof(*schema) + count * sizeof(*schema->entries));
	struct binding binding = {registry, labels, label_count};
	int64_t forget_at_ns;

	atomic_init(&schema->refs, 1);
	schema->count = count;
	schema->own_count = own_count;
	forget(registry, registry->binds, now_ns);
	registry->binds++;
	for (size_t i = 0; i < count; i++)
		bind_entry(&binding, &schema->entries[i], defs[i], i < own_count);
	sort_by_name(schema);
	if (__builtin_add_overflow(now_ns, keep_removed_ns, &forget_at_ns))
		forget_at_ns = INT64_MAX;
	retire(registry, forget_at_ns);
	forget(registry, registry->binds, now_ns);
	return schema;
}

/* ---- schemas ---- */

struct schema *schema_ref(struct schema *schema)
{
	atomic_fetch_add_explicit(&schema->refs, 1, memory_order_relaxed);
	return schema;
}

void schema_unref(struct schema *schema)
{
	if (!schema ||
	    atomic_fetch_sub_explicit(&schema->refs, 1, memory_order_acq_rel) != 1)
		return;
	for (size_t i = 0; i < schema->count; i++) {
		family_unref(schema->entries[i].family);
		free(schema->entries[i].help);
	}
	free(schema->by_name);
	free(schema);
}

size_t schema_count(const struct schema *schema)
{
	return schema->count;
}

size_t schema_own_count(const struct schema *schema)
{
	return schema->own_count;
}

struct family *schema_family(const struct schema *schema, size_t index)
{
	return schema->entries[index].family;
}

const char *schema_help(const struct schema *schema, size_t index)
{
	return schema->entries[index].help;
}

size_t schema_by_name(const struct schema *schema, size_t rank)
{
	return schema->by_name[rank];
}
