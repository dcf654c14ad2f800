/*
 * file.h - one followed file, as discovery and the follower that reads it
 * share it.
 *
 * Discovery says what it saw (events, names); the follower looks and takes.
 * A file is counted by reference, since either side may be done first.  The
 * functions are for any thread unless a side is named.
 */
#ifndef TAILER_FILE_H
#define TAILER_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/mailbox.h"
#include "common/strbuf.h"
#include "tailer/identity.h"

struct file;

/* What happened since the follower last looked; bits. */
enum file_event {
	FILE_WRITTEN = 1,   /* there may be more to read */
	FILE_CLOSED = 2,    /* someone who wrote to it has closed it */
	FILE_MOVED = 4,     /* the standing or the place changed */
	FILE_FORGOTTEN = 8, /* discovery does not know it any more */
};

/* How the file stands with its names; bits. */
enum file_standing {
	FILE_CURRENT = 1,  /* the path it is followed as leads to it */
	FILE_NAMED = 2,    /* some watched name leads to it: it can be reopened */
	FILE_UNWANTED = 4, /* no root wants it any more: read to the end and drop */
};

/*
 * One reference, the caller's.  `path` is the path that it is followed as for
 * ever, whatever it is called later: a shared text (shared_text.h), of which it
 * takes a reference.  `asks` takes what file_ask() says.
 */
struct file *file_create(const struct identity *identity, uint64_t inode,
			 const char *path, unsigned root, struct mailbox *asks);
struct file *file_ref(struct file *file);
void file_unref(struct file *file); /* NULL is accepted */

const struct identity *file_identity(const struct file *file);
uint64_t file_inode(const struct file *file);
const char *file_path(const struct file *file); /* shared_text.h */
unsigned file_root(const struct file *file);

/*
 * Discovery: notes the events.  True if the follower must be told, since it
 * has not been told since it last took.
 */
bool file_mark(struct file *file, unsigned events);
/* Follower: the events since the last call. */
unsigned file_take(struct file *file);

/*
 * Discovery: where it can be opened now, a shared text, of which it takes a
 * reference; NULL: nowhere.
 */
void file_set_standing(struct file *file, unsigned standing, const char *place);
unsigned file_standing(struct file *file);
/* Replaces `out` by the place; false if there is none. */
bool file_place(struct file *file, struct strbuf *out);

/* Follower: the file is read to its end and closed, or is read on. */
void file_set_done(struct file *file, bool done);
bool file_is_done(struct file *file);

/* Follower: the file was read and is no more. */
void file_set_gone(struct file *file);
bool file_is_gone(struct file *file);

/*
 * Follower: discovery is to look for siblings of the file's path, and to
 * answer with follower_looked().  The message is the file, with a reference.
 */
void file_ask(struct file *file);

/* Follower: a pointer of its own, NULL at first. */
void file_set_reader(struct file *file, void *reader);
void *file_reader(const struct file *file);

#endif
