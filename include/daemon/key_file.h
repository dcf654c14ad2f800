/*
 * key_file.h - the secret with which labels are hashed, from its file.
 */
#ifndef DAEMON_KEY_FILE_H
#define DAEMON_KEY_FILE_H

#include <stdbool.h>

#include "common/arena.h"
#include "common/error.h"
#include "common/slice.h"

enum key_file_access {
	KEY_FILE_PRIVATE,
	KEY_FILE_READABLE /* others than its owner may read it */
};

/*
 * All bytes of a regular file, without a newline at its end, into the arena: 16 to 4096
 * of them.  False also if others than its owner may write it.
 */
bool key_file_read(const char *path, struct arena *arena, struct slice *key,
		   enum key_file_access *access, struct error *err);

#endif
