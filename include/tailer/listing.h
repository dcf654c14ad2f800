/* listing.h - the names in a directory, sorted. */
#ifndef TAILER_LISTING_H
#define TAILER_LISTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct listing {
	struct listed {
		char *name;
		uint64_t inode; /* 0: not known */
	} * items;
	size_t count;
};

/*
 * Reads the directory; false with errno set on failure.  Release with
 * listing_finish() in either case.
 */
bool listing_read(const char *path, struct listing *listing);

/* Adds a name that may be there. */
void listing_add(struct listing *listing, const char *name, uint64_t inode);

void listing_finish(struct listing *listing);

#endif
