/*
 * saver.h - when state is saved, and what a scrape is shown.
 *
 * A thread commits on request, at the latest every 5 seconds; requests that come
 * meanwhile are one commit.  A scrape is shown the newest committed cut, so that
 * no scraper ever sees what the death of the process could take back.  Two
 * exceptions: without state, and while nothing could be saved for a minute,
 * cuts are shown as they are.
 *
 * Any thread, except where "the main thread" is said.
 */
#ifndef DAEMON_SAVER_H
#define DAEMON_SAVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "daemon/commit.h"
#include "daemon/cutter.h"

struct saver;

/* All are borrowed and outlive it. */
struct saver_options {
	struct cutter *cutter;
	struct worker *const *workers;
	struct commit *commit; /* NULL: nothing is saved */
	int live_after_ms;     /* without a commit that succeeds; 0: a minute */
	/* Whether cuts hide the patterns' metrics now; series born are old then. */
	bool (*hides_patterns)(void *ctx);
	void *ctx;
};

struct saver *saver_create(const struct saver_options *options);

/*
 * After saver_stop(), or without saver_start().  NULL is accepted.
 */
void saver_destroy(struct saver *saver);

/*
 * The main thread, once the workers run and before they have files: takes the
 * first cut, commits it and starts the thread.  That the commit fails is no
 * failure: it is logged and tried again.
 */
bool saver_start(struct saver *saver, struct error *err);

/*
 * The main thread: a last commit, with all that the workers have read, and the end
 * of the thread.  The workers end too.  False if that takes longer than the
 * timeout: the thread still runs.
 */
bool saver_stop(struct saver *saver, int timeout_ms);

/*
 * The cut to show, a reference: committed after this call began, or within 50 ms
 * the last that was.  *saved: it is committed.  With many slow readers, who hold
 * old cuts, it is one that is being read already.
 */
struct cut *saver_scrape(struct saver *saver, bool *saved);

/* Commit at the next opportunity. */
void saver_save_soon(struct saver *saver);

/*
 * Waits for a commit of a cut that is taken from now on.  False if it failed or took
 * too long.  True at once without state.
 */
bool saver_save(struct saver *saver, int timeout_ms);

/* The same for a commit that says that these roots were looked at. */
bool saver_save_roots(struct saver *saver, const char *const *paths, size_t count,
		      int timeout_ms);

/* The backlog of the start was read: cuts from now on are to hide nothing. */
void saver_caught_up(struct saver *saver);

/* -- what the daemon says of it ------------------------------------------- */

#define SAVER_BUCKETS 12

struct saver_facts {
	bool saves;
	/* Of commits that succeeded: by the bounds of OWN_COMMIT_DURATION, +Inf last.
	 */
	uint64_t durations[SAVER_BUCKETS + 1];
	double duration_sum_seconds;
	int64_t last_success_ns; /* wall clock; 0: none yet */
	uint64_t errors;
};

struct saver_facts saver_facts(struct saver *saver);

#endif
