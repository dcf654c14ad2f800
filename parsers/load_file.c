#include "parsers/loader.h"

static const char *const file_keys[] = {"files", "format",    "multiline",
					"line",  "timestamp", "definitions",
					"rules", "tests"};
static const char *const timestamp_keys[] = {"from", "layout", "zone"};

#define KEYS(array) array, sizeof(array) / sizeof((array)[0])

static void load_files(struct loader *l, const struct yaml_node *root)
{
	struct yaml_node *node = yaml_get(root, "files");
	struct yaml_node *const *globs;
	size_t count;

	if (!node)
		return;
	globs = load_scalars(l, &node, "files", &count);
	if (node->kind == YAML_SEQUENCE && node->count == 0)
		diag_error(l->diag, node->at,
			   "leave the key out to want all followed files",
			   "files is an empty list");
	l->file->files = arena_alloc(l->arena, count * sizeof(*l->file->files));
	for (size_t i = 0; i < count; i++) {
		struct slice text;

		if (yaml_pattern_text(globs[i], "files", &text, l->diag))
			l->file->files[l->file->file_glob_count++] =
				arena_copy(l->arena, text);
	}
}

static void load_format(struct loader *l, const struct yaml_node *root)
{
	const struct yaml_node *node = yaml_get(root, "format");

	if (!node || !yaml_expect(node, YAML_SCALAR, "format", l->diag))
		return;
	for (int i = 0; i < FORMATS; i++) {
		if (slice_is(node->text, format_name((enum format)i))) {
			l->file->format = (enum format)i;
			return;
		}
	}
	diag_error(l->diag, node->at, "write plain, json or logfmt",
		   "format %.*s is not known", SLICE_SHOWN(node->text));
}

static void load_line(struct loader *l, const struct yaml_node *root)
{
	const struct yaml_node *line = yaml_get(root, "line");

	if (!line)
		return;
	l->file->line = load_regex(l, line, "line");
	if (l->file->format != FORMAT_PLAIN)
		diag_error(l->diag, line->at,
			   "leave the key out: the fields have names already",
			   "line is for format: plain, not %s",
			   format_name(l->file->format));
}

static void load_definitions(struct loader *l, const struct yaml_node *root)
{
	const struct yaml_node *node = yaml_get(root, "definitions");

	l->definitions = NULL;
	l->definition_count = 0;
	if (!node || !yaml_expect(node, YAML_MAPPING, "definitions", l->diag))
		return;
	l->definitions = arena_alloc(l->arena, node->count * sizeof(*l->definitions));
	for (size_t i = 0; i < node->count; i++) {
		struct grok_definition *d = &l->definitions[l->definition_count];

		if (!yaml_expect(node->items[i], YAML_SCALAR, "a definition",
				 l->diag) ||
		    !yaml_pattern_text(node->items[i], "a definition", &d->pattern,
				       l->diag))
			continue;
		d->name = node->keys[i]->text.ptr;
		d->at = node->items[i]->at;
		l->definition_count++;
	}
	l->file->definitions = l->definitions;
	l->file->definition_count = l->definition_count;
}

static struct position place_of(const struct yaml_node *mapping, const char *key)
{
	const struct yaml_node *node = yaml_get(mapping, key);

	return node ? node->at : mapping->at;
}

static const char *text_of(struct loader *l, const struct yaml_node *mapping,
			   const char *key)
{
	const struct yaml_node *node = yaml_get(mapping, key);

	if (!node || !yaml_expect(node, YAML_SCALAR, key, l->diag))
		return NULL;
	return node->text.ptr;
}

static struct zone *load_zone(struct loader *l, const struct yaml_node *timestamp)
{
	const char *name = text_of(l, timestamp, "zone");
	struct zone *zone;
	struct error err;

	if (!name)
		name = l->options->default_zone ? l->options->default_zone : "local";
	zone = zone_load(name, &err);
	if (!zone)
		diag_error(l->diag, place_of(timestamp, "zone"), NULL, "%s", err.text);
	return zone;
}

/* Of a file with errors the zone may be lacking: nothing is read by the layout then. */
static void load_timestamp(struct loader *l, const struct yaml_node *root)
{
	const struct yaml_node *node = yaml_get(root, "timestamp");
	struct error err;

	l->time_from = NULL;
	l->line_time = NULL;
	if (!node || !yaml_expect(node, YAML_MAPPING, "timestamp", l->diag))
		return;
	yaml_check_keys(node, "timestamp", KEYS(timestamp_keys), l->diag);
	l->time_from = yaml_get(node, "from");
	if (!l->time_from && !yaml_has_unknown_key(node, KEYS(timestamp_keys)))
		diag_error(l->diag, node->at, "add from: and the capture with the time",
			   "timestamp does not say where the time comes from");
	l->file->zone = load_zone(l, node);
	l->file->layout =
		timestamp_compile(text_of(l, node, "layout"), l->file->zone, &err);
	if (!l->file->layout)
		diag_error(l->diag, place_of(node, "layout"), NULL, "%s", err.text);
}

void load_file(struct loader *l)
{
	size_t errors_before = diag_errors(l->diag);
	struct yaml_node *root = yaml_load(l->file->path, l->arena, l->diag);

	if (!root || !yaml_expect(root, YAML_MAPPING, "a patterns file", l->diag))
		return;
	yaml_check_keys(root, "a patterns file", KEYS(file_keys), l->diag);
	load_files(l, root);
	load_format(l, root);
	load_definitions(l, root);
	load_line(l, root);
	load_multiline(l, yaml_get(root, "multiline"));
	load_timestamp(l, root);
	if (l->options->tests_supply_fields)
		load_test_fields(l, yaml_get(root, "tests"));
	if (l->file->format != FORMAT_PLAIN)
		l->file->wanted =
			wanted_create(l->arena, format_is_nested(l->file->format));
	l->file_scope =
		(struct field_scope){.line = l->file->line,
				     .unsure = yaml_get(root, "line") && !l->file->line,
				     .wanted = l->file->wanted,
				     .path_fields = l->path_fields,
				     .path_field_count = l->path_field_count};
	if (!yaml_get(root, "rules") && !yaml_has_unknown_key(root, KEYS(file_keys)))
		diag_error(l->diag, root->at, "add rules: and a list of rules",
			   "the file has no rules");
	load_rules(l, yaml_get(root, "rules"));
	if (l->file->wanted)
		wanted_finish(l->file->wanted);
	load_tests(l, yaml_get(root, "tests"), diag_errors(l->diag) == errors_before);
}
