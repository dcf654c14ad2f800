#include "tailer/catalog.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/hashmap.h"
#include "common/shared_text.h"
#include "common/xalloc.h"
#include "tailer/adrift.h"
#include "tailer/file.h"
#include "tailer/held.h"
#include "tailer/owners.h"

/* A file that was moved away may come back: it is known so long. */
#define REMEMBER_NS (3600 * NS_PER_SECOND)
#define SWEEP_NS NS_PER_SECOND

/* There are very many of these: what few have is kept apart. */
struct known {
	struct file *file;
	struct follower *follower;
	struct known_name *names;
	struct adrift *adrift;     /* while it has no name; or NULL */
	struct recalled *recalled; /* until it is handed over; or NULL */
};

/* What an earlier run knew of it, and how it was found. */
struct recalled {
	struct checkpoint checkpoint;
	char *place; /* that of the checkpoint */
	uint64_t size_bytes;
	int found_fd; /* -1: none */
};

struct catalog {
	struct owners *owners;
	struct mailbox *asks;
	struct hashmap *files; /* by identity */
	struct adrift_files *adrift;
	size_t current_count;
	struct held *held; /* added, and not yet handed over */
	int64_t swept_ns;
};

struct catalog *catalog_create(struct follower *const *followers, size_t count,
			       struct mailbox *asks)
{
	struct catalog *catalog = xcalloc(1, sizeof(*catalog));

	catalog->owners = owners_create(followers, count);
	catalog->asks = asks;
	catalog->files = hashmap_create_borrowing();
	catalog->adrift = adrift_files_create();
	catalog->held = held_create();
	return catalog;
}

static void end_recall(struct known *known)
{
	struct recalled *recalled = known->recalled;

	if (!recalled)
		return;
	if (recalled->found_fd != -1)
		close(recalled->found_fd);
	free(recalled->place);
	free(recalled);
	known->recalled = NULL;
}

static void free_known(struct known *known)
{
	struct known_name *next;

	for (struct known_name *name = known->names; name; name = next) {
		next = name->next;
		shared_text_unref(name->path);
		*name = (struct known_name){0};
	}
	end_recall(known);
	file_unref(known->file);
	free(known);
}

void catalog_destroy(struct catalog *catalog)
{
	size_t cursor = 0;
	struct slice key;
	void *known;

	if (!catalog)
		return;
	while (hashmap_next(catalog->files, &cursor, &key, &known))
		free_known(known);
	hashmap_destroy(catalog->files);
	adrift_files_destroy(catalog->adrift);
	held_destroy(catalog->held);
	owners_destroy(catalog->owners);
	free(catalog);
}

bool catalog_follows(const struct catalog *catalog, const char *path)
{
	return owners_follows(catalog->owners, path);
}

const char *catalog_path_named(const struct catalog *catalog, const char *name)
{
	return owners_path_named(catalog->owners, name);
}

/* ---- files ---- */

static void tell(struct known *known, unsigned events)
{
	if (file_mark(known->file, events))
		follower_notify(known->follower, known->file);
}

static void go_adrift(struct catalog *catalog, struct known *known)
{
	known->adrift = adrift_begin(catalog->adrift, known, file_inode(known->file));
}

static void end_adrift(struct catalog *catalog, struct known *known)
{
	if (known->adrift)
		adrift_end(catalog->adrift, known->adrift);
	known->adrift = NULL;
}

static void forget(struct catalog *catalog, struct known *known)
{
	end_adrift(catalog, known);
	hashmap_remove(catalog->files, identity_key(file_identity(known->file)));
	owners_unfollow(catalog->owners, file_path(known->file));
	tell(known, FILE_FORGOTTEN);
	free_known(known);
}

struct known *catalog_find(struct catalog *catalog, const struct identity *identity)
{
	struct known *known = hashmap_get(catalog->files, identity_key(identity));

	/* Where identities are mere inode numbers a new file may get that of the dead.
	 */
	if (known && file_is_gone(known->file)) {
		forget(catalog, known);
		known = NULL;
	}
	return known;
}

static const struct known_name *best_name(const struct known *known)
{
	const struct known_name *name = known->names;

	while (name && strcmp(name->path, file_path(known->file)) != 0)
		name = name->next;
	return name ? name : known->names;
}

/*
 * The names have changed.  A file that is not wanted any more has none, but
 * can still be opened at `last_path`; else that is NULL.
 */
static void update_standing(struct catalog *catalog, struct known *known,
			    const char *last_path)
{
	const struct known_name *best = best_name(known);
	const char *place = best ? best->path : last_path;
	unsigned former = file_standing(known->file);
	unsigned standing = last_path ? FILE_UNWANTED : 0;

	if (best)
		standing |= FILE_NAMED;
	if (best && strcmp(best->path, file_path(known->file)) == 0)
		standing |= FILE_CURRENT;
	catalog->current_count += (standing & FILE_CURRENT) != 0;
	catalog->current_count -= (former & FILE_CURRENT) != 0;
	file_set_standing(known->file, standing, place);
}

/* Most have the name that they are followed as. */
static void add_name(struct known *known, struct known_name *name, const char *path)
{
	const char *own = file_path(known->file);

	name->known = known;
	name->path = strcmp(path, own) == 0 ? shared_text_ref(own)
					    : shared_text_create(slice_of(path));
	name->next = known->names;
	known->names = name;
}

static struct known *add_known(struct catalog *catalog, const struct identity *identity,
			       uint64_t inode, const char *path, unsigned root)
{
	const char *shared = owners_shared_path(catalog->owners, path);
	struct known *known = xcalloc(1, sizeof(*known));

	known->file = file_create(identity, inode, shared, root, catalog->asks);
	known->follower = owners_follow(catalog->owners, shared);
	hashmap_put(catalog->files, identity_key(file_identity(known->file)), known);
	shared_text_unref(shared);
	return known;
}

void catalog_add(struct catalog *catalog, const struct new_file *file,
		 struct known_name *name, const char *path)
{
	struct known *known = add_known(catalog, &file->identity, file->inode,
					file->path, file->root);
	struct adoption adoption = {.kind = file->kind,
				    .file = known->file,
				    .fd = file->fd,
				    .start_bytes = file->start_bytes,
				    .size_bytes = file->size_bytes,
				    .mtime_ns = file->mtime_ns,
				    .backlog_bytes =
					    file->backlog ? file->size_bytes : 0};

	add_name(known, name, path);
	update_standing(catalog, known, NULL);
	if (!follower_reserve(known->follower)) {
		close(adoption.fd);
		adoption.fd = -1;
	}
	held_add(catalog->held, known->follower, &adoption);
}

/* ---- what an earlier run knew ---- */

void catalog_recall(struct catalog *catalog, const struct checkpoint *checkpoint)
{
	struct identity identity = checkpoint->identity;
	struct recalled *recalled;
	struct known *known;

	/* Of what no file is known to hold, the number is as good a name. */
	if (checkpoint->inode == 0)
		memcpy(identity.bytes, &checkpoint->id, sizeof(checkpoint->id));
	if (hashmap_get(catalog->files, identity_key(&identity)))
		return;
	known = add_known(catalog, &identity, checkpoint->inode, checkpoint->path, 0);
	recalled = known->recalled = xcalloc(1, sizeof(*recalled));
	recalled->checkpoint = *checkpoint;
	recalled->checkpoint.path = file_path(known->file);
	if (checkpoint->place)
		recalled->checkpoint.place = recalled->place =
			xstrdup(checkpoint->place);
	recalled->size_bytes = checkpoint->size_bytes;
	recalled->found_fd = -1;
	go_adrift(catalog, known);
}

static void hand_over_recalled(struct catalog *catalog, struct known *known,
			       bool reachable)
{
	struct recalled *recalled = known->recalled;
	struct adoption adoption = {.file = known->file,
				    .fd = recalled->found_fd,
				    .resume = &recalled->checkpoint,
				    .reachable = reachable,
				    .size_bytes = recalled->size_bytes,
				    .mtime_ns = recalled->checkpoint.mtime_ns};

	recalled->found_fd = -1;
	if (file_standing(known->file) & FILE_CURRENT)
		adoption.backlog_bytes = recalled->size_bytes;
	held_add(catalog->held, known->follower, &adoption);
}

/* Under its own name: if it was not found, then because nobody looks for it. */
static bool is_still_there(const struct known *known)
{
	struct identity found;

	return !known->names && identity_of_path(file_path(known->file), &found) &&
	       identity_eq(&found, file_identity(known->file));
}

struct known *catalog_next_missing(struct catalog *catalog, size_t *cursor)
{
	struct slice key;
	void *value;

	while (hashmap_next(catalog->files, cursor, &key, &value)) {
		struct known *known = value;

		if (known->recalled && known->recalled->place && !known->names &&
		    known->recalled->checkpoint.state != CHECKPOINT_FINISHED)
			return known;
	}
	return NULL;
}

const struct checkpoint *known_recalled(const struct known *known)
{
	return &known->recalled->checkpoint;
}

void catalog_found(struct known *known, int fd, uint64_t size_bytes)
{
	struct recalled *recalled = known->recalled;

	if (recalled->found_fd != -1 || !follower_reserve(known->follower)) {
		close(fd);
		return;
	}
	recalled->found_fd = fd;
	recalled->size_bytes = size_bytes;
}

void catalog_add_nameless(struct catalog *catalog, const struct known *of,
			  const struct new_file *file)
{
	struct adoption adoption = {.kind = ADOPT_SIBLING,
				    .fd = file->fd,
				    .size_bytes = file->size_bytes,
				    .mtime_ns = file->mtime_ns,
				    .later_than_ns = known_recalled(of)->mtime_ns};
	struct known *known;

	if (!follower_reserve(of->follower)) {
		close(file->fd);
		return;
	}
	known = add_known(catalog, &file->identity, file->inode, file_path(of->file),
			  file_root(of->file));
	go_adrift(catalog, known);
	adoption.file = known->file;
	held_add(catalog->held, known->follower, &adoption);
}

void catalog_end_recall(struct catalog *catalog,
			bool (*reachable)(void *ctx, const char *path), void *ctx)
{
	size_t cursor = 0;
	struct slice key;
	void *value;

	while (hashmap_next(catalog->files, &cursor, &key, &value)) {
		struct known *known = value;

		if (known->recalled)
			hand_over_recalled(catalog, known,
					   reachable(ctx, file_path(known->file)) &&
						   !is_still_there(known));
	}
}

static void end_recall_of(void *ctx, const struct file *file)
{
	struct catalog *catalog = ctx;

	end_recall(hashmap_get(catalog->files, identity_key(file_identity(file))));
}

void catalog_hand_over(struct catalog *catalog)
{
	held_hand_over(catalog->held, end_recall_of, catalog);
}

void catalog_name(struct catalog *catalog, struct known *known, struct known_name *name,
		  const char *path, uint64_t size_bytes)
{
	end_adrift(catalog, known);
	if (known->recalled)
		known->recalled->size_bytes = size_bytes;
	add_name(known, name, path);
	update_standing(catalog, known, NULL);
	/* Generations get their rotated names in the order of their age. */
	held_move_last(catalog->held, known->file);
	tell(known, FILE_MOVED);
}

void catalog_unname(struct catalog *catalog, struct known_name *name, bool unwanted)
{
	struct known *known = name->known;
	struct known_name **link;

	if (!known)
		return;
	link = &known->names;
	while (*link != name)
		link = &(*link)->next;
	*link = name->next;
	update_standing(catalog, known, unwanted && !known->names ? name->path : NULL);
	if (!known->names)
		go_adrift(catalog, known);
	shared_text_unref(name->path);
	*name = (struct known_name){0};
	tell(known, FILE_MOVED);
}

void catalog_written(struct known *known, bool closed)
{
	if (closed && !(file_standing(known->file) & FILE_CURRENT))
		tell(known, FILE_WRITTEN | FILE_CLOSED);
	else
		tell(known, FILE_WRITTEN);
}

void catalog_all_written(struct catalog *catalog)
{
	size_t cursor = 0;
	struct slice key;
	void *known;

	while (hashmap_next(catalog->files, &cursor, &key, &known))
		tell(known, FILE_WRITTEN);
}

const struct identity *known_identity(const struct known *known)
{
	return file_identity(known->file);
}

const char *known_path(const struct known *known)
{
	return file_path(known->file);
}

size_t catalog_current_count(const struct catalog *catalog)
{
	return catalog->current_count;
}

struct known *catalog_adrift(const struct catalog *catalog, uint64_t inode)
{
	return inode == 0 ? NULL : adrift_with_inode(catalog->adrift, inode);
}

void catalog_answer(struct catalog *catalog, struct file *file)
{
	follower_looked(owners_of(catalog->owners, file_path(file)), file);
	file_unref(file);
}

void catalog_sweep(struct catalog *catalog)
{
	int64_t now_ns = clock_monotonic_ns();
	struct adrift *older;

	if (now_ns - catalog->swept_ns < SWEEP_NS)
		return;
	catalog->swept_ns = now_ns;
	for (struct adrift *a = adrift_newest(catalog->adrift); a; a = older) {
		struct known *known = adrift_known(a);

		older = adrift_older(a);
		if (!known->recalled && (file_is_gone(known->file) ||
					 (now_ns - adrift_since_ns(a) > REMEMBER_NS &&
					  file_is_done(known->file))))
			forget(catalog, known);
	}
	owners_sweep(catalog->owners, now_ns);
}
