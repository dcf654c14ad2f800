#include "common/arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/xalloc.h"

/* There are arenas of a few hundred bytes, and thousands of them. */
#define FIRST_BLOCK_BYTES ((size_t)256)
#define BLOCK_BYTES ((size_t)16 * 1024)

struct block {
	struct block *next;
	alignas(max_align_t) char bytes[];
};

struct arena {
	struct block *blocks; /* newest first */
	char *free;           /* in the newest ordinary block */
	size_t free_bytes;
	size_t size_bytes;
};

struct arena *arena_create(void)
{
	return xcalloc(1, sizeof(struct arena));
}

void arena_destroy(struct arena *arena)
{
	if (!arena)
		return;
	while (arena->blocks) {
		struct block *next = arena->blocks->next;

		free(arena->blocks);
		arena->blocks = next;
	}
	free(arena);
}

static char *add_block(struct arena *arena, size_t bytes)
{
	struct block *block = xcalloc(1, sizeof(*block) + bytes);

	block->next = arena->blocks;
	arena->blocks = block;
	arena->size_bytes += sizeof(*block) + bytes;
	return block->bytes;
}

/* Each block doubles what there is. */
static size_t next_block_bytes(const struct arena *arena, size_t least_bytes)
{
	size_t bytes = arena->size_bytes;

	if (bytes < FIRST_BLOCK_BYTES)
		bytes = FIRST_BLOCK_BYTES;
	if (bytes > BLOCK_BYTES)
		bytes = BLOCK_BYTES;
	return bytes > least_bytes ? bytes : least_bytes;
}

/* A large request gets a block of its own and leaves the current one open. */
static char *take(struct arena *arena, size_t bytes)
{
	if (bytes > BLOCK_BYTES / 4)
		return add_block(arena, bytes);
	if (bytes > arena->free_bytes) {
		size_t block_bytes = next_block_bytes(arena, bytes);

		arena->free = add_block(arena, block_bytes);
		arena->free_bytes = block_bytes;
	}
	arena->free += bytes;
	arena->free_bytes -= bytes;
	return arena->free - bytes;
}

void *arena_alloc(struct arena *arena, size_t size_bytes)
{
	size_t pad = arena->free ? -(size_t)arena->free % alignof(max_align_t) : 0;

	if (pad > 0 && pad <= arena->free_bytes) {
		arena->free += pad;
		arena->free_bytes -= pad;
	} else if (pad > 0) {
		arena->free_bytes = 0;
	}
	return take(arena, size_bytes ? size_bytes : 1);
}

char *arena_copy(struct arena *arena, struct slice text)
{
	char *copy = take(arena, text.len + 1);

	if (text.len > 0)
		memcpy(copy, text.ptr, text.len);
	copy[text.len] = '\0';
	return copy;
}

char *arena_strdup(struct arena *arena, const char *text)
{
	return arena_copy(arena, slice_of(text));
}

char *arena_printf(struct arena *arena, const char *fmt, ...)
{
	va_list ap;
	char *text, *copy;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) == -1)
		text = xstrdup("");
	va_end(ap);
	copy = arena_strdup(arena, text);
	free(text);
	return copy;
}
