/*
 * roles.h - how a generation passes from one list of its stream to another.
 *
 * The lists (generation.h): those that are read or seek their rest, the oldest
 * first; candidates; and the past, the newest first.  What passes on the way
 * is told to the worker here.  Knows nothing of content.
 *
 * For the stream.
 */
#ifndef TAILER_ROLES_H
#define TAILER_ROLES_H

#include <stdbool.h>
#include <stdint.h>

#include "tailer/generation.h"

/* What path_added returned, which is called if need be. */
void *roles_user(struct generation *g);
void roles_report_rotation(struct generation *g, enum rotation_kind kind);
/* `bytes` 0: it is not known that there were any. */
void roles_report_lost(struct generation *g, const char *reason, uint64_t bytes);
void roles_say_following(const struct generation *g);

/*
 * By time of change; of the same time the one that was made later, or found
 * under the path's name and not read yet, is the newer.
 */
bool roles_is_older(const struct generation *a, const struct generation *b);
/* Among those that are read: newer than all that were seen with the name, else by age.
 */
void roles_insert(struct stream *stream, struct generation *g);

/* One that is in no list is read from its beginning. */
void roles_read_from_now_on(struct generation *g);
/* It is read, or left alone from now on. */
void roles_to_past(struct generation *g);
/* It is read on. */
void roles_to_active(struct generation *g);
/* A copy may hold what is not read yet: newer generations wait for the answer. */
void roles_to_seeking(struct generation *g, const char *lost_as);
/* Frees it; it is not remembered. */
void roles_forget(struct generation *g);
void roles_drop_candidate(struct generation *c);
/* A past one has lost its file: a path remembers so many without. */
void roles_forget_old_ghosts(struct stream *stream);
/* See stream_forget_faded(). */
void roles_forget_faded(struct stream *stream);

/* Asks discovery what stands beside `file`; it is told before the answer. */
void roles_ask(struct generation *g, struct file *file);
bool roles_is_answered(const struct generation *g);

/* Of those that are to be judged, of the same age the first that was found; or NULL. */
struct generation *roles_oldest_candidate(const struct stream *stream);

#endif
