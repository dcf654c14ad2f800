/*
 * cutter.h - cuts across all workers.
 *
 * Every worker takes its part at its own record boundary; the newest whole cut
 * is what is shown or saved.  Knows neither scrapes nor commits: saver.h does.
 */
#ifndef DAEMON_CUTTER_H
#define DAEMON_CUTTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/worker.h"
#include "exporter/cut.h"

struct cutter;

/* The first cut comes after `sequence`. */
struct cutter *cutter_create(unsigned worker_count, uint64_t sequence);
/* After the workers have ended.  NULL is accepted. */
void cutter_destroy(struct cutter *cutter);

/* The workers report to it: for worker_ops. */
void cutter_cut_done(struct cutter *cutter, unsigned worker,
		     struct worker_share *share);
void cutter_setup_used(struct cutter *cutter);

/* A cut with the positions that belong to it. */
struct snapshot {
	struct cut *cut;
	struct positions *positions; /* one a worker */
	unsigned worker_count;
};

void snapshot_finish(struct snapshot *snapshot);

/*
 * Orders a cut (the order's sequence is filled in) and waits for the workers'
 * parts, up to `wait_ms`.  births_are_old hides the patterns' metrics, too.  Any
 * thread; cuts are taken one at a time.
 *
 * cutter_take(): false if a part is late; to be asked again.
 * cutter_cut(): the last whole cut, if a part is late the one before; a reference.
 * NULL: there is none yet.  However slow a worker is, what one call ordered the
 * next one returns at the latest.
 */
bool cutter_take(struct cutter *cutter, struct worker *const *workers,
		 struct cut_order order, int wait_ms, struct snapshot *snapshot);
struct cut *cutter_cut(struct cutter *cutter, struct worker *const *workers,
		       struct cut_order order, int wait_ms);

/*
 * Has every worker use the setup and waits until all do.  No cut is taken
 * meanwhile; later ones have the setup's schema.
 */
void cutter_use(struct cutter *cutter, struct worker *const *workers,
		const struct setup *setup);

/* The schema of the first cuts, before any cutter_use(). */
void cutter_set_schema(struct cutter *cutter, struct schema *schema);

/*
 * Visits the files that the workers reported last, in no order.  Any thread.
 */
void cutter_files(struct cutter *cutter,
		  void (*visit)(void *ctx, const struct file_report *files,
				size_t count),
		  void *ctx);

#endif
