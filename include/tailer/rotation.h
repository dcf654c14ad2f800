/*
 * rotation.h - is one file's name another's rotation?
 *
 * Text only: looks at no file, and knows not which names are followed.  A
 * name that looks like a rotation is one only if what remains of it is the
 * name of a followed file; a file called `report-20261124` may be itself.
 *
 * Names are base names, without directories.  What rotation appends to them,
 * once or several times:
 *
 *     .1  .20261124  .1795132800   up to ten digits
 *     .STAMP  -STAMP               a date, a date and a time, or Unix seconds
 *     .old  ~
 *     .gz  .zst                    archives that can be read
 *
 * A stamp's months, days and hours are in their ranges: `app-20261399` is a
 * name like any other.  So is `app.log.err`.
 */
#ifndef TAILER_ROTATION_H
#define TAILER_ROTATION_H

#include <stdbool.h>
#include <stddef.h>

#include "common/slice.h"

/*
 * True if the name ends in something that rotation appends: *base_len is the
 * length of what stands before it, which is neither empty nor only dots.  One
 * part is taken off, the shortest that it can be, so that going on with the
 * rest visits every name that this one may be a rotation of.
 */
bool rotation_base(struct slice name, size_t *base_len);

/*
 * Shortens *name by one part; false if there is none.  To visit the names that
 * it may be a rotation of, the longest first:
 *
 *     for (struct slice base = name; rotation_strip(&base);)
 *
 * gives "app.log-20261124" and "app.log" for "app.log-20261124.gz".
 */
bool rotation_strip(struct slice *name);

/* What a name says of the content; its first bytes know better (archive.h). */
enum rotation_content {
	ROTATION_PLAIN,      /* or not known */
	ROTATION_ARCHIVE,    /* .gz, .zst */
	ROTATION_UNREADABLE, /* an archive of another kind: .xz, .bz2 and others */
};

/*
 * *base_len is the length of the name without the archive's suffix; of a plain
 * name, its whole length.  rotation_base() takes no suffix of an unreadable
 * archive off: to know whose rotation it would be, go on with its base.
 */
enum rotation_content rotation_content(struct slice name, size_t *base_len);

#endif
