/*
 * open_paths.h - a worker's paths on which a record is open, or was when it was saved.
 *
 * Knows which of them are to be saved with the next cut, and when the first record has
 * been silent for too long.  Nothing is kept of any other path.  One thread.
 */
#ifndef DAEMON_OPEN_PATHS_H
#define DAEMON_OPEN_PATHS_H

#include <stdint.h>

#include "daemon/open_records.h"
#include "parsers/source.h"

struct open_paths;
struct open_path;

struct open_paths *open_paths_create(void);
void open_paths_destroy(struct open_paths *paths); /* NULL is accepted */

/*
 * The source may have changed what is open, or is another one.  *place is the path's
 * own, NULL at first.  `name` is a shared text; the source outlives the place.
 */
void open_paths_note(struct open_paths *paths, struct open_path **place,
		     const char *name, struct source *source);

/* Nothing of the path is open any more, and its source goes. */
void open_paths_drop(struct open_paths *paths, struct open_path **place,
		     const char *name);

/* The first moment, monotonic, at which a record is old; INT64_MAX: none is open. */
int64_t open_paths_deadline_ns(const struct open_paths *paths);

/* Has `close` end what is old by then, of each source that has any. */
void open_paths_close(struct open_paths *paths, int64_t now_ns,
		      void (*close)(void *ctx, struct source *source), void *ctx);

/*
 * For the cut `sequence`: adds what is open on every path where that has changed since
 * the cut `saved_sequence`, the last that is known to be saved.
 */
void open_paths_save(struct open_paths *paths, uint64_t sequence,
		     uint64_t saved_sequence, struct open_records *records);

#endif
