#include "daemon/setup.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/clock.h"
#include "common/xalloc.h"
#include "daemon/own_metrics.h"
#include "parsers/pseudonym.h"
#include "tailer/roots.h"

#define KEEP_REMOVED_NS (7 * 24 * 3600 * NS_PER_SECOND)

static struct patterns *load_patterns(const struct config *config,
				      const struct options *from, struct diag *diag)
{
	const char **labels = xcalloc(config->label_count, sizeof(*labels));
	struct patterns_options options = {
		.paths = config->patterns,
		.path_count = config->pattern_count,
		.path_fields = config->path_fields,
		.path_field_count = config->path_field_count,
		.global_labels = labels,
		.global_label_count = config->label_count,
		.hash_key = config->hash_key,
		.lint = from->lint,
	};
	struct patterns *patterns;

	if (config->hash_key.len == 0 &&
	    (!from->needs_hash_key || config->names_hash_key)) {
		options.hash_key = slice_of(PSEUDONYM_TEST_KEY);
		options.hash_key_is_test = !config->names_hash_key;
	}
	for (size_t i = 0; i < config->label_count; i++)
		labels[i] = config->labels[i].name;
	patterns = patterns_load(&options, diag);
	free(labels);
	return patterns;
}

/* Nobody has to look for the entry of `logs` that a path is of if none says anything.
 */
static struct roots *load_roots(const struct config *config)
{
	for (size_t i = 0; i < config->root_count; i++)
		if (config->envelopes[i] != ENVELOPE_AUTO)
			return roots_create(config->roots, config->root_count);
	return NULL;
}

struct setup *setup_load(const struct options *options, struct diag *diag)
{
	struct setup *setup = xcalloc(1, sizeof(*setup));
	size_t errors_before = diag_errors(diag);

	setup->config = config_load(options, diag);
	setup->patterns = load_patterns(setup->config, options, diag);
	setup->roots = load_roots(setup->config);
	if (diag_errors(diag) == errors_before)
		return setup;
	setup_destroy(setup);
	return NULL;
}

struct setup *setup_load_or_print(const struct options *options)
{
	struct diag *diag = diag_create();
	struct setup *setup = setup_load(options, diag);
	struct strbuf out = STRBUF_INIT;

	diag_render(diag, &out);
	fputs(out.ptr, stderr);
	strbuf_finish(&out);
	diag_destroy(diag);
	return setup;
}

void setup_destroy(struct setup *setup)
{
	if (!setup)
		return;
	schema_unref(setup->schema);
	patterns_destroy(setup->patterns);
	roots_destroy(setup->roots);
	config_destroy(setup->config);
	free(setup);
}

void setup_bind(struct setup *setup, struct registry *registry)
{
	const struct config *config = setup->config;
	size_t count;
	const struct metric_def *const *metrics =
		patterns_metrics(setup->patterns, &count);
	const struct metric_def **defs = xcalloc(OWN_STORED + count, sizeof(*defs));

	for (int i = 0; i < OWN_STORED; i++)
		defs[i] = own_metric((enum own_metric)i);
	for (size_t i = 0; i < count; i++)
		defs[OWN_STORED + i] = metrics[i];
	registry_set_limits(
		registry,
		&(struct registry_options){
			.series = config->limits.series,
			.series_per_metric = config->limits.series_per_metric,
			.label_value_bytes = config->limits.label_value_bytes});
	setup->schema = registry_bind(registry, defs, OWN_STORED + count, OWN_STORED,
				      config->labels, config->label_count,
				      clock_wall_ns(), KEEP_REMOVED_NS);
	free(defs);
}

void setup_unbind(struct setup *setup)
{
	schema_unref(setup->schema);
	setup->schema = NULL;
}

/* The first entry of `logs` whose path_pattern matches supplies the fields. */
static void capture_path(const struct setup *setup, const char *path,
			 struct regex_scratch *scratch, const char *const *names,
			 struct slice *fields, size_t count)
{
	const struct config *config = setup->config;

	for (size_t i = 0; i < config->root_count; i++) {
		const struct regex *regex = config->path_patterns[i];

		if (!regex ||
		    regex_match(regex, scratch, slice_of(path)) != REGEX_MATCH)
			continue;
		for (size_t j = 0; j < count; j++) {
			unsigned group;

			if (regex_groups_named(regex, names[j], &group, 1) > 0)
				fields[j] = regex_group(scratch, group);
		}
		return;
	}
}

/* From `/` on, name by name; -1: no root follows the path. */
static int root_of(const struct roots *roots, const char *path)
{
	struct places places = roots_start(roots);
	int root = -1;

	for (const char *end = path; *end;) {
		size_t len;
		char *name, *whole;
		struct wanted wanted;

		end += *end == '/';
		len = strcspn(end, "/");
		name = xstrndup(end, len);
		end += len;
		whole = xstrndup(path, (size_t)(end - path));
		wanted = roots_match(roots, &places, whole, name);
		free(name);
		free(whole);
		places_finish(&places);
		places = wanted.below;
		root = wanted.root;
	}
	places_finish(&places);
	return root;
}

static enum envelope envelope_of_path(const struct setup *setup, const char *path)
{
	int root = setup->roots ? root_of(setup->roots, path) : -1;

	if (root < 0 || (size_t)root >= setup->config->root_count)
		return ENVELOPE_AUTO;
	return setup->config->envelopes[root];
}

struct source *setup_source(const struct setup *setup, const char *path,
			    struct regex_scratch *scratch)
{
	size_t count;
	const char *const *names = patterns_path_fields(setup->patterns, &count);
	struct slice *fields = xcalloc(count, sizeof(*fields));
	struct source *source;

	capture_path(setup, path, scratch, names, fields, count);
	source = source_create(setup->patterns, path, fields, count);
	source_set_envelope(source, envelope_of_path(setup, path));
	free(fields);
	return source;
}
