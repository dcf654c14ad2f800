/*
 * kin.h - what is a sibling of a followed path: a copy of what was read, or a
 * generation that nobody has seen?
 *
 * Rotation leaves copies behind: copytruncate's, compressed ones, those that
 * `mv` makes on another file system.  A copy is not read again, but where the
 * original was truncated or deleted before it was read to its end, reading
 * goes on in the copy.  The content decides: the first bytes, and those before
 * the offset.  Where all lines are alike it proves little: then the time of
 * change must be the same too.
 *
 * For the stream.
 */
#ifndef TAILER_KIN_H
#define TAILER_KIN_H

#include <stdbool.h>
#include <stdint.h>

#include "tailer/generation.h"

enum verdict {
	KIN_UNSEEN,  /* a generation to be read whole */
	KIN_EMPTY,   /* an archive of nothing, or an empty file that was deleted */
	KIN_COPY,    /* of the generation whose number is in copy_of; nothing to read */
	KIN_GOES_ON, /* as above, and it holds what that has not read */
	KIN_LATER,   /* there is more work to be done at once */
	/* It is still being written, or empty, or cannot be opened: due_ns says when
	   to look. */
	KIN_WAIT
};

/* The candidate's file is opened if need be.  *original: of the last two. */
enum verdict kin_judge(struct generation *candidate, int64_t now_ns,
		       struct generation **original);

/*
 * Does the file of `copy` hold what `seeking` has read, and more?  KIN_GOES_ON,
 * KIN_COPY, KIN_LATER, or KIN_UNSEEN: it is none.
 */
enum verdict kin_compare(struct generation *copy, struct generation *seeking);

/* `g` has the time of change of `original`, as far as what made it may have kept that.
 */
bool kin_has_time_of(const struct generation *g, const struct generation *original);

/*
 * One that is read is a copy of what a newer one's file held before it was
 * truncated: it was born, an archive's content was written, after that file.
 * So a line that it has begun goes on there.  What had the path's name is none:
 * the file in its place may have been prepared before.
 */
bool kin_is_of_truncated(const struct generation *g);
/*
 * And this is where: in the next later copy of the same file, else in that file as it
 * is now, which may be past.  NULL: in none that is known.
 */
struct generation *kin_goes_on_in(const struct generation *g);
/* Likewise, and that file is a candidate: nothing was written to it since. */
bool kin_awaits_truncated(const struct generation *g);

#endif
