#include "tailer/listing.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/xalloc.h"

void listing_add(struct listing *listing, const char *name, uint64_t inode)
{
	listing->items = xgrow(listing->items, listing->count, sizeof(*listing->items));
	listing->items[listing->count++] = (struct listed){xstrdup(name), inode};
}

static int by_name(const void *a, const void *b)
{
	const struct listed *left = a, *right = b;

	return strcmp(left->name, right->name);
}

static bool is_dots(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

bool listing_read(const char *path, struct listing *listing)
{
	DIR *dir = opendir(path);
	const struct dirent *entry;
	int error;

	if (!dir)
		return false;
	for (errno = 0; (entry = readdir(dir)); errno = 0)
		if (!is_dots(entry->d_name))
			listing_add(listing, entry->d_name, entry->d_ino);
	error = errno;
	closedir(dir);
	if (listing->count > 1)
		qsort(listing->items, listing->count, sizeof(*listing->items), by_name);
	errno = error;
	return error == 0;
}

void listing_finish(struct listing *listing)
{
	for (size_t i = 0; i < listing->count; i++)
		free(listing->items[i].name);
	free(listing->items);
	*listing = (struct listing){0};
}
