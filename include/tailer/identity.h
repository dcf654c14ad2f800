/*
 * identity.h - which file it is, whatever it is called.
 *
 * The file system's id and the file's handle: the handle carries the inode's
 * generation, so a file that was deleted and one that got its inode number
 * are told apart, and both survive a remount.  Where a file system gives no
 * handles, inode number and birth time stand for it.
 *
 * Handles may have 128 bytes; kept is their 128-bit digest, which may be
 * stored and compared across restarts.
 */
#ifndef TAILER_IDENTITY_H
#define TAILER_IDENTITY_H

#include <stdbool.h>

#include "common/slice.h"

struct identity {
	unsigned char bytes[16];
};

/* False with errno set if the file cannot be asked. */
bool identity_of_fd(int fd, struct identity *identity);

/* As above; follows symbolic links. */
bool identity_of_path(const char *path, struct identity *identity);

static inline bool identity_eq(const struct identity *a, const struct identity *b)
{
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

/* For a hash map; borrowed from `identity`. */
static inline struct slice identity_key(const struct identity *identity)
{
	return (struct slice){(const char *)identity->bytes, sizeof(identity->bytes)};
}

#endif
