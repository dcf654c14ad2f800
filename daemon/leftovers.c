#include "daemon/leftovers.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "common/hashmap.h"
#include "common/xalloc.h"

struct leftovers {
	pthread_mutex_t lock;
	struct hashmap *of_paths; /* to struct open_records */
	atomic_size_t count;
};

struct leftovers *leftovers_create(void)
{
	struct leftovers *l = xcalloc(1, sizeof(*l));

	pthread_mutex_init(&l->lock, NULL);
	l->of_paths = hashmap_create();
	return l;
}

void leftovers_destroy(struct leftovers *l)
{
	struct open_records unused;

	if (!l)
		return;
	while (leftovers_take_any(l, &unused))
		open_records_finish(&unused);
	hashmap_destroy(l->of_paths);
	pthread_mutex_destroy(&l->lock);
	free(l);
}

void leftovers_add(struct leftovers *l, const char *path,
		   const struct open_record *open)
{
	struct open_records *records;

	pthread_mutex_lock(&l->lock);
	records = hashmap_get(l->of_paths, slice_of(path));
	if (!records) {
		records = xcalloc(1, sizeof(*records));
		*records = (struct open_records)OPEN_RECORDS_INIT;
		open_records_path(records, path);
		hashmap_put(l->of_paths, slice_of(path), records);
		l->count++;
	}
	open_records_add(records, open);
	pthread_mutex_unlock(&l->lock);
}

/* Under the lock. */
static bool take(struct leftovers *l, struct slice path, struct open_records *records)
{
	struct open_records *found = hashmap_remove(l->of_paths, path);

	if (!found)
		return false;
	*records = *found;
	free(found);
	l->count--;
	return true;
}

bool leftovers_take(struct leftovers *l, const char *path, struct open_records *records)
{
	bool found;

	if (leftovers_are_gone(l))
		return false;
	pthread_mutex_lock(&l->lock);
	found = take(l, slice_of(path), records);
	pthread_mutex_unlock(&l->lock);
	return found;
}

bool leftovers_take_any(struct leftovers *l, struct open_records *records)
{
	size_t cursor = 0;
	struct slice path;
	void *value;
	bool found = false;

	pthread_mutex_lock(&l->lock);
	if (hashmap_next(l->of_paths, &cursor, &path, &value))
		found = take(l, path, records);
	pthread_mutex_unlock(&l->lock);
	return found;
}

bool leftovers_are_gone(struct leftovers *l)
{
	return atomic_load(&l->count) == 0;
}
