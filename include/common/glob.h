/*
 * glob.h - shell patterns over names and paths.
 *
 * `*` and `?` match within a component, `[a-z]` and `[!a-z]` a character of
 * one, `**` as a whole component any number of components; `\` quotes.  As in
 * a shell, a component that begins with a dot is matched only by a pattern
 * that begins with one.  Works on bytes.
 */
#ifndef COMMON_GLOB_H
#define COMMON_GLOB_H

#include <stdbool.h>

/* One component against one component: no slash in either. */
bool glob_match_name(const char *pattern, const char *name);

/*
 * How a configuration's globs select files: without `/` the pattern matches
 * the base name of `path`; with `/` any whole-component suffix of it; with a
 * leading `/` all of it.  `path` is absolute.
 */
bool glob_match_path(const char *pattern, const char *path);

/* True if the text has a character that means something to a glob. */
bool glob_has_magic(const char *text);

#endif
