#include "tailer/roots.h"

#include <stdlib.h>
#include <string.h>

#include "common/arena.h"
#include "common/glob.h"
#include "common/xalloc.h"

enum component_kind { COMPONENT_PLAIN, COMPONENT_GLOB, COMPONENT_ANY_DEPTH };

struct component {
	const char *name;
	enum component_kind kind;
};

struct root {
	struct discovery_root config;
	struct component *components;
	unsigned count;
	bool rotated; /* only where rotated files of another root lie */
};

struct roots {
	struct arena *arena;
	struct root *items;
	size_t count, given;
};

static const char *const default_include[] = {"*.log"};
static const char *const compressed[] = {".gz", ".zst", ".xz", ".bz2", ".lz4", ".zip"};

static const char *const *copy_texts(struct arena *arena, const char *const *texts,
				     size_t count)
{
	const char **copy = arena_alloc(arena, (count + 1) * sizeof(*copy));

	for (size_t i = 0; i < count; i++)
		copy[i] = arena_strdup(arena, texts[i]);
	return copy;
}

static enum component_kind kind_of(const char *name)
{
	if (strcmp(name, "**") == 0)
		return COMPONENT_ANY_DEPTH;
	return glob_has_magic(name) ? COMPONENT_GLOB : COMPONENT_PLAIN;
}

static void add_component(struct arena *arena, struct root *root, struct slice name)
{
	struct component *component = &root->components[root->count];

	if (name.len == 0 || slice_is(name, "."))
		return;
	if (slice_is(name, "..")) {
		root->count -= root->count > 0;
		return;
	}
	component->name = arena_copy(arena, name);
	component->kind = kind_of(component->name);
	root->count++;
}

static void split_path(struct arena *arena, struct root *root)
{
	const char *rest = root->config.path;

	root->components =
		arena_alloc(arena, (strlen(rest) + 1) * sizeof(*root->components));
	while (*rest) {
		size_t len = strcspn(rest, "/");

		add_component(arena, root, (struct slice){rest, len});
		rest += len + (rest[len] == '/');
	}
}

static struct discovery_root copy_config(struct arena *arena,
					 const struct discovery_root *from)
{
	struct discovery_root copy = *from;

	if (from->include_count == 0) {
		copy.include = default_include;
		copy.include_count = 1;
	}
	copy.path = arena_strdup(arena, from->path);
	copy.include = copy_texts(arena, copy.include, copy.include_count);
	copy.exclude = copy_texts(arena, from->exclude, from->exclude_count);
	copy.rotated_to = copy_texts(arena, from->rotated_to, from->rotated_to_count);
	return copy;
}

/* An additional root of the given one: names there may be rotated ones of its files. */
static void add_rotated(struct roots *roots, const struct discovery_root *of,
			const char *before, const char *between, const char *directory)
{
	struct root *root = &roots->items[roots->count++];
	char *path = xasprintf("%s%s%s/*", before, between, directory);

	root->config = *of;
	root->config.path = arena_strdup(roots->arena, path);
	root->rotated = true;
	split_path(roots->arena, root);
	free(path);
}

/* Relative ones are those beside each file, be the root one or a directory. */
static void add_all_rotated(struct roots *roots, const struct discovery_root *of)
{
	const char *end = strrchr(of->path, '/');
	char *parent = xstrndup(of->path, end ? (size_t)(end - of->path) : 0);

	for (size_t i = 0; i < of->rotated_to_count; i++) {
		const char *directory = of->rotated_to[i];

		if (*directory == '/') {
			add_rotated(roots, of, "", "", directory);
			continue;
		}
		add_rotated(roots, of, of->path, "/**/", directory);
		add_rotated(roots, of, parent, "/", directory);
	}
	free(parent);
}

static size_t count_with_rotated(const struct discovery_root *roots, size_t count)
{
	size_t all = count;

	for (size_t i = 0; i < count; i++)
		all += 2 * roots[i].rotated_to_count;
	return all;
}

struct roots *roots_create(const struct discovery_root *roots, size_t count)
{
	struct roots *copy = xcalloc(1, sizeof(*copy));

	copy->arena = arena_create();
	copy->count = copy->given = count;
	copy->items = arena_alloc(copy->arena, (count_with_rotated(roots, count) + 1) *
						       sizeof(*copy->items));
	for (size_t i = 0; i < count; i++) {
		copy->items[i].config = copy_config(copy->arena, &roots[i]);
		copy->items[i].rotated = false;
		split_path(copy->arena, &copy->items[i]);
	}
	for (size_t i = 0; i < count; i++)
		add_all_rotated(copy, &copy->items[i].config);
	return copy;
}

void roots_destroy(struct roots *roots)
{
	if (!roots)
		return;
	arena_destroy(roots->arena);
	free(roots);
}

size_t roots_count(const struct roots *roots)
{
	return roots->given;
}

const struct discovery_root *roots_at(const struct roots *roots, size_t root)
{
	return &roots->items[root].config;
}

bool roots_is_literal(const struct roots *roots, size_t root)
{
	const struct root *r = &roots->items[root];

	for (unsigned i = 0; i < r->count; i++)
		if (r->components[i].kind != COMPONENT_PLAIN)
			return false;
	return true;
}

void places_finish(struct places *places)
{
	free(places->items);
	*places = (struct places){0};
}

bool places_eq(const struct places *a, const struct places *b)
{
	return a->count == b->count &&
	       (a->count == 0 ||
		memcmp(a->items, b->items, a->count * sizeof(*a->items)) == 0);
}

static void add_place(struct places *places, unsigned root, unsigned component)
{
	for (size_t i = 0; i < places->count; i++)
		if (places->items[i].root == root &&
		    places->items[i].component == component)
			return;
	places->items = xgrow(places->items, places->count, sizeof(*places->items));
	places->items[places->count++] = (struct place){root, component};
}

/* A directory before `**` also stands before what follows: it may match nothing. */
static void reach(const struct roots *roots, struct places *places, unsigned root,
		  unsigned component)
{
	const struct root *r = &roots->items[root];

	if (component == r->count)
		component = PLACE_INSIDE;
	add_place(places, root, component);
	while (component != PLACE_INSIDE && component + 1 < r->count &&
	       r->components[component].kind == COMPONENT_ANY_DEPTH)
		add_place(places, root, ++component);
}

struct places roots_start(const struct roots *roots)
{
	struct places places = {0};

	for (unsigned root = 0; root < roots->count; root++)
		reach(roots, &places, root, 0);
	return places;
}

static bool matches_any(const char *const *globs, size_t count, const char *path)
{
	for (size_t i = 0; i < count; i++)
		if (glob_match_path(globs[i], path))
			return true;
	return false;
}

static bool is_compressed(const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < sizeof(compressed) / sizeof(*compressed); i++) {
		size_t suffix = strlen(compressed[i]);

		if (len > suffix && strcmp(name + len - suffix, compressed[i]) == 0)
			return true;
	}
	return false;
}

/* How a name does at one place: as a file, and below it as a directory. */
struct step {
	bool file, plain;
	unsigned below; /* component, PLACE_INSIDE, or STEP_NOWHERE */
};
#define STEP_NOWHERE (PLACE_INSIDE - 1)

static struct step step_from(const struct root *root, unsigned component,
			     const char *name)
{
	const struct component *c;
	bool last = component + 1 == root->count;

	if (component == PLACE_INSIDE)
		return (struct step){true, false,
				     *name == '.' ? STEP_NOWHERE : PLACE_INSIDE};
	c = &root->components[component];
	if (c->kind == COMPONENT_ANY_DEPTH && *name != '.')
		return (struct step){last, false, component};
	if (c->kind == COMPONENT_GLOB && glob_match_name(c->name, name))
		return (struct step){last, false, last ? STEP_NOWHERE : component + 1};
	if (c->kind == COMPONENT_PLAIN && strcmp(c->name, name) == 0)
		return (struct step){last, true, component + 1};
	return (struct step){false, false, STEP_NOWHERE};
}

static bool is_excluded(const struct root *root, const char *path)
{
	return matches_any(root->config.exclude, root->config.exclude_count, path);
}

static const char *why_skipped(const struct root *root, bool inside,
			       const struct step *step, const char *path,
			       const char *name)
{
	const struct discovery_root *config = &root->config;

	if (is_excluded(root, path))
		return "is excluded";
	if (inside && !matches_any(config->include, config->include_count, path))
		return "matches no include pattern";
	return !step->plain && is_compressed(name) ? "is compressed" : NULL;
}

static void match_file(struct wanted *wanted, unsigned root, const char *skipped)
{
	if (!skipped && (wanted->root == -1 || (int)root < wanted->root))
		wanted->root = (int)root;
	if (skipped && !wanted->skipped) {
		wanted->skipped = skipped;
		wanted->skipped_root = root;
	}
}

struct wanted roots_match(const struct roots *roots, const struct places *places,
			  const char *path, const char *name)
{
	struct wanted wanted = {.root = -1};

	for (size_t i = 0; i < places->count; i++) {
		const struct place *place = &places->items[i];
		const struct root *root = &roots->items[place->root];
		struct step step = step_from(root, place->component, name);

		if (step.file && root->rotated)
			wanted.rotated = true;
		else if (step.file)
			match_file(&wanted, place->root,
				   why_skipped(root, place->component == PLACE_INSIDE,
					       &step, path, name));
		if (step.below != STEP_NOWHERE &&
		    (step.plain || !is_excluded(root, path)))
			reach(roots, &wanted.below, place->root, step.below);
	}
	return wanted;
}

static unsigned needs_of(const struct root *root, unsigned component)
{
	if (component == PLACE_INSIDE)
		return PLACES_LIST | PLACES_FILES | PLACES_DEEP;
	return (component + 1 == root->count ? PLACES_FILES : 0) |
	       (root->components[component].kind != COMPONENT_PLAIN ? PLACES_LIST : 0) |
	       (root->components[component].kind == COMPONENT_ANY_DEPTH ? PLACES_DEEP
									: 0);
}

unsigned roots_needs(const struct roots *roots, const struct places *places)
{
	unsigned needs = 0;

	for (size_t i = 0; i < places->count; i++) {
		const struct root *root = &roots->items[places->items[i].root];

		needs |= needs_of(root, places->items[i].component);
		needs |= root->config.poll ? 0 : PLACES_WATCH;
	}
	return needs;
}

const char *roots_name_at(const struct roots *roots, const struct place *place)
{
	if (place->component == PLACE_INSIDE)
		return NULL;
	return roots->items[place->root].components[place->component].name;
}
