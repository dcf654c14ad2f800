/*
 * catalog.h - every file that is known, by its identity.
 *
 * A file may have several names, at times none; whatever it is called, it is
 * one file and belongs to the path that it was first followed as.  The
 * catalog tells the follower of that path what is seen of the file.
 *
 * Knows nothing of directories.  For discovery's thread.
 */
#ifndef TAILER_CATALOG_H
#define TAILER_CATALOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/mailbox.h"
#include "tailer/checkpoint.h"
#include "tailer/handover.h"
#include "tailer/identity.h"

struct catalog;
struct known; /* a file */

/* One name of a file.  Embedded in what keeps the names; all zero: of none. */
struct known_name {
	struct known *known;
	struct known_name *next; /* of the same file */
	const char *path;        /* shared_text.h */
};

/* `asks` takes what followers ask (file_ask()); it outlives the catalog. */
struct catalog *catalog_create(struct follower *const *followers, size_t count,
			       struct mailbox *asks);
/* Names that are still there become names of no file.  NULL is accepted. */
void catalog_destroy(struct catalog *catalog);

struct new_file {
	enum adoption_kind kind;
	struct identity identity;
	const char *path; /* followed as */
	unsigned root;
	int fd; /* the catalog's from now on */
	uint64_t inode;
	uint64_t start_bytes;
	uint64_t size_bytes;
	int64_t mtime_ns;
	bool backlog; /* all of it counts as backlog */
};

/* What an earlier run knew; before anything is added.  Copied. */
void catalog_recall(struct catalog *catalog, const struct checkpoint *checkpoint);
/*
 * Everything that is there has been looked at once: what was recalled is
 * handed over.  `reachable`: a file of that path would have been found if it
 * still were.
 */
void catalog_end_recall(struct catalog *catalog,
			bool (*reachable)(void *ctx, const char *path), void *ctx);

/*
 * One after the other: a file that was recalled, not read to its end, was not
 * found so far, and to which a link led.  Begin with *cursor 0; NULL at the end.
 */
struct known *catalog_next_missing(struct catalog *catalog, size_t *cursor);
/* Where it was, and what it was then; borrowed. */
const struct checkpoint *known_recalled(const struct known *known);
/* It is open now, though no name that is watched leads to it. */
void catalog_found(struct known *known, int fd, uint64_t size_bytes);
/* A sibling of it was found there. */
void catalog_add_nameless(struct catalog *catalog, const struct known *of,
			  const struct new_file *file);

/* NULL if no such file is known. */
struct known *catalog_find(struct catalog *catalog, const struct identity *identity);

/* Adds a file, found under the name `path`. */
void catalog_add(struct catalog *catalog, const struct new_file *file,
		 struct known_name *name, const char *path);

/*
 * Files that are added wait for this: what is found by an early event may be newer
 * than what a later one tells of, and all that one look finds is told at once.  Those
 * that lost their path already are handed over before those that have it.
 */
void catalog_hand_over(struct catalog *catalog);

/* `path` leads to the file, of that size; `name` is of none so far. */
void catalog_name(struct catalog *catalog, struct known *known, struct known_name *name,
		  const char *path, uint64_t size_bytes);

/*
 * The name leads to its file no more; of none is accepted.  `unwanted`: the
 * name is still there, but no root wants it.
 */
void catalog_unname(struct catalog *catalog, struct known_name *name, bool unwanted);

/* It was written to; `closed`: and closed by someone who could. */
void catalog_written(struct known *known, bool closed);
void catalog_all_written(struct catalog *catalog);

const struct identity *known_identity(const struct known *known);
/* What the file is followed as. */
const char *known_path(const struct known *known);

/* Some file is or was followed as that. */
bool catalog_follows(const struct catalog *catalog, const char *path);
/* A path that is followed and whose last component is `name`, or NULL. */
const char *catalog_path_named(const struct catalog *catalog, const char *name);

/* Files that have the name that they are followed as. */
size_t catalog_current_count(const struct catalog *catalog);

/* A file without a name that has this inode number, or NULL. */
struct known *catalog_adrift(const struct catalog *catalog, uint64_t inode);

/* The answer to a file that was taken from `asks`; takes over its reference. */
void catalog_answer(struct catalog *catalog, struct file *file);

/* Forgets files that are read, closed and without a name for good. */
void catalog_sweep(struct catalog *catalog);

#endif
