#include "tailer/owners.h"

#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/hashmap.h"
#include "common/shared_text.h"
#include "common/xalloc.h"

#define SWEEP_NS (3600 * NS_PER_SECOND)
/* Longer than a follower remembers a path without files. */
#define REMEMBER_NS (48 * SWEEP_NS)

struct followed {
	const char *path; /* shared_text.h */
	int64_t empty_since_ns;
	unsigned files;
	unsigned owner; /* of all its generations, as long as any is remembered */
};

struct owners {
	struct follower *const *followers;
	size_t count;
	size_t *owned;         /* paths of each follower */
	struct hashmap *paths; /* struct followed */
	int64_t swept_ns;
};

struct owners *owners_create(struct follower *const *followers, size_t count)
{
	struct owners *owners = xcalloc(1, sizeof(*owners));

	owners->followers = followers;
	owners->count = count;
	owners->owned = xcalloc(count, sizeof(*owners->owned));
	owners->paths = hashmap_create_borrowing();
	return owners;
}

static void free_followed(struct followed *followed)
{
	shared_text_unref(followed->path);
	free(followed);
}

void owners_destroy(struct owners *owners)
{
	size_t cursor = 0;
	struct slice path;
	void *followed;

	if (!owners)
		return;
	while (hashmap_next(owners->paths, &cursor, &path, &followed))
		free_followed(followed);
	hashmap_destroy(owners->paths);
	free(owners->owned);
	free(owners);
}

/* The follower that has the fewest paths. */
static unsigned choose_owner(const struct owners *owners)
{
	unsigned chosen = 0;

	for (unsigned i = 1; i < owners->count; i++)
		if (owners->owned[i] < owners->owned[chosen])
			chosen = i;
	return chosen;
}

struct follower *owners_follow(struct owners *owners, const char *path)
{
	struct followed *followed = hashmap_get(owners->paths, slice_of(path));

	if (!followed) {
		followed = xcalloc(1, sizeof(*followed));
		followed->path = shared_text_ref(path);
		followed->owner = choose_owner(owners);
		owners->owned[followed->owner]++;
		hashmap_put(owners->paths, slice_of(followed->path), followed);
	}
	followed->files++;
	return owners->followers[followed->owner];
}

void owners_unfollow(struct owners *owners, const char *path)
{
	struct followed *followed = hashmap_get(owners->paths, slice_of(path));

	if (--followed->files == 0)
		followed->empty_since_ns = clock_monotonic_ns();
}

bool owners_follows(const struct owners *owners, const char *path)
{
	const struct followed *followed = hashmap_get(owners->paths, slice_of(path));

	return followed && followed->files > 0;
}

const char *owners_shared_path(const struct owners *owners, const char *path)
{
	const struct followed *followed = hashmap_get(owners->paths, slice_of(path));

	return followed ? shared_text_ref(followed->path)
			: shared_text_create(slice_of(path));
}

const char *owners_path_named(const struct owners *owners, const char *name)
{
	size_t cursor = 0;
	struct slice key;
	void *value;

	while (hashmap_next(owners->paths, &cursor, &key, &value)) {
		const struct followed *followed = value;

		if (followed->files > 0 &&
		    strcmp(strrchr(followed->path, '/') + 1, name) == 0)
			return followed->path;
	}
	return NULL;
}

struct follower *owners_of(const struct owners *owners, const char *path)
{
	const struct followed *followed = hashmap_get(owners->paths, slice_of(path));

	return owners->followers[followed->owner];
}

void owners_sweep(struct owners *owners, int64_t now_ns)
{
	size_t cursor = 0;
	struct slice key;
	void *value;

	if (now_ns - owners->swept_ns < SWEEP_NS)
		return;
	owners->swept_ns = now_ns;
	while (hashmap_next(owners->paths, &cursor, &key, &value)) {
		struct followed *followed = value;

		if (followed->files > 0 ||
		    now_ns - followed->empty_since_ns < REMEMBER_NS)
			continue;
		owners->owned[followed->owner]--;
		hashmap_remove(owners->paths, slice_of(followed->path));
		free_followed(followed);
	}
}
