/*
 * checkpoint.h - what is remembered of one generation, to go on with it.
 *
 * A generation is one file's worth of a path's lines.  Its checkpoint says how
 * far it is counted and how to know it again: by the identity of the file that
 * holds it, or by its first bytes and those before the offset, wherever a copy
 * of them turns up.  What a commit stores is these and the values that belong
 * to them.
 *
 * Of an archive (.gz, .zst) all offsets are those of its content.
 */
#ifndef TAILER_CHECKPOINT_H
#define TAILER_CHECKPOINT_H

#include <stdbool.h>
#include <stdint.h>

#include "tailer/identity.h"

#define CHECKPOINT_HEAD_BYTES 128
#define CHECKPOINT_GUARD_BYTES 128

enum checkpoint_state {
	CHECKPOINT_ACTIVE,   /* to be read on */
	CHECKPOINT_ROTATED,  /* likewise, though it has lost the path's name */
	CHECKPOINT_FINISHED, /* read to its end; remembered so that it is not read again
			      */
};

struct checkpoint {
	uint64_t id;      /* of the generation; never used again */
	const char *path; /* that it is followed as; borrowed */
	/* Where its file was when it was opened, if a link led there; or NULL;
	 * borrowed. */
	const char *place;
	enum checkpoint_state state;
	/* Of the file that holds it now; all zero: none that is known. */
	struct identity identity;
	uint64_t inode;        /* of that file, to find it in a listing; 0: not known */
	uint64_t offset_bytes; /* where the first line begins that is not counted */
	uint64_t size_bytes;   /* as last seen */
	int64_t mtime_ns;      /* as last seen */
	uint64_t
		copy_of; /* id of the generation of which the file is a copy; 0: none */
	/* The first bytes of the file, at most up to the offset. */
	unsigned char head_bytes;
	/* Those just before the offset. */
	unsigned char guard_bytes;
	char head[CHECKPOINT_HEAD_BYTES];
	char guard[CHECKPOINT_GUARD_BYTES];
};

#endif
