/*
 * memory.h - what a reader remembers of what it has read: the first bytes of
 * the file and those before the offset.
 *
 * Knows nothing of files.
 */
#ifndef TAILER_MEMORY_H
#define TAILER_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/slice.h"
#include "tailer/checkpoint.h"

/* All zero: of nothing. */
struct memory {
	unsigned char head_bytes, tail_bytes;
	char head[CHECKPOINT_HEAD_BYTES];
	char tail[CHECKPOINT_GUARD_BYTES];
};

void memory_restore(struct memory *memory, const struct checkpoint *from);
void memory_save(const struct memory *memory, struct checkpoint *to);

void memory_set_head(struct memory *memory, const char *bytes, size_t count);
/* The last bytes of these `count` precede the offset. */
void memory_set_tail(struct memory *memory, const char *bytes, size_t count);
/* `bytes`, which stand at `at_bytes` of the file, precede the offset now. */
void memory_append(struct memory *memory, struct slice bytes, uint64_t at_bytes);

/* The first bytes; borrowed from `memory`. */
static inline struct slice memory_head(const struct memory *memory)
{
	return (struct slice){memory->head, memory->head_bytes};
}

/* The last bytes, at most `most`; borrowed from `memory`. */
struct slice memory_tail(const struct memory *memory, size_t most);

/* What is known ends in its first line, and there is little of that. */
bool memory_is_fragment(const struct memory *memory);
/* The tail is more than the beginning of one line, and not the same one again and
 * again. */
bool memory_is_telling(const struct memory *memory);

#endif
