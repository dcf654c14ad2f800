#include "tailer/siblings.h"

#include <stdlib.h>
#include <string.h>

#include "common/xalloc.h"
#include "tailer/rotation.h"

static bool is_wanted(const struct tree *tree, const struct dir *dir, const char *path,
		      struct slice name)
{
	char *copy = xstrndup(name.ptr, name.len);
	struct wanted wanted = roots_match(tree->roots, &dir->places, path, copy);

	places_finish(&wanted.below);
	free(copy);
	return wanted.root >= 0;
}

static void join(struct strbuf *out, struct slice dir, struct slice name)
{
	strbuf_clear(out);
	strbuf_add_slice(out, dir);
	strbuf_putc(out, '/');
	strbuf_add_slice(out, name);
}

/* In the same directory: the shortest name that there is. */
static char *in_directory(const struct tree *tree, const struct dir *dir,
			  const char *name, bool wanted)
{
	struct strbuf path = STRBUF_INIT;
	char *found = NULL;

	for (struct slice base = slice_of(name); rotation_strip(&base);) {
		join(&path, slice_of(dir->path), base);
		if (!catalog_follows(tree->catalog, path.ptr) &&
		    (wanted || !is_wanted(tree, dir, path.ptr, base)))
			continue;
		free(found);
		found = xstrdup(path.ptr);
	}
	strbuf_finish(&path);
	return found;
}

static const char *rotated_from(const struct tree *tree, const struct dir *dir,
				struct slice base, struct strbuf *path)
{
	const char *end = strrchr(dir->path, '/');
	char *name = xstrndup(base.ptr, base.len);
	const char *found = NULL;

	if (end) {
		join(path, (struct slice){dir->path, (size_t)(end - dir->path)}, base);
		if (catalog_follows(tree->catalog, path->ptr))
			found = path->ptr;
	}
	if (!found)
		found = catalog_path_named(tree->catalog, name);
	free(name);
	return found;
}

/* In a directory that a root names as the place of its rotated files. */
static char *elsewhere(const struct tree *tree, const struct dir *dir, const char *name)
{
	struct strbuf path = STRBUF_INIT;
	struct slice base = slice_of(name);
	char *found = NULL;

	do {
		const char *from = rotated_from(tree, dir, base, &path);

		if (from) {
			free(found);
			found = xstrdup(from);
		}
	} while (rotation_strip(&base));
	strbuf_finish(&path);
	return found;
}

char *siblings_path_of(const struct tree *tree, const struct dir *dir, const char *name,
		       const struct wanted *wanted)
{
	char *found = in_directory(tree, dir, name, wanted->root >= 0);

	if (!found && wanted->rotated)
		found = elsewhere(tree, dir, name);
	return found;
}
