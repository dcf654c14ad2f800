/*
 * strbuf.h - a growing run of bytes, always NUL-terminated.
 *
 * Start with STRBUF_INIT; .ptr is never NULL and may be read as a C string.
 * Release with strbuf_finish(), after which it is empty and usable again.
 */
#ifndef COMMON_STRBUF_H
#define COMMON_STRBUF_H

#include <stddef.h>

#include "common/slice.h"

struct strbuf {
	char *ptr;
	size_t len;
	size_t capacity; /* 0: ptr is the shared empty text */
};

extern char strbuf_empty_text[1];
#define STRBUF_INIT                                               \
	{                                                         \
		.ptr = strbuf_empty_text, .len = 0, .capacity = 0 \
	}

void strbuf_finish(struct strbuf *sb);

/* Keeps the memory. */
void strbuf_clear(struct strbuf *sb);

/* Room for `more_bytes` beyond len; fill it, then add to len yourself. */
char *strbuf_room(struct strbuf *sb, size_t more_bytes);

void strbuf_add(struct strbuf *sb, const char *bytes, size_t len_bytes);
void strbuf_puts(struct strbuf *sb, const char *text);
void strbuf_putc(struct strbuf *sb, char c);
void strbuf_addf(struct strbuf *sb, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static inline void strbuf_add_slice(struct strbuf *sb, struct slice s)
{
	strbuf_add(sb, s.ptr, s.len);
}

static inline struct slice strbuf_slice(const struct strbuf *sb)
{
	return (struct slice){sb->ptr, sb->len};
}

#endif
