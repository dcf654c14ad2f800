/* suggest.h - the known word that a mistyped one was meant to be. */
#ifndef COMMON_SUGGEST_H
#define COMMON_SUGGEST_H

#include <stddef.h>

/*
 * Returns the entry of `words` that is closest to `typed` (Damerau-Levenshtein
 * distance, upper and lower case alike), or NULL if none is close enough to be
 * worth suggesting.  The result is borrowed from `words`.
 */
const char *suggest_closest(const char *typed, const char *const *words, size_t count);

#endif
