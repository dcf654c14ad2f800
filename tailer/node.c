#include "tailer/node.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/xalloc.h"

void node_join(struct strbuf *out, const struct dir *dir, const char *name)
{
	strbuf_clear(out);
	strbuf_puts(out, dir->path);
	strbuf_putc(out, '/');
	strbuf_puts(out, name);
}

const char *node_dir_path(const struct dir *dir)
{
	return *dir->path ? dir->path : "/";
}

struct dir *node_create_dir(struct tree *tree, struct dir *parent, const char *path)
{
	struct dir *dir = xcalloc(1, sizeof(*dir));

	dir->parent = parent;
	dir->path = xstrdup(path);
	dir->name = strrchr(dir->path, '/') ? strrchr(dir->path, '/') + 1 : dir->path;
	dir->entries = hashmap_create_borrowing();
	dir->next = tree->dirs;
	if (dir->next)
		dir->next->previous = dir;
	tree->dirs = dir;
	return dir;
}

void node_end_links(struct tree *tree, struct watch_listener **links, size_t count)
{
	for (size_t i = 0; i < count; i++)
		watch_unlisten(tree->watch, links[i]);
	free(links);
}

void node_destroy_entry(struct tree *tree, struct entry *e, bool unwanted)
{
	hashmap_remove(e->dir->entries, slice_of(e->name));
	catalog_unname(tree->catalog, &e->name_of, unwanted);
	if (e->child)
		node_destroy_dir(tree, e->child, unwanted);
	node_end_links(tree, e->links, e->link_count);
	free(e->rotation_of);
	free(e->sibling_of);
	free(e);
}

void node_destroy_dir(struct tree *tree, struct dir *dir, bool unwanted)
{
	size_t cursor = 0;
	struct slice name;
	void *entry;

	while (hashmap_next(dir->entries, &cursor, &name, &entry))
		node_destroy_entry(tree, entry, unwanted);
	hashmap_destroy(dir->entries);
	tree->destroyed++;
	watch_unlisten(tree->watch, dir->listener);
	*(dir->previous ? &dir->previous->next : &tree->dirs) = dir->next;
	if (dir->next)
		dir->next->previous = dir->previous;
	places_finish(&dir->places);
	free(dir->path);
	free(dir);
}

struct entry *node_find(const struct dir *dir, const char *name)
{
	return hashmap_get(dir->entries, slice_of(name));
}

struct entry *node_need(struct dir *dir, const char *name)
{
	struct entry *e = node_find(dir, name);
	size_t size = strlen(name) + 1;

	if (e)
		return e;
	e = xcalloc(1, sizeof(*e) + size);
	e->dir = dir;
	memcpy(e->name, name, size);
	hashmap_put(dir->entries, slice_of(e->name), e);
	return e;
}

static int64_t time_ns(const struct timespec *time)
{
	return time->tv_sec * NS_PER_SECOND + time->tv_nsec;
}

static struct file_look look_of(const struct stat *st)
{
	return (struct file_look){.device = st->st_dev,
				  .inode = st->st_ino,
				  .ctime_ns = time_ns(&st->st_ctim),
				  .mtime_ns = time_ns(&st->st_mtim),
				  .size_bytes = (uint64_t)st->st_size};
}

bool node_take_look(struct entry *e, const struct stat *st)
{
	struct file_look former = e->look;

	e->look = look_of(st);
	return e->look.size_bytes != former.size_bytes ||
	       e->look.mtime_ns != former.mtime_ns;
}

bool node_looks_alike(const struct entry *e, const struct stat *st)
{
	struct file_look now = look_of(st);

	return now.device == e->look.device && now.inode == e->look.inode &&
	       now.ctime_ns == e->look.ctime_ns && now.mtime_ns == e->look.mtime_ns &&
	       now.size_bytes == e->look.size_bytes;
}

struct dir *node_find_dir(const struct tree *tree, const char *path, size_t len)
{
	struct dir *dir = tree->top;
	size_t at = 1;

	while (dir && at < len) {
		size_t count = strcspn(path + at, "/");
		const struct entry *e =
			hashmap_get(dir->entries, (struct slice){path + at, count});

		dir = e ? e->child : NULL;
		at += count + 1;
	}
	return dir;
}

void node_set_due(struct tree *tree, struct dir *dir, int64_t due_ns)
{
	dir->due_ns = due_ns;
	if (due_ns > 0 && (tree->next_due_ns == 0 || due_ns < tree->next_due_ns))
		tree->next_due_ns = due_ns;
}

void node_set_trouble(struct tree *tree, struct dir *dir)
{
	dir->troubled = true;
	if (dir->due_ns == 0)
		node_set_due(tree, dir, clock_monotonic_ns() + NS_PER_SECOND);
}

void node_complain(struct tree *tree, struct dir *dir, const char *path, int error,
		   int *told)
{
	char needed[80];

	node_set_trouble(tree, dir);
	if (error == EMFILE || error == ENFILE)
		told = &dir->error;
	if (*told == error)
		return;
	*told = error;
	if (error == EACCES || error == EPERM)
		snprintf(needed, sizeof(needed), "read permission for user id %u",
			 (unsigned)geteuid());
	else
		snprintf(needed, sizeof(needed), "%s",
			 error == EMFILE ? "a higher limit on open files (ulimit -n)"
					 : "nothing: it is tried again");
	log_error("cannot read", LOG_TEXT("path", path),
		  LOG_TEXT("error", strerror(error)), LOG_TEXT("needed", needed));
}
