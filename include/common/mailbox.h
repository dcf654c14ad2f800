/*
 * mailbox.h - messages from many threads to one.
 *
 * The receiver waits on mailbox_fd() with poll or epoll.
 */
#ifndef COMMON_MAILBOX_H
#define COMMON_MAILBOX_H

#include <stddef.h>

#include "common/error.h"

struct mailbox;

/* Every message has `message_bytes`.  NULL if no event descriptor is left. */
struct mailbox *mailbox_create(size_t message_bytes, struct error *err);

/* Messages not yet taken are dropped.  NULL is accepted. */
void mailbox_destroy(struct mailbox *mailbox);

/* Copies the message; any thread.  Never blocks on the receiver. */
void mailbox_put(struct mailbox *mailbox, const void *message);
/* Several, one behind the other: the receiver takes all of them or none yet. */
void mailbox_put_all(struct mailbox *mailbox, const void *messages, size_t count);

/* Wakes the receiver without a message; any thread. */
void mailbox_wake(struct mailbox *mailbox);

/* Readable while a message or a wake-up waits. */
int mailbox_fd(const struct mailbox *mailbox);

/*
 * Receiver only: takes all messages in the order they were put; returns how
 * many.  *messages is borrowed until the next call.
 */
size_t mailbox_take(struct mailbox *mailbox, void **messages);

#endif
