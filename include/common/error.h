/*
 * error.h - why an operation failed, in words for the operator.
 *
 * A function that can fail for reasons worth telling returns bool (or a
 * pointer) and takes `struct error *err` last.  It writes *err only on
 * failure; the text needs no rewording by whoever prints it.
 */
#ifndef COMMON_ERROR_H
#define COMMON_ERROR_H

#include <stdbool.h>

struct error {
	char text[512];
};

/* Both return false, so a failing function can end in `return error_set()`. */
bool error_set(struct error *err, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* As error_set(), followed by ": " and the text of the current errno. */
bool error_errno(struct error *err, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif
