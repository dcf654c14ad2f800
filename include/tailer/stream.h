/*
 * stream.h - one path: its generations, read one after the other.
 *
 * A generation is a file that has, or had, the path's name.  Older ones are
 * read first, as far as they have bytes now; one whose last line lacks its
 * newline holds the newer ones up until that line is finished: by its writer,
 * because the last writer has closed the file, or by a time of silence.
 *
 * What was read stays known, so that neither its file under another name nor a
 * copy of it (kin.h) is read again, and so that reading goes on in a copy where
 * the file itself was truncated or deleted.
 *
 * For the follower's thread.
 */
#ifndef TAILER_STREAM_H
#define TAILER_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tailer/generation.h"

/* `path` is a shared text (shared_text.h), of which it takes a reference. */
void stream_init(struct stream *stream, struct stream_host *host, const char *path);
/* Calls path_removed if the path was added. */
void stream_finish(struct stream *stream);

/* Takes the descriptor, and a reference to the file. */
void stream_adopt(struct stream *stream, const struct adoption *adoption);

/*
 * Takes the file's events: its stream, which is returned, has something to do.
 * NULL if no stream has the file (any more).
 */
struct stream *stream_notice(struct file *file);

/* The answer to one file_ask(). */
void stream_looked(struct stream *stream);

/*
 * Reads at most one block of each generation.  Returns true if there is more
 * to read at once.
 */
bool stream_step(struct stream *stream);

/* Monotonic time of the next stream_step() that no event asks for; 0: none. */
int64_t stream_due_ns(const struct stream *stream);

/* Nothing of it is known to be saved. */
void stream_note_all(struct stream *stream);

/* It was added, and not yet removed. */
bool stream_is_followed(const struct stream *stream);
/* Nothing is left to be read or judged. */
bool stream_is_idle(const struct stream *stream);
/*
 * Call now and then: what was without a file at the last call already, and was
 * last written long ago (stream_host.remember_ns), is not remembered any more.
 */
void stream_forget_faded(struct stream *stream);
/* Calls path_removed: it is idle. */
void stream_retire(struct stream *stream);
/* Nothing is remembered either. */
bool stream_is_empty(const struct stream *stream);

struct follower_status stream_status(const struct stream *stream);

#endif
