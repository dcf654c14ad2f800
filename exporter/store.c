#include "exporter/store.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "common/clock.h"
#include "common/hashmap.h"
#include "common/xalloc.h"
#include "exporter/base.h"
#include "exporter/chunk.h"
#include "exporter/distinct.h"
#include "exporter/family.h"
#include "exporter/index.h"
#include "exporter/life.h"
#include "exporter/part.h"

#define HASH_BUFFER_BYTES 512

/* Different bytes may become one valid text: so many more are remembered. */
#define ALIASES(series) (2 * (series) + 64)

/* The worker's values of one family. */
struct member {
	struct family *family;
	const struct layout *layout;
	size_t label_count;
	struct chunk **chunks; /* NULL: untouched */
	size_t chunk_count;
	struct index index; /* by the raw label bytes */
	uint64_t last_use;  /* store_use() that bound it */
	uint64_t round;     /* of life.h that was done */
};

struct store {
	uint64_t seed;
	bool is_first;             /* of the registry: takes restored values */
	struct schema *schema;     /* NULL before store_use() */
	struct member **by_metric; /* of the schema */
	struct hashmap *members;   /* by family */
	uint64_t uses;             /* calls of store_use() */
	bool births_are_old;
	uint64_t sequence; /* of the last cut */
	XXH3_state_t *hash_state;
	struct strbuf text, scratch;
};

struct store *store_create(struct registry *registry)
{
	struct store *store = xcalloc(1, sizeof(*store));

	store->seed = registry_seed(registry);
	store->is_first = registry_add_store(registry);
	store->members = hashmap_create();
	store->hash_state = XXH3_createState();
	if (!store->hash_state)
		abort();
	store->text = store->scratch = (struct strbuf)STRBUF_INIT;
	return store;
}

/* ---- members ---- */

static struct slice family_as_key(struct family *const *family)
{
	return (struct slice){(const char *)family, sizeof(*family)};
}

static struct member *member_create(struct store *store, struct family *family)
{
	struct member *m = xcalloc(1, sizeof(*m));

	m->family = family_ref(family);
	m->layout = family_layout(family);
	m->label_count = family_label_count(family);
	if (store->is_first) {
		struct family_values values = family_take_values(family);

		m->chunks = values.chunks;
		m->chunk_count = values.chunk_count;
	}
	return m;
}

static void member_destroy(struct member *m)
{
	for (size_t i = 0; i < m->chunk_count; i++)
		chunk_unref(m->chunks[i]);
	free(m->chunks);
	index_finish(&m->index);
	family_unref(m->family);
	free(m);
}

static struct member *member_of(struct store *store, struct family *family)
{
	struct member *m = hashmap_get(store->members, family_as_key(&family));

	if (!m) {
		m = member_create(store, family);
		hashmap_put(store->members, family_as_key(&family), m);
	}
	return m;
}

static void drop_members(struct store *store,
			 bool (*drops)(const struct store *, const struct member *))
{
	size_t cursor = 0;
	struct slice key;
	void *value;

	while (hashmap_next(store->members, &cursor, &key, &value)) {
		if (!drops(store, value))
			continue;
		hashmap_remove(store->members, key);
		member_destroy(value);
	}
}

static bool is_given_up(const struct store *store, const struct member *m)
{
	return m->last_use != store->uses;
}

static bool always(const struct store *store, const struct member *m)
{
	(void)store;
	(void)m;
	return true;
}

void store_destroy(struct store *store)
{
	if (!store)
		return;
	drop_members(store, always);
	hashmap_destroy(store->members);
	free(store->by_metric);
	schema_unref(store->schema);
	XXH3_freeState(store->hash_state);
	strbuf_finish(&store->text);
	strbuf_finish(&store->scratch);
	free(store);
}

void store_use(struct store *store, struct schema *schema)
{
	size_t count = schema_total(schema);

	schema_ref(schema);
	schema_unref(store->schema);
	store->schema = schema;
	store->uses++;
	free(store->by_metric);
	store->by_metric = xcalloc(count, sizeof(*store->by_metric));
	for (size_t i = 0; i < count; i++) {
		store->by_metric[i] = member_of(store, schema_family(schema, i));
		store->by_metric[i]->last_use = store->uses;
	}
	drop_members(store, is_given_up);
}

void store_births_are_old(struct store *store, bool old)
{
	store->births_are_old = old;
}

/* ---- from labels to a series ---- */

static XXH128_hash_t hash_long(struct store *store, const struct slice *labels,
			       size_t count)
{
	XXH3_128bits_reset_withSeed(store->hash_state, store->seed);
	for (size_t i = 0; i < count; i++) {
		XXH3_128bits_update(store->hash_state, &labels[i].len,
				    sizeof(labels[i].len));
		XXH3_128bits_update(store->hash_state, labels[i].ptr, labels[i].len);
	}
	return XXH3_128bits_digest(store->hash_state);
}

/*
 * Each value after its length, so that "a", "bc" is not "ab", "c"; one alone as it
 * is.
 */
static XXH128_hash_t hash_labels(struct store *store, const struct slice *labels,
				 size_t count)
{
	char buffer[HASH_BUFFER_BYTES];
	size_t len = 0;

	if (count == 1)
		return XXH3_128bits_withSeed(labels->ptr, labels->len, store->seed);
	for (size_t i = 0; i < count; i++) {
		if (labels[i].len + sizeof(labels[i].len) > sizeof(buffer) - len)
			return hash_long(store, labels, count);
		memcpy(buffer + len, &labels[i].len, sizeof(labels[i].len));
		len += sizeof(labels[i].len);
		if (labels[i].len > 0)
			memcpy(buffer + len, labels[i].ptr, labels[i].len);
		len += labels[i].len;
	}
	return XXH3_128bits_withSeed(buffer, len, store->seed);
}

/*
 * Remembers bytes that are the label text itself; of bytes that were made
 * valid no more than the series deserve, or a stream of garbage that becomes
 * one text could fill the memory.
 */
static void remember(struct member *m, XXH128_hash_t hash, uint32_t series, bool exact)
{
	if (exact || m->index.count < ALIASES(family_series(m->family)))
		index_add(&m->index, hash, series);
}

static uint32_t ask_family(struct store *store, struct member *m, XXH128_hash_t hash,
			   const struct slice *labels, enum update_result *result)
{
	uint64_t born = store->births_are_old ? BORN_OLD : BORN_UNSEEN;
	bool exact, overflowed;
	uint32_t series;

	if (!family_render(m->family, labels, &store->text, &store->scratch, &exact)) {
		*result = UPDATE_LABEL_TOO_LONG;
		return STORE_NO_SERIES;
	}
	series = family_ask(m->family, strbuf_slice(&store->text), born, &overflowed);
	if (overflowed)
		*result = UPDATE_OVERFLOWED;
	else
		remember(m, hash, series, exact);
	return series;
}

/*
 * A gauge that would never be shown is not born: it would only take the place of
 * another.  For one that is there the cut finds out.
 */
static bool is_over(const struct member *m, int64_t time_ns)
{
	int64_t expire_ns = family_expire_ns(m->family);

	return metric_is_gauge(m->layout->kind) && expire_ns > 0 &&
	       time_ns != METRIC_NO_TIME && time_ns < clock_wall_ns() - expire_ns;
}

static uint32_t find_series(struct store *store, struct member *m,
			    const struct slice *labels, int64_t time_ns,
			    enum update_result *result)
{
	XXH128_hash_t hash = hash_labels(store, labels, m->label_count);
	uint32_t series = index_get(&m->index, hash);

	*result = UPDATE_DONE;
	if (series == INDEX_NONE) {
		if (is_over(m, time_ns)) {
			*result = UPDATE_OLD;
			return STORE_NO_SERIES;
		}
		series = ask_family(store, m, hash, labels, result);
	}
	if (series != STORE_NO_SERIES)
		family_touch(m->family, series);
	return series;
}

uint32_t store_series(struct store *store, size_t metric, const struct slice *labels)
{
	enum update_result result;

	return find_series(store, store->by_metric[metric], labels, METRIC_NO_TIME,
			   &result);
}

/* ---- values ---- */

static void make_room(struct member *m, size_t chunk)
{
	size_t count = m->chunk_count ? m->chunk_count : 1;

	while (count <= chunk)
		count *= 2;
	m->chunks = xreallocarray(m->chunks, count, sizeof(struct chunk *));
	memset(m->chunks + m->chunk_count, 0,
	       (count - m->chunk_count) * sizeof(struct chunk *));
	m->chunk_count = count;
}

static union slot *slots_to_write(struct member *m, uint32_t series)
{
	size_t width = m->layout->width, i = series / CHUNK_SERIES;

	if (i >= m->chunk_count)
		make_room(m, i);
	m->chunks[i] = chunk_own(m->chunks[i], m->layout);
	return chunk_slots(m->chunks[i], series, width);
}

/* Ascends, whatever the log's clock does; mostly it is the log time. */
static int64_t order_after(int64_t last, int64_t time_ns)
{
	int64_t next = time_ns > last ? time_ns : last + 1;

	return next != 0 ? next : 1;
}

/*
 * By how much the counter goes up.  False if the total has no place: where it cannot be
 * remembered, what the next one adds is not known either.
 */
static bool take_total(struct store *store, const struct update *update, double *growth)
{
	struct member *m = store->by_metric[update->metric + update->base_after];
	enum update_result result;
	uint32_t series =
		find_series(store, m, update->labels, METRIC_NO_TIME, &result);
	int64_t order;
	struct base *base;
	double last;

	if (series == STORE_NO_SERIES)
		return false;
	base = base_of(m->family, series);
	order = base_get(base, &last);
	*growth = update->value < last ? update->value : update->value - last;
	if (order == 0)
		*growth = update->first_counts ? update->value : 0;
	order = order_after(order, update->time_ns);
	base_set(base, update->value, order);
	slots_update(m->layout, slots_to_write(m, series), UPDATE_SET, update->value,
		     order);
	return true;
}

static enum update_result update_total(struct store *store, struct member *m,
				       uint32_t series, const struct update *update)
{
	double growth;

	if (!take_total(store, update, &growth))
		return UPDATE_OVERFLOWED;
	return slots_update(m->layout, slots_to_write(m, series), UPDATE_ADD, growth,
			    update->time_ns);
}

static enum update_result apply(struct store *store, struct member *m, uint32_t series,
				const struct update *update)
{
	if (update->op == UPDATE_TOTAL)
		return update_total(store, m, series, update);
	if (update->op != UPDATE_SEE)
		return slots_update(m->layout, slots_to_write(m, series), update->op,
				    update->value, update->time_ns);
	slots_see(m->layout, slots_to_write(m, series), distinct_hash(update->text),
		  update->time_ns);
	return UPDATE_DONE;
}

enum update_result store_update(struct store *store, const struct update *update)
{
	struct member *m = store->by_metric[update->metric];
	enum update_result result = layout_check(m->layout, update->op, update->value);
	enum update_result applied;
	uint32_t series;

	if (result != UPDATE_DONE)
		return result;
	series = find_series(store, m, update->labels, update->time_ns, &result);
	if (series == STORE_NO_SERIES)
		return result;
	applied = apply(store, m, series, update);
	return applied == UPDATE_DONE ? result : applied;
}

static void write_number(struct store *store, size_t metric, uint32_t series,
			 enum update_op op, double value, int64_t time_ns)
{
	struct member *m = store->by_metric[metric];

	if (series != STORE_NO_SERIES &&
	    layout_check(m->layout, op, value) == UPDATE_DONE)
		slots_update(m->layout, slots_to_write(m, series), op, value, time_ns);
}

void store_add(struct store *store, size_t metric, uint32_t series, double value)
{
	write_number(store, metric, series, UPDATE_ADD, value, METRIC_NO_TIME);
}

void store_set(struct store *store, size_t metric, uint32_t series, double value,
	       int64_t time_ns)
{
	write_number(store, metric, series, UPDATE_SET, value, time_ns);
}

/* ---- series that go ---- */

static bool is_leaving(const void *family, uint32_t series)
{
	return family_key(family, series)->leaving;
}

static void clear(struct member *m, uint32_t series)
{
	size_t i = series / CHUNK_SERIES;

	if (i < m->chunk_count && m->chunks[i])
		slots_clear(m->layout, slots_to_write(m, series));
}

static void let_go(struct member *m)
{
	const struct life *life = family_life(m->family);
	uint64_t round = life_round(life);
	const uint32_t *numbers;
	size_t count;

	if (m->round == round)
		return;
	m->round = round;
	numbers = life_to_clear(life, &count);
	if (!numbers)
		index_drop(&m->index, is_leaving, m->family);
	for (size_t i = 0; numbers && i < count; i++)
		clear(m, numbers[i]);
}

/* ---- cuts ---- */

struct part *store_cut(struct store *store, uint64_t sequence)
{
	size_t count = schema_total(store->schema), chunk_count = 0;
	struct part *part;

	assert(sequence > store->sequence);
	store->sequence = sequence;
	for (size_t i = 0; i < count; i++) {
		let_go(store->by_metric[i]);
		chunk_count += store->by_metric[i]->chunk_count;
	}
	part = part_create(sequence, store->schema, chunk_count);
	for (size_t i = 0; i < count; i++) {
		const struct member *m = store->by_metric[i];

		part_add(part, i, m->round, m->chunks, m->chunk_count);
	}
	return part;
}
