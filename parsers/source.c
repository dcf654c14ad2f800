#include "parsers/source.h"

#include <stdlib.h>
#include <string.h>

#include "common/glob.h"
#include "common/xalloc.h"
#include "parsers/rule.h"

/* In one piece: there may be one for each of very many files. */
struct source {
	struct slice path;
	struct slice file;
	size_t pattern_count;
	size_t path_field_count;
	struct slice *path_fields; /* behind the patterns, and then the texts */
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

struct source *source_create(const struct patterns *patterns, const char *path,
			     const struct slice *path_fields, size_t count)
{
	size_t found = find_patterns(patterns, path, NULL);
	struct source *source =
		xcalloc(1, sizeof(*source) + found * sizeof(source->patterns[0]) +
				   count * sizeof(*path_fields) +
				   text_bytes(slice_of(path), path_fields, count));
	char *texts;
	const char *base;

	source->pattern_count = find_patterns(patterns, path, source->patterns);
	source->path_fields = (struct slice *)&source->patterns[found];
	source->path_field_count = count;
	texts = (char *)&source->path_fields[count];
	source->path = put(&texts, slice_of(path));
	base = strrchr(source->path.ptr, '/');
	source->file = slice_of(base ? base + 1 : source->path.ptr);
	for (size_t i = 0; i < count; i++)
		if (path_fields[i].ptr)
			source->path_fields[i] = put(&texts, path_fields[i]);
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
