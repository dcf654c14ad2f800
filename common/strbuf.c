#include "common/strbuf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/xalloc.h"

char strbuf_empty_text[1];

void strbuf_finish(struct strbuf *sb)
{
	if (sb->capacity > 0)
		free(sb->ptr);
	*sb = (struct strbuf)STRBUF_INIT;
}

void strbuf_clear(struct strbuf *sb)
{
	sb->len = 0;
	if (sb->capacity > 0)
		sb->ptr[0] = '\0';
}

char *strbuf_room(struct strbuf *sb, size_t more_bytes)
{
	size_t need = sb->len + more_bytes + 1;

	if (need > sb->capacity) {
		size_t capacity = sb->capacity ? sb->capacity : 64;

		while (capacity < need)
			capacity *= 2;
		sb->ptr = xreallocarray(sb->capacity ? sb->ptr : NULL, capacity, 1);
		sb->capacity = capacity;
		sb->ptr[sb->len] = '\0';
	}
	return sb->ptr + sb->len;
}

void strbuf_add(struct strbuf *sb, const char *bytes, size_t len_bytes)
{
	char *room = strbuf_room(sb, len_bytes);

	if (len_bytes > 0)
		memcpy(room, bytes, len_bytes);
	sb->len += len_bytes;
	sb->ptr[sb->len] = '\0';
}

void strbuf_puts(struct strbuf *sb, const char *text)
{
	strbuf_add(sb, text, strlen(text));
}

void strbuf_putc(struct strbuf *sb, char c)
{
	strbuf_add(sb, &c, 1);
}

void strbuf_addf(struct strbuf *sb, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n <= 0)
		return;
	va_start(ap, fmt);
	vsnprintf(strbuf_room(sb, (size_t)n), (size_t)n + 1, fmt, ap);
	va_end(ap);
	sb->len += (size_t)n;
}
