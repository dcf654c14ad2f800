/*
 * inputs.h - the files that replay reads, and as which path each counts.
 *
 * A rotated or compressed file counts as the path that it was rotated from, so
 * that it is read as the daemon would have read it.  Knows nothing of what is in
 * the files.
 */
#ifndef DAEMON_INPUTS_H
#define DAEMON_INPUTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/error.h"
#include "tailer/discovery.h"

struct input {
	char *file; /* to open; NULL: standard input */
	char *path; /* absolute: as which it counts */
	bool named; /* by itself, not found in a directory or by a glob */
	bool sized; /* a regular file; else a stream, read as it comes */
	uint64_t size_bytes;
	int64_t mtime_ns; /* INT64_MAX: not known */
	dev_t device;     /* of those with a name */
	ino_t inode;
};

struct inputs {
	struct input *items;
	size_t count;
};

/*
 * Adds what the argument names: `-` for standard input, a file, a directory or a
 * glob; else as inputs_add_root() with the defaults of a configuration.  False if
 * there is none such, or it cannot be opened.
 */
bool inputs_add(struct inputs *inputs, const char *argument, struct error *err);

/*
 * Adds a file, what matches a glob, or what lies in a directory: files that the
 * root includes, and those that were rotated from them, compressed ones too.
 */
bool inputs_add_root(struct inputs *inputs, const struct discovery_root *root,
		     struct error *err);

/*
 * After the last: finds the paths, leaves each file only once, and puts them in
 * the order of their paths, files of one path from the oldest to the newest.  `as`
 * is the path of all of them; NULL: a name that looks like a rotation counts as
 * what it may be rotated from, if that is there, or if `wants` says so of it and
 * not of the name itself.
 */
void inputs_resolve(struct inputs *inputs, const char *as,
		    bool (*wants)(void *ctx, const char *path), void *ctx);

void inputs_finish(struct inputs *inputs);

#endif
