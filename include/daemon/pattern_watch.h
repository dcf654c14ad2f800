/*
 * pattern_watch.h - notice edited patterns files.
 *
 * Looks at names, sizes, inodes and times, so that an editor's rename, a
 * network file system and a swap of Kubernetes' ..data all show.  An edit
 * counts once nothing has changed for a second.
 */
#ifndef DAEMON_PATTERN_WATCH_H
#define DAEMON_PATTERN_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pattern_watch {
	uint64_t loaded;  /* what the files looked like when they were loaded */
	uint64_t present; /* at the last look */
	int64_t since_ns; /* when `present` was first seen, monotonic */
};

/* What the files look like now, in a number. */
uint64_t pattern_watch_look(const char *const *paths, size_t count);

/*
 * True if the files have changed since they were loaded and have been at rest
 * for a second; they then count as loaded, good or bad.
 */
bool pattern_watch_changed(struct pattern_watch *watch, const char *const *paths,
			   size_t count, int64_t now_ns);

#endif
