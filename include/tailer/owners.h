/*
 * owners.h - which follower owns which path.
 *
 * All generations of a path belong to one follower: that which had the fewest
 * paths when it was first followed.
 *
 * For the catalog.
 */
#ifndef TAILER_OWNERS_H
#define TAILER_OWNERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tailer/follower.h"

struct owners;

struct owners *owners_create(struct follower *const *followers, size_t count);
void owners_destroy(struct owners *owners); /* NULL is accepted */

/* The text of a path that is to be followed, to be shared; the caller's reference. */
const char *owners_shared_path(const struct owners *owners, const char *path);

/*
 * One more file is followed as `path`, a shared text (shared_text.h); returns the
 * path's follower.
 */
struct follower *owners_follow(struct owners *owners, const char *path);
/* One fewer.  The follower may remember its generations: the path stays its own. */
void owners_unfollow(struct owners *owners, const char *path);

/* Of a path that was followed. */
struct follower *owners_of(const struct owners *owners, const char *path);
/* Some file is followed so. */
bool owners_follows(const struct owners *owners, const char *path);
/* A path with this base name as which some file is followed, or NULL; borrowed. */
const char *owners_path_named(const struct owners *owners, const char *name);

/* Call now and then: forgets paths that had no file for long (follower_options). */
void owners_sweep(struct owners *owners, int64_t now_ns);

#endif
