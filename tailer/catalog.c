#include "tailer/catalog.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/hashmap.h"
#include "common/xalloc.h"
#include "tailer/file.h"
#include "tailer/owners.h"

/* A file that was moved away may come back: it is known so long. */
#define REMEMBER_NS (3600 * NS_PER_SECOND)
#define SWEEP_NS NS_PER_SECOND

struct known {
	struct file *file;
	struct follower *follower;
	struct known_name *names;
	unsigned standing;
	struct checkpoint *recalled; /* until it is handed over */
	char *place;                 /* of what was recalled */
	uint64_t size_bytes;         /* of one recalled, as it was found */
	int found_fd;                /* likewise; -1: none */
	int64_t adrift_since_ns;
	struct known *adrift_next, *adrift_previous;
	struct known *same_inode; /* the next one adrift that has it */
};

struct catalog {
	struct owners *owners;
	struct mailbox *asks;
	struct hashmap *files;  /* by identity */
	struct hashmap *inodes; /* of those adrift: struct known */
	struct known *adrift;   /* without a name, the newest first */
	size_t current_count;
	bool hold;
	struct held {
		struct follower *follower;
		struct adoption adoption; /* with a reference to the file */
	} * held;
	size_t held_count;
	int64_t swept_ns;
};

struct catalog *catalog_create(struct follower *const *followers, size_t count,
			       struct mailbox *asks)
{
	struct catalog *catalog = xcalloc(1, sizeof(*catalog));

	catalog->owners = owners_create(followers, count);
	catalog->asks = asks;
	catalog->files = hashmap_create_borrowing();
	catalog->inodes = hashmap_create();
	return catalog;
}

static void free_known(struct known *known)
{
	struct known_name *next;

	for (struct known_name *name = known->names; name; name = next) {
		next = name->next;
		free(name->path);
		*name = (struct known_name){0};
	}
	file_unref(known->file);
	free(known->recalled);
	free(known->place);
	if (known->found_fd != -1)
		close(known->found_fd);
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
	hashmap_destroy(catalog->inodes);
	owners_destroy(catalog->owners);
	free(catalog);
}

/* ---- files without a name ---- */

static struct slice inode_key(const uint64_t *inode)
{
	return (struct slice){(const char *)inode, sizeof(*inode)};
}

static void put_inode(struct catalog *catalog, struct known *known)
{
	uint64_t inode = file_inode(known->file);

	known->same_inode = hashmap_put(catalog->inodes, inode_key(&inode), known);
}

static void take_inode(struct catalog *catalog, struct known *known)
{
	uint64_t inode = file_inode(known->file);
	struct known *first = hashmap_get(catalog->inodes, inode_key(&inode));
	struct known **link = &first;

	while (*link != known)
		link = &(*link)->same_inode;
	*link = known->same_inode;
	if (first)
		hashmap_put(catalog->inodes, inode_key(&inode), first);
	else
		hashmap_remove(catalog->inodes, inode_key(&inode));
}

static void go_adrift(struct catalog *catalog, struct known *known)
{
	known->adrift_since_ns = clock_monotonic_ns();
	known->adrift_previous = NULL;
	known->adrift_next = catalog->adrift;
	if (known->adrift_next)
		known->adrift_next->adrift_previous = known;
	catalog->adrift = known;
	put_inode(catalog, known);
}

static void end_adrift(struct catalog *catalog, struct known *known)
{
	if (known->adrift_since_ns == 0)
		return;
	take_inode(catalog, known);
	*(known->adrift_previous ? &known->adrift_previous->adrift_next
				 : &catalog->adrift) = known->adrift_next;
	if (known->adrift_next)
		known->adrift_next->adrift_previous = known->adrift_previous;
	known->adrift_since_ns = 0;
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
	unsigned standing = last_path ? FILE_UNWANTED : 0;

	if (best)
		standing |= FILE_NAMED;
	if (best && strcmp(best->path, file_path(known->file)) == 0)
		standing |= FILE_CURRENT;
	catalog->current_count += (standing & FILE_CURRENT) != 0;
	catalog->current_count -= (known->standing & FILE_CURRENT) != 0;
	known->standing = standing;
	file_set_standing(known->file, standing, place);
}

static void add_name(struct known *known, struct known_name *name, const char *path)
{
	name->known = known;
	name->path = xstrdup(path);
	name->next = known->names;
	known->names = name;
}

static void hand_over(struct catalog *catalog, struct follower *follower,
		      const struct adoption *adoption)
{
	if (!catalog->hold) {
		follower_adopt(follower, adoption);
		return;
	}
	catalog->held = xgrow(catalog->held, catalog->held_count, sizeof(struct held));
	catalog->held[catalog->held_count++] = (struct held){follower, *adoption};
	file_ref(adoption->file);
}

static struct known *add_known(struct catalog *catalog, struct file *file)
{
	const char *path = file_path(file);
	struct known *known = xcalloc(1, sizeof(*known));

	known->file = file;
	known->found_fd = -1;
	known->follower = owners_follow(catalog->owners, path);
	hashmap_put(catalog->files, identity_key(file_identity(file)), known);
	return known;
}

void catalog_add(struct catalog *catalog, const struct new_file *file,
		 struct known_name *name, const char *path)
{
	struct known *known =
		add_known(catalog, file_create(&file->identity, file->inode, file->path,
					       file->root, catalog->asks));
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
	hand_over(catalog, known->follower, &adoption);
}

/* ---- what an earlier run knew ---- */

void catalog_recall(struct catalog *catalog, const struct checkpoint *checkpoint)
{
	struct identity identity = checkpoint->identity;
	struct known *known;

	/* Of what no file is known to hold, the number is as good a name. */
	if (checkpoint->inode == 0)
		memcpy(identity.bytes, &checkpoint->id, sizeof(checkpoint->id));
	if (hashmap_get(catalog->files, identity_key(&identity)))
		return;
	known = add_known(catalog, file_create(&identity, checkpoint->inode,
					       checkpoint->path, 0, catalog->asks));
	known->recalled = xmalloc(sizeof(*known->recalled));
	*known->recalled = *checkpoint;
	known->recalled->path = file_path(known->file);
	if (checkpoint->place)
		known->recalled->place = known->place = xstrdup(checkpoint->place);
	known->size_bytes = checkpoint->size_bytes;
	go_adrift(catalog, known);
}

static void hand_over_recalled(struct catalog *catalog, struct known *known,
			       bool reachable)
{
	struct adoption adoption = {.file = known->file,
				    .fd = known->found_fd,
				    .resume = known->recalled,
				    .reachable = reachable,
				    .size_bytes = known->size_bytes,
				    .mtime_ns = known->recalled->mtime_ns};

	known->found_fd = -1;
	if (known->standing & FILE_CURRENT)
		adoption.backlog_bytes = known->size_bytes;
	hand_over(catalog, known->follower, &adoption);
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

		if (known->place && !known->names &&
		    known->recalled->state != CHECKPOINT_FINISHED)
			return known;
	}
	return NULL;
}

const struct checkpoint *known_recalled(const struct known *known)
{
	return known->recalled;
}

void catalog_found(struct known *known, int fd, uint64_t size_bytes)
{
	if (known->found_fd != -1 || !follower_reserve(known->follower)) {
		close(fd);
		return;
	}
	known->found_fd = fd;
	known->size_bytes = size_bytes;
}

void catalog_add_nameless(struct catalog *catalog, const struct known *of,
			  const struct new_file *file)
{
	struct adoption adoption = {.kind = ADOPT_SIBLING,
				    .fd = file->fd,
				    .size_bytes = file->size_bytes,
				    .mtime_ns = file->mtime_ns,
				    .later_than_ns = of->recalled->mtime_ns};
	struct known *known;

	if (!follower_reserve(of->follower)) {
		close(file->fd);
		return;
	}
	known = add_known(catalog,
			  file_create(&file->identity, file->inode, file_path(of->file),
				      file_root(of->file), catalog->asks));
	go_adrift(catalog, known);
	adoption.file = known->file;
	hand_over(catalog, known->follower, &adoption);
}

void catalog_end_recall(struct catalog *catalog,
			bool (*reachable)(void *ctx, const char *path), void *ctx)
{
	size_t cursor = 0;
	struct slice key;
	void *value;

	assert(catalog->hold);
	while (hashmap_next(catalog->files, &cursor, &key, &value)) {
		struct known *known = value;

		if (known->recalled)
			hand_over_recalled(catalog, known,
					   reachable(ctx, file_path(known->file)) &&
						   !is_still_there(known));
	}
}

static void end_recall_of(struct catalog *catalog, const struct file *file)
{
	struct known *known =
		hashmap_get(catalog->files, identity_key(file_identity(file)));

	free(known->recalled);
	free(known->place);
	known->recalled = NULL;
	known->place = NULL;
}

static bool is_current(const struct held *held)
{
	return file_standing(held->adoption.file) & FILE_CURRENT;
}

void catalog_hold(struct catalog *catalog)
{
	catalog->hold = true;
}

/* What was known before comes first: the rest is compared with it. */
static int turn_of(const struct held *held)
{
	return held->adoption.resume ? 0 : is_current(held) ? 2 : 1;
}

void catalog_hand_over(struct catalog *catalog)
{
	struct held *held = catalog->held;

	for (int turn = 0; turn <= 2; turn++)
		for (size_t i = 0; i < catalog->held_count; i++) {
			if (!held[i].follower || turn_of(&held[i]) != turn)
				continue;
			follower_adopt(held[i].follower, &held[i].adoption);
			if (held[i].adoption.resume)
				end_recall_of(catalog, held[i].adoption.file);
			file_unref(held[i].adoption.file);
			held[i].follower = NULL;
		}
	free(held);
	catalog->held = NULL;
	catalog->held_count = 0;
	catalog->hold = false;
}

/* Generations get their rotated names in the order of their age. */
static void hand_over_last(struct catalog *catalog, const struct known *known)
{
	size_t i = 0;
	struct held held;

	while (i < catalog->held_count && catalog->held[i].adoption.file != known->file)
		i++;
	if (i == catalog->held_count)
		return;
	held = catalog->held[i];
	memmove(&catalog->held[i], &catalog->held[i + 1],
		(catalog->held_count - i - 1) * sizeof(held));
	catalog->held[catalog->held_count - 1] = held;
}

void catalog_name(struct catalog *catalog, struct known *known, struct known_name *name,
		  const char *path, uint64_t size_bytes)
{
	end_adrift(catalog, known);
	known->size_bytes = size_bytes;
	add_name(known, name, path);
	update_standing(catalog, known, NULL);
	hand_over_last(catalog, known);
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
	free(name->path);
	*name = (struct known_name){0};
	tell(known, FILE_MOVED);
}

void catalog_written(struct known *known, bool closed)
{
	if (closed && !(known->standing & FILE_CURRENT))
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
	return inode == 0 ? NULL : hashmap_get(catalog->inodes, inode_key(&inode));
}

void catalog_answer(struct catalog *catalog, struct file *file)
{
	follower_looked(owners_of(catalog->owners, file_path(file)), file);
	file_unref(file);
}

void catalog_sweep(struct catalog *catalog)
{
	int64_t now_ns = clock_monotonic_ns();
	struct known *next;

	if (now_ns - catalog->swept_ns < SWEEP_NS)
		return;
	catalog->swept_ns = now_ns;
	for (struct known *known = catalog->adrift; known; known = next) {
		next = known->adrift_next;
		if (!known->recalled &&
		    (file_is_gone(known->file) ||
		     (now_ns - known->adrift_since_ns > REMEMBER_NS &&
		      file_is_done(known->file))))
			forget(catalog, known);
	}
	owners_sweep(catalog->owners, now_ns);
}
