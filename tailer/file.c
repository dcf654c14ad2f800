#include "tailer/file.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "common/shared_text.h"
#include "common/xalloc.h"

struct file {
	atomic_uint references;
	atomic_uint events;
	struct identity identity;
	uint64_t inode;
	const char *path;  /* shared_text.h */
	const char *place; /* likewise; under `places` */
	struct mailbox *asks;
	void *reader; /* the follower's */
	unsigned root;
	atomic_uchar standing;
	atomic_bool done, gone;
};

/* For all files, since each is renamed and opened seldom. */
static pthread_mutex_t places = PTHREAD_MUTEX_INITIALIZER;

struct file *file_create(const struct identity *identity, uint64_t inode,
			 const char *path, unsigned root, struct mailbox *asks)
{
	struct file *file = xcalloc(1, sizeof(*file));

	atomic_init(&file->references, 1);
	atomic_init(&file->events, 0);
	file->identity = *identity;
	file->inode = inode;
	file->root = root;
	file->asks = asks;
	file->path = shared_text_ref(path);
	atomic_init(&file->standing, 0);
	atomic_init(&file->done, false);
	atomic_init(&file->gone, false);
	return file;
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
	shared_text_unref(file->place);
	shared_text_unref(file->path);
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
	const char *former;

	if (place)
		shared_text_ref(place);
	pthread_mutex_lock(&places);
	former = file->place;
	file->place = place;
	pthread_mutex_unlock(&places);
	shared_text_unref(former);
	atomic_store(&file->standing, (unsigned char)standing);
}

unsigned file_standing(struct file *file)
{
	return atomic_load(&file->standing);
}

bool file_place(struct file *file, struct strbuf *out)
{
	bool known;

	strbuf_clear(out);
	pthread_mutex_lock(&places);
	known = file->place != NULL;
	if (known)
		strbuf_puts(out, file->place);
	pthread_mutex_unlock(&places);
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
