#include "parsers/field.h"

#include <stdlib.h>
#include <string.h>

#include "common/hashmap.h"
#include "common/suggest.h"
#include "common/xalloc.h"
#include "parsers/kubernetes.h"
#include "parsers/record.h"
#include "parsers/source.h"

#define MAX_GROUPS 64

static const struct {
	const char *name;
	enum field_builtin builtin;
} builtins[] = {
	{"_file", FIELD_FILE},
	{"_path", FIELD_PATH},
	{"_time", FIELD_TIME},
	{"_line", FIELD_LINE},
};
#define BUILTIN_COUNT (sizeof(builtins) / sizeof(builtins[0]))

static const struct {
	const char *name;
	enum field_container field;
} of_containers[] = {
	{"stream", FIELD_STREAM},
	{"namespace", FIELD_NAMESPACE},
	{"pod", FIELD_POD},
	{"container", FIELD_CONTAINER},
};
#define CONTAINER_COUNT (sizeof(of_containers) / sizeof(of_containers[0]))

bool field_is_plain_name(struct slice name)
{
	for (size_t i = 0; i < name.len; i++) {
		char c = name.ptr[i];

		if (!(c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
		      (c >= 'A' && c <= 'Z')))
			return false;
	}
	return name.len > 0;
}

static struct field_groups groups_named(struct arena *arena, const struct regex *regex,
					const char *name)
{
	unsigned numbers[MAX_GROUPS];
	struct field_groups groups = {NULL, 0};

	if (!regex)
		return groups;
	groups.count = regex_groups_named(regex, name, numbers, MAX_GROUPS);
	if (groups.count > MAX_GROUPS)
		groups.count = MAX_GROUPS;
	groups.numbers = arena_alloc(arena, groups.count * sizeof(unsigned));
	memcpy(groups.numbers, numbers, groups.count * sizeof(unsigned));
	return groups;
}

static bool resolve_captures(struct arena *arena, const struct field_scope *scope,
			     struct field *field)
{
	bool found = false;

	field->pattern_count = scope->pattern_count;
	field->in_pattern =
		arena_alloc(arena, scope->pattern_count * sizeof(*field->in_pattern));
	for (size_t i = 0; i < scope->pattern_count; i++) {
		field->in_pattern[i] =
			groups_named(arena, scope->patterns[i], field->name);
		found |= field->in_pattern[i].count > 0;
	}
	field->in_line = groups_named(arena, scope->line, field->name);
	return found || field->in_line.count > 0;
}

/* Where every alternative captures it, a record is not asked. */
static bool pattern_decides(const struct field *field)
{
	for (size_t i = 0; i < field->pattern_count; i++)
		if (field->in_pattern[i].count == 0)
			return false;
	return field->pattern_count > 0;
}

static bool resolve_in_format(const struct field_scope *scope, struct slice otherwise,
			      struct field *field)
{
	if (!scope->wanted || field->name[0] == '\0' || pattern_decides(field))
		return false;
	field->in_format = true;
	field->wanted =
		wanted_add_either(scope->wanted, slice_of(field->name), otherwise);
	return true;
}

struct field *field_resolve(struct arena *arena, const struct field_scope *scope,
			    struct slice name)
{
	return field_resolve_either(arena, scope, name, (struct slice){NULL, 0});
}

struct field *field_resolve_either(struct arena *arena, const struct field_scope *scope,
				   struct slice name, struct slice otherwise)
{
	struct field *field = arena_alloc(arena, sizeof(*field));
	bool found;

	field->name = arena_copy(arena, name);
	if (scope->used)
		hashmap_put(scope->used, name, field);
	field->path_field = -1;
	for (size_t i = 0; i < BUILTIN_COUNT; i++) {
		if (strcmp(builtins[i].name, field->name) == 0) {
			field->builtin = builtins[i].builtin;
			return field;
		}
	}
	found = resolve_captures(arena, scope, field);
	found |= resolve_in_format(scope, otherwise, field);
	for (size_t i = 0; i < CONTAINER_COUNT; i++)
		if (strcmp(of_containers[i].name, field->name) == 0)
			field->of_container = of_containers[i].field;
	found |= field->of_container != FIELD_NOT_OF_CONTAINER;
	for (size_t i = 0; i < scope->path_field_count; i++)
		if (strcmp(scope->path_fields[i], field->name) == 0)
			field->path_field = (int)i;
	return found || field->path_field >= 0 ? field : NULL;
}

static const char **add_names(const char **names, size_t *count,
			      const struct regex *regex)
{
	for (size_t i = 0; regex && i < regex_name_count(regex); i++) {
		names = xgrow(names, *count, sizeof(*names));
		names[(*count)++] = regex_name(regex, i);
	}
	return names;
}

const char *field_closest(const struct field_scope *scope, const char *name)
{
	const char **names = NULL;
	const char *closest;
	size_t count = 0;

	for (size_t i = 0; i < scope->pattern_count; i++)
		names = add_names(names, &count, scope->patterns[i]);
	names = add_names(names, &count, scope->line);
	for (size_t i = 0; i < scope->path_field_count; i++) {
		names = xgrow(names, count, sizeof(*names));
		names[count++] = scope->path_fields[i];
	}
	for (size_t i = 0; i < BUILTIN_COUNT; i++) {
		names = xgrow(names, count, sizeof(*names));
		names[count++] = builtins[i].name;
	}
	for (size_t i = 0; i < CONTAINER_COUNT; i++) {
		names = xgrow(names, count, sizeof(*names));
		names[count++] = of_containers[i].name;
	}
	closest = suggest_closest(name, names, count);
	free(names);
	return closest;
}

static struct slice builtin_text(enum field_builtin builtin, struct record *record)
{
	switch (builtin) {
	case FIELD_FILE:
		return source_file(record->source);
	case FIELD_PATH:
		return source_path(record->source);
	case FIELD_TIME:
		return record_time_text(record);
	default:
		return record->text;
	}
}

static struct slice container_text(enum field_container field, struct record *record)
{
	struct slice path = source_path(record->source);

	switch (field) {
	case FIELD_STREAM:
		return envelope_stream_name(record->stream);
	case FIELD_NAMESPACE:
		return kubernetes_part(path, KUBERNETES_NAMESPACE);
	case FIELD_POD:
		return kubernetes_part(path, KUBERNETES_POD);
	case FIELD_CONTAINER:
		return kubernetes_part(path, KUBERNETES_CONTAINER);
	default:
		return (struct slice){NULL, 0};
	}
}

static struct slice first_of(const struct field_groups *groups,
			     const struct regex_scratch *scratch)
{
	struct slice text = {NULL, 0};

	for (size_t i = 0; i < groups->count && !text.ptr; i++)
		text = regex_group(scratch, groups->numbers[i]);
	return text;
}

struct slice field_text(const struct field *field, struct record *record)
{
	struct slice text = {NULL, 0};

	if (field->builtin != FIELD_NOT_BUILTIN)
		return builtin_text(field->builtin, record);
	if (record->has_match && record->alternative < field->pattern_count &&
	    field->in_pattern[record->alternative].count > 0)
		return first_of(&field->in_pattern[record->alternative],
				record->pattern_scratch);
	if (field->in_line.count > 0 && record_match_line(record))
		return first_of(&field->in_line, record->line_scratch);
	if (field->in_format)
		text = record_field(record, field->wanted);
	if (text.ptr)
		return text;
	if (field->of_container != FIELD_NOT_OF_CONTAINER)
		text = container_text(field->of_container, record);
	if (text.ptr)
		return text;
	if (field->path_field >= 0)
		return source_path_field(record->source, (size_t)field->path_field);
	return (struct slice){NULL, 0};
}
