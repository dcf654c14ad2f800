/* filesystem.h - which file systems tell inotify what happens on them? */
#ifndef TAILER_FILESYSTEM_H
#define TAILER_FILESYSTEM_H

#include <stdbool.h>

/*
 * False if `path` lies where others can write than the processes of this
 * kernel: over a network, from another node or host, or by a server in user
 * space.  Their writes make no event here.  True if it cannot be asked.
 */
bool filesystem_gives_events(const char *path);

/* As above, of a type as in statfs(2). */
bool filesystem_type_gives_events(unsigned type);

#endif
