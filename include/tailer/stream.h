/*
 * stream.h - one path: its generations, read one after the other.
 *
 * A generation is a file that has, or had, the path's name.  Older ones are
 * read first, as far as they have bytes now; one whose last line lacks its
 * newline holds the newer ones up until that line is finished: by its writer,
 * because the last writer has closed the file, or by a time of silence.
 *
 * For the follower's thread.
 */
#ifndef TAILER_STREAM_H
#define TAILER_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tailer/file.h"
#include "tailer/follower.h"
#include "tailer/handover.h"
#include "tailer/openfiles.h"
#include "tailer/reader.h"

struct stream;

/* What the streams of a follower share; outlives them. */
struct stream_host {
	const struct follower_ops *ops;
	void *ctx;
	struct reader_buffer *buffer;
	struct openfiles *open;
	int64_t finish_ns; /* that time */
	size_t backlog;    /* generations that count as backlog and are not read yet */
};

/* `owner` is what stream_notice() returns.  Calls path_added. */
struct stream *stream_create(struct stream_host *host, const char *path, unsigned root,
			     void *owner);
/* Drops all generations and calls path_removed. */
void stream_destroy(struct stream *stream);

/* Takes the descriptor, and a reference to the file. */
void stream_adopt(struct stream *stream, const struct adoption *adoption);

/*
 * Takes the file's events: its stream has something to do.  Returns the
 * stream's owner, or NULL if no stream has the file (any more).
 */
void *stream_notice(struct file *file);

/*
 * Reads at most one block of each generation.  Returns true if there is more
 * to read at once.
 */
bool stream_step(struct stream *stream);

/* Monotonic time of the next stream_step() that no event asks for; 0: none. */
int64_t stream_due_ns(const struct stream *stream);

/* No generation is left. */
bool stream_is_empty(const struct stream *stream);

struct follower_status stream_status(const struct stream *stream);

#endif
