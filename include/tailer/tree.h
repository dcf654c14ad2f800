/*
 * tree.h - the directories that the roots lead through, and what is in them.
 *
 * Begins at `/` and goes as far as the roots want: a directory that merely
 * leads to a root is watched for the one name that matters.  Every name that
 * matters is looked at when it appears, goes or is renamed, and what is there
 * then decides; the catalog keeps the files that are found.
 *
 * For discovery's thread, or under its lock.
 */
#ifndef TAILER_TREE_H
#define TAILER_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tailer/catalog.h"
#include "tailer/discovery.h"
#include "tailer/roots.h"

struct tree;

/*
 * Watches with an inotify instance of its own, if there is one left; else
 * everything is polled.
 */
struct tree *tree_create(struct catalog *catalog, const struct discovery_ops *ops,
			 void *ctx);
void tree_destroy(struct tree *tree); /* NULL is accepted */

/* What is known from an earlier run; before the first roots. */
void tree_set_past(struct tree *tree, const struct discovery_past *past);

/*
 * Looks for what these roots want instead of the former ones; takes them.
 * `backlog`: the files that are found are the backlog of the start.  True if
 * some root was not looked at before, nor in an earlier run.
 */
bool tree_set_roots(struct tree *tree, struct roots *roots, bool backlog);
const struct roots *tree_roots(const struct tree *tree); /* NULL: none yet */

/* Readable while events wait; -1: there is no inotify. */
int tree_fd(const struct tree *tree);
void tree_read_events(struct tree *tree);

/*
 * Has tree_poll() look at everything again: events were lost.  That takes a
 * part of the time only, however often it is asked for.
 */
void tree_rescan(struct tree *tree);

/* The directory of `path` is there and could be looked at. */
bool tree_reaches(const struct tree *tree, const char *path);
/* Scans of directories so far. */
unsigned tree_scans(const struct tree *tree);
/*
 * The events are read: looks at everything in the directory of `path` again if
 * there are none of it, and it was not scanned since then.
 */
void tree_look_around(struct tree *tree, const char *path, unsigned since_scan);

/* Monotonic time of the next tree_poll() that is needed; 0: none. */
int64_t tree_due_ns(const struct tree *tree);
/* Looks at the directories that are polled, that flood, or to be tried again. */
void tree_poll(struct tree *tree);

/* Visits every directory that was reached. */
void tree_each(const struct tree *tree,
	       void (*visit)(void *ctx, const char *path, const struct places *places),
	       void *ctx);

/* What the file at `path` is followed as; NULL if it is not followed. */
const char *tree_followed_as(const struct tree *tree, const char *path);

#endif
