/*
 * paths.h - a worker's followed paths: what is made of their lines, and what is open.
 *
 * Each path has a source (parsers/source.h) that the present setup made.  A record that
 * is open goes on in the next setup's source, and in the next process's: those of an
 * earlier run are taken over with their path.  What nothing goes on with is completed
 * when it has been silent for too long, or its path is gone.
 *
 * Knows neither files nor threads nor cuts.  One thread.
 */
#ifndef DAEMON_PATHS_H
#define DAEMON_PATHS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/block.h"
#include "daemon/leftovers.h"
#include "daemon/setup.h"
#include "daemon/tally.h"

struct paths;
struct path;

/*
 * What is counted goes to the tally.  `completes_leftovers`: those records of an
 * earlier run that no worker takes in the first half minute.  paths_use() comes before
 * all else.
 */
struct paths *paths_create(struct tally *tally, struct leftovers *leftovers,
			   bool completes_leftovers, uint32_t match_steps);
/* After its paths.  NULL is accepted. */
void paths_destroy(struct paths *paths);

/*
 * The tally uses this setup from now on, and so do paths that are added; each of the
 * others is to be renewed before the old setup goes.
 */
void paths_use(struct paths *paths, const struct setup *setup);
void paths_renew(struct paths *paths, struct path *path);

struct path *paths_add(struct paths *paths, const char *name);
/* `goes_on`: with the next process.  Else its records are complete. */
void paths_remove(struct paths *paths, struct path *path, bool goes_on);
const char *path_name(const struct path *path); /* shared_text.h */

/* Counts the lines of a block. */
void paths_feed(struct paths *paths, struct path *path, const struct block *block);

/* When records are to be completed next, monotonic; INT64_MAX: none are open. */
int64_t paths_deadline_ns(const struct paths *paths);
/* Completes what has been silent for too long at this moment. */
void paths_complete(struct paths *paths, int64_t now_ns);

/*
 * For the cut `sequence`: adds the records of those paths where they have changed since
 * the cut `saved_sequence`, the last that is known to be saved.
 */
void paths_save(struct paths *paths, uint64_t sequence, uint64_t saved_sequence,
		struct open_records *records);

#endif
