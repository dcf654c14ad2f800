/*
 * decoder.h - decompresses a stream of gzip members or Zstandard frames.
 *
 * Bytes of the archive go in, content comes out, in pieces of any size.  Knows
 * nothing of files: archive.h reads them.
 */
#ifndef TAILER_DECODER_H
#define TAILER_DECODER_H

#include <stdbool.h>
#include <stddef.h>

#include "common/slice.h"
#include "tailer/archive.h"

struct decoder;

/* Not of ARCHIVE_PLAIN. */
struct decoder *decoder_create(enum archive_kind kind);
void decoder_destroy(struct decoder *decoder); /* NULL is accepted */

/* Back to the start of a stream. */
void decoder_reset(struct decoder *decoder);

/*
 * Takes some bytes off the front of *in and writes at most `room_bytes` (at
 * least 1) to `out`, *made_bytes of them.  If it filled the room there may be
 * more without further input, and it may take none before that is out;
 * otherwise, given input, it takes some.
 *
 * False with errno set (EBADMSG, EOPNOTSUPP, ENOMEM) if the stream cannot go
 * on; what was made before is good.  Reset it then, or destroy it.
 */
bool decoder_step(struct decoder *decoder, struct slice *in, char *out,
		  size_t room_bytes, size_t *made_bytes);

/* True if the stream may end here: behind a member or frame. */
bool decoder_may_end(const struct decoder *decoder);

#endif
