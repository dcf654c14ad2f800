/* scan.h - going through a directory of the tree. */
#ifndef TAILER_SCAN_H
#define TAILER_SCAN_H

#include "tailer/look.h"
#include "tailer/node.h"

/*
 * Watches the directory, looks at everything in it that is wanted, and plans
 * when to do so again if events will not tell.
 */
void scan_dir(struct tree *tree, struct dir *dir, enum depth depth);

/*
 * Looks at the known files in it, or at one, because writes are not told.
 * Returns by how many bytes they grew.
 */
uint64_t scan_written(struct dir *dir);
uint64_t scan_entry_written(struct entry *e);

/* A link in it depends on a directory that cannot be watched, due to `error`. */
void scan_poll_links(struct tree *tree, struct dir *dir, int error);

#endif
