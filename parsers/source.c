#include "parsers/source.h"

#include "common/arena.h"
#include "common/glob.h"
#include "common/xalloc.h"
#include "parsers/rule.h"

struct source {
	struct arena *arena;
	struct slice path;
	struct slice file;
	const struct patterns_file **patterns;
	size_t pattern_count;
	struct slice *path_fields;
	size_t path_field_count;
};

static bool wants(const struct patterns_file *file, const char *path)
{
	for (size_t i = 0; i < file->file_glob_count; i++)
		if (glob_match_path(file->files[i], path))
			return true;
	return file->file_glob_count == 0;
}

static void find_patterns(struct source *source, const struct patterns *patterns)
{
	size_t count = patterns_file_count(patterns);

	source->patterns =
		arena_alloc(source->arena, count * sizeof(*source->patterns));
	for (size_t i = 0; i < count; i++) {
		const struct patterns_file *file = patterns_file(patterns, i);

		if (wants(file, source->path.ptr))
			source->patterns[source->pattern_count++] = file;
	}
}

struct source *source_create(const struct patterns *patterns, const char *path,
			     const struct slice *path_fields, size_t count)
{
	struct arena *arena = arena_create();
	struct source *source = arena_alloc(arena, sizeof(*source));
	const char *base;

	source->arena = arena;
	source->path = slice_of(arena_strdup(arena, path));
	base = strrchr(source->path.ptr, '/');
	source->file = slice_of(base ? base + 1 : source->path.ptr);
	source->path_fields = arena_alloc(arena, count * sizeof(*source->path_fields));
	source->path_field_count = count;
	for (size_t i = 0; i < count; i++)
		if (path_fields[i].ptr)
			source->path_fields[i] = (struct slice){
				arena_copy(arena, path_fields[i]), path_fields[i].len};
	find_patterns(source, patterns);
	return source;
}

void source_destroy(struct source *source)
{
	if (source)
		arena_destroy(source->arena);
}

size_t source_patterns_count(const struct source *source)
{
	return source->pattern_count;
}

const struct patterns_file *source_patterns(const struct source *source, size_t index)
{
	return source->patterns[index];
}

struct slice source_path(const struct source *source)
{
	return source->path;
}

struct slice source_file(const struct source *source)
{
	return source->file;
}

struct slice source_path_field(const struct source *source, size_t index)
{
	if (index >= source->path_field_count)
		return (struct slice){NULL, 0};
	return source->path_fields[index];
}
