#include "exporter/family.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/xalloc.h"
#include "exporter/chunk.h"
#include "exporter/family_inside.h"
#include "exporter/life.h"

/* ---- creation ---- */

struct family *family_create(const struct metric_def *def, bool own,
			     const struct const_label *labels, size_t label_count,
			     struct slice signature, struct family_limits *limits,
			     uint64_t seed)
{
	struct family *f = xcalloc(1, sizeof(*f));

	atomic_init(&f->refs, 1);
	f->own = own;
	f->is_base = def->is_base;
	shape_init(&f->shape, def, own ? NULL : labels, own ? 0 : label_count);
	f->limits = limits;
	keys_init(&f->keys, seed);
	f->signature = (struct strbuf)STRBUF_INIT;
	strbuf_add_slice(&f->signature, signature);
	f->life = life_create();
	pthread_mutex_init(&f->lock, NULL);
	return f;
}

static void free_values(struct family *f)
{
	for (size_t i = 0; i < f->values.chunk_count; i++)
		chunk_unref(f->values.chunks[i]);
	free(f->values.chunks);
}

static void destroy(struct family *f)
{
	atomic_fetch_sub(&f->limits->limited_series, f->limited_series);
	keys_finish(&f->keys);
	life_destroy(f->life);
	free(f->saved.texts);
	free(f->changed_pasts);
	free_values(f);
	shape_finish(&f->shape);
	strbuf_finish(&f->signature);
	pthread_mutex_destroy(&f->lock);
	free(f);
}

struct family *family_ref(struct family *family)
{
	atomic_fetch_add_explicit(&family->refs, 1, memory_order_relaxed);
	return family;
}

void family_unref(struct family *family)
{
	if (family &&
	    atomic_fetch_sub_explicit(&family->refs, 1, memory_order_acq_rel) == 1)
		destroy(family);
}

/* ---- what it is ---- */

const char *family_name(const struct family *family)
{
	return family->shape.name;
}

bool family_is_base(const struct family *family)
{
	return family->is_base;
}

enum metric_kind family_kind(const struct family *family)
{
	return family->shape.layout.kind;
}

const struct layout *family_layout(const struct family *family)
{
	return &family->shape.layout;
}

size_t family_label_count(const struct family *family)
{
	return family->shape.label_count;
}

struct slice family_signature(const struct family *family)
{
	return strbuf_slice(&family->signature);
}

struct family_saved *family_saved(struct family *family)
{
	return &family->saved;
}

struct slice family_le(const struct family *family, size_t bucket)
{
	return strbuf_slice(&family->shape.le[bucket]);
}

size_t family_states(const struct family *family)
{
	return family->shape.state_count;
}

struct slice family_state(const struct family *family, size_t state)
{
	return strbuf_slice(&family->shape.states[state]);
}

const char *family_state_list(const struct family *family)
{
	return family->shape.state_count > 0 ? family->shape.state_list.ptr : NULL;
}

size_t family_series(const struct family *family)
{
	return keys_count(&family->keys);
}

size_t family_live_series(const struct family *family)
{
	size_t unshown = atomic_load_explicit(&family->unshown, memory_order_relaxed);
	size_t count = keys_count(&family->keys);

	return count > unshown ? count - unshown : 0;
}

uint64_t family_forgotten(const struct family *family)
{
	return atomic_load_explicit(&family->forgotten, memory_order_relaxed);
}

int64_t family_expire_ns(const struct family *family)
{
	return atomic_load_explicit(&family->expire_ns, memory_order_relaxed);
}

uint64_t family_overflows(const struct family *family)
{
	return atomic_load_explicit(&family->overflows, memory_order_relaxed);
}

const struct series_key *family_key(const struct family *family, uint32_t series)
{
	return keys_at(&family->keys, series);
}

/* ---- labels ---- */

bool family_render(const struct family *family, const struct slice *values,
		   struct strbuf *text, struct strbuf *scratch, bool *exact)
{
	bool any = family->own || family->is_base;
	size_t most = any ? SIZE_MAX : family->limits->label_value_bytes;

	return shape_render(&family->shape, values, most, text, scratch, exact);
}
