#include "daemon/crew.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/xalloc.h"
#include "daemon/cutter.h"
#include "daemon/own_metrics.h"
#include "daemon/worker.h"

#define LOOKED_MS 10000
#define RELOAD_MS 1000

struct crew {
	struct crew_ops ops;
	struct resumed *resumed;
	const struct setup *setup;
	struct cutter *cutter;
	struct worker **workers;
	unsigned worker_count;
	struct leftovers *leftovers;
	struct saver *saver;
	bool was_caught_up; /* an earlier run was */
	struct discovery *discovery;
	pthread_t discovery_thread;
	bool follows;
};

/* -- what they say to each other ------------------------------------------ */

static void on_cut_done(void *ctx, unsigned worker, struct worker_share *share)
{
	cutter_cut_done(((struct crew *)ctx)->cutter, worker, share);
}

static void on_setup_used(void *ctx, unsigned worker)
{
	(void)worker;
	cutter_setup_used(((struct crew *)ctx)->cutter);
}

static void on_backlog_read(void *ctx)
{
	struct crew *crew = ctx;

	crew->ops.backlog_read(crew->ops.ctx);
}

static void on_save_soon(void *ctx)
{
	saver_save_soon(((struct crew *)ctx)->saver);
}

static void on_fallback(void *ctx, const char *reason)
{
	struct crew *crew = ctx;

	crew->ops.fallback(crew->ops.ctx, reason);
}

static void on_looked(void *ctx, const char *const *root_paths, size_t count)
{
	struct crew *crew = ctx;

	if (!saver_save_roots(crew->saver, root_paths, count, LOOKED_MS))
		log_warn("could not save what the logs held at first: should the "
			 "daemon be killed now, rotated files may be read");
}

/*
 * Until the first backlog ever was read, or nothing is remembered of it: old
 * lines must not look like a burst.
 */
static bool hides_patterns(void *ctx)
{
	const struct crew *crew = ctx;

	return !crew->was_caught_up && !crew_has_caught_up(crew);
}

/* -- creation ------------------------------------------------------------- */

/* Series of rules that no longer exist are shown no more. */
static void mark_rules(struct schema *schema, void (*mark)(struct family *family))
{
	mark(schema_family(schema, OWN_RULE_MATCHES));
	mark(schema_family(schema, OWN_RULE_LAST_MATCH));
	mark(schema_family(schema, OWN_RULE_CPU));
}

static bool create_workers(struct crew *crew, struct error *err)
{
	static const struct worker_ops ops = {.cut_done = on_cut_done,
					      .setup_used = on_setup_used,
					      .backlog_read = on_backlog_read,
					      .save_soon = on_save_soon};
	struct schema *schema = crew->setup->schema;

	crew->worker_count = crew->setup->config->workers;
	crew->cutter = cutter_create(crew->worker_count, crew->resumed->sequence);
	cutter_set_schema(crew->cutter, schema);
	crew->workers = xcalloc(crew->worker_count, sizeof(struct worker *));
	mark_rules(schema, family_mark_begin);
	for (unsigned i = 0; i < crew->worker_count; i++) {
		crew->workers[i] = worker_create(i, crew->resumed->registry,
						 crew->setup, crew->leftovers,
						 !crew->was_caught_up, &ops, crew, err);
		if (!crew->workers[i])
			return false;
	}
	mark_rules(schema, family_mark_end);
	return true;
}

static bool create_discovery(struct crew *crew, struct error *err)
{
	static const struct discovery_ops ops = {.fallback = on_fallback,
						 .looked = on_looked};
	struct resumed *resumed = crew->resumed;
	struct follower **followers =
		xcalloc(crew->worker_count, sizeof(struct follower *));

	for (unsigned i = 0; i < crew->worker_count; i++)
		followers[i] = worker_follower(crew->workers[i]);
	crew->discovery = discovery_create(
		followers, crew->worker_count,
		resumed->is_first ? NULL : &resumed->past.discovery, &ops, crew, err);
	free(followers);
	past_finish(&resumed->past);
	return crew->discovery != NULL;
}

struct crew *crew_create(const struct setup *setup, struct resumed *resumed,
			 const struct crew_ops *ops, int live_after_ms,
			 struct error *err)
{
	struct crew *crew = xcalloc(1, sizeof(*crew));

	crew->ops = *ops;
	crew->setup = setup;
	crew->resumed = resumed;
	crew->was_caught_up = resumed->past.caught_up;
	crew->leftovers =
		resumed->past.leftovers ? resumed->past.leftovers : leftovers_create();
	resumed->past.leftovers = NULL;
	if (!create_workers(crew, err) || !create_discovery(crew, err)) {
		crew_destroy(crew);
		return NULL;
	}
	crew->saver = saver_create(&(struct saver_options){
		.cutter = crew->cutter,
		.workers = crew->workers,
		.commit = resumed->commit,
		.live_after_ms = live_after_ms,
		.hides_patterns = hides_patterns,
		.ctx = crew,
	});
	return crew;
}

void crew_destroy(struct crew *crew)
{
	if (!crew)
		return;
	discovery_destroy(crew->discovery);
	for (unsigned i = 0; i < crew->worker_count; i++)
		worker_destroy(crew->workers[i]);
	free(crew->workers);
	leftovers_destroy(crew->leftovers);
	saver_destroy(crew->saver);
	cutter_destroy(crew->cutter);
	free(crew);
}

/* -- start and stop ------------------------------------------------------- */

bool crew_start(struct crew *crew, struct error *err)
{
	for (unsigned i = 0; i < crew->worker_count; i++)
		if (!worker_start(crew->workers[i], err))
			return false;
	return saver_start(crew->saver, err);
}

static void *run_discovery(void *arg)
{
	discovery_run(arg);
	return NULL;
}

bool crew_follow(struct crew *crew, struct error *err)
{
	discovery_set_roots(crew->discovery, crew->setup->config->roots,
			    crew->setup->config->root_count);
	errno = pthread_create(&crew->discovery_thread, NULL, run_discovery,
			       crew->discovery);
	if (errno != 0)
		return error_errno(err, "start the discovery thread");
	pthread_setname_np(crew->discovery_thread, "discovery");
	crew->follows = true;
	return true;
}

static int left_ms(int64_t until_ns)
{
	int64_t left_ns = until_ns - clock_monotonic_ns();

	return left_ns > 0 ? (int)(left_ns / NS_PER_MS) : 0;
}

bool crew_stop(struct crew *crew, int timeout_ms)
{
	int64_t until_ns = clock_monotonic_ns() + timeout_ms * NS_PER_MS;
	bool ended = true;

	/* First, so that discovery does not wait for a commit. */
	if (!saver_stop(crew->saver, timeout_ms))
		return false;
	if (crew->follows) {
		discovery_stop(crew->discovery);
		pthread_join(crew->discovery_thread, NULL);
	}
	for (unsigned i = 0; i < crew->worker_count; i++)
		worker_stop(crew->workers[i]);
	for (unsigned i = 0; i < crew->worker_count; i++)
		ended &= worker_join(crew->workers[i], left_ms(until_ns));
	return ended;
}

/* -- meanwhile ------------------------------------------------------------ */

/*
 * Lines before the switch are counted by the old rules: they are saved before it,
 * so that a crash does not leave them to the new ones.
 */
void crew_use(struct crew *crew, struct setup *next)
{
	saver_save(crew->saver, RELOAD_MS);
	setup_bind(next, crew->resumed->registry);
	mark_rules(next->schema, family_mark_begin);
	cutter_use(crew->cutter, crew->workers, next);
	mark_rules(next->schema, family_mark_end);
	saver_save_soon(crew->saver);
	discovery_set_roots(crew->discovery, next->config->roots,
			    next->config->root_count);
	crew->setup = next;
}

bool crew_has_caught_up(const struct crew *crew)
{
	return discovery_backlog_read(crew->discovery);
}

struct saver *crew_saver(struct crew *crew)
{
	return crew->saver;
}

struct discovery *crew_discovery(struct crew *crew)
{
	return crew->discovery;
}

struct cutter *crew_cutter(struct crew *crew)
{
	return crew->cutter;
}
