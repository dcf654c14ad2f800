#include "daemon/commands.h"

#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/xalloc.h"
#include "daemon/inputs.h"
#include "daemon/own_metrics.h"
#include "daemon/progress.h"
#include "daemon/replay.h"
#include "daemon/setup.h"
#include "exporter/exposition.h"

#define MAX_TOLD 20
#define PIECE_BYTES 65536

static int usage(const char *text)
{
	fprintf(stderr, "logtally: %s\n", text);
	return 2;
}

static void say(const struct error *err)
{
	fprintf(stderr, "logtally: %s\n", err->text);
}

static bool parse_format(const char *text, enum exposition_format *format)
{
	*format = EXPOSITION_TEXT;
	if (text && strcmp(text, "json") == 0)
		*format = EXPOSITION_JSON;
	return !text || *format == EXPOSITION_JSON || strcmp(text, "prometheus") == 0;
}

/* -- what is read --------------------------------------------------------- */

/* What the patterns make of a path. */
struct wanting {
	const struct setup *setup;
	struct regex_scratch *scratch;
};

static bool wants(void *ctx, const char *path)
{
	const struct wanting *w = ctx;
	struct source *source = setup_source(w->setup, path, w->scratch);
	bool wanted = source_patterns_count(source) > 0;

	source_destroy(source);
	return wanted;
}

/* Every argument that leads nowhere is told; false if there is one. */
static bool find_inputs(const struct options *options, const struct config *config,
			struct inputs *inputs)
{
	struct error err;
	bool ok = true;

	for (size_t i = 0; i < options->argument_count; i++) {
		if (inputs_add(inputs, options->arguments[i], &err))
			continue;
		say(&err);
		ok = false;
	}
	for (size_t i = 0; options->argument_count == 0 && i < config->root_count;
	     i++) {
		if (inputs_add_root(inputs, &config->roots[i], &err))
			continue;
		say(&err);
		ok = false;
	}
	return ok;
}

static const char *name_of(const struct input *input)
{
	return input->file ? input->file : "standard input";
}

/* An error if it was named by itself; in a directory there may be other files. */
static void say_unwanted(const struct input *input)
{
	if (!input->named)
		log_warn("no patterns file wants this file (see `files`)",
			 LOG_TEXT("file", input->file), LOG_TEXT("path", input->path));
	else if (!input->file)
		fprintf(stderr,
			"logtally: standard input: no patterns file wants %s (see "
			"`files`): say with --as which path it is\n",
			input->path);
	else if (strcmp(input->file, input->path) == 0)
		fprintf(stderr,
			"logtally: %s: no patterns file wants it (see `files`)\n",
			input->file);
	else
		fprintf(stderr,
			"logtally: %s: no patterns file wants %s, as which it counts "
			"(see `files`)\n",
			input->file, input->path);
}

/*
 * Leaves out what no patterns file wants, and tells it; false if that was named by
 * itself, or nothing is left.
 */
static bool leave_out_unwanted(struct inputs *inputs, struct wanting *wanting)
{
	size_t kept = 0, told = 0, unwanted = 0;
	bool ok = true;

	for (size_t i = 0; i < inputs->count; i++) {
		struct input input = inputs->items[i];

		if (wants(wanting, input.path)) {
			inputs->items[i] = inputs->items[kept];
			inputs->items[kept++] = input;
			continue;
		}
		unwanted++;
		ok &= !input.named;
		if (input.named || told < MAX_TOLD) {
			told++;
			say_unwanted(&input);
		}
	}
	if (told < unwanted)
		log_warn("more files that no patterns file wants",
			 LOG_INT("files", unwanted - told));
	if (ok && kept == 0)
		fputs("logtally: nothing to read: no patterns file wants any of the "
		      "files (see `files`)\n",
		      stderr);
	for (size_t i = kept; i < inputs->count; i++) {
		free(inputs->items[i].file);
		free(inputs->items[i].path);
	}
	inputs->count = kept;
	return ok && kept > 0;
}

/* -- what is told --------------------------------------------------------- */

static uint64_t total_bytes(const struct inputs *inputs)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < inputs->count; i++) {
		if (!inputs->items[i].sized)
			return 0;
		bytes += inputs->items[i].size_bytes;
	}
	return bytes;
}

static void on_progress(void *ctx, uint64_t done_bytes)
{
	progress_show(ctx, done_bytes);
}

static void say_notes(const struct input *input, const struct replay_result *result)
{
	if (result->oversized_lines > 0)
		log_warn("lines over limits.line_bytes were skipped",
			 LOG_TEXT("file", name_of(input)),
			 LOG_INT("lines", result->oversized_lines));
	if (result->lines > 0 && result->lines == result->unmatched_lines)
		log_warn("no rule matched any line of this file",
			 LOG_TEXT("file", name_of(input)),
			 LOG_TEXT("path", input->path),
			 LOG_INT("lines", result->lines));
}

static bool has_notes(const struct replay_result *result)
{
	return result->oversized_lines > 0 ||
	       (result->lines > 0 && result->lines == result->unmatched_lines);
}

static void say_sums(const struct inputs *inputs, const struct replay_result *results)
{
	uint64_t lines = 0, unmatched_lines = 0;

	for (size_t i = 0; i < inputs->count; i++) {
		lines += results[i].lines;
		unmatched_lines += results[i].unmatched_lines;
	}
	log_info("replayed", LOG_INT("files", inputs->count), LOG_INT("lines", lines),
		 LOG_INT("unmatched_lines", unmatched_lines));
}

/* Of thousands of files the first are told.  False if one failed. */
static bool say_results(const struct inputs *inputs,
			const struct replay_result *results)
{
	size_t notes = 0;
	bool ok = true;

	for (size_t i = 0; i < inputs->count; i++) {
		if (results[i].failed)
			say(&results[i].err);
		ok &= !results[i].failed;
		if (!results[i].failed && has_notes(&results[i]) && ++notes <= MAX_TOLD)
			say_notes(&inputs->items[i], &results[i]);
	}
	if (notes > MAX_TOLD)
		log_warn("the same of more files", LOG_INT("files", notes - MAX_TOLD));
	say_sums(inputs, results);
	return ok;
}

static void say_overflows(const struct setup *setup)
{
	for (size_t i = 0; i < schema_count(setup->schema); i++) {
		const struct family *family = schema_family(setup->schema, i);

		if (family_overflows(family) == 0)
			continue;
		log_warn("metric has more label sets than its limit: those that came "
			 "later count under other, or not at all in gauges, uniques "
			 "and states; which they are is sure only with --workers 1",
			 LOG_TEXT("metric", family_name(family)),
			 LOG_INT("updates", family_overflows(family)));
	}
}

/* -- what is printed ------------------------------------------------------ */

static bool is_pattern_metric(size_t metric)
{
	return metric >= OWN_STORED;
}

/* Not those that depend on how fast, or when, the files were read. */
static bool is_reproducible(size_t metric)
{
	return metric != OWN_RULE_CPU && metric != OWN_RULE_LAST_MATCH;
}

static bool print(struct cut *cut, enum exposition_format format, bool own)
{
	struct exposition_options options = {
		.format = format,
		.by_labels = true,
		.shows = own ? is_reproducible : is_pattern_metric,
	};
	struct exposition *text =
		exposition_create(cut, EXPOSITION_ALL_SEEN, (struct slice){"", 0});
	char *piece = xmalloc(PIECE_BYTES);
	struct error err;
	size_t n;
	bool ok;

	exposition_set_options(text, &options);
	while ((n = exposition_read(text, piece, PIECE_BYTES)) > 0)
		if (fwrite(piece, 1, n, stdout) < n)
			break;
	ok = fflush(stdout) == 0 && !ferror(stdout);
	if (!ok) {
		error_errno(&err, "write the metrics");
		say(&err);
	}
	free(piece);
	exposition_destroy(text);
	return ok;
}

/* -- the command ---------------------------------------------------------- */

static bool read_and_print(struct setup *setup, const struct inputs *inputs,
			   const struct options *options, enum exposition_format format)
{
	struct registry *registry =
		registry_create(&(struct registry_options){.never_expires = true});
	struct replay_result *results = xcalloc(inputs->count, sizeof(*results));
	struct progress progress;
	struct replay_options replay = {.setup = setup,
					.registry = registry,
					.inputs = inputs,
					.workers = setup->config->workers,
					.progress = on_progress,
					.ctx = &progress};
	struct error err;
	struct cut *cut;
	bool ok = false;

	setup_bind(setup, registry);
	progress_begin(&progress, total_bytes(inputs));
	cut = replay_read(&replay, results, &err);
	progress_end(&progress);

	if (cut) {
		ok = say_results(inputs, results);
		say_overflows(setup);
		ok &= print(cut, format, options->own_metrics);
	} else {
		say(&err);
	}
	cut_unref(cut);
	setup_unbind(setup);
	free(results);
	registry_destroy(registry);
	return ok;
}

/* Arguments are what to read; without any, the configuration's `logs`. */
static bool replay_setup(struct setup *setup, const struct options *options,
			 enum exposition_format format)
{
	struct wanting wanting = {.setup = setup,
				  .scratch = regex_scratch_create(
					  (uint32_t)setup->config->limits.match_steps)};
	struct inputs inputs = {0};
	bool ok = find_inputs(options, setup->config, &inputs);

	if (ok) {
		inputs_resolve(&inputs, options->as, wants, &wanting);
		ok = leave_out_unwanted(&inputs, &wanting) &&
		     read_and_print(setup, &inputs, options, format);
	}
	inputs_finish(&inputs);
	regex_scratch_destroy(wanting.scratch);
	return ok;
}

int command_replay(const struct options *options)
{
	enum exposition_format format;
	struct setup *setup;
	int status;

	if (!parse_format(options->format, &format))
		return usage("--format: write prometheus or json");
	setup = setup_load_or_print(options);
	if (!setup)
		return 1;
	log_configure(setup->config->log_level, setup->config->log_format);
	if (options->argument_count == 0 && setup->config->root_count == 0)
		status = usage("nothing to read: give files, directories, globs or - "
			       "(see logtally replay --help)");
	else if (setup->config->pattern_count == 0)
		status = usage("no rules: give --patterns PATH, or `patterns` in "
			       "--config.file (see logtally replay --help)");
	else
		status = replay_setup(setup, options, format) ? 0 : 1;
	setup_destroy(setup);
	return status;
}
