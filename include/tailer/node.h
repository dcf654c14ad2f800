/*
 * node.h - the tree's directories and the names in them.
 *
 * What the parts of the tree share, and nobody else: tree.c takes what comes
 * from outside, scan.c goes through a directory, look.c decides what one name
 * is.  Hence the structs are open.
 */
#ifndef TAILER_NODE_H
#define TAILER_NODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "common/hashmap.h"
#include "common/strbuf.h"
#include "tailer/catalog.h"
#include "tailer/discovery.h"
#include "tailer/roots.h"
#include "tailer/watch.h"

/* Which directory it is: tells that it was replaced, and that a link loops. */
struct dir_id {
	dev_t device;
	ino_t inode;
};

/* How a file looked when it was last looked at. */
struct file_look {
	dev_t device;
	ino_t inode;
	int64_t ctime_ns;
	int64_t mtime_ns;
	uint64_t size_bytes;
};

struct dir {
	struct dir *parent; /* NULL: this is `/` */
	struct dir *previous, *next;
	char *path; /* "" for `/` */
	const char *name;
	struct dir_id id;
	struct places places;
	struct hashmap *entries; /* by name */
	struct watch_listener *listener;
	const char *polled;       /* why; NULL: it is not */
	const char *links_polled; /* why links in it are; NULL: they are not */
	bool links_failed;        /* since the last scan began */
	unsigned scan;            /* number of the last one */
	unsigned failures; /* scans in a row that left something to be tried again */
	bool troubled;     /* something in it could not be looked at */
	int error;         /* that was last told of the directory itself */
	int64_t due_ns;    /* scan again by then; 0: when something happens */
};

/* A name in a directory that is wanted, or that a known file has taken. */
struct entry {
	struct known_name name_of; /* if it is a file that is followed */
	struct dir *dir;
	struct dir *child; /* if it is a directory */
	struct watch_listener **links;
	size_t link_count;
	char *rotation_of; /* a path whose files get this name when they are renamed */
	bool rotated;      /* a file that nobody knows had that path's own name before */
	char *sibling_of;  /* a path of which it has a rotated name */
	unsigned scan;
	int error; /* that was last told */
	struct file_look look;
	char name[];
};

#define NODE_REASONS 4 /* why a directory cannot be watched */

struct tree {
	struct catalog *catalog;
	struct discovery_ops ops;
	void *ctx;
	struct watch *watch; /* NULL: no instance was left */
	struct roots *roots;
	struct dir *dirs;
	struct dir *top;
	unsigned scans;
	unsigned destroyed;      /* directories so far */
	int64_t poll_ns;         /* between two looks at what is polled */
	int64_t next_due_ns;     /* nothing is due earlier; 0: nothing is due */
	bool backlog;            /* files found now are the start's backlog */
	bool *fresh;             /* roots that are looked at for the first time now */
	bool lost;               /* what was known of them was lost */
	char **known_roots;      /* paths of those that an earlier run looked at */
	size_t known_root_count;
	int64_t instance_due_ns; /* ask for an instance again; 0: there is one */
	int64_t rescan_due_ns;   /* events were lost; 0: none were */
	int64_t rescan_after_ns; /* not before */
	int64_t overflow_told_ns, polled_told_ns[NODE_REASONS];
	/* The last file that was moved from somewhere. */
	uint32_t moved_cookie;
	char *moved_path; /* what it is to be followed as; NULL: it is not */
	bool moved_unseen; /* that was its name, and nobody had looked at it */
};

/* Replaces `out` by the path of a name in the directory. */
void node_join(struct strbuf *out, const struct dir *dir, const char *name);
const char *node_dir_path(const struct dir *dir);

struct dir *node_create_dir(struct tree *tree, struct dir *parent, const char *path);
/* `unwanted`: it is still there, but no root wants it. */
void node_destroy_dir(struct tree *tree, struct dir *dir, bool unwanted);
/* The directory whose path is the first `len` bytes of `path`, or NULL. */
struct dir *node_find_dir(const struct tree *tree, const char *path, size_t len);

struct entry *node_find(const struct dir *dir, const char *name);
struct entry *node_need(struct dir *dir, const char *name);
/*
 * Takes the look of the file that it leads to.  True if it may have been
 * written to since the last one.
 */
bool node_take_look(struct entry *e, const struct stat *st);
/* True if it is the same file as then, and nothing happened to it. */
bool node_looks_alike(const struct entry *e, const struct stat *st);
void node_destroy_entry(struct tree *tree, struct entry *e, bool unwanted);
void node_end_links(struct tree *tree, struct watch_listener **links, size_t count);

/* 0: not again. */
void node_set_due(struct tree *tree, struct dir *dir, int64_t due_ns);
/* Something in it is to be tried again. */
void node_set_trouble(struct tree *tree, struct dir *dir);
/* As above, and says why, once a cause: *told is the error that was told last. */
void node_complain(struct tree *tree, struct dir *dir, const char *path, int error,
		   int *told);

#endif
