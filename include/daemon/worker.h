/*
 * worker.h - a thread that reads its files and keeps its part of every series.
 *
 * A worker shares nothing with the others.  What it is told (cut, use this
 * setup, stop) it does at its own record boundary; the answers come through
 * worker_ops, from its thread.
 */
#ifndef DAEMON_WORKER_H
#define DAEMON_WORKER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"
#include "daemon/leftovers.h"
#include "daemon/positions.h"
#include "daemon/setup.h"
#include "exporter/store.h"
#include "tailer/follower.h"

struct worker;

/* One followed path at the time of a cut. */
struct file_report {
	const char *path; /* shared_text.h */
	uint64_t lag_bytes;
	int64_t last_line_ns; /* 0: not known */
	bool open;
};

struct file_reports {
	struct file_report *list;
	size_t count;
};

void file_reports_finish(struct file_reports *reports);

/* What a worker is to do at its next record boundary. */
struct cut_order {
	uint64_t sequence;
	bool births_are_old; /* see store.h; from this cut on */
	bool reports;        /* on its files */
	bool positions; /* changed since `saved_sequence` (follower_checkpoints()) */
	uint64_t saved_sequence;
	bool last; /* and read nothing more: the thread ends */
};

/* A worker's share of a cut; what receives it owns it. */
struct worker_share {
	uint64_t sequence;
	struct part *part;
	/* Of exactly the lines that the part counts, and the records that are open. */
	struct positions positions;
	struct file_reports reports; /* none where they were not wanted */
	bool has_reports;
};

void worker_share_finish(struct worker_share *share);

/* From the worker's thread. */
struct worker_ops {
	void (*cut_done)(void *ctx, unsigned worker, struct worker_share *share);
	void (*setup_used)(void *ctx, unsigned worker);
	void (*backlog_read)(void *ctx);
	/* What was read should be saved without waiting for the next occasion. */
	void (*save_soon)(void *ctx);
};

/*
 * The thread starts with worker_start().  `setup` outlives its use.  The records of
 * an earlier run that may go on are taken from `leftovers` with their paths; worker 0
 * completes those that nobody took.  births_are_old: until a cut order says otherwise.
 */
struct worker *worker_create(unsigned index, struct registry *registry,
			     const struct setup *setup, struct leftovers *leftovers,
			     bool births_are_old, const struct worker_ops *ops,
			     void *ctx, struct error *err);
bool worker_start(struct worker *worker, struct error *err);
struct follower *worker_follower(struct worker *worker);

/* Any thread; answered by ops.cut_done.  An order that is not obeyed yet is replaced.
 */
void worker_cut(struct worker *worker, const struct cut_order *order);

/* Any thread; answered by ops.setup_used, after which the old setup is unused. */
void worker_use(struct worker *worker, const struct setup *setup);

/* Asks the thread to end; then worker_join() waits, up to the deadline. */
void worker_stop(struct worker *worker);
bool worker_join(struct worker *worker, int timeout_ms);

/* After its thread has ended.  NULL is accepted. */
void worker_destroy(struct worker *worker);

#endif
