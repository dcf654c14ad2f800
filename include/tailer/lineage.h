/*
 * lineage.h - which file goes on where another ended.
 *
 * A truncated file is split into what was read and what it holds now; what was
 * read, or deleted, seeks the rest in a copy; candidates are judged (kin.h) and
 * become a generation, a copy, or where reading goes on.
 *
 * For the stream.
 */
#ifndef TAILER_LINEAGE_H
#define TAILER_LINEAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "tailer/generation.h"
#include "tailer/reading.h"

/* The file is not what was read (READER_CHANGED). */
void lineage_take_change(struct generation *g);
/* A candidate may be what a truncation has left: that is to be known first. */
void lineage_find_truncation(struct stream *stream);

/* One that seeks looks at the copies that are known. */
enum progress lineage_seek(struct generation *g);

/*
 * Judges candidates, the oldest first, each after what is older was read.
 * False if one is to be looked at again at once.
 */
bool lineage_judge_candidates(struct stream *stream, int64_t now_ns);
/* It is read before the candidate is judged. */
bool lineage_is_before(const struct generation *g, const struct generation *candidate);

#endif
