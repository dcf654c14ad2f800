#include "tailer/inbox.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/mailbox.h"
#include "common/xalloc.h"

struct inbox {
	struct mailbox *mailbox;
};

struct inbox *inbox_create(struct error *err)
{
	struct mailbox *mailbox = mailbox_create(sizeof(struct message), err);
	struct inbox *inbox;

	if (!mailbox)
		return NULL;
	inbox = xcalloc(1, sizeof(*inbox));
	inbox->mailbox = mailbox;
	return inbox;
}

void inbox_destroy(struct inbox *inbox)
{
	const struct message *messages;
	size_t count;

	if (!inbox)
		return;
	count = inbox_take(inbox, &messages);
	for (size_t i = 0; i < count; i++) {
		if (messages[i].adoption.fd != -1)
			close(messages[i].adoption.fd);
		message_finish(&messages[i]);
	}
	mailbox_destroy(inbox->mailbox);
	free(inbox);
}

int inbox_fd(const struct inbox *inbox)
{
	return mailbox_fd(inbox->mailbox);
}

void inbox_wake(struct inbox *inbox)
{
	mailbox_wake(inbox->mailbox);
}

/* With its place behind it; its path is that of the file. */
static struct checkpoint *copy_checkpoint(const struct checkpoint *from)
{
	size_t place_size = from->place ? strlen(from->place) + 1 : 0;
	struct checkpoint *copy = xmalloc(sizeof(*copy) + place_size);

	*copy = *from;
	copy->path = NULL;
	if (from->place)
		copy->place = memcpy(copy + 1, from->place, place_size);
	return copy;
}

void inbox_adopt(struct inbox *inbox, const struct adoption *adoptions, size_t count)
{
	struct message *messages = xcalloc(count, sizeof(*messages));

	for (size_t i = 0; i < count; i++) {
		struct adoption *adoption = &messages[i].adoption;

		messages[i].kind = MESSAGE_ADOPT;
		*adoption = adoptions[i];
		file_ref(adoption->file);
		if (adoption->resume)
			adoption->resume = copy_checkpoint(adoption->resume);
	}
	mailbox_put_all(inbox->mailbox, messages, count);
	free(messages);
}

void inbox_say(struct inbox *inbox, enum message_kind kind, struct file *file)
{
	struct message message = {
		.kind = kind,
		.adoption = {.file = file ? file_ref(file) : NULL, .fd = -1}};

	mailbox_put(inbox->mailbox, &message);
}

size_t inbox_take(struct inbox *inbox, const struct message **messages)
{
	void *taken;
	size_t count = mailbox_take(inbox->mailbox, &taken);

	*messages = taken;
	return count;
}

void message_finish(const struct message *message)
{
	struct checkpoint *resume = (struct checkpoint *)message->adoption.resume;

	free(resume);
	file_unref(message->adoption.file);
}
