#include "parsers/patterns.h"

#include <stdlib.h>

#include "common/hashmap.h"
#include "common/log.h"
#include "common/xalloc.h"
#include "parsers/lint.h"
#include "parsers/loader.h"
#include "parsers/patterns_list.h"

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
	struct scanner *scanner; /* NULL: rules are tried one by one */
	char *hash_key;          /* NULL: no label is hashed */
	size_t hash_key_bytes;
};

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
		   what, SLICE_SHOWN(name));
	free(instead);
	return NULL;
}

/* -- the set -------------------------------------------------------------- */

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

static void add_file(struct loader *l, struct patterns *set, const char *path)
{
	l->file = &set->files[set->file_count];
	l->file->path = path;
	l->file->name = label_name(set, l->arena, path);
	set->file_count++;
	load_file(l);
}

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
	paths = patterns_list_all(options->paths, options->path_count, set->arena, diag,
				  &count);
	set->files = arena_alloc(set->arena, count * sizeof(*set->files));
	for (size_t i = 0; i < count; i++)
		add_file(&l, set, paths[i]);
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
		timestamp_destroy(set->files[i].layout);
		zone_destroy(set->files[i].zone);
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
