#include "tailer/adrift.h"

#include <stdlib.h>

#include "common/clock.h"
#include "common/hashmap.h"
#include "common/xalloc.h"

struct adrift {
	struct known *known;
	uint64_t inode;
	int64_t since_ns;
	struct adrift *older, *newer;
	struct adrift *same_inode; /* the next one that has it */
};

struct adrift_files {
	struct adrift *newest;
	struct hashmap *inodes; /* struct adrift */
};

struct adrift_files *adrift_files_create(void)
{
	struct adrift_files *files = xcalloc(1, sizeof(*files));

	files->inodes = hashmap_create_borrowing();
	return files;
}

void adrift_files_destroy(struct adrift_files *files)
{
	struct adrift *older;

	if (!files)
		return;
	for (struct adrift *a = files->newest; a; a = older) {
		older = a->older;
		free(a);
	}
	hashmap_destroy(files->inodes);
	free(files);
}

static struct slice inode_key(const uint64_t *inode)
{
	return (struct slice){(const char *)inode, sizeof(*inode)};
}

struct adrift *adrift_begin(struct adrift_files *files, struct known *known,
			    uint64_t inode)
{
	struct adrift *adrift = xcalloc(1, sizeof(*adrift));

	adrift->known = known;
	adrift->inode = inode;
	adrift->since_ns = clock_monotonic_ns();
	adrift->older = files->newest;
	if (adrift->older)
		adrift->older->newer = adrift;
	files->newest = adrift;
	adrift->same_inode =
		hashmap_put(files->inodes, inode_key(&adrift->inode), adrift);
	return adrift;
}

static void take_inode(struct adrift_files *files, struct adrift *adrift)
{
	struct slice key = inode_key(&adrift->inode);
	struct adrift *first = hashmap_get(files->inodes, key);
	struct adrift **link = &first;

	while (*link != adrift)
		link = &(*link)->same_inode;
	*link = adrift->same_inode;
	if (first)
		hashmap_put(files->inodes, inode_key(&first->inode), first);
	else
		hashmap_remove(files->inodes, key);
}

void adrift_end(struct adrift_files *files, struct adrift *adrift)
{
	take_inode(files, adrift);
	*(adrift->newer ? &adrift->newer->older : &files->newest) = adrift->older;
	if (adrift->older)
		adrift->older->newer = adrift->newer;
	free(adrift);
}

struct known *adrift_with_inode(const struct adrift_files *files, uint64_t inode)
{
	const struct adrift *adrift = hashmap_get(files->inodes, inode_key(&inode));

	return adrift ? adrift->known : NULL;
}

struct adrift *adrift_newest(const struct adrift_files *files)
{
	return files->newest;
}

struct adrift *adrift_older(const struct adrift *adrift)
{
	return adrift->older;
}

struct known *adrift_known(const struct adrift *adrift)
{
	return adrift->known;
}

int64_t adrift_since_ns(const struct adrift *adrift)
{
	return adrift->since_ns;
}
