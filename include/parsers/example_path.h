/* example_path.h - a path that a patterns file wants, for those who have none. */
#ifndef PARSERS_EXAMPLE_PATH_H
#define PARSERS_EXAMPLE_PATH_H

#include "common/arena.h"
#include "parsers/rule.h"

/* NULL if none can be guessed from its `files`.  Lives in the arena. */
const char *example_path(const struct patterns_file *file, struct arena *arena);

#endif
