#include "parsers/source.h"

#include <stdlib.h>
#include <string.h>

#include "common/glob.h"
#include "common/xalloc.h"
#include "parsers/rule.h"

/* In one piece: there may be one for each of very many files. */
struct source {
	unsigned path_bytes;
	unsigned file_at; /* where the base name begins in the path */
	unsigned pattern_count;
	unsigned path_field_count;
	/* Behind them are the path fields (struct slice), the path, their texts. */
	const struct patterns_file *patterns[];
};

static bool wants(const struct patterns_file *file, const char *path)
{
	for (size_t i = 0; i < file->file_glob_count; i++)
		if (glob_match_path(file->files[i], path))
			return true;
	return file->file_glob_count == 0;
}

/* Returns how many want the path; `out` may be NULL. */
static size_t find_patterns(const struct patterns *patterns, const char *path,
			    const struct patterns_file **out)
{
	size_t found = 0;

	for (size_t i = 0; i < patterns_file_count(patterns); i++) {
		const struct patterns_file *file = patterns_file(patterns, i);

		if (!wants(file, path))
			continue;
		if (out)
			out[found] = file;
		found++;
	}
	return found;
}

static struct slice put(char **texts, struct slice text)
{
	struct slice copy = {*texts, text.len};

	memcpy(*texts, text.ptr, text.len);
	(*texts)[text.len] = '\0';
	*texts += text.len + 1;
	return copy;
}

static size_t text_bytes(struct slice path, const struct slice *path_fields,
			 size_t count)
{
	size_t bytes = path.len + 1;

	for (size_t i = 0; i < count; i++)
		bytes += path_fields[i].ptr ? path_fields[i].len + 1 : 0;
	return bytes;
}

static struct slice *path_fields_of(const struct source *source)
{
	return (struct slice *)(void *)&source->patterns[source->pattern_count];
}

static char *path_of(const struct source *source)
{
	return (char *)&path_fields_of(source)[source->path_field_count];
}

struct source *source_create(const struct patterns *patterns, const char *path,
			     const struct slice *path_fields, size_t count)
{
	size_t found = find_patterns(patterns, path, NULL);
	struct source *source =
		xcalloc(1, sizeof(*source) + found * sizeof(source->patterns[0]) +
				   count * sizeof(*path_fields) +
				   text_bytes(slice_of(path), path_fields, count));
	const char *base = strrchr(path, '/');
	char *texts;

	source->pattern_count = (unsigned)found;
	find_patterns(patterns, path, source->patterns);
	source->path_field_count = (unsigned)count;
	source->file_at = base ? (unsigned)(base + 1 - path) : 0;
	texts = path_of(source);
	source->path_bytes = (unsigned)put(&texts, slice_of(path)).len;
	for (size_t i = 0; i < count; i++)
		if (path_fields[i].ptr)
			path_fields_of(source)[i] = put(&texts, path_fields[i]);
	return source;
}

void source_destroy(struct source *source)
{
	free(source);
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
	return (struct slice){path_of(source), source->path_bytes};
}

struct slice source_file(const struct source *source)
{
	return (struct slice){path_of(source) + source->file_at,
			      source->path_bytes - source->file_at};
}

struct slice source_path_field(const struct source *source, size_t index)
{
	if (index >= source->path_field_count)
		return (struct slice){NULL, 0};
	return path_fields_of(source)[index];
}
