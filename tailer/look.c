#include "tailer/look.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/xalloc.h"
#include "tailer/links.h"
#include "tailer/scan.h"
#include "tailer/siblings.h"

#define MAX_WALKS 5 /* a link that changes all the time will tell so again */

struct link_walk {
	struct tree *tree;
	struct entry *entry;
	struct watch_listener **links;
	size_t count;
	struct strbuf way; /* what was met */
};

static void watch_link(void *ctx, const char *directory, const char *name, bool final)
{
	struct link_walk *walk = ctx;
	struct watch_listener *listener =
		watch_listen(walk->tree->watch, directory, name, final, walk->entry);

	strbuf_addf(&walk->way, "%s/%s\n", directory, name);
	if (!listener) {
		scan_poll_links(walk->tree, walk->entry->dir, errno);
		return;
	}
	walk->links = xgrow(walk->links, walk->count, sizeof(struct watch_listener *));
	walk->links[walk->count++] = listener;
}

/* The former watches go last, so that those that stay miss nothing. */
static void replace_links(struct tree *tree, struct entry *e,
			  const struct link_walk *walk)
{
	node_end_links(tree, e->links, e->link_count);
	e->links = walk->links;
	e->link_count = walk->count;
}

/* What changed before it was watched shows when the way is walked once more. */
static void watch_links(struct tree *tree, struct entry *e, const char *path)
{
	struct strbuf former = STRBUF_INIT;
	bool same = false;

	for (int i = 0; i < MAX_WALKS && !same; i++) {
		struct link_walk walk = {.tree = tree, .entry = e, .way = STRBUF_INIT};

		links_follow(path, watch_link, &walk);
		same = slice_eq(strbuf_slice(&former), strbuf_slice(&walk.way));
		strbuf_finish(&former);
		former = walk.way;
		replace_links(tree, e, &walk);
	}
	strbuf_finish(&former);
}

enum probe_kind {
	PROBE_MISSING,
	PROBE_FAILED,
	PROBE_DIRECTORY,
	PROBE_FILE,
	PROBE_OTHER
};

struct probe {
	enum probe_kind kind;
	int error; /* of PROBE_FAILED */
	struct stat st;
};

static struct probe failed_probe(int error)
{
	bool missing = error == ENOENT || error == ENOTDIR || error == ELOOP;

	return (struct probe){.kind = missing ? PROBE_MISSING : PROBE_FAILED,
			      .error = error};
}

static struct probe probe(const char *path)
{
	struct probe probe = {.kind = PROBE_OTHER};

	if (stat(path, &probe.st) == -1)
		return failed_probe(errno);
	if (S_ISDIR(probe.st.st_mode))
		probe.kind = PROBE_DIRECTORY;
	else if (S_ISREG(probe.st.st_mode))
		probe.kind = PROBE_FILE;
	return probe;
}

static int64_t mtime_ns(const struct stat *st)
{
	return st->st_mtim.tv_sec * NS_PER_SECOND + st->st_mtim.tv_nsec;
}

/* What a file that is found at a name would be followed as. */
struct claim {
	const char *path;
	int root;     /* -1: nobody wants it */
	bool sibling; /* its name alone says that it is a rotation of `path` */
};

/*
 * Before a root was ever looked at, rotated files lay there that nobody read:
 * they are history.
 */
static enum adoption_kind kind_of(const struct tree *tree, const struct claim *claim)
{
	bool fresh = tree->fresh && tree->fresh[claim->root];

	if (tree->lost && fresh)
		return ADOPT_LOST;
	if (claim->sibling)
		return fresh ? ADOPT_RECORD : ADOPT_SIBLING;
	/* A directory may have been copied back while nobody looked. */
	return tree->backlog && !fresh && catalog_follows(tree->catalog, claim->path)
		       ? ADOPT_SIBLING
		       : ADOPT_READ;
}

/* A file that nobody knows. */
static void add_file(struct tree *tree, struct entry *e, const char *path,
		     const struct claim *claim, int fd, const struct identity *identity,
		     const struct stat *st)
{
	unsigned root = (unsigned)claim->root;
	struct new_file file = {.kind = kind_of(tree, claim),
				.identity = *identity,
				.path = claim->path,
				.root = root,
				.fd = fd,
				.inode = st->st_ino,
				.size_bytes = (uint64_t)st->st_size,
				.mtime_ns = mtime_ns(st),
				.backlog = tree->backlog};

	if (tree->fresh && tree->fresh[root] &&
	    roots_at(tree->roots, root)->start_at_end)
		file.start_bytes = file.size_bytes;
	catalog_add(tree->catalog, &file, &e->name_of, path);
}

/* What is open is what counts: the name may lead elsewhere by now. */
static void open_file(struct tree *tree, struct entry *e, const char *path,
		      const struct claim *claim)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct identity identity;
	struct known *known;
	struct stat st;

	if (fd == -1 || fstat(fd, &st) == -1 || !identity_of_fd(fd, &identity)) {
		if (errno != ENOENT)
			node_complain(tree, e->dir, path, errno, &e->error);
		if (fd != -1)
			close(fd);
		return;
	}
	known = catalog_find(tree->catalog, &identity);
	if (!known && S_ISREG(st.st_mode)) {
		add_file(tree, e, path, claim, fd, &identity, &st);
		return;
	}
	close(fd);
	if (known)
		catalog_name(tree->catalog, known, &e->name_of, path,
			     (uint64_t)st.st_size);
}

static void take_file(struct tree *tree, struct entry *e, const char *path,
		      const struct claim *claim, const struct stat *st)
{
	bool changed = node_take_look(e, st);
	struct identity identity;
	struct known *known;

	if (!identity_of_path(path, &identity)) {
		if (errno != ENOENT)
			node_complain(tree, e->dir, path, errno, &e->error);
		return;
	}
	known = catalog_find(tree->catalog, &identity);
	if (known && known == e->name_of.known) {
		if (changed)
			catalog_written(known, false);
		return;
	}
	catalog_unname(tree->catalog, &e->name_of, false);
	if (known)
		catalog_name(tree->catalog, known, &e->name_of, path,
			     (uint64_t)st->st_size);
	else
		open_file(tree, e, path, claim);
	if (e->name_of.known)
		e->error = 0;
}

static bool loops(const struct tree *tree, const struct dir *dir,
		  const struct places *below, const struct stat *st)
{
	if (!(roots_needs(tree->roots, below) & PLACES_DEEP))
		return false;
	for (; dir; dir = dir->parent)
		if (dir->id.device == st->st_dev && dir->id.inode == st->st_ino)
			return true;
	return false;
}

static void take_directory(struct tree *tree, struct entry *e, const char *path,
			   struct wanted *wanted, const struct stat *st,
			   enum depth depth)
{
	struct dir_id id = {st->st_dev, st->st_ino};
	struct dir *child = e->child;
	bool same = child && child->id.device == id.device &&
		    child->id.inode == id.inode &&
		    places_eq(&child->places, &wanted->below);

	if (!child)
		child = e->child = node_create_dir(tree, e->dir, path);
	child->id = id;
	places_finish(&child->places);
	child->places = wanted->below;
	wanted->below = (struct places){0};
	if (!same || depth != LOOK_NEW)
		scan_dir(tree, child, depth == LOOK_DEEP ? LOOK_DEEP : LOOK_NEW);
}

static int root_of(const struct tree *tree, const char *path)
{
	const char *name = strrchr(path, '/') + 1;
	const struct dir *dir = node_find_dir(tree, path, (size_t)(name - 1 - path));
	struct wanted wanted;

	if (!dir)
		return -1;
	wanted = roots_match(tree->roots, &dir->places, path, name);
	places_finish(&wanted.below);
	return wanted.root;
}

/*
 * That its file was seen to rotate from a path that is still wanted comes
 * first; then what its name says; then what the roots want.
 */
static struct claim claim_of(const struct tree *tree, const struct entry *e,
			     const char *path, const struct wanted *wanted)
{
	struct claim claim = {path, wanted->root, false};
	int root = e->rotation_of ? root_of(tree, e->rotation_of) : -1;

	if (root >= 0)
		return (struct claim){e->rotation_of, root, !e->rotated};
	root = e->sibling_of ? root_of(tree, e->sibling_of) : -1;
	if (root >= 0)
		claim = (struct claim){e->sibling_of, root, true};
	return claim;
}

static bool is_empty(const struct entry *e)
{
	return !e->name_of.known && !e->child && e->link_count == 0 && e->error == 0;
}

/* A link's way is watched before it is asked where that leads. */
static struct probe probe_entry(struct tree *tree, struct entry *e, const char *path,
				const struct wanted *wanted)
{
	struct stat st = {0};
	struct probe failed = {.kind = PROBE_MISSING};
	bool is_link;

	if (lstat(path, &st) == -1)
		failed = failed_probe(errno);
	if (failed.kind == PROBE_FAILED)
		return failed;
	is_link = S_ISLNK(st.st_mode) && (wanted->root >= 0 || wanted->below.count > 0);
	if (is_link && e->dir->listener)
		watch_links(tree, e, path);
	else if (e->link_count > 0)
		replace_links(tree, e, &(struct link_walk){0});
	return probe(path);
}

static void look_at_entry(struct tree *tree, struct entry *e, const char *path,
			  struct wanted *wanted, enum depth depth)
{
	struct probe found = probe_entry(tree, e, path, wanted);
	struct claim claim = claim_of(tree, e, path, wanted);
	bool want_dir = found.kind == PROBE_DIRECTORY && wanted->below.count > 0 &&
			!loops(tree, e->dir, &wanted->below, &found.st);
	bool want_file = found.kind == PROBE_FILE && claim.root >= 0;

	if (found.kind == PROBE_FAILED) {
		node_complain(tree, e->dir, path, found.error, &e->error);
		return;
	}
	if (!want_file)
		catalog_unname(tree->catalog, &e->name_of, found.kind == PROBE_FILE);
	if (!want_dir && e->child) {
		node_destroy_dir(tree, e->child, found.kind == PROBE_DIRECTORY);
		e->child = NULL;
	}
	if (want_file)
		take_file(tree, e, path, &claim, &found.st);
	else
		e->error = 0;
	if (want_dir)
		take_directory(tree, e, path, wanted, &found.st, depth);
	e->rotated = false;
	/* A name that is wanted itself is a rotation only while an event says so. */
	if (!want_file || wanted->root >= 0) {
		free(e->rotation_of);
		e->rotation_of = NULL;
	}
	if (is_empty(e))
		node_destroy_entry(tree, e, false);
}

void look_at_name(struct tree *tree, struct dir *dir, const char *name,
		  enum depth depth)
{
	struct strbuf path = STRBUF_INIT;
	struct wanted wanted;
	char *sibling_of;

	node_join(&path, dir, name);
	wanted = roots_match(tree->roots, &dir->places, path.ptr, name);
	sibling_of = siblings_path_of(tree, dir, name, &wanted);
	if (wanted.root >= 0 || wanted.below.count > 0 || sibling_of ||
	    node_find(dir, name)) {
		struct entry *e = node_need(dir, name);

		e->scan = dir->scan;
		free(e->sibling_of);
		e->sibling_of = sibling_of;
		sibling_of = NULL;
		look_at_entry(tree, e, path.ptr, &wanted, depth);
	}
	places_finish(&wanted.below);
	free(sibling_of);
	strbuf_finish(&path);
}
