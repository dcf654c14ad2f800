#include "daemon/cutter.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "common/clock.h"
#include "common/shared_text.h"
#include "common/xalloc.h"

struct cutter {
	pthread_mutex_t turn; /* one cut or change of setup at a time */

	pthread_mutex_t lock; /* what follows */
	pthread_cond_t changed;
	unsigned worker_count;
	struct worker_share *shares;  /* the newest of each worker */
	struct file_reports *reports; /* likewise */
	unsigned setups_used;
	uint64_t sequence;
	bool late; /* the parts of `sequence` were not waited for any longer */
	bool late_hides_patterns;
	struct schema *schema;
	struct cut *last;
};

struct cutter *cutter_create(unsigned worker_count, uint64_t sequence)
{
	struct cutter *c = xcalloc(1, sizeof(*c));
	pthread_condattr_t monotonic;

	pthread_mutex_init(&c->turn, NULL);
	pthread_mutex_init(&c->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&c->changed, &monotonic);
	pthread_condattr_destroy(&monotonic);
	c->worker_count = worker_count;
	c->sequence = sequence;
	c->shares = xcalloc(worker_count, sizeof(*c->shares));
	for (unsigned i = 0; i < worker_count; i++)
		c->shares[i].positions = (struct positions)POSITIONS_INIT;
	c->reports = xcalloc(worker_count, sizeof(*c->reports));
	return c;
}

void cutter_destroy(struct cutter *c)
{
	if (!c)
		return;
	for (unsigned i = 0; i < c->worker_count; i++) {
		worker_share_finish(&c->shares[i]);
		file_reports_finish(&c->reports[i]);
	}
	free(c->shares);
	free(c->reports);
	cut_unref(c->last);
	schema_unref(c->schema);
	pthread_cond_destroy(&c->changed);
	pthread_mutex_destroy(&c->lock);
	pthread_mutex_destroy(&c->turn);
	free(c);
}

void cutter_cut_done(struct cutter *c, unsigned worker, struct worker_share *share)
{
	struct worker_share old;
	struct file_reports old_reports = {0};

	pthread_mutex_lock(&c->lock);
	if (share->has_reports) {
		old_reports = c->reports[worker];
		c->reports[worker] = share->reports;
		share->reports = (struct file_reports){0};
	}
	old = c->shares[worker];
	c->shares[worker] = *share;
	pthread_cond_signal(&c->changed);
	pthread_mutex_unlock(&c->lock);
	worker_share_finish(&old);
	file_reports_finish(&old_reports);
}

void cutter_setup_used(struct cutter *c)
{
	pthread_mutex_lock(&c->lock);
	c->setups_used++;
	pthread_cond_signal(&c->changed);
	pthread_mutex_unlock(&c->lock);
}

static bool all_have_cut(const struct cutter *c)
{
	for (unsigned i = 0; i < c->worker_count; i++)
		if (c->shares[i].sequence != c->sequence)
			return false;
	return true;
}

/* Under the lock: waits for the parts; false after the time is up. */
static bool wait_for_parts(struct cutter *c, int wait_ms)
{
	int64_t until_ns = clock_monotonic_ns() + wait_ms * NS_PER_MS;
	struct timespec until = {.tv_sec = (time_t)(until_ns / NS_PER_SECOND),
				 .tv_nsec = (long)(until_ns % NS_PER_SECOND)};

	while (!all_have_cut(c))
		if (pthread_cond_timedwait(&c->changed, &c->lock, &until) != 0)
			return all_have_cut(c);
	return true;
}

/* Under the lock: the cut takes the parts over from the shares. */
static void assemble(struct cutter *c, bool hide_patterns)
{
	struct part **parts = xcalloc(c->worker_count, sizeof(*parts));

	for (unsigned i = 0; i < c->worker_count; i++) {
		parts[i] = c->shares[i].part;
		c->shares[i].part = NULL;
	}
	c->late = false;
	cut_unref(c->last);
	c->last = cut_create(c->sequence, c->schema, parts, c->worker_count,
			     hide_patterns);
	free(parts);
}

/* Under both locks: true if the cut is whole. */
static bool take(struct cutter *c, struct worker *const *workers,
		 struct cut_order *order, int wait_ms)
{
	if (c->late && all_have_cut(c))
		assemble(c, c->late_hides_patterns);
	order->sequence = ++c->sequence;
	for (unsigned i = 0; i < c->worker_count; i++)
		worker_cut(workers[i], order);
	c->late = !wait_for_parts(c, wait_ms);
	c->late_hides_patterns = order->births_are_old;
	if (!c->late)
		assemble(c, order->births_are_old);
	return !c->late;
}

struct cut *cutter_cut(struct cutter *c, struct worker *const *workers,
		       struct cut_order order, int wait_ms)
{
	struct cut *cut;

	pthread_mutex_lock(&c->turn);
	pthread_mutex_lock(&c->lock);
	take(c, workers, &order, wait_ms);
	cut = c->last ? cut_ref(c->last) : NULL;
	pthread_mutex_unlock(&c->lock);
	pthread_mutex_unlock(&c->turn);
	return cut;
}

static void take_positions(struct cutter *c, struct snapshot *snapshot)
{
	snapshot->worker_count = c->worker_count;
	snapshot->positions = xcalloc(c->worker_count, sizeof(*snapshot->positions));
	for (unsigned i = 0; i < c->worker_count; i++) {
		snapshot->positions[i] = c->shares[i].positions;
		c->shares[i].positions = (struct positions)POSITIONS_INIT;
	}
}

bool cutter_take(struct cutter *c, struct worker *const *workers,
		 struct cut_order order, int wait_ms, struct snapshot *snapshot)
{
	bool whole;

	pthread_mutex_lock(&c->turn);
	pthread_mutex_lock(&c->lock);
	whole = take(c, workers, &order, wait_ms);
	if (whole) {
		snapshot->cut = cut_ref(c->last);
		take_positions(c, snapshot);
	}
	pthread_mutex_unlock(&c->lock);
	pthread_mutex_unlock(&c->turn);
	return whole;
}

void snapshot_finish(struct snapshot *snapshot)
{
	cut_unref(snapshot->cut);
	for (unsigned i = 0; i < snapshot->worker_count; i++)
		positions_finish(&snapshot->positions[i]);
	free(snapshot->positions);
	*snapshot = (struct snapshot){0};
}

void cutter_set_schema(struct cutter *c, struct schema *schema)
{
	struct schema *old;

	pthread_mutex_lock(&c->lock);
	old = c->schema;
	c->schema = schema_ref(schema);
	pthread_mutex_unlock(&c->lock);
	schema_unref(old);
}

/*
 * A part that was asked for under the old setup and comes late must not enter
 * a cut with the new schema: the sequence moves on.
 */
void cutter_use(struct cutter *c, struct worker *const *workers,
		const struct setup *setup)
{
	pthread_mutex_lock(&c->turn);
	pthread_mutex_lock(&c->lock);
	c->setups_used = 0;
	c->late = false;
	c->sequence++;
	pthread_mutex_unlock(&c->lock);
	for (unsigned i = 0; i < c->worker_count; i++)
		worker_use(workers[i], setup);
	pthread_mutex_lock(&c->lock);
	while (c->setups_used < c->worker_count)
		pthread_cond_wait(&c->changed, &c->lock);
	pthread_mutex_unlock(&c->lock);
	cutter_set_schema(c, setup->schema);
	pthread_mutex_unlock(&c->turn);
}

/* A copy, so that no worker waits for what is done with it. */
static struct file_reports copy_reports(struct cutter *c)
{
	struct file_reports all = {0};

	pthread_mutex_lock(&c->lock);
	for (unsigned i = 0; i < c->worker_count; i++)
		all.count += c->reports[i].count;
	all.list = xcalloc(all.count, sizeof(*all.list));
	all.count = 0;
	for (unsigned i = 0; i < c->worker_count; i++)
		for (size_t j = 0; j < c->reports[i].count; j++) {
			all.list[all.count] = c->reports[i].list[j];
			shared_text_ref(all.list[all.count++].path);
		}
	pthread_mutex_unlock(&c->lock);
	return all;
}

void cutter_files(struct cutter *c,
		  void (*visit)(void *ctx, const struct file_report *files,
				size_t count),
		  void *ctx)
{
	struct file_reports all = copy_reports(c);

	visit(ctx, all.list, all.count);
	file_reports_finish(&all);
}
