/*
 * roots.h - which names under which directories the roots want.
 *
 * Pure: knows no file system.  The tree of directories is walked from `/`
 * one component at a time; a directory's places say how far each root's path
 * has been matched there.
 */
#ifndef TAILER_ROOTS_H
#define TAILER_ROOTS_H

#include <stdbool.h>
#include <stddef.h>

#include "tailer/discovery.h"

struct roots;

/* Copies; `.`, `..` and double slashes are resolved in the text. */
struct roots *roots_create(const struct discovery_root *roots, size_t count);
void roots_destroy(struct roots *roots); /* NULL is accepted */

/* Those that were given: their numbers are below that. */
size_t roots_count(const struct roots *roots);
/* As configured; borrowed. */
const struct discovery_root *roots_at(const struct roots *roots, size_t root);
/* True if the root's path has no glob in it. */
bool roots_is_literal(const struct roots *roots, size_t root);

#define PLACE_INSIDE (~0U)

/* A directory as one root sees it. */
struct place {
	unsigned root;
	unsigned component; /* the name in it that is matched next, or PLACE_INSIDE:
			       the directory is followed as a whole */
};

struct places {
	struct place *items;
	size_t count;
};

/* The places of `/`. */
struct places roots_start(const struct roots *roots);

/* Frees what is in it. */
void places_finish(struct places *places);
bool places_eq(const struct places *a, const struct places *b);

/* What the roots want of one name in a directory. */
struct wanted {
	struct places below; /* if it is a directory; release with places_finish() */
	int root;            /* the first that follows it if it is a file; -1: none */
	bool rotated;        /* the directory is named by `rotated_to` of some root */
	const char *skipped; /* why a root that came this far does not, or NULL */
	unsigned skipped_root;
};

/* `path` is the full path, whose last component is `name`. */
struct wanted roots_match(const struct roots *roots, const struct places *places,
			  const char *path, const char *name);

/* What a directory with these places needs; bits. */
enum places_need {
	PLACES_LIST = 1,  /* a listing: not every place stands before a plain name */
	PLACES_FILES = 2, /* files may be followed in it */
	PLACES_DEEP = 4,  /* directories of any name and depth: beware of loops */
	PLACES_WATCH = 8, /* some root does not poll */
};
unsigned roots_needs(const struct roots *roots, const struct places *places);

/* The plain name or glob that the place stands before; NULL inside. */
const char *roots_name_at(const struct roots *roots, const struct place *place);

#endif
