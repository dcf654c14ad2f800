/*
 * window.h - which few bytes of a literal are searched for.
 *
 * libhs is fastest with texts of at most eight bytes, however many; the rest
 * of a literal is compared where they are found.  The bytes should be rare in logs,
 * and in few of the other literals.  Internal to scanner.
 */
#ifndef PARSERS_WINDOW_H
#define PARSERS_WINDOW_H

#include <stddef.h>

#include "parsers/literals.h"

#define WINDOW_BYTES 8

struct windows;

struct windows *windows_create(void);
void windows_destroy(struct windows *windows);

/* First tell of every literal once, then ask. */
void windows_count(struct windows *windows, struct literal literal);

/* The best piece of the literal's text; all of it if it is short. */
struct slice windows_choose(const struct windows *windows, struct literal literal);

#endif
