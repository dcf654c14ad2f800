#include "common/xalloc.h"
#include "daemon/config_loader.h"

static const char *const start_places[] = {"beginning", "end"};

static const char *const log_keys[] = {"path",         "include",   "exclude",
				       "path_pattern", "envelope",  "start_at",
				       "poll",         "rotated_to"};

struct discovery_root *config_add_root(struct config_loader *l, const char *path)
{
	struct config *c = l->config;

	c->roots = xgrow(c->roots, c->root_count, sizeof(*c->roots));
	c->path_patterns =
		xgrow(c->path_patterns, c->root_count, sizeof(struct regex *));
	c->path_patterns[c->root_count] = NULL;
	c->envelopes = xgrow(c->envelopes, c->root_count, sizeof(*c->envelopes));
	c->envelopes[c->root_count] = ENVELOPE_AUTO;
	c->roots[c->root_count] = (struct discovery_root){.path = path};
	return &c->roots[c->root_count++];
}

static const char *const *load_globs(struct config_loader *l,
				     const struct yaml_node *entry, const char *key,
				     size_t *count)
{
	const struct yaml_node *node = yaml_get(entry, key);
	const char **globs;

	*count = 0;
	if (!node || !yaml_expect(node, YAML_SEQUENCE, key, l->diag))
		return NULL;
	globs = arena_alloc(l->config->arena, node->count * sizeof(*globs));
	for (size_t i = 0; i < node->count; i++) {
		struct slice text;

		if (yaml_expect(node->items[i], YAML_SCALAR, key, l->diag) &&
		    yaml_pattern_text(node->items[i], key, &text, l->diag))
			globs[(*count)++] = arena_copy(l->config->arena, text);
	}
	return globs;
}

/* Relative ones are relative to the directory of each file: they stay as they are. */
static void load_rotated_to(struct config_loader *l, const struct yaml_node *entry,
			    struct discovery_root *root)
{
	const struct yaml_node *node = yaml_get(entry, "rotated_to");
	const char **directories;

	if (!node || !yaml_expect(node, YAML_SEQUENCE, "rotated_to", l->diag))
		return;
	directories = arena_alloc(l->config->arena, node->count * sizeof(*directories));
	for (size_t i = 0; i < node->count; i++) {
		const struct yaml_node *item = node->items[i];

		if (!yaml_expect(item, YAML_SCALAR, "rotated_to", l->diag))
			continue;
		if (item->text.len == 0)
			diag_error(l->diag, item->at, "write a directory",
				   "rotated_to: \"\" is no directory");
		directories[root->rotated_to_count++] = item->text.ptr;
	}
	root->rotated_to = directories;
}

static void add_path_field(struct config *c, const char *name)
{
	for (size_t i = 0; i < c->path_field_count; i++)
		if (strcmp(c->path_fields[i], name) == 0)
			return;
	c->path_fields = xgrow(c->path_fields, c->path_field_count, sizeof(char *));
	c->path_fields[c->path_field_count++] = name;
}

static void load_path_pattern(struct config_loader *l, const struct yaml_node *entry)
{
	const struct yaml_node *node = yaml_get(entry, "path_pattern");
	struct config *c = l->config;
	struct regex *regex;
	struct slice text;

	if (!node || !yaml_expect(node, YAML_SCALAR, "path_pattern", l->diag) ||
	    !yaml_pattern_text(node, "path_pattern", &text, l->diag))
		return;
	regex = regex_compile(text, node->at, l->diag);
	c->path_patterns[c->root_count - 1] = regex;
	for (size_t i = 0; regex && i < regex_name_count(regex); i++)
		add_path_field(c, regex_name(regex, i));
}

static void load_log(struct config_loader *l, const struct yaml_node *entry)
{
	const struct yaml_node *path = yaml_get(entry, "path");
	struct discovery_root *root;
	int choice;

	yaml_check_keys(entry, "an entry of logs", KEYS(log_keys), l->diag);
	if (!path) {
		diag_error(l->diag, entry->at,
			   "add path: and a directory, file or glob",
			   "an entry of logs has no path");
		return;
	}
	if (!yaml_expect(path, YAML_SCALAR, "path", l->diag))
		return;
	root = config_add_root(l, config_path(l, l->directory, path->text.ptr));
	root->include = load_globs(l, entry, "include", &root->include_count);
	root->exclude = load_globs(l, entry, "exclude", &root->exclude_count);
	load_rotated_to(l, entry, root);
	root->poll = config_load_flag(l, entry, "poll");
	if (config_load_choice(l, entry, "start_at", KEYS(start_places), &choice))
		root->start_at_end = choice == 1;
	load_path_pattern(l, entry);
	if (config_load_choice(l, entry, "envelope", envelope_names, ENVELOPES,
			       &choice))
		l->config->envelopes[l->config->root_count - 1] = (enum envelope)choice;
}

void config_load_logs(struct config_loader *l, const struct yaml_node *root)
{
	const struct yaml_node *logs = yaml_get(root, "logs");

	if (!logs || !yaml_expect(logs, YAML_SEQUENCE, "logs", l->diag))
		return;
	for (size_t i = 0; i < logs->count; i++) {
		const struct yaml_node *entry = logs->items[i];

		if (entry->kind == YAML_SCALAR)
			config_add_root(l,
					config_path(l, l->directory, entry->text.ptr));
		else if (yaml_expect(entry, YAML_MAPPING, "an entry of logs", l->diag))
			load_log(l, entry);
	}
}
