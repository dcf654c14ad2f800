/*
 * patterns_list.h - which files a path to patterns stands for.
 *
 * Itself, or the *.yml and *.yaml of a directory, but not of directories in it.  Knows
 * nothing of what is in them.
 */
#ifndef PARSERS_PATTERNS_LIST_H
#define PARSERS_PATTERNS_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "common/arena.h"
#include "common/diag.h"
#include "common/error.h"

/* To say of a path without any, and what there should be. */
#define PATTERNS_LIST_NONE "the directory holds no patterns file"
#define PATTERNS_LIST_TAKEN \
	"files are taken that end in .yml or .yaml and lie in the directory itself"

/* Of one path, by name, in the arena.  False if the path cannot be read. */
bool patterns_list(const char *path, struct arena *arena, const char *const **files,
		   size_t *count, struct error *err);

/*
 * Of all paths, each once, by path.  What cannot be read is an error in `diag`, a
 * directory without any a warning.  The caller frees the list; what it names lives in
 * the arena.
 */
const char **patterns_list_all(const char *const *paths, size_t path_count,
			       struct arena *arena, struct diag *diag, size_t *count);

#endif
