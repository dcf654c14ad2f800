/*
 * crew.h - the threads that read and save: workers, discovery, saver.
 *
 * Joins them; what each does is said in its own header.  Knows no signals and
 * no HTTP.
 */
#ifndef DAEMON_CREW_H
#define DAEMON_CREW_H

#include <stdbool.h>

#include "common/error.h"
#include "daemon/resume.h"
#include "daemon/saver.h"
#include "daemon/setup.h"
#include "tailer/discovery.h"

struct crew;

struct crew_ops {
	/* A worker's thread: the backlog of the start may have been read. */
	void (*backlog_read)(void *ctx);
	/* Discovery's thread; see discovery.h. */
	void (*fallback)(void *ctx, const char *reason);
	void *ctx;
};

/*
 * `resumed` outlives it; of its past nothing is left.  `setup` is in use until
 * crew_use() replaces it.  live_after_ms: see saver.h.
 */
struct crew *crew_create(const struct setup *setup, struct resumed *resumed,
			 const struct crew_ops *ops, int live_after_ms,
			 struct error *err);

/*
 * crew_start(): all but discovery, so that there is something to show.  Then
 * crew_follow() looks for files.
 */
bool crew_start(struct crew *crew, struct error *err);
bool crew_follow(struct crew *crew, struct error *err);

/*
 * Has all of them use another setup, and returns when the one before is not used any
 * more.  One at a time.
 */
void crew_use(struct crew *crew, struct setup *next);

/*
 * Saves what was read and ends the threads.  False if that takes longer: then
 * nothing may be destroyed.
 */
bool crew_stop(struct crew *crew, int timeout_ms);

/* After crew_stop(), or without crew_start().  NULL is accepted. */
void crew_destroy(struct crew *crew);

/* Any thread: true once what was there at the start has been read. */
bool crew_has_caught_up(const struct crew *crew);

struct saver *crew_saver(struct crew *crew);
struct discovery *crew_discovery(struct crew *crew);

/* The files as they were at the last scrape; see cutter_files(). */
struct cutter *crew_cutter(struct crew *crew);

#endif
