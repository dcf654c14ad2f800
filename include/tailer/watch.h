/*
 * watch.h - the one inotify instance.
 *
 * Watches directories, never files.  The kernel has one watch for a
 * directory however many paths lead to it; here every path that asks has a
 * listener of its own, and the watch lives as long as one listens.
 *
 * Where too many writes come (flood.h) they are not told any more, and the
 * listeners are asked to look themselves instead.
 */
#ifndef TAILER_WATCH_H
#define TAILER_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"

struct watch;
struct watch_listener;

enum watch_kind {
	WATCH_WRITTEN,    /* a file with that name was written to */
	WATCH_CLOSED,     /* one that was open for writing was closed */
	WATCH_NAME,       /* the name came, went, or changed its mode */
	WATCH_MOVED_FROM, /* the name went ... */
	WATCH_MOVED_TO,   /* ... and came, with the same cookie */
	WATCH_SELF,       /* the directory itself was moved, deleted, unmounted */
	WATCH_OVERFLOW,   /* anything may have happened anywhere */
};

struct watch_event {
	enum watch_kind kind;
	uint32_t cookie;  /* of moves */
	const char *name; /* "" if it is about the directory itself */
};

struct watch_ops {
	/* For a listener to a whole directory. */
	void (*directory)(void *ctx, void *object, const struct watch_event *event);
	/* For a listener to one name. */
	void (*name)(void *ctx, void *object, const struct watch_event *event);
	void (*overflow)(void *ctx);
	/* The directory `path` begins to flood. */
	void (*flood)(void *ctx, const char *path);
	/*
	 * Of a directory that floods, for each listener: looks whether files
	 * were written to and returns by how much they grew.  Neither listens
	 * nor unlistens.
	 */
	uint64_t (*look_directory)(void *ctx, void *object);
	uint64_t (*look_name)(void *ctx, void *object);
};

/* NULL if there is no instance left. */
struct watch *watch_create(const struct watch_ops *ops, void *ctx, struct error *err);
/* After all listeners have gone.  NULL is accepted. */
void watch_destroy(struct watch *watch);

/* Readable while events wait. */
int watch_fd(const struct watch *watch);

/*
 * Listens to the directory `path`, or to one name in it.  Writes to files
 * are told only if `files`.  NULL with errno set if it cannot be watched:
 * ENOSPC if there are no watches left, EOPNOTSUPP if the file system gives no
 * events.
 */
struct watch_listener *watch_listen(struct watch *watch, const char *path,
				    const char *name, bool files, void *object);

/* NULL is accepted; no event follows. */
void watch_unlisten(struct watch *watch, struct watch_listener *listener);

/*
 * Reads the events that wait, at most one buffer full, and calls the ops for
 * every listener.  These may listen and unlisten.  False if there were none.
 */
bool watch_read(struct watch *watch);

/* Monotonic time of the next watch_look(); 0: nothing floods. */
int64_t watch_due_ns(const struct watch *watch);
/* Calls the ops that look, for directories that flood, if it is time. */
void watch_look(struct watch *watch);

#endif
