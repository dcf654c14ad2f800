#include "tailer/catalog.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

#include "common/clock.h"
#include "common/hashmap.h"
#include "common/xalloc.h"
#include "tailer/file.h"
#include "tailer/handover.h"

/* A file that was moved away may come back: its position is kept so long. */
#define REMEMBER_NS (3600 * NS_PER_SECOND)
#define SWEEP_NS NS_PER_SECOND

struct known {
	struct file *file;
	struct follower *follower;
	struct known_name *names;
	unsigned standing;
	uint64_t inode;
	int64_t adrift_since_ns;
	struct known *adrift_next, *adrift_previous;
};

struct catalog {
	struct follower *const *followers;
	size_t follower_count;
	struct hashmap *files; /* by identity */
	struct known *adrift;  /* without a name, the newest first */
	size_t current_count;
	bool hold;
	struct held {
		struct follower *follower;
		struct adoption adoption; /* with a reference to the file */
	} * held;
	size_t held_count;
	int64_t swept_ns;
};

struct catalog *catalog_create(struct follower *const *followers, size_t count)
{
	struct catalog *catalog = xcalloc(1, sizeof(*catalog));

	catalog->followers = followers;
	catalog->follower_count = count;
	catalog->files = hashmap_create();
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
	free(catalog);
}

static void go_adrift(struct catalog *catalog, struct known *known)
{
	known->adrift_since_ns = clock_monotonic_ns();
	known->adrift_previous = NULL;
	known->adrift_next = catalog->adrift;
	if (known->adrift_next)
		known->adrift_next->adrift_previous = known;
	catalog->adrift = known;
}

static void end_adrift(struct catalog *catalog, struct known *known)
{
	if (known->adrift_since_ns == 0)
		return;
	*(known->adrift_previous ? &known->adrift_previous->adrift_next
				 : &catalog->adrift) = known->adrift_next;
	if (known->adrift_next)
		known->adrift_next->adrift_previous = known->adrift_previous;
	known->adrift_since_ns = 0;
}

static void forget(struct catalog *catalog, struct known *known)
{
	end_adrift(catalog, known);
	hashmap_remove(catalog->files, identity_key(file_identity(known->file)));
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

static void tell(struct known *known, unsigned events)
{
	if (file_mark(known->file, events))
		follower_notify(known->follower, known->file);
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

void catalog_add(struct catalog *catalog, const struct new_file *file,
		 struct known_name *name, const char *path)
{
	struct known *known = xcalloc(1, sizeof(*known));
	struct adoption adoption = {.fd = file->fd,
				    .start_bytes = file->start_bytes,
				    .size_bytes = file->size_bytes,
				    .mtime_ns = file->mtime_ns,
				    .backlog_bytes =
					    file->backlog ? file->size_bytes : 0};
	uint64_t owner = XXH3_64bits(file->path, strlen(file->path));

	known->file = file_create(&file->identity, file->path, file->root);
	known->follower = catalog->followers[owner % catalog->follower_count];
	known->inode = file->inode;
	hashmap_put(catalog->files, identity_key(&file->identity), known);
	add_name(known, name, path);
	update_standing(catalog, known, NULL);
	if (!follower_reserve(known->follower)) {
		close(adoption.fd);
		adoption.fd = -1;
	}
	adoption.file = known->file;
	hand_over(catalog, known->follower, &adoption);
}

static bool is_current(const struct held *held)
{
	return file_standing(held->adoption.file) & FILE_CURRENT;
}

void catalog_hold(struct catalog *catalog)
{
	catalog->hold = true;
}

void catalog_hand_over(struct catalog *catalog)
{
	struct held *held = catalog->held;

	for (int current = 0; current <= 1; current++)
		for (size_t i = 0; i < catalog->held_count; i++) {
			if (!held[i].follower || is_current(&held[i]) != current)
				continue;
			follower_adopt(held[i].follower, &held[i].adoption);
			file_unref(held[i].adoption.file);
			held[i].follower = NULL;
		}
	free(held);
	catalog->held = NULL;
	catalog->held_count = 0;
	catalog->hold = false;
}

/* It was done with and is back: it goes on where it was left. */
static void hand_over_again(struct catalog *catalog, struct known *known)
{
	struct adoption adoption = {.file = known->file, .fd = -1, .again = true};

	if (!file_is_released(known->file, true, &adoption.start_bytes))
		return;
	adoption.size_bytes = adoption.start_bytes;
	adoption.mtime_ns = clock_wall_ns();
	hand_over(catalog, known->follower, &adoption);
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
		  const char *path)
{
	end_adrift(catalog, known);
	add_name(known, name, path);
	update_standing(catalog, known, NULL);
	hand_over_again(catalog, known);
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
	struct known *known = catalog->adrift;

	while (known && known->inode != inode)
		known = known->adrift_next;
	return known;
}

void catalog_sweep(struct catalog *catalog)
{
	int64_t now_ns = clock_monotonic_ns();
	struct known *next;

	if (now_ns - catalog->swept_ns < SWEEP_NS)
		return;
	catalog->swept_ns = now_ns;
	for (struct known *known = catalog->adrift; known; known = next) {
		uint64_t offset_bytes;

		next = known->adrift_next;
		if (file_is_gone(known->file) ||
		    (now_ns - known->adrift_since_ns > REMEMBER_NS &&
		     file_is_released(known->file, false, &offset_bytes)))
			forget(catalog, known);
	}
}
