#include "daemon/saver.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/xalloc.h"
#include "daemon/own_metrics.h"

#define INTERVAL_NS (5 * NS_PER_SECOND)
#define SCRAPE_WAIT_MS 50
#define CUT_WAIT_MS 50
#define LAST_CUT_WAIT_MS 500
#define LIVE_AFTER_MS 60000
#define SAY_AGAIN_NS (60 * NS_PER_SECOND)

/*
 * Cuts that readers may hold; beyond them are the one that is saved and the one
 * that is being saved.
 */
#define MOST_READ 4
#define MOST_ALIVE (MOST_READ + 2)

struct saver {
	struct saver_options o;
	pthread_t thread;
	bool started;

	pthread_mutex_t lock; /* what follows */
	pthread_cond_t asked, answered;
	bool stopping, ended;
	/* Requests are numbered; those up to `tried` are answered, up to `done` well.
	 */
	uint64_t wanted, tried, done;
	bool wants_reports;
	char **new_roots; /* for the next commit */
	size_t new_root_count;
	bool caught_up;
	struct cut *committed;    /* the newest */
	struct cut *shown;        /* the newest that a scrape was shown */
	int64_t unsaved_since_ns; /* the first commit that has not succeeded; 0: none */
	struct saver_facts facts;

	/* The thread's own. */
	int64_t due_ns;  /* of a commit that nobody asks for */
	int64_t said_ns; /* when a failure was logged last; 0: all is well */
	uint64_t failures;
};

static void init_cond(pthread_cond_t *cond)
{
	pthread_condattr_t monotonic;

	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(cond, &monotonic);
	pthread_condattr_destroy(&monotonic);
}

struct saver *saver_create(const struct saver_options *options)
{
	struct saver *s = xcalloc(1, sizeof(*s));

	assert(own_metric(OWN_COMMIT_DURATION)->bucket_count == SAVER_BUCKETS);
	s->o = *options;
	if (s->o.live_after_ms == 0)
		s->o.live_after_ms = LIVE_AFTER_MS;
	s->facts.saves = options->commit != NULL;
	pthread_mutex_init(&s->lock, NULL);
	init_cond(&s->asked);
	init_cond(&s->answered);
	return s;
}

static void free_roots(char **roots, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(roots[i]);
	free(roots);
}

void saver_destroy(struct saver *s)
{
	if (!s)
		return;
	cut_unref(s->committed);
	cut_unref(s->shown);
	free_roots(s->new_roots, s->new_root_count);
	pthread_cond_destroy(&s->asked);
	pthread_cond_destroy(&s->answered);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

/* Under the lock; false once the time is up. */
static bool wait_until(struct saver *s, pthread_cond_t *cond, int64_t until_ns)
{
	struct timespec until = {.tv_sec = (time_t)(until_ns / NS_PER_SECOND),
				 .tv_nsec = (long)(until_ns % NS_PER_SECOND)};

	return pthread_cond_timedwait(cond, &s->lock, &until) == 0;
}

/* Under the lock. */
static bool is_live(const struct saver *s)
{
	int64_t live_after_ns = s->o.live_after_ms * NS_PER_MS;

	return !s->o.commit ||
	       (s->unsaved_since_ns != 0 &&
		clock_monotonic_ns() - s->unsaved_since_ns >= live_after_ns);
}

/* -- what commits were like ----------------------------------------------- */

static void note_duration(struct saver_facts *facts, int64_t took_ns)
{
	const struct metric_def *def = own_metric(OWN_COMMIT_DURATION);
	double seconds = (double)took_ns / NS_PER_SECOND;
	size_t i = 0;

	while (i < def->bucket_count && seconds > def->buckets[i])
		i++;
	facts->durations[i]++;
	facts->duration_sum_seconds += seconds;
}

struct saver_facts saver_facts(struct saver *s)
{
	struct saver_facts facts;

	pthread_mutex_lock(&s->lock);
	facts = s->facts;
	pthread_mutex_unlock(&s->lock);
	return facts;
}

static void say_failure(struct saver *s, const struct error *err)
{
	int64_t now_ns = clock_monotonic_ns();
	bool live;

	pthread_mutex_lock(&s->lock);
	live = is_live(s);
	pthread_mutex_unlock(&s->lock);
	s->failures++;
	if (s->said_ns != 0 && now_ns - s->said_ns < SAY_AGAIN_NS)
		return;
	s->said_ns = now_ns;
	log_error("cannot save state: it is tried again", LOG_TEXT("error", err->text),
		  LOG_INT("failures", s->failures),
		  LOG_TEXT("shown",
			   live ? "what is not saved, too" : "what was saved last"));
}

static void say_success(struct saver *s)
{
	if (s->failures > 0)
		log_info("state is saved again", LOG_INT("failures", s->failures));
	s->failures = 0;
	s->said_ns = 0;
}

/* -- a commit ------------------------------------------------------------- */

struct task {
	uint64_t ticket; /* the requests up to it */
	bool reports;
	bool last;
};

/* Under the lock. */
static struct task next_task(struct saver *s)
{
	struct task task = {s->wanted, s->wants_reports, s->stopping};

	s->wants_reports = false;
	if (s->unsaved_since_ns == 0)
		s->unsaved_since_ns = clock_monotonic_ns();
	for (size_t i = 0; i < s->new_root_count; i++)
		commit_add_root(s->o.commit, s->new_roots[i]);
	free_roots(s->new_roots, s->new_root_count);
	s->new_roots = NULL;
	s->new_root_count = 0;
	if (s->caught_up)
		commit_set_caught_up(s->o.commit);
	return task;
}

static bool is_stopping(struct saver *s)
{
	bool stopping;

	pthread_mutex_lock(&s->lock);
	stopping = s->stopping;
	pthread_mutex_unlock(&s->lock);
	return stopping;
}

/* False if the daemon stops first. */
static bool take(struct saver *s, const struct task *task, struct snapshot *snapshot)
{
	struct cut_order order = {
		.births_are_old = s->o.hides_patterns(s->o.ctx),
		.reports = task->reports,
		.positions = true,
		.saved_sequence = commit_saved_sequence(s->o.commit),
		.last = task->last,
	};

	/* A cut that shows the patterns' metrics is not saved without saying so. */
	if (!order.births_are_old)
		commit_set_caught_up(s->o.commit);
	if (task->last)
		return cutter_take(s->o.cutter, s->o.workers, order, LAST_CUT_WAIT_MS,
				   snapshot);
	while (!cutter_take(s->o.cutter, s->o.workers, order, CUT_WAIT_MS, snapshot))
		if (is_stopping(s))
			return false;
	return true;
}

/* Under the lock: since nothing could be saved for a time. */
static bool shows_unsaved(const struct saver *s)
{
	return s->shown && cut_sequence(s->shown) > cut_sequence(s->committed);
}

/*
 * Under the lock; takes the reference over.  Never back to an older one, as the
 * last committed cut is after a minute without.
 */
static void show(struct saver *s, struct cut *cut)
{
	struct cut *older = cut;

	if (!s->shown || cut_sequence(cut) > cut_sequence(s->shown)) {
		older = s->shown;
		s->shown = cut;
	}
	cut_unref(older);
}

/*
 * A cut that holds the same as the one before does not take its place: that it
 * was shown would be something to save with the next commit, and so on.
 */
static void publish(struct saver *s, const struct task *task, enum commit_result result,
		    struct cut *cut, int64_t took_ns)
{
	bool ok = result != COMMIT_FAILED && result != COMMIT_ANEW;
	struct cut *old = NULL;

	pthread_mutex_lock(&s->lock);
	s->tried = task->ticket;
	if (ok) {
		s->done = task->ticket;
		s->unsaved_since_ns = 0;
		s->facts.last_success_ns = clock_wall_ns();
	} else {
		s->facts.errors++;
	}
	if (result == COMMIT_DONE || result == COMMIT_SAME)
		note_duration(&s->facts, took_ns);
	if (result == COMMIT_DONE || (ok && shows_unsaved(s))) {
		old = s->committed;
		s->committed = cut_ref(cut);
		/* Without scrapes no old cut is to keep what expired. */
		if (s->shown && cuts_alive() <= MOST_READ)
			show(s, cut_ref(cut));
	}
	pthread_cond_broadcast(&s->answered);
	pthread_mutex_unlock(&s->lock);
	cut_unref(old);
}

static void save(struct saver *s, const struct task *task, struct snapshot *snapshot)
{
	int64_t start_ns = clock_monotonic_ns();
	struct error err;
	enum commit_result result = commit_save(s->o.commit, snapshot, &err);

	publish(s, task, result, snapshot->cut, clock_monotonic_ns() - start_ns);
	snapshot_finish(snapshot);
	switch (result) {
	case COMMIT_FAILED:
		say_failure(s, &err);
		break;
	case COMMIT_ANEW:
		saver_save_soon(s);
		break;
	default:
		say_success(s);
	}
}

static void run_task(struct saver *s, const struct task *task)
{
	struct snapshot snapshot = {0};

	if (take(s, task, &snapshot))
		save(s, task, &snapshot);
	else if (task->last)
		log_warn("stopped in the middle of a block of lines: what was read "
			 "since "
			 "the last commit is read again at the next start");
}

/* -- the thread ----------------------------------------------------------- */

/* Under the lock. */
static bool is_asked(const struct saver *s)
{
	return s->wanted > s->tried || s->stopping;
}

/* Under the lock: until somebody asks, or it is time. */
static void wait_for_request(struct saver *s)
{
	while (!is_asked(s))
		if (!wait_until(s, &s->asked, s->due_ns))
			break;
	s->due_ns = clock_monotonic_ns() + INTERVAL_NS;
}

/* What was put off, as long as nobody waits. */
static void tidy(struct saver *s)
{
	bool asked;

	do {
		pthread_mutex_lock(&s->lock);
		asked = is_asked(s);
		pthread_mutex_unlock(&s->lock);
	} while (!asked && commit_tidy(s->o.commit));
}

static void *run(void *arg)
{
	struct saver *s = arg;
	struct task task = {.last = false};

	while (!task.last) {
		pthread_mutex_lock(&s->lock);
		wait_for_request(s);
		task = next_task(s);
		pthread_mutex_unlock(&s->lock);
		run_task(s, &task);
		tidy(s);
	}
	pthread_mutex_lock(&s->lock);
	s->ended = true;
	pthread_cond_broadcast(&s->answered);
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

/* Whether the commit succeeds or not, there is something to show from here on. */
static void save_first(struct saver *s)
{
	struct task task = {.reports = true};
	struct snapshot snapshot = {0};

	while (!take(s, &task, &snapshot))
		;
	commit_begin_with(s->o.commit, snapshot.cut);
	s->committed = cut_ref(snapshot.cut);
	save(s, &task, &snapshot);
}

static void show_first(struct saver *s)
{
	struct cut_order order = {.births_are_old = s->o.hides_patterns(s->o.ctx)};

	do
		s->shown = cutter_cut(s->o.cutter, s->o.workers, order, CUT_WAIT_MS);
	while (!s->shown);
}

bool saver_start(struct saver *s, struct error *err)
{
	if (!s->o.commit) {
		show_first(s);
		return true;
	}
	save_first(s);
	errno = pthread_create(&s->thread, NULL, run, s);
	if (errno != 0)
		return error_errno(err, "start the thread that saves");
	pthread_setname_np(s->thread, "saver");
	s->started = true;
	return true;
}

bool saver_stop(struct saver *s, int timeout_ms)
{
	int64_t until_ns = clock_monotonic_ns() + timeout_ms * NS_PER_MS;
	bool ended;

	if (!s->started)
		return true;
	pthread_mutex_lock(&s->lock);
	s->stopping = true;
	pthread_cond_signal(&s->asked);
	while (!s->ended && wait_until(s, &s->answered, until_ns))
		;
	ended = s->ended;
	pthread_mutex_unlock(&s->lock);
	if (ended)
		pthread_join(s->thread, NULL);
	s->started = !ended;
	return ended;
}

/* -- requests ------------------------------------------------------------- */

/* Under the lock; returns the ticket. */
static uint64_t ask(struct saver *s)
{
	s->wanted++;
	pthread_cond_signal(&s->asked);
	return s->wanted;
}

/* Under the lock: false if the answer is late. */
static bool wait_for_answer(struct saver *s, uint64_t ticket, int timeout_ms)
{
	int64_t until_ns = clock_monotonic_ns() + timeout_ms * NS_PER_MS;

	while (s->tried < ticket && !s->ended)
		if (!wait_until(s, &s->answered, until_ns))
			break;
	return s->tried >= ticket;
}

void saver_save_soon(struct saver *s)
{
	if (!s->o.commit)
		return;
	pthread_mutex_lock(&s->lock);
	ask(s);
	pthread_mutex_unlock(&s->lock);
}

bool saver_save_roots(struct saver *s, const char *const *paths, size_t count,
		      int timeout_ms)
{
	uint64_t ticket;
	bool ok;

	if (!s->o.commit)
		return true;
	pthread_mutex_lock(&s->lock);
	for (size_t i = 0; i < count; i++) {
		s->new_roots = xgrow(s->new_roots, s->new_root_count, sizeof(char *));
		s->new_roots[s->new_root_count++] = xstrdup(paths[i]);
	}
	ticket = ask(s);
	ok = wait_for_answer(s, ticket, timeout_ms) && s->done >= ticket;
	pthread_mutex_unlock(&s->lock);
	return ok;
}

bool saver_save(struct saver *s, int timeout_ms)
{
	return saver_save_roots(s, NULL, 0, timeout_ms);
}

void saver_caught_up(struct saver *s)
{
	struct cut_order order = {.births_are_old = false};

	if (!s->o.commit) {
		cut_unref(cutter_cut(s->o.cutter, s->o.workers, order, CUT_WAIT_MS));
		return;
	}
	pthread_mutex_lock(&s->lock);
	s->caught_up = true;
	ask(s);
	pthread_mutex_unlock(&s->lock);
}

/* -- scrapes -------------------------------------------------------------- */

static struct cut *take_live(struct saver *s)
{
	struct cut_order order = {.births_are_old = s->o.hides_patterns(s->o.ctx),
				  .reports = true};

	if (cuts_alive() >= MOST_ALIVE)
		return NULL;
	return cutter_cut(s->o.cutter, s->o.workers, order, SCRAPE_WAIT_MS);
}

static struct cut *scrape_live(struct saver *s)
{
	struct cut *cut = take_live(s), *result;

	pthread_mutex_lock(&s->lock);
	if (cut)
		show(s, cut);
	result = cut_ref(s->shown);
	pthread_mutex_unlock(&s->lock);
	return result;
}

struct cut *saver_scrape(struct saver *s, bool *saved)
{
	struct cut *result;

	pthread_mutex_lock(&s->lock);
	if (is_live(s)) {
		pthread_mutex_unlock(&s->lock);
		*saved = false;
		return scrape_live(s);
	}
	s->wants_reports = true;
	wait_for_answer(s, ask(s), SCRAPE_WAIT_MS);
	if (!s->shown || cuts_alive() <= MOST_READ)
		show(s, cut_ref(s->committed));
	result = cut_ref(s->shown);
	*saved = !shows_unsaved(s);
	pthread_mutex_unlock(&s->lock);
	return result;
}
