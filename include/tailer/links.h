/*
 * links.h - the places on which it depends where a symbolic link leads.
 */
#ifndef TAILER_LINKS_H
#define TAILER_LINKS_H

#include <stdbool.h>

/*
 * Calls `visit` for each symbolic link that is met on the way from `path`, an
 * absolute one, to what it leads to, and for that at last (`final`), or for
 * the first name that does not exist.  `directory` and `name` are borrowed.
 * False if there are too many links.
 */
bool links_follow(const char *path,
		  void (*visit)(void *ctx, const char *directory, const char *name,
				bool final),
		  void *ctx);

#endif
