/* xalloc.h - allocation that exits the process rather than fail. */
#ifndef COMMON_XALLOC_H
#define COMMON_XALLOC_H

#include <stddef.h>

/* The caller frees what these return with free(). */
void *xmalloc(size_t size_bytes);
void *xcalloc(size_t count, size_t size_bytes);
void *xreallocarray(void *old, size_t count, size_t size_bytes);
char *xstrdup(const char *text);
char *xstrndup(const char *text, size_t len_bytes);
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/*
 * Makes room for one more element in a growing array: `array` has `count`
 * elements of `size_bytes` each; the capacity doubles at powers of two, so
 * no capacity needs to be kept.  Returns the array, which may have moved.
 */
void *xgrow(void *array, size_t count, size_t size_bytes);

#endif
