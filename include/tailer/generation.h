/*
 * generation.h - one file's worth of a path's lines.
 *
 * What the parts of a stream share, and nobody else: stream.c orders the
 * generations of a path and reads them, kin.c finds out which of them the
 * content of a file is.  Hence the structs are open.
 */
#ifndef TAILER_GENERATION_H
#define TAILER_GENERATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tailer/changes.h"
#include "tailer/file.h"
#include "tailer/follower.h"
#include "tailer/handover.h"
#include "tailer/openfiles.h"
#include "tailer/reader.h"

enum generation_role {
	ROLE_ACTIVE,  /* is read on */
	ROLE_SEEKING, /* its file was truncated or is no more: a copy may hold the rest
		       */
	ROLE_CANDIDATE, /* a sibling of which is not known yet what it is */
	ROLE_PAST,      /* read, or to be left alone: remembered */
};

/* There are very many of these: small members stand together. */
struct generation {
	struct generation *next; /* in the list of its role; of those read, the newer */
	struct stream *stream;
	struct change change; /* of its checkpoint */
	struct file *file;    /* NULL: none is known that holds it */
	struct reader *reader;
	struct openfiles_link open;
	char *place;     /* where the file was when it was opened, if not at the path */
	int64_t born_ns; /* of the file; 0: not known */
	int64_t quiet_since_ns;
	int64_t due_ns;         /* look again by then; 0: when something happens */
	uint64_t backlog_bytes; /* 0: no backlog, or read */
	int64_t later_than_ns;  /* candidate: what was not written later is history */
	uint64_t copy_of;       /* number of the generation that this is a copy of; 0 */
	uint64_t judged_bytes;  /* candidate: compared with what ends before that */
	const char *lost_as;    /* seeking: reason to give if nothing is found */
	enum generation_role role;
	unsigned standing; /* as of the last notice */
	unsigned failures; /* in a row */
	unsigned ask;      /* the look at the directory that it waits for */
	bool dirty;        /* there may be more to read */
	bool closed;       /* a writer has closed it, and nothing came since */
	bool resumed;      /* an earlier run read it; this one has not yet */
	bool fading;    /* past, without a file, at the last look at what to forget */
	bool asked;     /* for what was made before it began */
	bool announced; /* and that is known */
	bool had_name; /* it was found under the path's name: no copytruncate made it */
	bool waits;    /* and those behind it: nothing can be done at once */
	bool joins;    /* its last line goes on in the file that was truncated */
	bool unfinished;      /* past, but not known to be read to its end */
	bool holds_up_nobody; /* candidate: its turn comes when others are read */
	bool vanished;        /* seeking: its file went while nobody looked */
	bool unclaimed; /* was a candidate, and is not yet known as the whole of another
			 */
	bool claims;    /* past: nothing was read of it; another is the whole of it */
};

/* What the streams of a follower share; outlives them. */
struct stream_host {
	const struct follower_ops *ops;
	void *ctx;
	struct reader_buffer *buffer;
	struct openfiles *open;
	struct changes *changes;
	int64_t finish_ns;   /* silence that ends an unterminated line */
	int64_t remember_ns; /* how long what has no file any more stays known */
	size_t backlog; /* generations that count as backlog and are not read yet */
	uint64_t next_number, number_stride;
};

struct stream {
	struct stream_host *host;
	const char *path;          /* shared_text.h */
	void *user;                /* what path_added returned; NULL: nothing is read */
	struct generation *oldest; /* active and seeking */
	struct generation *candidates; /* in the order of their arrival */
	struct generation *past;       /* the newest first */
	unsigned asks, answers;        /* looks at the directory */
	int64_t last_line_ns;
	unsigned halvings; /* of the blocks that are read: its lines take long */
	bool has_user;     /* path_added was called */
};

/* In no list.  `resume` may be NULL. */
struct generation *generation_create(struct stream *stream, struct file *file,
				     const struct checkpoint *resume,
				     const struct checkpoint *at);
/* For a split: owns the reader. */
struct generation *generation_create_from(struct stream *stream, uint64_t number,
					  struct reader *reader);
/* `dropped`: it is not to be remembered.  In no list. */
void generation_destroy(struct generation *g, bool dropped);

void generation_set_number(struct generation *g);
void generation_changed(struct generation *g);

bool generation_is_torn(const struct generation *g);
bool generation_is_leaving(const struct generation *g);
uint64_t generation_lag_bytes(const struct generation *g);
void generation_end_backlog(struct generation *g);

/* Gives the file up; the reader keeps its memory. */
void generation_release_file(struct generation *g);
void generation_take_file(struct generation *g, struct file *file);

/* Opens it where it can be found now; false with errno set. */
bool generation_open(struct generation *g);
/* Counts a failure to read it, and logs the first in a row. */
void generation_note_failure(struct generation *g, int error);
void generation_take_fd(struct generation *g, int fd);
void generation_close(struct generation *g);

/* To one of the stream's lists, or out of the one it is in. */
void generation_link(struct generation **list, struct generation *g);
void generation_unlink(struct generation *g);

void generation_checkpoint(const struct generation *g, struct checkpoint *checkpoint);

#endif
