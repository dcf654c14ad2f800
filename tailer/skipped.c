#include "tailer/skipped.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/xalloc.h"
#include "tailer/listing.h"

struct skipped {
	const struct tree *tree;
	const struct roots *roots;
	char **lines;
	size_t count;
	struct root_result {
		bool reached; /* some file of it was found */
		bool missing;
		char *why;
	} * results;
	size_t root_count;
};

static void add_line(struct skipped *skipped, const char *path, const char *why)
{
	skipped->lines = xgrow(skipped->lines, skipped->count, sizeof(*skipped->lines));
	skipped->lines[skipped->count++] = xasprintf("%s: %s", path, why);
}

static char *patterns_text(const struct discovery_root *root, const char *before)
{
	struct strbuf text = STRBUF_INIT;
	char *copy;

	strbuf_puts(&text, before);
	for (size_t i = 0; i < root->include_count; i++)
		strbuf_addf(&text, "%s%s", i ? ", " : " (", root->include[i]);
	strbuf_putc(&text, ')');
	copy = xstrdup(text.ptr);
	strbuf_finish(&text);
	return copy;
}

static void add_unmatched(struct skipped *skipped, const char *path,
			  const struct wanted *wanted)
{
	const struct discovery_root *root =
		roots_at(skipped->roots, wanted->skipped_root);
	bool lists = strstr(wanted->skipped, "include") != NULL;
	char *why =
		lists ? patterns_text(root, wanted->skipped) : xstrdup(wanted->skipped);

	add_line(skipped, path, why);
	free(why);
}

static void add_unreadable(struct skipped *skipped, const char *path)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	add_line(skipped, path, fd == -1 ? strerror(errno) : "is not followed yet");
	if (fd != -1)
		close(fd);
}

static void explain_wanted(struct skipped *skipped, const char *path,
			   const struct wanted *wanted, const struct stat *st)
{
	const char *followed_as = tree_followed_as(skipped->tree, path);

	if (!followed_as && !S_ISREG(st->st_mode)) {
		add_line(skipped, path, "is not a regular file");
		return;
	}
	skipped->results[wanted->root].reached = true;
	if (!followed_as) {
		add_unreadable(skipped, path);
	} else if (strcmp(followed_as, path) != 0) {
		char *why = xasprintf("is the same file as %s", followed_as);

		add_line(skipped, path, why);
		free(why);
	}
}

static void explain_name(struct skipped *skipped, const struct places *places,
			 const char *path, const char *name)
{
	struct wanted wanted = roots_match(skipped->roots, places, path, name);
	bool followed_below = wanted.below.count > 0;
	struct stat st;

	places_finish(&wanted.below);
	if ((wanted.root < 0 && !wanted.skipped) || stat(path, &st) == -1)
		return;
	if (S_ISDIR(st.st_mode)) {
		if (!followed_below && wanted.root < 0 &&
		    strcmp(wanted.skipped, "is excluded") == 0)
			add_line(skipped, path, wanted.skipped);
	} else if (wanted.root >= 0) {
		explain_wanted(skipped, path, &wanted, &st);
	} else {
		add_unmatched(skipped, path, &wanted);
	}
}

static void explain_directory(void *ctx, const char *directory,
			      const struct places *places)
{
	struct skipped *skipped = ctx;
	unsigned needs = roots_needs(skipped->roots, places);
	struct listing listing = {0};

	if (!(needs & PLACES_FILES))
		return;
	if (!(needs & PLACES_LIST))
		for (size_t i = 0; i < places->count; i++)
			listing_add(&listing,
				    roots_name_at(skipped->roots, &places->items[i]),
				    0);
	else if (!listing_read(directory, &listing))
		add_line(skipped, directory, strerror(errno));
	for (size_t i = 0; i < listing.count; i++) {
		const char *name = listing.items[i].name;
		char *path = xasprintf("%s/%s", directory[1] ? directory : "", name);

		explain_name(skipped, places, path, name);
		free(path);
	}
	listing_finish(&listing);
}

static void explain_root(struct skipped *skipped, size_t index)
{
	const struct discovery_root *root = roots_at(skipped->roots, index);
	struct root_result *result = &skipped->results[index];
	struct stat st;

	if (result->reached)
		return;
	if (!roots_is_literal(skipped->roots, index)) {
		result->why = xstrdup("matches no file");
	} else if (stat(root->path, &st) == -1) {
		result->missing = true;
		result->why =
			xstrdup(errno == ENOENT ? "does not exist" : strerror(errno));
	} else if (S_ISDIR(st.st_mode)) {
		result->why = patterns_text(root, "holds no file that matches");
	} else {
		return;
	}
	add_line(skipped, root->path, result->why);
}

static int by_text(const void *a, const void *b)
{
	const char *const *left = a, *const *right = b;

	return strcmp(*left, *right);
}

struct skipped *skipped_collect(const struct tree *tree)
{
	struct skipped *skipped = xcalloc(1, sizeof(*skipped));

	skipped->tree = tree;
	skipped->roots = tree_roots(tree);
	skipped->root_count = roots_count(skipped->roots);
	skipped->results = xcalloc(skipped->root_count, sizeof(*skipped->results));
	tree_each(tree, explain_directory, skipped);
	for (size_t i = 0; i < skipped->root_count; i++)
		explain_root(skipped, i);
	if (skipped->count > 1)
		qsort(skipped->lines, skipped->count, sizeof(*skipped->lines), by_text);
	return skipped;
}

void skipped_destroy(struct skipped *skipped)
{
	if (!skipped)
		return;
	for (size_t i = 0; i < skipped->count; i++)
		free(skipped->lines[i]);
	for (size_t i = 0; i < skipped->root_count; i++)
		free(skipped->results[i].why);
	free(skipped->lines);
	free(skipped->results);
	free(skipped);
}

const char *skipped_root(const struct skipped *skipped, size_t root, bool *missing)
{
	*missing = skipped->results[root].missing;
	return skipped->results[root].why;
}

void skipped_print(const struct skipped *skipped, size_t max_lines, struct strbuf *out)
{
	size_t shown = skipped->count < max_lines ? skipped->count : max_lines;

	for (size_t i = 0; i < shown; i++)
		strbuf_addf(out, "%s\n", skipped->lines[i]);
	if (shown < skipped->count)
		strbuf_addf(out, "and %zu more\n", skipped->count - shown);
}
