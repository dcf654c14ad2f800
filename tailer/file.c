#include "tailer/file.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "common/xalloc.h"

struct file {
	atomic_uint references;
	atomic_uint events;
	struct identity identity;
	uint64_t inode;
	unsigned root;
	struct mailbox *asks;
	atomic_bool done, gone;
	void *reader; /* the follower's */
	pthread_mutex_t lock;
	/* Under the lock: */
	unsigned standing;
	char *place; /* mostly `path` itself */
	char path[];
};

struct file *file_create(const struct identity *identity, uint64_t inode,
			 const char *path, unsigned root, struct mailbox *asks)
{
	size_t size = strlen(path) + 1;
	struct file *file = xcalloc(1, sizeof(*file) + size);

	atomic_init(&file->references, 1);
	atomic_init(&file->events, 0);
	file->identity = *identity;
	file->inode = inode;
	file->root = root;
	file->asks = asks;
	atomic_init(&file->done, false);
	atomic_init(&file->gone, false);
	pthread_mutex_init(&file->lock, NULL);
	memcpy(file->path, path, size);
	return file;
}

static void drop_place(struct file *file)
{
	if (file->place != file->path)
		free(file->place);
}

struct file *file_ref(struct file *file)
{
	atomic_fetch_add(&file->references, 1);
	return file;
}

void file_unref(struct file *file)
{
	if (!file || atomic_fetch_sub(&file->references, 1) > 1)
		return;
	pthread_mutex_destroy(&file->lock);
	drop_place(file);
	free(file);
}

const struct identity *file_identity(const struct file *file)
{
	return &file->identity;
}

uint64_t file_inode(const struct file *file)
{
	return file->inode;
}

const char *file_path(const struct file *file)
{
	return file->path;
}

unsigned file_root(const struct file *file)
{
	return file->root;
}

bool file_mark(struct file *file, unsigned events)
{
	return atomic_fetch_or(&file->events, events) == 0;
}

unsigned file_take(struct file *file)
{
	return atomic_exchange(&file->events, 0);
}

void file_set_standing(struct file *file, unsigned standing, const char *place)
{
	char *copy = NULL;

	if (place)
		copy = strcmp(place, file->path) == 0 ? file->path : xstrdup(place);
	pthread_mutex_lock(&file->lock);
	drop_place(file);
	file->place = copy;
	file->standing = standing;
	pthread_mutex_unlock(&file->lock);
}

unsigned file_standing(struct file *file)
{
	unsigned standing;

	pthread_mutex_lock(&file->lock);
	standing = file->standing;
	pthread_mutex_unlock(&file->lock);
	return standing;
}

bool file_place(struct file *file, struct strbuf *out)
{
	bool known;

	strbuf_clear(out);
	pthread_mutex_lock(&file->lock);
	known = file->place != NULL;
	if (known)
		strbuf_puts(out, file->place);
	pthread_mutex_unlock(&file->lock);
	return known;
}

void file_set_done(struct file *file, bool done)
{
	atomic_store(&file->done, done);
}

bool file_is_done(struct file *file)
{
	return atomic_load(&file->done);
}

void file_set_gone(struct file *file)
{
	atomic_store(&file->gone, true);
}

bool file_is_gone(struct file *file)
{
	return atomic_load(&file->gone);
}

void file_ask(struct file *file)
{
	struct file *message = file_ref(file);

	mailbox_put(file->asks, &message);
}

void file_set_reader(struct file *file, void *reader)
{
	file->reader = reader;
}

void *file_reader(const struct file *file)
{
	return file->reader;
}
