/*
 * input_reader.h - one input, from its first byte to its end, as whole lines.
 *
 * Files and archives (tailer/content.h), and streams such as standard input.  The
 * unterminated last line is a line; one over the limit is passed over whole.
 * Knows nothing of rules.
 */
#ifndef DAEMON_INPUT_READER_H
#define DAEMON_INPUT_READER_H

#include "common/block.h"
#include "common/error.h"
#include "daemon/inputs.h"

struct input_reader;

struct input_reader_ops {
	/* Borrowed until it returns. */
	void (*block)(void *ctx, const struct block *block);
	/* A line was passed over. */
	void (*oversized)(void *ctx);
	/* After each read: so much more of the file was used up. */
	void (*progress)(void *ctx, uint64_t file_bytes);
};

/*
 * For any number of inputs, one after the other.  now_ns stands as the time of
 * reading in every block, so that the same bytes give the same lines and times.
 */
struct input_reader *input_reader_create(size_t line_bytes, int64_t now_ns,
					 const struct input_reader_ops *ops, void *ctx);
void input_reader_destroy(struct input_reader *reader); /* NULL is accepted */

/* False if it cannot be read to its end; what came before was handed on. */
bool input_read(struct input_reader *reader, const struct input *input,
		struct error *err);

#endif
