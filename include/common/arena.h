/*
 * arena.h - many small allocations that are freed together.
 *
 * For what is built once and lives long: configuration, rules, label text.
 * Not thread safe.
 */
#ifndef COMMON_ARENA_H
#define COMMON_ARENA_H

#include <stddef.h>

#include "common/slice.h"

struct arena;

/* Never fails (out of memory exits).  Release with arena_destroy(). */
struct arena *arena_create(void);

/* Frees everything allocated from it.  NULL is accepted. */
void arena_destroy(struct arena *arena);

/* Zeroed, aligned for any type; lives as long as the arena. */
void *arena_alloc(struct arena *arena, size_t size_bytes);

/* A NUL-terminated copy. */
char *arena_copy(struct arena *arena, struct slice text);
char *arena_strdup(struct arena *arena, const char *text);
char *arena_printf(struct arena *arena, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif
