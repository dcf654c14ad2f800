#include "parsers/patterns.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "common/hashmap.h"
#include "common/log.h"
#include "common/xalloc.h"
#include "parsers/lint.h"
#include "parsers/loader.h"

struct patterns {
	struct arena *arena;
	struct patterns_file *files;
	size_t file_count;
	const struct metric_def **metrics;
	size_t metric_count;
	const struct rule_info **rules;
	size_t rule_count;
	const char **path_fields;
	size_t path_field_count;
	struct regex **regexes;
	size_t regex_count;
	struct zone **zones;
	struct timestamp_layout **layouts; /* one a file, or NULL */
	struct scanner *scanner;           /* NULL: rules are tried one by one */
	char *hash_key;                    /* NULL: no label is hashed */
	size_t hash_key_bytes;
};

/* -- which files ---------------------------------------------------------- */

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

/* All paths' files, each once, by path. */
static const char **list_all(struct loader *l, size_t *count)
{
	const char **all = NULL;
	size_t unique = 0;

	*count = 0;
	for (size_t i = 0; i < l->options->path_count; i++) {
		const char *path = l->options->paths[i];
		const char *const *files;
		struct error err;
		size_t n;

		if (!patterns_list(path, l->arena, &files, &n, &err))
			diag_error(l->diag, (struct position){.file = path}, NULL, "%s",
				   err.text);
		else if (n == 0)
			diag_warning(
				l->diag, (struct position){.file = path},
				"files are taken that end in .yml or .yaml and lie "
				"in the directory itself",
				"the directory holds no patterns file");
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

/* -- what all parts use --------------------------------------------------- */

struct regex *load_regex(struct loader *l, const struct yaml_node *node,
			 const char *what)
{
	struct strbuf expanded = STRBUF_INIT;
	struct regex *regex = NULL;
	struct slice text;

	if (yaml_expect(node, YAML_SCALAR, what, l->diag) &&
	    yaml_pattern_text(node, what, &text, l->diag) &&
	    grok_expand(text, node->at, l->definitions, l->definition_count, &expanded,
			l->diag))
		regex = regex_compile(strbuf_slice(&expanded), node->at, l->diag);
	strbuf_finish(&expanded);
	if (regex) {
		regex_set_written(regex, text, node->at);
		l->regexes = xgrow(l->regexes, l->regex_count, sizeof(*l->regexes));
		l->regexes[l->regex_count++] = regex;
		if (l->options->lint)
			lint_regex(l, regex);
	}
	return regex;
}

struct yaml_node *const *load_scalars(struct loader *l, struct yaml_node *const *node,
				      const char *what, size_t *count)
{
	*count = 0;
	if ((*node)->kind == YAML_SCALAR) {
		*count = 1;
		return node;
	}
	if ((*node)->kind == YAML_MAPPING) {
		diag_error(l->diag, (*node)->at, "write a text, or a list of texts",
			   "%s must be a text or a list, not a mapping", what);
		return NULL;
	}
	for (size_t i = 0; i < (*node)->count; i++)
		if (!yaml_expect((*node)->items[i], YAML_SCALAR, what, l->diag))
			return NULL;
	*count = (*node)->count;
	return (*node)->items;
}

struct slice load_field_name(const struct yaml_node *node)
{
	struct slice name = node->text;

	if (name.len > 0 && name.ptr[0] == '$')
		name = (struct slice){name.ptr + 1, name.len - 1};
	if (name.len >= 2 && name.len < node->text.len && name.ptr[0] == '{' &&
	    name.ptr[name.len - 1] == '}')
		name = (struct slice){name.ptr + 1, name.len - 2};
	return name;
}

struct field *load_field(struct loader *l, const struct field_scope *scope,
			 const struct yaml_node *node, const char *what)
{
	struct slice name;
	struct field *field;
	const char *closest;
	char *instead;

	if (!yaml_expect(node, YAML_SCALAR, what, l->diag))
		return NULL;
	name = load_field_name(node);
	field = field_resolve(l->arena, scope, name);
	if (field || scope->unsure)
		return field;
	closest = field_closest(scope, node->text.ptr);
	instead =
		closest ? xasprintf("did you mean %s?", closest)
			: xasprintf("name a capture of %s`line` or of path_pattern, or "
				    "_file, _path, _time, _line",
				    scope->in_rule ? "the rule's pattern, of " : "");
	diag_error(l->diag, node->at, instead, "%s: nothing supplies the field %.*s",
		   what, SLICE_ARG(name));
	free(instead);
	return NULL;
}

/* -- one file ------------------------------------------------------------- */

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
		   "format %.*s is not known", SLICE_ARG(node->text));
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

static const char *text_of(struct loader *l, const struct yaml_node *mapping,
			   const char *key)
{
	const struct yaml_node *node = yaml_get(mapping, key);

	if (!node || !yaml_expect(node, YAML_SCALAR, key, l->diag))
		return NULL;
	return node->text.ptr;
}

static void load_timestamp(struct loader *l, const struct yaml_node *root,
			   struct patterns *set, size_t index)
{
	const struct yaml_node *node = yaml_get(root, "timestamp");
	const struct yaml_node *zone_node;
	const char *zone;
	struct error err;

	l->time_from = NULL;
	l->line_time = NULL;
	if (!node || !yaml_expect(node, YAML_MAPPING, "timestamp", l->diag))
		return;
	yaml_check_keys(node, "timestamp", KEYS(timestamp_keys), l->diag);
	l->time_from = yaml_get(node, "from");
	if (!l->time_from)
		diag_error(l->diag, node->at, "add from: and the capture with the time",
			   "timestamp does not say where the time comes from");
	zone = text_of(l, node, "zone");
	if (!zone)
		zone = l->options->default_zone ? l->options->default_zone : "local";
	zone_node = yaml_get(node, "zone");
	set->zones[index] = zone_load(zone, &err);
	if (!set->zones[index]) {
		diag_error(l->diag, zone_node ? zone_node->at : node->at, NULL, "%s",
			   err.text);
		return;
	}
	set->layouts[index] =
		timestamp_compile(text_of(l, node, "layout"), set->zones[index], &err);
	if (!set->layouts[index])
		diag_error(l->diag,
			   yaml_get(node, "layout") ? yaml_get(node, "layout")->at
						    : node->at,
			   NULL, "%s", err.text);
	l->file->layout = set->layouts[index];
}

/* The file's name without directory and extension, or its path if taken. */
static const char *label_name(struct patterns *set, struct arena *arena,
			      const char *path)
{
	const char *base = strrchr(path, '/');
	char *name = arena_strdup(arena, base ? base + 1 : path);
	char *dot = strrchr(name, '.');

	if (dot && dot != name)
		*dot = '\0';
	for (size_t i = 0; i < set->file_count; i++)
		if (strcmp(set->files[i].name, name) == 0)
			return arena_strdup(arena, path);
	return name;
}

static void load_file(struct loader *l, struct patterns *set, const char *path)
{
	size_t index = set->file_count, errors_before = diag_errors(l->diag);
	struct yaml_node *root = yaml_load(path, l->arena, l->diag);

	l->file = &set->files[index];
	l->file->path = path;
	l->file->name = label_name(set, l->arena, path);
	set->file_count++;
	if (!root || !yaml_expect(root, YAML_MAPPING, "a patterns file", l->diag))
		return;
	yaml_check_keys(root, "a patterns file", KEYS(file_keys), l->diag);
	load_files(l, root);
	load_format(l, root);
	load_definitions(l, root);
	load_line(l, root);
	load_multiline(l, yaml_get(root, "multiline"));
	load_timestamp(l, root, set, index);
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

/* -- the set -------------------------------------------------------------- */

static void number_rules(struct patterns *set)
{
	for (size_t i = 0; i < set->file_count; i++)
		set->rule_count += set->files[i].rule_count;
	set->rules = arena_alloc(set->arena, set->rule_count * sizeof(*set->rules));
	set->rule_count = 0;
	for (size_t i = 0; i < set->file_count; i++) {
		for (size_t j = 0; j < set->files[i].rule_count; j++) {
			struct rule *rule = &set->files[i].rules[j];

			rule->index = set->rule_count;
			rule->info.patterns = set->files[i].name;
			set->rules[set->rule_count++] = &rule->info;
		}
	}
}

static void keep(struct patterns *set, struct loader *l)
{
	set->regexes = l->regexes;
	set->regex_count = l->regex_count;
	set->path_fields = l->path_fields;
	set->path_field_count = l->path_field_count;
	set->metric_count = l->metric_count;
	set->metrics = arena_alloc(set->arena, l->metric_count * sizeof(*set->metrics));
	for (size_t i = 0; i < l->metric_count; i++)
		set->metrics[i] = &l->metrics[i]->def;
	free(l->metrics);
	hashmap_destroy(l->metric_names);
	if (l->hash_key_id) {
		set->hash_key = arena_copy(set->arena, l->options->hash_key);
		set->hash_key_bytes = l->options->hash_key.len;
	}
}

/* Here, so that no worker has to wait for it at a reload. */
static void make_scanner(struct patterns *set)
{
	struct error err;

	set->scanner = finding_scanner(set->files, set->file_count, set->arena, &err);
	if (!set->scanner)
		log_warn("lines cannot be searched for the texts of all rules at once: "
			 "each rule is tried on each line",
			 LOG_TEXT("reason", err.text));
}

static void copy_path_fields(struct loader *l)
{
	for (size_t i = 0; i < l->options->path_field_count; i++) {
		l->path_fields =
			xgrow(l->path_fields, l->path_field_count, sizeof(char *));
		l->path_fields[l->path_field_count++] =
			arena_strdup(l->arena, l->options->path_fields[i]);
	}
}

/* Only of a set without errors: in others not everything is where it belongs. */
static void lint_all(struct loader *l, const struct patterns *set)
{
	for (size_t i = 0; i < set->file_count; i++)
		lint_labels(l, &set->files[i]);
	for (size_t i = 0; i < l->metric_count; i++)
		lint_metric(l, l->metrics[i]);
}

struct patterns *patterns_load(const struct patterns_options *options,
			       struct diag *diag)
{
	struct patterns *set = xcalloc(1, sizeof(*set));
	size_t errors_before = diag_errors(diag);
	struct loader l = {.diag = diag, .options = options};
	const char **paths;
	size_t count;

	set->arena = l.arena = arena_create();
	l.metric_names = hashmap_create_borrowing();
	copy_path_fields(&l);
	paths = list_all(&l, &count);
	set->files = arena_alloc(set->arena, count * sizeof(*set->files));
	set->zones = arena_alloc(set->arena, count * sizeof(*set->zones));
	set->layouts = arena_alloc(set->arena, count * sizeof(*set->layouts));
	for (size_t i = 0; i < count; i++)
		load_file(&l, set, paths[i]);
	free(paths);
	load_check_metric_names(&l);
	if (options->lint && diag_errors(diag) == errors_before)
		lint_all(&l, set);
	load_base_limits(&l);
	keep(set, &l);
	number_rules(set);
	if (diag_errors(diag) == errors_before) {
		make_scanner(set);
		return set;
	}
	patterns_destroy(set);
	return NULL;
}

void patterns_destroy(struct patterns *set)
{
	if (!set)
		return;
	for (size_t i = 0; i < set->regex_count; i++)
		regex_destroy(set->regexes[i]);
	free(set->regexes);
	free(set->path_fields);
	for (size_t i = 0; i < set->file_count; i++) {
		timestamp_destroy(set->layouts[i]);
		zone_destroy(set->zones[i]);
		rules_finish(set->files[i].rules, set->files[i].rule_count);
	}
	scanner_destroy(set->scanner);
	if (set->hash_key)
		explicit_bzero(set->hash_key, set->hash_key_bytes);
	arena_destroy(set->arena);
	free(set);
}

struct slice patterns_hash_key(const struct patterns *set)
{
	return (struct slice){set->hash_key, set->hash_key_bytes};
}

size_t patterns_file_count(const struct patterns *set)
{
	return set->file_count;
}

const struct patterns_file *patterns_file(const struct patterns *set, size_t index)
{
	return &set->files[index];
}

const struct scanner *patterns_scanner(const struct patterns *set)
{
	return set->scanner;
}

const struct metric_def *const *patterns_metrics(const struct patterns *set,
						 size_t *count)
{
	*count = set->metric_count;
	return set->metrics;
}

const char *const *patterns_path_fields(const struct patterns *set, size_t *count)
{
	*count = set->path_field_count;
	return set->path_fields;
}

size_t patterns_rule_count(const struct patterns *set)
{
	return set->rule_count;
}

const struct rule_info *patterns_rule(const struct patterns *set, size_t index)
{
	return set->rules[index];
}
