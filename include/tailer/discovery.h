/*
 * discovery.h - which files are followed, and the one inotify instance.
 *
 * Events are hints; the truth is the directory plus identity.  An event only
 * marks a file or a directory dirty; a name that appeared, went or was
 * renamed is looked up again, and the identity of what is there decides
 * whether it is a new generation of a path.
 *
 * Discovery opens the files and hands each descriptor to the follower that
 * owns its path (all generations of a path go to one follower).  It runs in a
 * thread of its own, which the caller starts.
 */
#ifndef TAILER_DISCOVERY_H
#define TAILER_DISCOVERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "common/strbuf.h"
#include "tailer/follower.h"

struct discovery;

/* One entry of `logs`.  Its index is the `root` of follower_ops.path_added. */
struct discovery_root {
	const char *path; /* absolute: a directory (recursive), a file or a glob */
	/*
	 * Globs (glob_match_path).  A directory's files must match one of
	 * `include`, by default `*.log`; a file or glob needs none.
	 */
	const char *const *include;
	size_t include_count;
	const char *const *exclude;
	size_t exclude_count;
	bool poll;         /* never use inotify here: looked at each second */
	bool start_at_end; /* of files that are there at the first look */
	/*
	 * Directories to which the files of this root are rotated, beside their
	 * own: absolute, or relative to the directory of each file.
	 */
	const char *const *rotated_to;
	size_t rotated_to_count;
};

/* What is known from an earlier run. */
struct discovery_past {
	const struct checkpoint *checkpoints;
	size_t checkpoint_count;
	const char *const *roots; /* paths of roots that were looked at before */
	size_t root_count;
	/*
	 * It is known that there was an earlier run, and nothing of it: all that
	 * is there counts as read, its bytes as lost ("state_lost").
	 */
	bool lost;
};

/* Counted by the caller as logtally_watch_fallbacks_total{reason}. */
struct discovery_ops {
	/*
	 * From discovery's thread; `reason` is static: "poll" (a root wants it),
	 * "no_instances", "no_watches", "no_permission", "filesystem" (gives no
	 * events), "unwatchable", "overflow" (events were lost), "flood" (a
	 * directory has too many writes: it is polled until it is quiet).
	 */
	void (*fallback)(void *ctx, const char *reason);
	/*
	 * From discovery's thread: all that these roots hold has been found for
	 * the first time ever, the followers know it, and nothing of it is read
	 * before this returns: the checkpoints and the roots are to be saved now.
	 */
	void (*looked)(void *ctx, const char *const *root_paths, size_t count);
};

/*
 * `followers` outlive it.  `past` is copied; NULL: this is the first run.
 * Fails if there is no inotify and no event descriptor.
 */
struct discovery *discovery_create(struct follower *const *followers,
				   size_t follower_count,
				   const struct discovery_past *past,
				   const struct discovery_ops *ops, void *ctx,
				   struct error *err);
/* After the thread has ended.  NULL is accepted. */
void discovery_destroy(struct discovery *discovery);

/*
 * Replaces the roots: paths that no root wants any more are read to their
 * end and dropped, new ones are looked for.  A path that stays followed is
 * not added again: it keeps the root index that it was added with.  Roots are
 * the same if their path is: `start_at_end` means nothing for them any more.
 * Any thread; copied.
 */
void discovery_set_roots(struct discovery *discovery,
			 const struct discovery_root *roots, size_t count);

/* The thread's body: returns after discovery_stop(). */
void discovery_run(struct discovery *discovery);

/* Any thread. */
void discovery_stop(struct discovery *discovery);

/* Any thread: true once all roots have been looked at for the first time. */
bool discovery_first_look_done(struct discovery *discovery);

/*
 * Any thread: true once the first look is done and every file that it found
 * has been read up to the size it had then.
 */
bool discovery_backlog_read(struct discovery *discovery);

/* Any thread: files followed by the roots at present. */
size_t discovery_file_count(struct discovery *discovery);

/*
 * Any thread: appends one line for each thing that the roots named or held
 * and that is not followed, and why ("/var/log/x/a.txt: matches no include
 * pattern (*.log)"; "/srv/y: does not exist"; at most `max_lines`, then how many more).
 */
void discovery_explain_skipped(struct discovery *discovery, size_t max_lines,
			       struct strbuf *out);

#endif
