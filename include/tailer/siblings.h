/* siblings.h - is a name in a directory that of a followed path, rotated? */
#ifndef TAILER_SIBLINGS_H
#define TAILER_SIBLINGS_H

#include "tailer/node.h"

/*
 * The path whose rotation the name says it is, or NULL; the caller's.  One that
 * is wanted by itself is a rotation only of what is followed already, another
 * also of what would be.  `wanted` is what the roots want of the name.
 */
char *siblings_path_of(const struct tree *tree, const struct dir *dir, const char *name,
		       const struct wanted *wanted);

#endif
