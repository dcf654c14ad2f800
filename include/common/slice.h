/* slice.h - bytes owned by someone else; no NUL at the end. */
#ifndef COMMON_SLICE_H
#define COMMON_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct slice {
	const char *ptr;
	size_t len;
};

/* A slice of a string literal or of any text that outlives the slice. */
static inline struct slice slice_of(const char *text)
{
	return (struct slice){text, strlen(text)};
}

static inline bool slice_eq(struct slice a, struct slice b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static inline bool slice_is(struct slice a, const char *text)
{
	return slice_eq(a, slice_of(text));
}

static inline bool slice_starts(struct slice text, const char *prefix)
{
	size_t n = strlen(prefix);

	return text.len >= n && memcmp(text.ptr, prefix, n) == 0;
}

static inline bool slice_ends(struct slice text, const char *suffix)
{
	size_t n = strlen(suffix);

	return text.len >= n && memcmp(text.ptr + text.len - n, suffix, n) == 0;
}

/* Without blanks, tabs and line ends at both sides. */
static inline struct slice slice_trim(struct slice text)
{
	while (text.len > 0 && memchr(" \t\r\n", text.ptr[0], 4))
		text = (struct slice){text.ptr + 1, text.len - 1};
	while (text.len > 0 && memchr(" \t\r\n", text.ptr[text.len - 1], 4))
		text.len--;
	return text;
}

/* For printf's %.*s: SLICE_ARG(s). */
#define SLICE_ARG(s) (int)(s).len, (s).ptr ? (s).ptr : ""

/* Likewise in a message, where nothing has to be seen: "". */
#define SLICE_SHOWN(s) (s).len > 0 ? (int)(s).len : 2, (s).len > 0 ? (s).ptr : "\"\""

#endif
