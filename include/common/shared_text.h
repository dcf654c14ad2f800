/*
 * shared_text.h - a text that several own, counted by reference.
 *
 * For names that are handed on again and again and never change.
 */
#ifndef COMMON_SHARED_TEXT_H
#define COMMON_SHARED_TEXT_H

#include "common/slice.h"

/* A NUL-terminated copy; the caller's reference. */
const char *shared_text_create(struct slice text);

/* Of a text that shared_text_create() returned.  Any thread. */
const char *shared_text_ref(const char *text);
void shared_text_unref(const char *text); /* NULL is accepted */

#endif
