/*
 * cutter.h - cuts across all workers.
 *
 * A scrape asks for a cut; every worker takes its part at its own record
 * boundary and the newest whole cut is what is shown.  If a worker takes
 * longer than 50 ms, the last cut is shown again.
 */
#ifndef DAEMON_CUTTER_H
#define DAEMON_CUTTER_H

#include <stdbool.h>
#include <stddef.h>

#include "daemon/worker.h"
#include "exporter/cut.h"

struct cutter;

struct cutter *cutter_create(unsigned worker_count);
/* After the workers have ended.  NULL is accepted. */
void cutter_destroy(struct cutter *cutter);

/* The workers report to it: for worker_ops. */
void cutter_cut_done(struct cutter *cutter, unsigned worker,
		     struct worker_share *share);
void cutter_setup_used(struct cutter *cutter);

/*
 * A new cut, or the last one; a reference.  NULL: four are alive, or there is
 * none yet.  `hide_patterns`: only own metrics are shown, and series born are old.  Any
 * thread; cuts are taken one at a time.
 */
struct cut *cutter_cut(struct cutter *cutter, struct worker *const *workers,
		       bool hide_patterns);

/*
 * Has every worker use the setup and waits until all do.  No cut is taken
 * meanwhile; later ones have the setup's schema.
 */
void cutter_use(struct cutter *cutter, struct worker *const *workers,
		const struct setup *setup);

/* The schema of the first cuts, before any cutter_use(). */
void cutter_set_schema(struct cutter *cutter, struct schema *schema);

/*
 * Visits the files that the workers reported with their newest shares, by
 * path.  Any thread.
 */
void cutter_files(struct cutter *cutter,
		  void (*visit)(void *ctx, const struct file_report *files,
				size_t count),
		  void *ctx);

#endif
