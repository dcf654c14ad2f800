/*
 * inbox.h - what was said to a follower, in the order in which it was said.
 *
 * Any thread puts, the worker takes.  Knows nothing of what is done about it.
 */
#ifndef TAILER_INBOX_H
#define TAILER_INBOX_H

#include <stddef.h>

#include "common/error.h"
#include "tailer/handover.h"

struct inbox;

enum message_kind {
	MESSAGE_ADOPT,
	MESSAGE_NOTICE,
	MESSAGE_LOOKED,
	MESSAGE_BACKLOG_END
};

struct message {
	enum message_kind kind;
	struct adoption adoption; /* mostly only the file; with a reference */
};

struct inbox *inbox_create(struct error *err);
/* What was not taken is dropped, its descriptors closed.  NULL is accepted. */
void inbox_destroy(struct inbox *inbox);

/* Readable while there is something to take, or after inbox_wake(). */
int inbox_fd(const struct inbox *inbox);
void inbox_wake(struct inbox *inbox);

/*
 * All of them are taken at once.  Copies what they borrow, and takes references of
 * its own to the files.
 */
void inbox_adopt(struct inbox *inbox, const struct adoption *adoptions, size_t count);
/* `file` may be NULL, where the kind is of none. */
void inbox_say(struct inbox *inbox, enum message_kind kind, struct file *file);

/*
 * What was put since the last call; valid until the next.  The caller finishes
 * each message, and has what its descriptor is.
 */
size_t inbox_take(struct inbox *inbox, const struct message **messages);
void message_finish(const struct message *message);

#endif
