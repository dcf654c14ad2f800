#include "parsers/source.h"

#include <stdlib.h>
#include <string.h>

#include "common/glob.h"
#include "common/xalloc.h"
#include "parsers/assembly.h"
#include "parsers/kubernetes.h"
#include "parsers/rule.h"

/* In one piece: there may be one for each of very many files. */
struct source {
	struct assembly *assembly; /* NULL: none yet, or none is needed */
	unsigned path_bytes;
	unsigned file_at; /* where the base name begins in the path */
	unsigned pattern_count : 24;
	unsigned envelope : 7;
	bool joins : 1; /* a patterns file has `multiline` */
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
	for (size_t i = 0; i < found; i++)
		source->joins |= source->patterns[i]->multiline != NULL;
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
	if (!source)
		return;
	assembly_destroy(source->assembly);
	free(source);
}

void source_set_envelope(struct source *source, enum envelope envelope)
{
	source->envelope = envelope;
}

/* -- records -------------------------------------------------------------- */

static struct slice first_line(struct slice bytes)
{
	const char *newline = memchr(bytes.ptr, '\n', bytes.len);
	size_t len = newline ? (size_t)(newline - bytes.ptr) : bytes.len;

	len -= len > 0 && bytes.ptr[len - 1] == '\r';
	return (struct slice){bytes.ptr, len};
}

/* Of a container's log: the first line that is in one decides; ENVELOPE_NONE: none is.
 */
static enum envelope first_envelope(struct slice rest)
{
	enum envelope found = ENVELOPE_NONE;

	while (rest.len > 0 && found == ENVELOPE_NONE) {
		const char *newline = memchr(rest.ptr, '\n', rest.len);
		size_t len = newline ? (size_t)(newline - rest.ptr) + 1 : rest.len;

		found = envelope_of(first_line(rest));
		rest.ptr += len;
		rest.len -= len;
	}
	return found;
}

/* The first line of the file, as far as that is known. */
static struct slice first_line_of_file(const struct block *block)
{
	bool has_head = block->offset_bytes > 0 && block->head.len > 0;

	return first_line(has_head ? block->head : block->bytes);
}

/* Too little is known of a line of Docker's to tell what it is. */
static bool is_cut(struct slice line, const struct block *block)
{
	return line.ptr == block->head.ptr && line.len == block->head.len &&
	       envelope_may_be_docker(line);
}

/* What the lines of the block are to be in. */
static enum envelope find_envelope(struct source *source, const struct block *block)
{
	bool is_container = kubernetes_is_container_log(source_path(source));
	struct slice line = first_line_of_file(block);
	bool others_tell = is_container || is_cut(line, block);
	enum envelope found =
		others_tell ? first_envelope(block->bytes) : envelope_of(line);

	if (found != ENVELOPE_NONE || !others_tell) {
		source->envelope = found;
		return found;
	}
	/* Not known yet; but a container's should be in some. */
	if (!is_container)
		return ENVELOPE_NONE;
	return block->bytes.len > 0 && block->bytes.ptr[0] == '{' ? ENVELOPE_DOCKER
								  : ENVELOPE_CRI;
}

struct assembly *source_make_assembly(struct source *source)
{
	if (!source->assembly)
		source->assembly =
			assembly_create(source->patterns, source->pattern_count);
	return source->assembly;
}

struct assembly *source_present_assembly(const struct source *source)
{
	return source->assembly;
}

struct assembly *source_assembly(struct source *source, const struct block *block)
{
	enum envelope envelope = (enum envelope)source->envelope;

	if (envelope == ENVELOPE_AUTO)
		envelope = find_envelope(source, block);
	if (envelope == ENVELOPE_NONE && !source->joins)
		return source->assembly;
	assembly_set_envelope(source_make_assembly(source), envelope);
	return source->assembly;
}

int64_t source_deadline_ns(const struct source *source)
{
	return source->assembly ? assembly_deadline_ns(source->assembly) : INT64_MAX;
}

bool source_open_has_changed(struct source *source)
{
	return source->assembly && assembly_has_changed(source->assembly);
}

void source_each_open(const struct source *source,
		      void (*visit)(void *ctx, const struct open_record *open),
		      void *ctx)
{
	if (source->assembly)
		assembly_each_open(source->assembly, visit, ctx);
}

/* -- what is known of it -------------------------------------------------- */

size_t source_patterns_count(const struct source *source)
{
	return source->pattern_count;
}

const struct patterns_file *source_patterns(const struct source *source, size_t index)
{
	return source->patterns[index];
}

const struct patterns_file *const *source_all_patterns(const struct source *source)
{
	return source->patterns;
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
