#include "daemon/cutter.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "common/clock.h"
#include "common/xalloc.h"

#define CUT_WAIT_NS (50 * NS_PER_MS)
#define MAX_CUTS 4

struct cutter {
	pthread_mutex_t turn; /* one cut or change of setup at a time */

	pthread_mutex_t lock; /* what follows */
	pthread_cond_t changed;
	unsigned worker_count;
	struct worker_share *shares; /* the newest of each worker */
	unsigned setups_used;
	uint64_t sequence;
	bool late; /* the parts of `sequence` were not waited for any longer */
	bool late_hides_patterns;
	struct schema *schema;
	struct cut *last;
};

struct cutter *cutter_create(unsigned worker_count)
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
	c->shares = xcalloc(worker_count, sizeof(*c->shares));
	return c;
}

void cutter_destroy(struct cutter *c)
{
	if (!c)
		return;
	for (unsigned i = 0; i < c->worker_count; i++)
		worker_share_finish(&c->shares[i]);
	free(c->shares);
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

	pthread_mutex_lock(&c->lock);
	old = c->shares[worker];
	c->shares[worker] = *share;
	pthread_cond_signal(&c->changed);
	pthread_mutex_unlock(&c->lock);
	worker_share_finish(&old);
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
static bool wait_for_parts(struct cutter *c)
{
	int64_t until_ns = clock_monotonic_ns() + CUT_WAIT_NS;
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

struct cut *cutter_cut(struct cutter *c, struct worker *const *workers,
		       bool hide_patterns)
{
	struct cut *cut = NULL;

	pthread_mutex_lock(&c->turn);
	pthread_mutex_lock(&c->lock);
	if (cuts_alive() < MAX_CUTS) {
		/* However slow a worker is, a scrape shows what the one before asked
		 * for. */
		if (c->late && all_have_cut(c))
			assemble(c, c->late_hides_patterns);
		c->sequence++;
		for (unsigned i = 0; i < c->worker_count; i++)
			worker_cut(workers[i], c->sequence, hide_patterns);
		c->late = !wait_for_parts(c);
		c->late_hides_patterns = hide_patterns;
		if (!c->late)
			assemble(c, hide_patterns);
		cut = c->last ? cut_ref(c->last) : NULL;
	}
	pthread_mutex_unlock(&c->lock);
	pthread_mutex_unlock(&c->turn);
	return cut;
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

static int by_path(const void *a, const void *b)
{
	const struct file_report *x = a, *y = b;

	return strcmp(x->path, y->path);
}

void cutter_files(struct cutter *c,
		  void (*visit)(void *ctx, const struct file_report *files,
				size_t count),
		  void *ctx)
{
	struct file_report *files;
	size_t count = 0;

	pthread_mutex_lock(&c->lock);
	for (unsigned i = 0; i < c->worker_count; i++)
		count += c->shares[i].file_count;
	files = xcalloc(count, sizeof(*files));
	count = 0;
	for (unsigned i = 0; i < c->worker_count; i++)
		for (size_t j = 0; j < c->shares[i].file_count; j++)
			files[count++] = c->shares[i].files[j];
	qsort(files, count, sizeof(*files), by_path);
	visit(ctx, files, count);
	pthread_mutex_unlock(&c->lock);
	free(files);
}
