/*
 * registry.h - the metric families and the keys of their series.
 *
 * One registry serves all workers.  It knows names and label texts; the values
 * lie in each worker's store (store.h) under the series number that the
 * registry gave.  A series is born under a lock, once; its number and text
 * never change while the family lives, so readers need no lock.
 */
#ifndef EXPORTER_REGISTRY_H
#define EXPORTER_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/metric.h"
#include "common/slice.h"

struct registry;
struct family;
struct schema;

struct registry_options {
	/*
	 * Of all metrics together, removed ones that are still kept included;
	 * 0: 1,000,000.
	 */
	size_t series;
	size_t series_per_metric; /* where a definition says none; 0: 10,000 */
	size_t label_value_bytes; /* 0: 1 KiB */
	bool never_expires;       /* whatever definitions say; for lines of any age */
};

/* A label that every metric of the patterns carries. */
struct const_label {
	const char *name;
	const char *value;
};

struct registry *registry_create(const struct registry_options *options);

/*
 * Called by registry_bind() for each family that it makes because it knew none
 * with this definition: the place for family_restore() (saved.h).  `signature`
 * is the definition as text, the same in every process; borrowed.
 */
typedef void registry_restore_fn(void *ctx, struct family *family,
				 struct slice signature);

/* Before the first bind. */
void registry_set_restore(struct registry *registry, registry_restore_fn *restore,
			  void *ctx);

/* After every schema, store and cut of it.  NULL is accepted. */
void registry_destroy(struct registry *registry);

/* Takes effect for series born from now on: none dies.  Any thread. */
void registry_set_limits(struct registry *registry,
			 const struct registry_options *options);

/*
 * Binds a configuration: the i-th family of the schema is that of defs[i]; no two have
 * the same name.  A definition equal to one known before (name, kind, labels, which are
 * hashed, buckets, gauge_adds, extreme, window, states, const labels) keeps its family
 * with all series and values; help, quantiles, track_age, max_series and new declared
 * sets are taken over.  A family that no definition names any more is kept for
 * `keep_removed_ns` of the clock that `now_ns` is from, in case the same definition
 * comes back; the first bind after that gives it up.  A definition that is new may have
 * been saved by an earlier process: registry_set_restore().  own_count definitions at
 * the front are the daemon's own metrics: no const labels, no limits, shown while
 * catching up too.  A const label whose name a definition has as a label gives way to
 * that.  Copies everything.  The schema is the caller's reference.  One thread at a
 * time.
 */
struct schema *registry_bind(struct registry *registry,
			     const struct metric_def *const *defs, size_t count,
			     size_t own_count, const struct const_label *labels,
			     size_t label_count, int64_t now_ns,
			     int64_t keep_removed_ns);

/* Any thread. */
struct schema *schema_ref(struct schema *schema);
void schema_unref(struct schema *schema); /* NULL is accepted */
/* Of the definitions that were bound. */
size_t schema_count(const struct schema *schema);
/*
 * With the removed families that are kept, whose indexes follow: they are not
 * shown, but cuts hold them, so that their last values can be saved.
 */
size_t schema_total(const struct schema *schema);
/* `index` is below schema_total(). */
struct family *schema_family(const struct schema *schema, size_t index);
/* Where the family is, if it is there. */
bool schema_find(const struct schema *schema, const struct family *family,
		 size_t *index);
size_t schema_own_count(const struct schema *schema);
/* A summary's; what does not fit its values, so that a reload may change them. */
struct quantile {
	double q;
	const char *label; /* quantile="0.5" */
};
const struct quantile *schema_quantiles(const struct schema *schema, size_t index,
					size_t *count);

/*
 * What an exposition shows, in the order of names: families, and the times of the last
 * update of those that are tracked.
 */
struct schema_item {
	size_t index; /* of the family */
	bool is_age;
	const char *name;
	const char *help;
};
size_t schema_item_count(const struct schema *schema);
const struct schema_item *schema_item(const struct schema *schema, size_t rank);

/* Any thread. */
const char *family_name(const struct family *family);
enum metric_kind family_kind(const struct family *family);
/* It keeps running totals and is never shown: metric_def.is_base. */
bool family_is_base(const struct family *family);
/* Numbers that are or were given to one: hidden, expired and free ones included. */
size_t family_series(const struct family *family);
/* Without those that have expired. */
size_t family_live_series(const struct family *family);
/* Expired counters, histograms and summaries that went because there were too many. */
uint64_t family_forgotten(const struct family *family);
/* Updates that the series limit kept from a series of their own. */
uint64_t family_overflows(const struct family *family);

/*
 * Between begin and end, every series that store_series() or an update asks
 * for by its labels is marked; the end hides the others until somebody asks
 * for them again.  For own metrics whose label sets follow the configuration
 * (rules that no longer exist).
 */
void family_mark_begin(struct family *family);
void family_mark_end(struct family *family);

/* Random; what hashes text from logs starts from it. */
uint64_t registry_seed(const struct registry *registry);

/* Every store tells that it was made.  True for the first. */
bool registry_add_store(struct registry *registry);

#endif
