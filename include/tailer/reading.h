/*
 * reading.h - one generation's turn: its blocks, and the end of its last line.
 *
 * For the stream.
 */
#ifndef TAILER_READING_H
#define TAILER_READING_H

#include <stdbool.h>
#include <stdint.h>

#include "tailer/generation.h"
#include "tailer/reader.h"

enum progress {
	STEP_DONE, /* nothing more for now; the generation may be past */
	STEP_MORE, /* there is more to read at once */
	STEP_WAIT, /* newer ones may not be read yet */
};

/*
 * The file may have been truncated before anything of it was read: then a copy
 * has what comes first.  Copies that were made before it began as it does now
 * are known when discovery has answered.  True if it may be read.
 */
bool reading_announce(struct generation *g);

/* Reads one block and hands it up. */
enum reader_result reading_block(struct generation *g, int64_t now_ns);

/* It could not be read, errno says why: looked at again, ever more seldom. */
void reading_fail(struct generation *g, int64_t now_ns);

/* Nothing is to be read: does its unfinished line hold up newer ones? */
enum progress reading_rest(const struct generation *g);

/*
 * Waits for where its last line goes on: that seeks a copy first, and has its turn
 * before what stands between.  NULL: no.
 */
const struct generation *reading_awaits(const struct generation *g);

/*
 * The file is read to its end and has lost its name or is not wanted.  Ends
 * its last line, closes it and lets it be as far as its writers allow.
 */
enum progress reading_settle(struct generation *g, int64_t now_ns);

#endif
