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
#include "exporter/number.h"

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
	atomic_uint stores;
	registry_restore_fn *restore; /* NULL: nothing comes back */
	void *restore_ctx;
};

struct entry {
	struct family *family;
	char *help;
	struct quantile *quantiles;
	size_t quantile_count;
	char *age_name, *age_help; /* NULL: not tracked */
};

struct schema {
	atomic_uint refs;
	size_t count;
	size_t total; /* with removed families at the end */
	size_t own_count;
	struct schema_item *items; /* what is shown of `count`, by name */
	size_t item_count;
	size_t *by_address; /* of `total` */
	struct entry *entries;
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
	registry->limits.expires = !options->never_expires;
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

bool registry_add_store(struct registry *registry)
{
	return atomic_fetch_add(&registry->stores, 1) == 0;
}

void registry_set_restore(struct registry *registry, registry_restore_fn *restore,
			  void *ctx)
{
	registry->restore = restore;
	registry->restore_ctx = ctx;
}

/* ---- binding ---- */

struct binding {
	struct registry *registry;
	const struct const_label *labels;
	size_t label_count;
};

/* A part with its length, so that no two lists of parts read alike. */
static void add_part(struct strbuf *out, const char *text)
{
	strbuf_addf(out, "%zu:%s,", strlen(text), text);
}

static void add_number(struct strbuf *out, double number)
{
	char text[NUMBER_MAX_BYTES + 1];

	text[number_format(text, number)] = '\0';
	add_part(out, text);
}

/* Plain and hashed values, and those of two keys, are not the same label's. */
static void add_label(struct strbuf *out, const struct metric_def *def, size_t i)
{
	char *hashed;

	if (i >= METRIC_MAX_LABELS || !(def->hashed_labels >> i & 1)) {
		add_part(out, def->labels[i]);
		return;
	}
	hashed = xasprintf("%s hash %s", def->labels[i], def->hash_key_id);
	add_part(out, hashed);
	free(hashed);
}

/*
 * All that must agree for a family to go on.  It is stored: the same definition
 * has the same text in every version and on every machine.
 */
static void add_window(struct strbuf *out, const struct metric_def *def)
{
	static const char *const extremes[] = {"none", "least", "greatest"};

	if (def->window_ns == 0)
		return;
	add_part(out, extremes[def->extreme]);
	add_number(out, (double)def->window_ns);
}

static void add_signature(struct strbuf *out, const struct binding *b,
			  const struct metric_def *def, bool own)
{
	add_part(out, def->name);
	add_part(out, metric_kind_name(def->kind));
	add_part(out, def->gauge_adds ? "adds" : def->is_base ? "base" : "");
	add_part(out, own ? "own" : "");
	add_number(out, (double)def->bucket_count);
	for (size_t i = 0; i < def->bucket_count; i++)
		add_number(out, def->buckets[i]);
	add_window(out, def);
	for (size_t i = 0; i < def->state_count; i++)
		add_part(out, def->states[i]);
	add_number(out, (double)def->label_count);
	for (size_t i = 0; i < def->label_count; i++)
		add_label(out, def, i);
	for (size_t i = 0; !own && i < b->label_count; i++) {
		add_part(out, b->labels[i].name);
		add_part(out, b->labels[i].value);
	}
}

static struct known *create_known(const struct binding *b, const struct metric_def *def,
				  bool own, struct slice signature)
{
	struct registry *registry = b->registry;
	struct known *known = xcalloc(1, sizeof(*known));

	known->family = family_create(def, own, b->labels, b->label_count, signature,
				      &registry->limits, registry->seed);
	hashmap_put(registry->known, signature, known);
	if (registry->restore)
		registry->restore(registry->restore_ctx, known->family, signature);
	return known;
}

static struct known *find_or_create(const struct binding *b,
				    const struct metric_def *def, bool own)
{
	struct strbuf signature = STRBUF_INIT;
	struct known *known;

	add_signature(&signature, b, def, own);
	known = hashmap_get(b->registry->known, strbuf_slice(&signature));
	if (!known)
		known = create_known(b, def, own, strbuf_slice(&signature));
	strbuf_finish(&signature);
	return known;
}

static void add_entry(struct schema *schema, struct family *family, const char *help)
{
	schema->entries =
		xgrow(schema->entries, schema->total, sizeof(*schema->entries));
	schema->entries[schema->total++] =
		(struct entry){.family = family_ref(family), .help = xstrdup(help)};
}

static void add_quantiles(struct entry *entry, const struct metric_def *def)
{
	entry->quantiles = xcalloc(def->quantile_count, sizeof(*entry->quantiles));
	entry->quantile_count = def->quantile_count;
	for (size_t i = 0; i < def->quantile_count; i++) {
		char number[NUMBER_MAX_BYTES];
		size_t len = number_format_le(number, def->quantiles[i]);

		entry->quantiles[i] = (struct quantile){
			def->quantiles[i],
			xasprintf("quantile=\"%.*s\"", (int)len, number)};
	}
}

static void bind_entry(const struct binding *b, struct schema *schema,
		       const struct metric_def *def, bool own)
{
	struct known *known = find_or_create(b, def, own);
	struct entry *entry;

	known->last_bind = b->registry->binds;
	family_take_over(known->family, def);
	add_entry(schema, known->family, def->help);
	entry = &schema->entries[schema->total - 1];
	add_quantiles(entry, def);
	if (!def->track_age)
		return;
	entry->age_name = xasprintf("%s" METRIC_AGE_SUFFIX, def->name);
	entry->age_help = xasprintf("When %s was last updated, in the time of the log.",
				    def->name);
}

static void entry_finish(struct entry *entry)
{
	family_unref(entry->family);
	for (size_t i = 0; i < entry->quantile_count; i++)
		free((char *)entry->quantiles[i].label);
	free(entry->quantiles);
	free(entry->age_name);
	free(entry->age_help);
	free(entry->help);
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

/* The removed ones that are left, after those that were named. */
static void add_removed(struct schema *schema, const struct registry *registry)
{
	size_t cursor = 0;
	struct slice key;
	void *value;

	while (hashmap_next(registry->known, &cursor, &key, &value)) {
		const struct known *known = value;

		if (known->last_bind != registry->binds)
			add_entry(schema, known->family, "");
	}
}

static int by_name(const void *a, const void *b)
{
	const struct schema_item *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static int by_address(const void *a, const void *b, void *ctx)
{
	const struct schema *schema = ctx;
	uintptr_t x = (uintptr_t)schema->entries[*(const size_t *)a].family;
	uintptr_t y = (uintptr_t)schema->entries[*(const size_t *)b].family;

	return x < y ? -1 : x > y;
}

static void sort_by_address(struct schema *schema)
{
	schema->by_address = xcalloc(schema->total, sizeof(*schema->by_address));
	for (size_t i = 0; i < schema->total; i++)
		schema->by_address[i] = i;
	qsort_r(schema->by_address, schema->total, sizeof(*schema->by_address),
		by_address, schema);
}

static void list_items(struct schema *schema)
{
	schema->items = xcalloc(2 * schema->count, sizeof(*schema->items));
	for (size_t i = 0; i < schema->count; i++) {
		const struct entry *entry = &schema->entries[i];

		schema->items[schema->item_count++] = (struct schema_item){
			i, false, family_name(entry->family), entry->help};
		if (entry->age_name)
			schema->items[schema->item_count++] = (struct schema_item){
				i, true, entry->age_name, entry->age_help};
	}
	qsort(schema->items, schema->item_count, sizeof(*schema->items), by_name);
	for (size_t i = 1; i < schema->item_count; i++)
		assert(by_name(&schema->items[i - 1], &schema->items[i]) < 0);
}

struct schema *registry_bind(struct registry *registry,
			     const struct metric_def *const *defs, size_t count,
			     size_t own_count, const struct const_label *labels,
			     size_t label_count, int64_t now_ns,
			     int64_t keep_removed_ns)
{
	struct schema *schema = xcalloc(1, sizeof(*schema));
	struct binding binding = {registry, labels, label_count};
	int64_t forget_at_ns;

	atomic_init(&schema->refs, 1);
	schema->count = count;
	schema->own_count = own_count;
	forget(registry, registry->binds, now_ns);
	registry->binds++;
	for (size_t i = 0; i < count; i++)
		bind_entry(&binding, schema, defs[i], i < own_count);
	if (__builtin_add_overflow(now_ns, keep_removed_ns, &forget_at_ns))
		forget_at_ns = INT64_MAX;
	retire(registry, forget_at_ns);
	forget(registry, registry->binds, now_ns);
	add_removed(schema, registry);
	sort_by_address(schema);
	list_items(schema);
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
	for (size_t i = 0; i < schema->total; i++)
		entry_finish(&schema->entries[i]);
	free(schema->entries);
	free(schema->items);
	free(schema->by_address);
	free(schema);
}

size_t schema_count(const struct schema *schema)
{
	return schema->count;
}

size_t schema_total(const struct schema *schema)
{
	return schema->total;
}

size_t schema_own_count(const struct schema *schema)
{
	return schema->own_count;
}

struct family *schema_family(const struct schema *schema, size_t index)
{
	return schema->entries[index].family;
}

const struct quantile *schema_quantiles(const struct schema *schema, size_t index,
					size_t *count)
{
	*count = schema->entries[index].quantile_count;
	return schema->entries[index].quantiles;
}

size_t schema_item_count(const struct schema *schema)
{
	return schema->item_count;
}

const struct schema_item *schema_item(const struct schema *schema, size_t rank)
{
	return &schema->items[rank];
}

bool schema_find(const struct schema *schema, const struct family *family,
		 size_t *index)
{
	size_t from = 0, to = schema->total;

	while (from < to) {
		size_t middle = (from + to) / 2, i = schema->by_address[middle];

		*index = i;
		if (schema->entries[i].family == family)
			return true;
		if ((uintptr_t)schema->entries[i].family < (uintptr_t)family)
			from = middle + 1;
		else
			to = middle;
	}
	return false;
}
