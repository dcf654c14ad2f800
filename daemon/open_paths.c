#include "daemon/open_paths.h"

#include <stdlib.h>

#include "common/shared_text.h"
#include "common/xalloc.h"

struct open_path {
	struct open_path *next, *previous;
	const char *name;
	struct source *source;    /* NULL: the path is gone, and nothing is open */
	struct open_path **place; /* NULL likewise */
	uint64_t sequence; /* of the first cut after the last change; 0: none yet */
};

struct open_paths {
	struct open_path *first;
	int64_t deadline_ns; /* not after the first */
};

struct open_paths *open_paths_create(void)
{
	struct open_paths *paths = xcalloc(1, sizeof(*paths));

	paths->deadline_ns = INT64_MAX;
	return paths;
}

static void release(struct open_path *path)
{
	if (path->place)
		*path->place = NULL;
	shared_text_unref(path->name);
	free(path);
}

static void forget(struct open_paths *paths, struct open_path *path)
{
	if (path->next)
		path->next->previous = path->previous;
	if (path->previous)
		path->previous->next = path->next;
	else
		paths->first = path->next;
	release(path);
}

void open_paths_destroy(struct open_paths *paths)
{
	struct open_path *next;

	if (!paths)
		return;
	for (struct open_path *path = paths->first; path; path = next) {
		next = path->next;
		release(path);
	}
	free(paths);
}

static struct open_path *find(struct open_paths *paths, struct open_path **place,
			      const char *name)
{
	struct open_path *path = *place;

	if (path)
		return path;
	path = xcalloc(1, sizeof(*path));
	path->name = shared_text_ref(name);
	path->place = place;
	path->next = paths->first;
	if (paths->first)
		paths->first->previous = path;
	paths->first = path;
	*place = path;
	return path;
}

void open_paths_note(struct open_paths *paths, struct open_path **place,
		     const char *name, struct source *source)
{
	int64_t deadline_ns = source_deadline_ns(source);

	if (*place)
		(*place)->source = source;
	if (!source_open_has_changed(source))
		return;
	find(paths, place, name)->source = source;
	(*place)->sequence = 0;
	if (deadline_ns < paths->deadline_ns)
		paths->deadline_ns = deadline_ns;
}

void open_paths_drop(struct open_paths *paths, struct open_path **place,
		     const char *name)
{
	struct open_path *path = find(paths, place, name);

	path->source = NULL;
	path->place = NULL;
	path->sequence = 0;
	*place = NULL;
}

int64_t open_paths_deadline_ns(const struct open_paths *paths)
{
	return paths->deadline_ns;
}

void open_paths_close(struct open_paths *paths, int64_t now_ns,
		      void (*close)(void *ctx, struct source *source), void *ctx)
{
	paths->deadline_ns = INT64_MAX;
	for (struct open_path *path = paths->first; path; path = path->next) {
		int64_t deadline_ns;

		if (!path->source)
			continue;
		if (source_deadline_ns(path->source) <= now_ns) {
			close(ctx, path->source);
			if (source_open_has_changed(path->source))
				path->sequence = 0;
		}
		deadline_ns = source_deadline_ns(path->source);
		if (deadline_ns < paths->deadline_ns)
			paths->deadline_ns = deadline_ns;
	}
}

static void add_record(void *ctx, const struct open_record *open)
{
	open_records_add(ctx, open);
}

void open_paths_save(struct open_paths *paths, uint64_t sequence,
		     uint64_t saved_sequence, struct open_records *records)
{
	struct open_path *next;

	for (struct open_path *path = paths->first; path; path = next) {
		next = path->next;
		if (path->sequence == 0)
			path->sequence = sequence;
		if (path->sequence > saved_sequence) {
			open_records_path(records, path->name);
			if (path->source)
				source_each_open(path->source, add_record, records);
		} else if (!path->source ||
			   source_deadline_ns(path->source) == INT64_MAX) {
			forget(paths, path);
		}
	}
}
