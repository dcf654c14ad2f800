#include "parsers/patterns_list.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/xalloc.h"

static bool is_patterns_name(const char *name)
{
	const char *dot = strrchr(name, '.');

	return name[0] != '.' && dot &&
	       (strcmp(dot, ".yml") == 0 || strcmp(dot, ".yaml") == 0);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool list_directory(const char *path, struct arena *arena,
			   const char *const **files, size_t *count, struct error *err)
{
	DIR *dir = opendir(path);
	const char **list = NULL;
	struct dirent *entry;

	if (!dir)
		return error_errno(err, "read the patterns directory %s", path);
	while ((entry = readdir(dir))) {
		if (!is_patterns_name(entry->d_name))
			continue;
		list = xgrow(list, *count, sizeof(*list));
		list[(*count)++] = arena_printf(
			arena, "%s%s%s", path, path[strlen(path) - 1] == '/' ? "" : "/",
			entry->d_name);
	}
	closedir(dir);
	*files = arena_alloc(arena, *count * sizeof(*list));
	if (*count > 0) {
		qsort(list, *count, sizeof(*list), by_text);
		memcpy((void *)*files, list, *count * sizeof(*list));
	}
	free(list);
	return true;
}

bool patterns_list(const char *path, struct arena *arena, const char *const **files,
		   size_t *count, struct error *err)
{
	struct stat st;
	const char **one;

	*count = 0;
	if (stat(path, &st) == -1)
		return error_errno(err, "read patterns from %s", path);
	if (S_ISDIR(st.st_mode))
		return list_directory(path, arena, files, count, err);
	one = arena_alloc(arena, sizeof(*one));
	one[0] = arena_strdup(arena, path);
	*files = one;
	*count = 1;
	return true;
}

const char **patterns_list_all(const char *const *paths, size_t path_count,
			       struct arena *arena, struct diag *diag, size_t *count)
{
	const char **all = NULL;
	size_t unique = 0;

	*count = 0;
	for (size_t i = 0; i < path_count; i++) {
		const char *const *files;
		struct error err;
		size_t n;

		if (!patterns_list(paths[i], arena, &files, &n, &err))
			diag_error(diag, (struct position){.file = paths[i]}, NULL,
				   "%s", err.text);
		else if (n == 0)
			diag_warning(diag, (struct position){.file = paths[i]},
				     PATTERNS_LIST_TAKEN, PATTERNS_LIST_NONE);
		for (size_t j = 0; j < n; j++) {
			all = xgrow(all, *count, sizeof(*all));
			all[(*count)++] = files[j];
		}
	}
	if (*count > 0)
		qsort(all, *count, sizeof(*all), by_text);
	for (size_t i = 0; i < *count; i++)
		if (i == 0 || strcmp(all[i], all[unique - 1]) != 0)
			all[unique++] = all[i];
	*count = unique;
	return all;
}
