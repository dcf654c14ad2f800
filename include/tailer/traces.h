/*
 * traces.h - files to which a link led, and leads no more.
 *
 * Nobody watches the directory that such a file lies in.  What was there when
 * it was opened is kept; at the start the rest of it is looked for there, under
 * whatever name it has now, and so are its rotations.
 */
#ifndef TAILER_TRACES_H
#define TAILER_TRACES_H

#include "tailer/catalog.h"

/* For all that was recalled and not found. */
void traces_follow(struct catalog *catalog);

#endif
