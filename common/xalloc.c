#include "common/xalloc.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *or_exit(void *p)
{
	if (!p) {
		fputs("logtally: out of memory\n", stderr);
		exit(1);
	}
	return p;
}

void *xmalloc(size_t size_bytes)
{
	return or_exit(malloc(size_bytes ? size_bytes : 1));
}

void *xcalloc(size_t count, size_t size_bytes)
{
	return or_exit(calloc(count ? count : 1, size_bytes ? size_bytes : 1));
}

void *xreallocarray(void *old, size_t count, size_t size_bytes)
{
	return or_exit(reallocarray(old, count ? count : 1, size_bytes));
}

char *xstrdup(const char *text)
{
	return or_exit(strdup(text));
}

char *xstrndup(const char *text, size_t len_bytes)
{
	char *copy = xmalloc(len_bytes + 1);

	if (len_bytes > 0)
		memcpy(copy, text, len_bytes);
	copy[len_bytes] = '\0';
	return copy;
}

char *xasprintf(const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	if (vasprintf(&s, fmt, ap) == -1)
		s = NULL;
	va_end(ap);
	return or_exit(s);
}

void *xgrow(void *array, size_t count, size_t size_bytes)
{
	if ((count & (count - 1)) != 0)
		return array;
	return xreallocarray(array, count ? count * 2 : 1, size_bytes);
}
