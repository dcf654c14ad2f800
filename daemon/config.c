#include "daemon/config_loader.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/name.h"
#include "common/xalloc.h"
#include "daemon/key_file.h"
#include "exporter/address.h"
#include "parsers/value.h"

#define AT(field) offsetof(struct config_limits, field)

static const struct {
	const char *name;
	size_t offset;
	bool bytes;
	double least;
} limits[] = {
	{"line_bytes", AT(line_bytes), true, 1024},
	{"label_value_bytes", AT(label_value_bytes), true, 16},
	{"series_per_metric", AT(series_per_metric), false, 1},
	{"series", AT(series), false, 1},
	{"match_steps", AT(match_steps), false, 100},
	{"open_files", AT(open_files), false, 8},
};
#define LIMIT_COUNT (sizeof(limits) / sizeof(limits[0]))

static const struct config_limits default_limits = {
	.line_bytes = 1024 * 1024,
	.label_value_bytes = 1024,
	.series_per_metric = 10000,
	.series = 1000000,
	.match_steps = 1000000,
	.open_files = 65536,
};

static const char *const log_levels[] = {"debug", "info", "warn", "error"};
static const char *const log_formats[] = {"logfmt", "json"};
static const char *const sync_kinds[] = {"normal", "full"};

/* Where a flag stands, for messages. */
static struct position of_flag(const char *flag)
{
	return (struct position){.file = flag};
}

int config_choose(struct config_loader *l, const char *text, struct position at,
		  const char *what, const char *const *words, size_t count)
{
	struct strbuf instead = STRBUF_INIT;

	for (size_t i = 0; i < count; i++)
		if (strcmp(words[i], text) == 0)
			return (int)i;
	strbuf_puts(&instead, "write ");
	for (size_t i = 0; i < count; i++)
		strbuf_addf(&instead, "%s%s",
			    i == 0           ? ""
			    : i + 1 == count ? " or "
					     : ", ",
			    words[i]);
	/* A flag is named already: there its place is its name. */
	diag_error(l->diag, at, instead.ptr, "%s%s\"%s\" is not known",
		   at.line > 0 ? what : "", at.line > 0 ? ": " : "", text);
	strbuf_finish(&instead);
	return -1;
}

bool config_load_choice(struct config_loader *l, const struct yaml_node *mapping,
			const char *key, const char *const *words, size_t count,
			int *index)
{
	const struct yaml_node *node = yaml_get(mapping, key);
	int chosen;

	if (!node || !yaml_expect(node, YAML_SCALAR, key, l->diag))
		return false;
	chosen = config_choose(l, node->text.ptr, node->at, key, words, count);
	if (chosen >= 0)
		*index = chosen;
	return chosen >= 0;
}

bool config_load_flag(struct config_loader *l, const struct yaml_node *mapping,
		      const char *key)
{
	static const char *const words[] = {"false", "true"};
	int choice = 0;

	config_load_choice(l, mapping, key, KEYS(words), &choice);
	return choice == 1;
}

const char *config_path(struct config_loader *l, const char *directory,
			const char *path)
{
	char *joined, *cwd;

	if (*path == '/')
		return arena_strdup(l->config->arena, path);
	while (path[0] == '.' && path[1] == '/')
		path += 2;
	if (strcmp(path, ".") == 0)
		path = "";
	cwd = getcwd(NULL, 0);
	if (!directory || *directory == '\0')
		joined = xasprintf("%s/%s", cwd ? cwd : "", path);
	else if (*directory == '/')
		joined = xasprintf("%s/%s", directory, path);
	else
		joined = xasprintf("%s/%s/%s", cwd ? cwd : "", directory, path);
	free(cwd);
	path = arena_strdup(l->config->arena, joined);
	free(joined);
	return path;
}

/* -- the other keys ------------------------------------------------------- */

static void add_patterns(struct config_loader *l, const char *path)
{
	struct config *c = l->config;

	c->patterns = xgrow(c->patterns, c->pattern_count, sizeof(*c->patterns));
	c->patterns[c->pattern_count++] = path;
}

static void load_patterns(struct config_loader *l, const struct yaml_node *root)
{
	const struct yaml_node *node = yaml_get(root, "patterns");

	if (!node || !yaml_expect(node, YAML_SEQUENCE, "patterns", l->diag))
		return;
	for (size_t i = 0; i < node->count; i++)
		if (yaml_expect(node->items[i], YAML_SCALAR, "patterns", l->diag))
			add_patterns(l, config_path(l, l->directory,
						    node->items[i]->text.ptr));
}

static void load_labels(struct config_loader *l, const struct yaml_node *root)
{
	const struct yaml_node *node = yaml_get(root, "labels");
	struct config *c = l->config;

	if (!node || !yaml_expect(node, YAML_MAPPING, "labels", l->diag))
		return;
	c->labels = arena_alloc(c->arena, node->count * sizeof(*c->labels));
	for (size_t i = 0; i < node->count; i++) {
		if (!yaml_expect(node->items[i], YAML_SCALAR, "a label", l->diag))
			continue;
		if (!name_is_label(node->keys[i]->text) ||
		    name_is_reserved_label(node->keys[i]->text))
			diag_error(l->diag, node->keys[i]->at,
				   "use letters, digits and _, not a digit or __ first",
				   "%.*s cannot be a label's name",
				   SLICE_SHOWN(node->keys[i]->text));
		c->labels[c->label_count++] = (struct const_label){
			node->keys[i]->text.ptr, node->items[i]->text.ptr};
	}
}

static void load_limits(struct config_loader *l, const struct yaml_node *root)
{
	const struct yaml_node *node = yaml_get(root, "limits");
	const char *names[LIMIT_COUNT];

	if (!node || !yaml_expect(node, YAML_MAPPING, "limits", l->diag))
		return;
	for (size_t i = 0; i < LIMIT_COUNT; i++)
		names[i] = limits[i].name;
	yaml_check_keys(node, "limits", names, LIMIT_COUNT, l->diag);
	for (size_t i = 0; i < LIMIT_COUNT; i++) {
		const struct yaml_node *item = yaml_get(node, limits[i].name);
		double value;

		if (!item || !yaml_expect(item, YAML_SCALAR, limits[i].name, l->diag))
			continue;
		if (value_parse(limits[i].bytes ? VALUE_BYTES : VALUE_NUMBER,
				item->text, &value) &&
		    value >= limits[i].least && value <= 4294967295.0 &&
		    value == floor(value))
			*(size_t *)(void *)((char *)&l->config->limits +
					    limits[i].offset) = (size_t)value;
		else
			diag_error(l->diag, item->at,
				   limits[i].bytes
					   ? "write a size such as 64KiB or 1MiB"
					   : "write a whole number",
				   "%s: %.*s is not between %.0f and 4294967295",
				   limits[i].name, SLICE_SHOWN(item->text),
				   limits[i].least);
	}
}

/* Values of the nested keys become the flags that were not given. */
static const char *const storage_keys[] = {"path", "sync"};
static const char *const web_keys[] = {"listen-address", "telemetry-path",
				       "enable-lifecycle"};
static const char *const log_section_keys[] = {"level", "format"};

static void take(struct config_loader *l, const struct yaml_node *mapping,
		 const char *key, const char **text, struct position *at)
{
	const struct yaml_node *node = mapping ? yaml_get(mapping, key) : NULL;

	if (!node || *text || !yaml_expect(node, YAML_SCALAR, key, l->diag))
		return;
	*text = node->text.ptr;
	*at = node->at;
}

static const struct yaml_node *section(struct config_loader *l,
				       const struct yaml_node *root, const char *key,
				       const char *const *keys, size_t count)
{
	const struct yaml_node *node = root ? yaml_get(root, key) : NULL;

	if (!node || !yaml_expect(node, YAML_MAPPING, key, l->diag))
		return NULL;
	yaml_check_keys(node, key, keys, count, l->diag);
	return node;
}

static void load_web(struct config_loader *l, const struct yaml_node *root,
		     const struct options *options)
{
	const struct yaml_node *web = section(l, root, "web", KEYS(web_keys));
	struct config *c = l->config;
	struct position at = of_flag("--web.telemetry-path");
	struct position address_at = of_flag("--web.listen-address");
	const char *path = options->telemetry_path;
	struct address address;
	struct error err;

	c->listen_address = options->listen_address;
	take(l, web, "listen-address", &c->listen_address, &address_at);
	if (!c->listen_address)
		c->listen_address = "127.0.0.1:8001";
	if (!address_parse(c->listen_address, &address, &err))
		diag_error(l->diag, address_at, NULL, "%s", err.text);
	take(l, web, "telemetry-path", &path, &at);
	if (!path)
		path = "/metrics";
	if (*path != '/')
		diag_error(l->diag, at, "begin it with a slash",
			   "%.*s is not a URL's path", SLICE_SHOWN(slice_of(path)));
	c->telemetry_path = arena_strdup(c->arena, path);
	c->listen_address = arena_strdup(c->arena, c->listen_address);
	c->enable_lifecycle = options->enable_lifecycle;
	c->enable_lifecycle |= web && config_load_flag(l, web, "enable-lifecycle");
}

static void load_storage(struct config_loader *l, const struct yaml_node *root,
			 const struct options *options)
{
	const struct yaml_node *storage =
		section(l, root, "storage", KEYS(storage_keys));
	const char *path = options->storage_path, *sync = options->storage_sync;
	struct position ignored, sync_at = of_flag("--storage.sync");

	take(l, storage, "path", &path, &ignored);
	take(l, storage, "sync", &sync, &sync_at);
	if (sync)
		l->config->storage_sync_full =
			config_choose(l, sync, sync_at, "storage.sync",
				      KEYS(sync_kinds)) == 1;
	if (!path)
		path = "data";
	l->config->storage_path =
		*path == '\0'
			? ""
			: config_path(l, options->storage_path ? NULL : l->directory,
				      path);
}

static void load_workers(struct config_loader *l, const struct yaml_node *root,
			 const struct options *options)
{
	struct position at = of_flag("--workers");
	const char *text = options->workers;
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	double value;

	take(l, root, "workers", &text, &at);
	l->config->workers = cores < 1 ? 1 : cores > 4 ? 4 : (unsigned)cores;
	if (!text)
		return;
	if (value_parse(VALUE_NUMBER, slice_of(text), &value) && value >= 1 &&
	    value <= 64 && value == floor(value))
		l->config->workers = (unsigned)value;
	else
		diag_error(l->diag, at, "write a whole number from 1 to 64",
			   "\"%s\" is no number of workers", text);
}

static void load_logging(struct config_loader *l, const struct yaml_node *root,
			 const struct options *options)
{
	const struct yaml_node *log = section(l, root, "log", KEYS(log_section_keys));
	struct position level_at = of_flag("--log.level");
	struct position format_at = of_flag("--log.format");
	const char *level = options->log_level, *format = options->log_format;
	int choice;

	take(l, log, "level", &level, &level_at);
	take(l, log, "format", &format, &format_at);
	l->config->log_level = LOG_LEVEL_INFO;
	choice =
		level ? config_choose(l, level, level_at, "log.level", KEYS(log_levels))
		      : -1;
	if (choice >= 0)
		l->config->log_level = (enum log_level)choice;
	choice = format ? config_choose(l, format, format_at, "log.format",
					KEYS(log_formats))
			: -1;
	if (choice >= 0)
		l->config->log_format = (enum log_format)choice;
}

/* -- the key of hashed labels --------------------------------------------- */

static void load_hash_key(struct config_loader *l, const struct yaml_node *root,
			  const struct options *options)
{
	struct position at = of_flag("--hash.key-file");
	const char *path = options->hash_key_file;
	enum key_file_access access;
	struct error err;

	take(l, root, "hash_key_file", &path, &at);
	if (!path)
		return;
	l->config->names_hash_key = true;
	path = config_path(l, options->hash_key_file ? NULL : l->directory, path);
	if (!key_file_read(path, l->config->arena, &l->config->hash_key, &access, &err))
		diag_error(l->diag, at, NULL, "the key: %s", err.text);
	else if (access == KEY_FILE_READABLE)
		diag_warning(l->diag, at, "chmod 400 it",
			     "the key: %s may be read by others than its owner", path);
}

/* -- the whole ------------------------------------------------------------ */

static const char *const config_keys[] = {"logs",    "patterns", "labels",
					  "limits",  "storage",  "web",
					  "workers", "log",      "hash_key_file"};

static const struct yaml_node *load_file(struct config_loader *l, const char *path)
{
	const char *slash = strrchr(path, '/');
	struct yaml_node *root;

	l->directory = slash ? arena_copy(l->config->arena,
					  (struct slice){path, (size_t)(slash - path)})
			     : "";
	if (slash == path)
		l->directory = "/";
	root = yaml_load(path, l->config->arena, l->diag);
	if (!root || !yaml_expect(root, YAML_MAPPING, "the configuration", l->diag))
		return NULL;
	yaml_check_keys(root, "the configuration", KEYS(config_keys), l->diag);
	return root;
}

static void load_inputs(struct config_loader *l, const struct yaml_node *root,
			const struct options *options)
{
	if (options->log_count == 0 && root)
		config_load_logs(l, root);
	for (size_t i = 0; i < options->log_count; i++)
		config_add_root(l, config_path(l, NULL, options->logs[i]));
	if (options->pattern_count == 0 && root)
		load_patterns(l, root);
	for (size_t i = 0; i < options->pattern_count; i++)
		add_patterns(l, options->patterns[i]);
}

struct config *config_load(const struct options *options, struct diag *diag)
{
	struct config *c = xcalloc(1, sizeof(*c));
	struct config_loader l = {.config = c, .diag = diag};
	const struct yaml_node *root = NULL;

	c->arena = arena_create();
	c->limits = default_limits;
	if (options->config_file)
		root = load_file(&l, options->config_file);
	load_inputs(&l, root, options);
	if (root) {
		load_labels(&l, root);
		load_limits(&l, root);
	}
	load_storage(&l, root, options);
	load_web(&l, root, options);
	load_workers(&l, root, options);
	load_logging(&l, root, options);
	load_hash_key(&l, root, options);
	return c;
}

void config_destroy(struct config *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->root_count; i++)
		regex_destroy(c->path_patterns[i]);
	free(c->path_patterns);
	free(c->envelopes);
	free(c->roots);
	free(c->patterns);
	free(c->path_fields);
	if (c->hash_key.len > 0)
		explicit_bzero((char *)(uintptr_t)c->hash_key.ptr, c->hash_key.len);
	arena_destroy(c->arena);
	free(c);
}
