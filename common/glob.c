#include "common/glob.h"

#include <fnmatch.h>
#include <stddef.h>
#include <string.h>

#include "common/slice.h"

bool glob_has_magic(const char *text)
{
	return strpbrk(text, "*?[\\") != NULL;
}

bool glob_match_name(const char *pattern, const char *name)
{
	return fnmatch(pattern, name, FNM_PERIOD) == 0;
}

static struct slice first_component(const char *path)
{
	return (struct slice){path, strcspn(path, "/")};
}

static const char *after(const char *path, struct slice component)
{
	const char *rest = path + component.len;

	return *rest == '/' ? rest + 1 : rest;
}

static bool match_component(struct slice pattern, struct slice name)
{
	char p[256], n[256];

	if (pattern.len >= sizeof(p) || name.len >= sizeof(n))
		return false;
	memcpy(p, pattern.ptr, pattern.len);
	p[pattern.len] = '\0';
	memcpy(n, name.ptr, name.len);
	n[name.len] = '\0';
	return glob_match_name(p, n);
}

/*
 * Both relative.  Only the last `**` needs to be tried again after a mismatch:
 * an earlier one could not do better, so the time is at most the product of
 * the two lengths.
 */
static bool match_components(const char *pattern, const char *path)
{
	const char *star_pattern = NULL, *star_path = NULL;

	while (*path) {
		struct slice p = first_component(pattern);
		struct slice n = first_component(path);

		if (slice_is(p, "**")) {
			star_pattern = after(pattern, p);
			star_path = path;
			pattern = star_pattern;
		} else if (p.len > 0 && match_component(p, n)) {
			pattern = after(pattern, p);
			path = after(path, n);
		} else {
			if (!star_path || *star_path == '.')
				return false;
			star_path = after(star_path, first_component(star_path));
			pattern = star_pattern;
			path = star_path;
		}
	}
	while (slice_is(first_component(pattern), "**"))
		pattern = after(pattern, slice_of("**"));
	return *pattern == '\0';
}

bool glob_match_path(const char *pattern, const char *path)
{
	const char *base = strrchr(path, '/');

	if (!strchr(pattern, '/'))
		return glob_match_name(pattern, base ? base + 1 : path);
	if (*path == '/')
		path++;
	if (*pattern == '/')
		return match_components(pattern + 1, path);
	for (;;) {
		if (match_components(pattern, path))
			return true;
		path = strchr(path, '/');
		if (!path)
			return false;
		path++;
	}
}
