/* look.h - what is one name in a directory now? */
#ifndef TAILER_LOOK_H
#define TAILER_LOOK_H

#include "tailer/node.h"

/* How far a look at a directory goes. */
enum depth {
	LOOK_NEW,  /* into directories that were not there */
	LOOK_NAME, /* into the directory of that name */
	LOOK_DEEP, /* into all directories */
};

/*
 * Follows, renames, drops what the name leads to, as the roots want it.  May
 * destroy its entry, and all below it.
 */
void look_at_name(struct tree *tree, struct dir *dir, const char *name,
		  enum depth depth);

#endif
