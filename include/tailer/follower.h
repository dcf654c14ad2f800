/*
 * follower.h - read the files of one worker: bytes on disk to whole lines.
 *
 * A follower owns paths.  A path is a stream of lines: its generations (the
 * files that had that name, oldest first) are read one after the other, each
 * to its end.  Positions always stand at the start of a line, so nothing is
 * kept in memory for a line that is still being written.
 *
 * Knows nothing of how files are found (discovery.h tells it) or of what the
 * lines mean (follower_ops takes them).  Everything here is for the worker's
 * thread alone, except where "any thread" is said.
 */
#ifndef TAILER_FOLLOWER_H
#define TAILER_FOLLOWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/block.h"
#include "common/error.h"
#include "tailer/checkpoint.h"

struct follower;

enum rotation_kind {
	ROTATION_RENAME,   /* the file has another name now */
	ROTATION_TRUNCATE, /* the same file starts over */
	ROTATION_DELETE,   /* the file has no name any more */
	ROTATION_KINDS
};

/* "rename", "truncate", "delete": as in logtally_rotations_total{kind}. */
const char *rotation_kind_name(enum rotation_kind kind);

/* What a follower tells its worker; all calls come from follower_turn(). */
struct follower_ops {
	/*
	 * A path, a shared text (shared_text.h), is followed from now on.  What it
	 * returns is `path` below.
	 */
	void *(*path_added)(void *ctx, const char *path, unsigned root);
	/*
	 * No generation of it is left: its files were deleted, or no root wants
	 * it, and what there was of them was read.  A later file of that name
	 * adds it anew.
	 */
	void (*path_removed)(void *ctx, void *path);
	/* `block` and its bytes are borrowed until the call returns. */
	void (*block)(void *ctx, void *path, const struct block *block);
	/* A line over the limit was skipped whole; `bytes` with its newline. */
	void (*oversized)(void *ctx, void *path, uint64_t bytes);
	void (*rotated)(void *ctx, void *path, enum rotation_kind kind);
	/* Bytes known to exist went unread; `reason` is a static label value. */
	void (*lost)(void *ctx, void *path, const char *reason, uint64_t bytes);
	/* The last file of the backlog at the start was read (discovery.h). */
	void (*backlog_read)(void *ctx);
	/*
	 * Between two blocks: the checkpoints are those of exactly what was handed
	 * up so far.  The place for follower_checkpoints().
	 */
	void (*boundary)(void *ctx);
	/*
	 * A file was renamed, truncated or deleted: what is counted of it should
	 * be saved without waiting for the next occasion.
	 */
	void (*save_soon)(void *ctx);
};

struct follower_options {
	size_t line_bytes;  /* longest line, without its newline; at least 1024 */
	size_t block_bytes; /* read at once; 0: 256 KiB */
	/* Descriptors it may keep; the longest idle are closed first. */
	size_t open_files;
	/*
	 * Silence after which the unterminated end of a rotated or deleted file
	 * counts as a line; 0: 10 seconds.
	 */
	unsigned finish_ms;
	/*
	 * What was read of a file that is no more is remembered so long after it
	 * was last written, and a little longer, so that its copies are known; 0: one
	 * day.
	 */
	unsigned remember_ms;
};

/* Does not start a thread. */
struct follower *follower_create(const struct follower_options *options,
				 const struct follower_ops *ops, void *ctx,
				 struct error *err);
/* Calls path_removed for every path.  NULL is accepted. */
void follower_destroy(struct follower *follower);

/* Readable when there is something to do.  Any thread may poll it. */
int follower_fd(const struct follower *follower);

/* Makes follower_fd() readable.  Any thread. */
void follower_wake(struct follower *follower);

/*
 * Takes what discovery said, then reads at most one block of each file that
 * has more, in turn.  Returns true if some file has more to read at once.
 */
bool follower_turn(struct follower *follower);

/*
 * Milliseconds until follower_turn() must be called even though follower_fd()
 * is not readable (unterminated ends, retries); -1: never.
 */
int follower_wait_ms(const struct follower *follower);

/* What is known of one path, as of the last turn. */
struct follower_status {
	void *path;            /* what path_added returned */
	const char *name;      /* the path's text, borrowed until the next turn */
	uint64_t size_bytes;   /* of the present generation */
	uint64_t offset_bytes; /* how far it is read */
	uint64_t lag_bytes;    /* not yet read, of all generations */
	int64_t last_line_ns;  /* wall clock of the last read; at first the mtime; 0: no
				  file */
	bool open;
};

/*
 * For the cut `sequence`: visits every checkpoint that changed, or was dropped,
 * since the cut `saved_sequence` that is known to be saved (0: none is, visits all).
 * What is not known to be saved is visited again each time, so that only the newest
 * visit counts.  Within ops.boundary; they are borrowed.
 */
void follower_checkpoints(struct follower *follower, uint64_t sequence,
			  uint64_t saved_sequence,
			  void (*visit)(void *ctx, const struct checkpoint *checkpoint,
					bool dropped),
			  void *ctx);

/* Visits every path.  From the worker's thread. */
void follower_each(const struct follower *follower,
		   void (*visit)(void *ctx, const struct follower_status *status),
		   void *ctx);

#endif
