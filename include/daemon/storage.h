/*
 * storage.h - the directory that one daemon owns.
 */
#ifndef DAEMON_STORAGE_H
#define DAEMON_STORAGE_H

#include "common/error.h"

/*
 * Creates the directory if need be and locks it against a second daemon; waits up to
 * a second for one that ends.  Returns the descriptor that holds the lock, to be closed
 * at the end; -1 after an error.
 */
int storage_lock(const char *path, struct error *err);

#endif
