#include "common/mailbox.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/xalloc.h"

#define KEPT_BYTES 4096 /* of room; a burst may have needed far more */

struct messages {
	char *bytes;
	size_t count, capacity;
};

struct mailbox {
	pthread_mutex_t lock;
	struct messages in;    /* under lock */
	struct messages taken; /* the receiver's */
	size_t message_bytes;
	int fd;
};

struct mailbox *mailbox_create(size_t message_bytes, struct error *err)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	struct mailbox *mailbox;

	if (fd == -1) {
		error_errno(err, "create an event descriptor");
		return NULL;
	}
	mailbox = xcalloc(1, sizeof(*mailbox));
	pthread_mutex_init(&mailbox->lock, NULL);
	mailbox->message_bytes = message_bytes;
	mailbox->fd = fd;
	return mailbox;
}

void mailbox_destroy(struct mailbox *mailbox)
{
	if (!mailbox)
		return;
	close(mailbox->fd);
	pthread_mutex_destroy(&mailbox->lock);
	free(mailbox->in.bytes);
	free(mailbox->taken.bytes);
	free(mailbox);
}

void mailbox_wake(struct mailbox *mailbox)
{
	uint64_t one = 1;

	if (write(mailbox->fd, &one, sizeof(one)) == -1) {
		/* Only a full counter fails: then a wake-up is waiting. */
	}
}

static void make_room(struct messages *messages, size_t count, size_t message_bytes)
{
	size_t capacity = messages->capacity ? messages->capacity : 16;

	while (capacity < count)
		capacity *= 2;
	if (capacity == messages->capacity)
		return;
	messages->bytes = xreallocarray(messages->bytes, capacity, message_bytes);
	messages->capacity = capacity;
}

void mailbox_put_all(struct mailbox *mailbox, const void *messages, size_t count)
{
	size_t size = mailbox->message_bytes;
	struct messages *in = &mailbox->in;

	if (count == 0)
		return;
	pthread_mutex_lock(&mailbox->lock);
	make_room(in, in->count + count, size);
	memcpy(in->bytes + in->count * size, messages, count * size);
	in->count += count;
	pthread_mutex_unlock(&mailbox->lock);
	mailbox_wake(mailbox);
}

void mailbox_put(struct mailbox *mailbox, const void *message)
{
	mailbox_put_all(mailbox, message, 1);
}

int mailbox_fd(const struct mailbox *mailbox)
{
	return mailbox->fd;
}

size_t mailbox_take(struct mailbox *mailbox, void **messages)
{
	struct messages swap = mailbox->taken;
	uint64_t wakes;

	if (read(mailbox->fd, &wakes, sizeof(wakes)) == -1)
		wakes = 0; /* nobody woke us; look all the same */
	if (swap.capacity * mailbox->message_bytes > KEPT_BYTES) {
		free(swap.bytes);
		swap = (struct messages){0};
	}
	swap.count = 0;
	pthread_mutex_lock(&mailbox->lock);
	mailbox->taken = mailbox->in;
	mailbox->in = swap;
	pthread_mutex_unlock(&mailbox->lock);
	*messages = mailbox->taken.bytes;
	return mailbox->taken.count;
}
