#include "tailer/openfiles.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "common/xalloc.h"

struct openfiles {
	atomic_size_t count;
	size_t limit;
	struct openfiles_link *oldest, *newest;
};

struct openfiles *openfiles_create(size_t limit)
{
	struct openfiles *open = xcalloc(1, sizeof(*open));

	atomic_init(&open->count, 0);
	open->limit = limit;
	return open;
}

void openfiles_destroy(struct openfiles *open)
{
	free(open);
}

bool openfiles_reserve(struct openfiles *open)
{
	if (atomic_fetch_add(&open->count, 1) < open->limit)
		return true;
	openfiles_cancel(open);
	return false;
}

void openfiles_reserve_anyway(struct openfiles *open)
{
	atomic_fetch_add(&open->count, 1);
}

void openfiles_cancel(struct openfiles *open)
{
	atomic_fetch_sub(&open->count, 1);
}

static void append(struct openfiles *open, struct openfiles_link *link)
{
	link->older = open->newest;
	link->newer = NULL;
	*(open->newest ? &open->newest->newer : &open->oldest) = link;
	open->newest = link;
}

static void detach(struct openfiles *open, struct openfiles_link *link)
{
	*(link->older ? &link->older->newer : &open->oldest) = link->newer;
	*(link->newer ? &link->newer->older : &open->newest) = link->older;
}

void openfiles_add(struct openfiles *open, struct openfiles_link *link)
{
	append(open, link);
}

void openfiles_touch(struct openfiles *open, struct openfiles_link *link)
{
	if (open->newest == link)
		return;
	detach(open, link);
	append(open, link);
}

void openfiles_move(struct openfiles *open, struct openfiles_link *from,
		    struct openfiles_link *to)
{
	detach(open, from);
	*from = (struct openfiles_link){0};
	openfiles_add(open, to);
}

void openfiles_remove(struct openfiles *open, struct openfiles_link *link)
{
	detach(open, link);
	*link = (struct openfiles_link){0};
	openfiles_cancel(open);
}

struct openfiles_link *openfiles_oldest(const struct openfiles *open)
{
	return open->oldest;
}
