/*
 * Four workers update the same series, some of which are new, while cuts are
 * taken, two threads render each, what changed is looked for, marks hide series,
 * others expire and their numbers are given away, running totals grow, windows move,
 * and the configuration is reloaded.  For ThreadSanitizer; by itself it checks that no
 * cut loses an update, that totals never go back and that each cut stays as it is.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/strbuf.h"
#include "exporter/cut.h"
#include "exporter/exposition.h"
#include "exporter/registry.h"
#include "exporter/saved.h"
#include "exporter/store.h"

#define WORKERS 4
#define UPDATES 40000
#define BATCH 50
#define LABEL_VALUES 400
#define MOST_SERIES 300
/* The last total of each of five files a worker. */
#define TOTALS (WORKERS * (5.0 * UPDATES - 15))

struct worker {
	pthread_t thread;
	struct registry *registry;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	uint64_t asked; /* sequence of the cut that is waited for; 0: none */
	struct schema *next;
	struct part *part;
	bool last; /* the part holds all updates */
	bool stop;
	int number;
};

static const char *const labels[] = {"id"};
static const double bounds[] = {1, 100, 10000};
static const struct metric_def events = {.kind = METRIC_COUNTER,
					 .name = "events_total",
					 .help = "",
					 .labels = labels,
					 .label_count = 1,
					 .max_series = MOST_SERIES};
static const struct metric_def sizes = {.kind = METRIC_HISTOGRAM,
					.name = "sizes",
					.help = "",
					.buckets = bounds,
					.bucket_count = 3};
static const struct metric_def level = {.kind = METRIC_GAUGE,
					.name = "level",
					.help = "",
					.labels = labels,
					.label_count = 1};
/* Rendered last: which series are hidden is not part of a cut. */
static const struct metric_def marked = {.kind = METRIC_COUNTER,
					 .name = "z_marked_total",
					 .help = "",
					 .labels = labels,
					 .label_count = 1};
#define HOUR_NS (3600 * NS_PER_SECOND)
static const struct metric_def pods = {.kind = METRIC_GAUGE,
				       .name = "z_pods",
				       .help = "",
				       .labels = labels,
				       .label_count = 1,
				       .expire_ns = HOUR_NS};
static const struct metric_def calls = {.kind = METRIC_COUNTER,
					.name = "z_calls_total",
					.help = "",
					.labels = labels,
					.label_count = 1,
					.max_series = 20,
					.expire_ns = HOUR_NS};
static const char *const base_labels[] = {":path"};
static const struct metric_def done = {
	.kind = METRIC_COUNTER, .name = "done_total", .help = ""};
static const struct metric_def base = {.kind = METRIC_GAUGE,
				       .name = "done_total:base",
				       .help = "",
				       .labels = base_labels,
				       .label_count = 1,
				       .is_base = true};
static const double quantiles[] = {0.5, 0.99};
static const struct metric_def took = {.kind = METRIC_SUMMARY,
				       .name = "took",
				       .help = "",
				       .labels = labels,
				       .label_count = 1,
				       .window_ns = NS_PER_SECOND,
				       .quantiles = quantiles,
				       .quantile_count = 2};
static const struct metric_def users = {
	.kind = METRIC_UNIQUE, .name = "users", .help = "", .window_ns = NS_PER_SECOND};
static const struct metric_def highest = {.kind = METRIC_GAUGE,
					  .name = "highest",
					  .help = "",
					  .extreme = EXTREME_GREATEST,
					  .window_ns = NS_PER_SECOND};
enum {
	EVENTS,
	SIZES,
	LEVEL,
	MARKED,
	PODS,
	CALLS,
	DONE,
	BASE,
	TOOK,
	USERS,
	HIGHEST,
	DEFS
};
static const struct metric_def *const defs[DEFS] = {&events, &sizes, &level,  &marked,
						    &pods,   &calls, &done,   &base,
						    &took,   &users, &highest};

static int failures;

static void expect(bool holds, const char *claim)
{
	if (!holds) {
		fprintf(stderr, "not so: %s\n", claim);
		failures++;
	}
}

/* ---- a worker ---- */

/* Of what is there for some milliseconds only. */
static void update_brief(struct store *store, int i, int number)
{
	char text[32], file[16];
	struct slice pod = {text, (size_t)snprintf(text, sizeof(text), "pod-%d-%d",
						   i % 3 ? number : 0, i / 200)};
	struct slice path = {
		file, (size_t)snprintf(file, sizeof(file), "/%d/%d", number, i % 5)};
	int64_t time_ns = clock_wall_ns() - HOUR_NS + 5 * NS_PER_MS;
	struct update gauge = {PODS, UPDATE_SET, i, time_ns, &pod};
	struct update call = {CALLS, UPDATE_ADD, 1, time_ns, &pod};
	struct update total = {DONE,  UPDATE_TOTAL, i,   time_ns,
			       &path, BASE - DONE,  true};

	store_update(store, &gauge);
	store_update(store, &call);
	store_update(store, &total);
}

/* All workers write to the same windows, which move by a pane each 1700 updates. */
static void update_windows(struct store *store, int i, int number)
{
	char text[16];
	struct slice id = {i % 2 ? "a" : "b", 1};
	int64_t time_ns = (int64_t)i * (NS_PER_MS / 10) + number;
	struct update time = {TOOK, UPDATE_OBSERVE, i % 1000, time_ns, &id};
	struct update user = {USERS, UPDATE_SEE, 0, time_ns, NULL};
	struct update high = {HIGHEST, UPDATE_OBSERVE, i % 77, time_ns, NULL};

	user.text = (struct slice){
		text, (size_t)snprintf(text, sizeof(text), "%d", i / 3 * number)};
	store_update(store, &time);
	store_update(store, &user);
	store_update(store, &high);
}

static void update(struct store *store, int i, int number)
{
	char text[16];
	struct slice label = {
		text, (size_t)snprintf(text, sizeof(text), "%d",
				       (i / 40 + i % 7 * number) % LABEL_VALUES)};
	struct update event = {0, UPDATE_ADD, 1, METRIC_NO_TIME, &label};
	struct update size = {1, UPDATE_OBSERVE, i, METRIC_NO_TIME, NULL};
	struct update set = {2, UPDATE_SET, i, i, &label};
	struct update mark = {3, UPDATE_ADD, 1, METRIC_NO_TIME, &label};

	store_update(store, &event);
	store_update(store, &size);
	store_update(store, &set);
	store_update(store, &mark);
	update_brief(store, i, number);
	update_windows(store, i, number);
}

static void answer(struct worker *w, struct store *store, bool last)
{
	if (w->next) {
		store_use(store, w->next);
		schema_unref(w->next);
		w->next = NULL;
	}
	if (w->asked) {
		w->part = store_cut(store, w->asked);
		w->asked = 0;
		w->last = last;
		pthread_cond_broadcast(&w->changed);
	}
}

static void *work(void *arg)
{
	struct worker *w = arg;
	struct store *store = store_create(w->registry);
	int i = 0;

	pthread_mutex_lock(&w->lock);
	while (!w->stop) {
		answer(w, store, i == UPDATES);
		if (i == UPDATES) {
			if (!w->asked && !w->next)
				pthread_cond_wait(&w->changed, &w->lock);
			continue;
		}
		pthread_mutex_unlock(&w->lock);
		for (int n = 0; n < BATCH; n++)
			update(store, i++, w->number);
		pthread_mutex_lock(&w->lock);
	}
	pthread_mutex_unlock(&w->lock);
	store_destroy(store);
	return NULL;
}

/* ---- the thread that makes cuts ---- */

static void tell(struct worker *w, uint64_t sequence, struct schema *next)
{
	pthread_mutex_lock(&w->lock);
	if (next) {
		schema_unref(w->next);
		w->next = schema_ref(next);
	}
	w->asked = sequence;
	pthread_cond_broadcast(&w->changed);
	pthread_mutex_unlock(&w->lock);
}

static struct part *take(struct worker *w, bool *last)
{
	struct part *part;

	pthread_mutex_lock(&w->lock);
	while (!w->part)
		pthread_cond_wait(&w->changed, &w->lock);
	part = w->part;
	w->part = NULL;
	*last = *last && w->last;
	pthread_mutex_unlock(&w->lock);
	return part;
}

static struct cut *make_cut(struct worker *workers, uint64_t sequence,
			    struct schema *schema, struct schema *next, bool *last)
{
	struct part *parts[WORKERS];

	*last = true;
	for (int i = 0; i < WORKERS; i++)
		tell(&workers[i], sequence, next);
	for (int i = 0; i < WORKERS; i++)
		parts[i] = take(&workers[i], last);
	return cut_create(sequence, schema, parts, WORKERS, false);
}

static double sum_of(const struct cut *cut, size_t metric)
{
	double sum = 0, value;

	for (size_t i = 0; i < cut_series(cut, metric); i++)
		if (cut_value(cut, metric, (uint32_t)i, &value))
			sum += value;
	return sum;
}

/* ---- readers ---- */

static void count_series(void *ctx, struct family *family, uint32_t number,
			 const struct saved_series *series)
{
	(void)family;
	(void)number;
	(void)series;
	++*(size_t *)ctx;
}

static void count_value(void *ctx, struct family *family, uint32_t number,
			const struct slots_value *value)
{
	(void)family;
	(void)number;
	(void)value;
	++*(size_t *)ctx;
}

static void count_past(void *ctx, struct family *family, uint32_t number,
		       uint64_t sequence, const struct slots_value *value)
{
	(void)family;
	(void)number;
	(void)sequence;
	(void)value;
	++*(size_t *)ctx;
}

/* What a commit does: the thread that saves knows what it has saved. */
static size_t save(struct cut *cut, const struct cut *since)
{
	static const struct cut_visitor visitor = {count_series, count_value,
						   count_past};
	struct schema *schema = cut_schema(cut);
	size_t changes = 0;

	cut_each_change(cut, since, &visitor, &changes);
	for (size_t i = 0; i < schema_total(schema); i++)
		family_note_saved(schema_family(schema, i), cut, i);
	return changes;
}

static void render(struct cut *cut, struct strbuf *out)
{
	struct exposition *e =
		exposition_create(cut, EXPOSITION_ALL_SEEN, (struct slice){"", 0});
	size_t n;

	while ((n = exposition_read(e, strbuf_room(out, 1000), 1000)) > 0)
		out->len += n;
	out->ptr[out->len] = '\0';
	exposition_destroy(e);
}

/* Without those of which some are hidden. */
static bool starts_alike(const struct strbuf *a, const struct strbuf *b)
{
	const char *a_end = strstr(a->ptr, "# TYPE z_");
	const char *b_end = strstr(b->ptr, "# TYPE z_");
	size_t a_len = a_end ? (size_t)(a_end - a->ptr) : a->len;
	size_t b_len = b_end ? (size_t)(b_end - b->ptr) : b->len;

	return a_len > 0 && a_len == b_len && memcmp(a->ptr, b->ptr, a_len) == 0;
}

/* Returns NULL if the cut reads the same twice. */
static void *read_cut(void *arg)
{
	struct cut *cut = arg;
	struct strbuf first = STRBUF_INIT, second = STRBUF_INIT;
	bool same;

	render(cut, &first);
	render(cut, &second);
	same = starts_alike(&first, &second);
	strbuf_finish(&first);
	strbuf_finish(&second);
	cut_unref(cut);
	return same ? NULL : arg;
}

static struct schema *bind_again(struct registry *registry)
{
	return registry_bind(registry, defs, DEFS, 0, NULL, 0, 0, 0);
}

static void start_workers(struct worker *workers, struct registry *registry,
			  struct schema *schema)
{
	for (int i = 0; i < WORKERS; i++) {
		workers[i].registry = registry;
		workers[i].number = i;
		workers[i].next = schema_ref(schema);
		pthread_mutex_init(&workers[i].lock, NULL);
		pthread_cond_init(&workers[i].changed, NULL);
		pthread_create(&workers[i].thread, NULL, work, &workers[i]);
	}
}

static void stop_workers(struct worker *workers)
{
	for (int i = 0; i < WORKERS; i++) {
		pthread_mutex_lock(&workers[i].lock);
		workers[i].stop = true;
		pthread_cond_broadcast(&workers[i].changed);
		pthread_mutex_unlock(&workers[i].lock);
		pthread_join(workers[i].thread, NULL);
		schema_unref(workers[i].next);
	}
}

/* Until all updates are in a cut; returns how many cuts that took. */
static uint64_t follow(struct worker *workers, struct registry *registry,
		       struct schema **schema)
{
	double before = 0, total = 0, done_total = 0;
	size_t changes = 0;
	struct cut *saved = NULL;
	uint64_t sequence = 0;
	bool last = false;

	while (!last) {
		struct schema *next = bind_again(registry);
		struct cut *cut = make_cut(workers, ++sequence, *schema, next, &last);
		pthread_t readers[2];
		void *changed;

		for (int i = 0; i < 2; i++)
			pthread_create(&readers[i], NULL, read_cut, cut_ref(cut));
		changes += save(cut, saved ? saved : cut);
		cut_unref(saved);
		saved = cut_ref(cut);
		total = sum_of(cut, EVENTS);
		done_total = sum_of(cut, DONE);
		expect(total >= before, "totals never go back");
		before = total;
		for (int i = 0; i < 2; i++) {
			pthread_join(readers[i], &changed);
			expect(!changed, "a cut stays as it is");
		}
		family_mark_begin(schema_family(*schema, 3));
		family_mark_end(schema_family(*schema, 3));
		cut_unref(cut);
		schema_unref(*schema);
		*schema = next;
	}
	cut_unref(saved);
	expect(changes > 0, "changes were found");
	expect(total == (double)WORKERS * UPDATES, "every update is in the last cut");
	expect(done_total == TOTALS, "and so is what every total grew");
	return sequence;
}

int main(void)
{
	struct registry *registry = registry_create(&(struct registry_options){0});
	struct schema *schema = bind_again(registry);
	static struct worker workers[WORKERS];
	uint64_t cuts;

	start_workers(workers, registry, schema);
	cuts = follow(workers, registry, &schema);
	expect(cuts > 1, "cuts were taken while workers worked");
	expect(family_overflows(schema_family(schema, 0)) > 0, "the limit was reached");
	stop_workers(workers);
	expect(family_series(schema_family(schema, PODS)) < 1000,
	       "numbers of pods are used again");
	expect(family_forgotten(schema_family(schema, CALLS)) > 0,
	       "the oldest of the counters went");
	expect(family_series(schema_family(schema, 0)) == MOST_SERIES + 1,
	       "the limit holds, `other` comes on top");
	schema_unref(schema);
	registry_destroy(registry);
	expect(cuts_alive() == 0, "every cut is released");
	printf("%d failed, %llu cuts\n", failures, (unsigned long long)cuts);
	return failures != 0;
}
