#include "tailer/scan.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/xalloc.h"
#include "tailer/listing.h"

#define MAX_RETRY_SECONDS 60
#define TELL_NS (60 * NS_PER_SECOND)

static const struct {
	int error;
	const char *reason, *needed;
} unwatchable[NODE_REASONS] = {
	{ENOSPC, "no_watches", "a higher fs.inotify.max_user_watches"},
	{EOPNOTSUPP, "filesystem", "nothing: its file system gives no events"},
	{EACCES, "no_permission", "read permission for the directory"},
	{0, "unwatchable", "nothing: it is polled"},
};

/* Once a minute for each reason: there may be thousands of directories. */
static enum log_level level_of(struct tree *tree, size_t reason)
{
	int64_t now_ns = clock_monotonic_ns();
	int64_t *told_ns = &tree->polled_told_ns[reason];

	if (*told_ns > 0 && now_ns - *told_ns < TELL_NS)
		return LOG_LEVEL_DEBUG;
	*told_ns = now_ns;
	return LOG_LEVEL_WARN;
}

/* Returns the reason. */
static const char *fall_back(struct tree *tree, const char *path, int error,
			     const char *former)
{
	size_t i = 0;

	while (unwatchable[i].error != error && unwatchable[i].error != 0)
		i++;
	if (former == unwatchable[i].reason)
		return former;
	LOG_AT(level_of(tree, i), "directory is polled", LOG_TEXT("path", path),
	       LOG_TEXT("reason", unwatchable[i].reason),
	       LOG_TEXT("needed", unwatchable[i].needed));
	tree->ops.fallback(tree->ctx, unwatchable[i].reason);
	return unwatchable[i].reason;
}

void scan_poll_links(struct tree *tree, struct dir *dir, int error)
{
	dir->links_polled =
		fall_back(tree, node_dir_path(dir), error, dir->links_polled);
	dir->links_failed = true;
	if (dir->due_ns == 0)
		node_set_due(tree, dir, clock_monotonic_ns() + tree->poll_ns);
}

/* Also if it is watched already: another directory may have taken its place. */
static void watch_dir(struct tree *tree, struct dir *dir, unsigned needs)
{
	struct watch_listener *former = dir->listener;

	dir->listener = NULL;
	if (!(needs & PLACES_WATCH)) {
		dir->polled = "poll";
	} else if (!tree->watch) {
		dir->polled = "no_instances";
	} else {
		dir->listener = watch_listen(tree->watch, node_dir_path(dir), NULL,
					     needs & PLACES_FILES, dir);
		if (dir->listener)
			dir->polled = NULL;
		else if (errno == ENOENT || errno == ENOTDIR)
			node_set_trouble(tree, dir);
		else
			dir->polled =
				fall_back(tree, node_dir_path(dir), errno, dir->polled);
	}
	watch_unlisten(tree->watch, former);
}

static void plan_next_scan(struct tree *tree, struct dir *dir)
{
	int64_t wait_seconds =
		dir->failures < 6 ? 1 << dir->failures : MAX_RETRY_SECONDS;
	int64_t now_ns = clock_monotonic_ns();

	dir->failures = dir->troubled ? dir->failures + 1 : 0;
	if (!dir->troubled)
		dir->error = 0;
	if (!dir->links_failed)
		dir->links_polled = NULL;
	if (dir->polled || dir->links_failed)
		node_set_due(tree, dir, now_ns + tree->poll_ns);
	else if (dir->troubled)
		node_set_due(tree, dir, now_ns + wait_seconds * NS_PER_SECOND);
	else
		node_set_due(tree, dir, 0);
}

/* No event told that a file got this name, but it may be one that lost its own. */
static void look_for_adrift(struct tree *tree, struct dir *dir,
			    const struct listed *listed)
{
	struct known *known = catalog_adrift(tree->catalog, listed->inode);
	struct strbuf path = STRBUF_INIT;
	struct identity identity;

	if (!known || node_find(dir, listed->name))
		return;
	node_join(&path, dir, listed->name);
	if (identity_of_path(path.ptr, &identity) &&
	    identity_eq(&identity, known_identity(known))) {
		struct entry *e = node_need(dir, listed->name);

		e->rotation_of = xstrdup(known_path(known));
	}
	strbuf_finish(&path);
}

static void list_names(struct tree *tree, struct dir *dir, unsigned needs,
		       struct listing *listing)
{
	/* Where there are files there may be rotated ones. */
	if (needs & (PLACES_LIST | PLACES_FILES)) {
		if (!listing_read(node_dir_path(dir), listing) && errno != ENOENT)
			node_complain(tree, dir, node_dir_path(dir), errno,
				      &dir->error);
		return;
	}
	for (size_t i = 0; i < dir->places.count; i++)
		listing_add(listing, roots_name_at(tree->roots, &dir->places.items[i]),
			    0);
}

static void look_at_the_rest(struct tree *tree, struct dir *dir, enum depth depth)
{
	struct listing rest = {0};
	size_t cursor = 0;
	struct slice name;
	void *value;

	while (hashmap_next(dir->entries, &cursor, &name, &value)) {
		const struct entry *e = value;

		if (e->scan != dir->scan)
			listing_add(&rest, e->name, 0);
	}
	for (size_t i = 0; i < rest.count; i++)
		look_at_name(tree, dir, rest.items[i].name, depth);
	listing_finish(&rest);
}

/*
 * Most files of a directory that is looked at each second are as they were; an
 * inode number that was used again shows by the time of its change.
 */
static bool is_as_it_was(struct dir *dir, int at, const struct listed *listed)
{
	struct entry *e = at != -1 ? node_find(dir, listed->name) : NULL;
	struct stat st;

	if (!e || !e->name_of.known || e->error != 0 ||
	    fstatat(at, listed->name, &st, AT_SYMLINK_NOFOLLOW) == -1 ||
	    !node_looks_alike(e, &st))
		return false;
	e->scan = dir->scan;
	return true;
}

static void look_at_listed(struct tree *tree, struct dir *dir,
			   const struct listing *listing, enum depth depth)
{
	int at = -1;

	if (dir->polled && depth == LOOK_NEW)
		at = open(node_dir_path(dir), O_PATH | O_DIRECTORY | O_CLOEXEC);
	for (size_t i = 0; i < listing->count; i++) {
		const struct listed *listed = &listing->items[i];

		if (is_as_it_was(dir, at, listed))
			continue;
		if (listed->inode > 0)
			look_for_adrift(tree, dir, listed);
		look_at_name(tree, dir, listed->name, depth);
	}
	if (at != -1)
		close(at);
}

/* Watches first, then lists: what appears in between is told by an event. */
void scan_dir(struct tree *tree, struct dir *dir, enum depth depth)
{
	unsigned needs = roots_needs(tree->roots, &dir->places);
	struct listing listing = {0};

	dir->scan = ++tree->scans;
	dir->troubled = dir->links_failed = false;
	watch_dir(tree, dir, needs);
	list_names(tree, dir, needs, &listing);
	look_at_listed(tree, dir, &listing, depth);
	listing_finish(&listing);
	look_at_the_rest(tree, dir, depth);
	plan_next_scan(tree, dir);
}

/* `at` and `path` as for fstatat(). */
static uint64_t look_at_size(struct entry *e, int at, const char *path)
{
	uint64_t former_bytes = e->look.size_bytes;
	struct stat st;

	if (!e->name_of.known || fstatat(at, path, &st, 0) == -1 ||
	    !node_take_look(e, &st))
		return 0;
	catalog_written(e->name_of.known, false);
	return e->look.size_bytes > former_bytes ? e->look.size_bytes - former_bytes
						 : 0;
}

uint64_t scan_written(struct dir *dir)
{
	int at = open(node_dir_path(dir), O_PATH | O_DIRECTORY | O_CLOEXEC);
	uint64_t grown_bytes = 0;
	size_t cursor = 0;
	struct slice name;
	void *value;

	while (hashmap_next(dir->entries, &cursor, &name, &value)) {
		struct entry *e = value;

		if (at != -1)
			grown_bytes += look_at_size(e, at, e->name);
		else if (e->name_of.known)
			catalog_written(e->name_of.known, false);
	}
	if (at != -1)
		close(at);
	return grown_bytes;
}

uint64_t scan_entry_written(struct entry *e)
{
	struct strbuf path = STRBUF_INIT;
	uint64_t grown_bytes;

	node_join(&path, e->dir, e->name);
	grown_bytes = look_at_size(e, AT_FDCWD, path.ptr);
	strbuf_finish(&path);
	return grown_bytes;
}
