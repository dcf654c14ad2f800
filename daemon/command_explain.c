#include "daemon/commands.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/xalloc.h"
#include "daemon/explain_shown.h"
#include "daemon/input_reader.h"
#include "daemon/inputs.h"
#include "daemon/own_metrics.h"
#include "daemon/setup.h"
#include "exporter/store.h"
#include "parsers/example_path.h"

#define COLUMNS 100 /* where there is no terminal */
#define FEW_FILES 10

/* The lines as if they came from one path. */
struct view {
	struct explain *explain;
	struct source *source;
	const struct patterns_file *only; /* NULL: all that want it */
};

/* A line may be shown twice: alone, and as the first of a record of several. */
struct seen_line {
	bool shown, matched;
};

struct job {
	struct setup *setup;
	struct registry *registry;
	struct store *store;
	struct arena *arena;
	struct regex_scratch *scratch;
	struct view *views;
	size_t view_count;
	struct shown_style style;
	bool json;
	struct seen_line *seen; /* of each line that was shown */
	size_t seen_count;
	size_t records;
	int64_t now_ns;
	struct strbuf out;
};

static int usage(const char *text)
{
	fprintf(stderr, "logtally: %s\n", text);
	return 2;
}

/* -- what the rules do ---------------------------------------------------- */

static enum update_result on_update(void *ctx, const struct update *update)
{
	struct job *job = ctx;
	struct update moved = *update;

	moved.metric += OWN_STORED;
	return store_update(job->store, &moved);
}

static void add_view(struct job *job, const char *path,
		     const struct patterns_file *only)
{
	struct view view = {.only = only};

	view.source = setup_source(job->setup, path, job->scratch);
	view.explain = explain_create(job->setup->patterns,
				      (uint32_t)job->setup->config->limits.match_steps,
				      on_update, job);
	job->views = xgrow(job->views, job->view_count, sizeof(*job->views));
	job->views[job->view_count++] = view;
}

/* Every patterns file, each as if the lines came from a path that it wants. */
static void try_all(struct job *job)
{
	const struct patterns *patterns = job->setup->patterns;

	for (size_t i = 0; i < patterns_file_count(patterns); i++) {
		const struct patterns_file *file = patterns_file(patterns, i);
		const char *path = example_path(file, job->arena);

		if (path)
			add_view(job, path, file);
		else
			fprintf(stderr,
				"logtally: %s: no path that it wants can be guessed: "
				"give one with --as\n",
				file->path);
	}
}

static bool wants(const struct source *source, const struct patterns_file *file)
{
	for (size_t i = 0; i < source_patterns_count(source); i++)
		if (source_patterns(source, i) == file)
			return true;
	return false;
}

/* -- what is shown -------------------------------------------------------- */

static void flush(struct job *job)
{
	fwrite(job->out.ptr, 1, job->out.len, stdout);
	strbuf_clear(&job->out);
}

static void show_unwanted_text(struct job *job, const char *path, size_t count)
{
	const struct patterns *patterns = job->setup->patterns;

	if (count > FEW_FILES && !job->style.all &&
	    count < patterns_file_count(patterns)) {
		strbuf_addf(&job->out,
			    "%zu patterns files do not want %s (--all names them)\n",
			    count, path);
		return;
	}
	for (size_t i = 0; i < patterns_file_count(patterns); i++) {
		const struct patterns_file *file = patterns_file(patterns, i);

		if (wants(job->views[0].source, file))
			continue;
		strbuf_addf(&job->out, "%s does not want %s (files: ", file->path,
			    path);
		shown_globs(&job->out, file);
		strbuf_puts(&job->out, ")\n");
	}
}

static void show_unwanted_json(struct job *job, const char *path)
{
	const struct patterns *patterns = job->setup->patterns;
	size_t shown = 0;

	strbuf_puts(&job->out, "{\"as\": ");
	if (path)
		shown_json_text(&job->out, slice_of(path));
	else
		strbuf_puts(&job->out, "null");
	strbuf_puts(&job->out, ", \"not_wanted\": [");
	for (size_t i = 0; path && i < patterns_file_count(patterns); i++) {
		const struct patterns_file *file = patterns_file(patterns, i);

		if (wants(job->views[0].source, file))
			continue;
		strbuf_puts(&job->out, shown++ > 0 ? ", " : "");
		shown_json_text(&job->out, slice_of(file->path));
	}
	strbuf_puts(&job->out, "],\n \"records\": [");
}

/* Which patterns files the path leaves out; path NULL: none. */
static void show_unwanted(struct job *job, const char *path)
{
	size_t count = 0;

	if (path)
		count = patterns_file_count(job->setup->patterns) -
			source_patterns_count(job->views[0].source);
	if (job->json)
		show_unwanted_json(job, path);
	else if (count > 0)
		show_unwanted_text(job, path, count);
}

static int by_line(const void *a, const void *b)
{
	const struct explained_record *x = *(const struct explained_record *const *)a;
	const struct explained_record *y = *(const struct explained_record *const *)b;

	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	return strcmp(x->file->path, y->file->path);
}

static const struct explained_record **collect(const struct job *job, size_t *count)
{
	const struct explained_record **all = NULL;

	*count = 0;
	for (size_t i = 0; i < job->view_count; i++) {
		for (size_t j = 0; j < explain_count(job->views[i].explain); j++) {
			all = xgrow(all, *count, sizeof(*all));
			all[(*count)++] = explain_record(job->views[i].explain, j);
		}
	}
	if (*count > 0)
		qsort(all, *count, sizeof(*all), by_line);
	return all;
}

static void see_line(struct job *job, const struct shown_line *line)
{
	size_t number = line->records[0]->line;

	while (job->seen_count < number) {
		job->seen = xgrow(job->seen, job->seen_count, sizeof(*job->seen));
		job->seen[job->seen_count++] = (struct seen_line){0};
	}
	job->seen[number - 1].shown = true;
	for (size_t i = 0; i < line->count; i++)
		if (line->records[i]->matched_count > 0)
			job->seen[number - 1].matched = true;
}

static void show_line(struct job *job, const struct shown_line *line)
{
	see_line(job, line);
	if (!job->json)
		shown_text(&job->out, &job->style, line);
	for (size_t i = 0; job->json && i < line->count; i++) {
		strbuf_puts(&job->out, job->records++ > 0 ? ",\n " : "\n ");
		shown_json(&job->out, &job->style, line->records[i]);
	}
	flush(job);
}

static void show_records(struct job *job)
{
	size_t count;
	const struct explained_record **all = collect(job, &count);

	for (size_t i = 0, end; i < count; i = end) {
		for (end = i + 1; end < count && all[end]->line == all[i]->line;)
			end++;
		show_line(job, &(struct shown_line){all + i, end - i});
	}
	free(all);
	for (size_t i = 0; i < job->view_count; i++)
		explain_clear(job->views[i].explain);
}

/* False: there was none. */
static bool show_end(struct job *job)
{
	size_t lines = 0, matched = 0;

	for (size_t i = 0; i < job->seen_count; i++) {
		lines += job->seen[i].shown;
		matched += job->seen[i].matched;
	}
	if (job->json)
		strbuf_addf(&job->out, "],\n \"lines\": %zu, \"matched\": %zu}\n",
			    lines, matched);
	else if (lines > 1)
		strbuf_addf(&job->out, "%zu lines: %zu matched, %zu not\n", lines,
			    matched, lines - matched);
	flush(job);
	return lines > 0;
}

/* -- where lines come from ------------------------------------------------ */

static void feed(struct job *job, const struct block *block)
{
	for (size_t i = 0; i < job->view_count; i++)
		explain_feed(job->views[i].explain, job->views[i].source,
			     job->views[i].only, block);
}

static void on_block(void *ctx, const struct block *block)
{
	feed(ctx, block);
	show_records(ctx);
}

static void end_lines(struct job *job)
{
	for (size_t i = 0; i < job->view_count; i++)
		explain_end(job->views[i].explain, job->views[i].source,
			    job->views[i].only);
	show_records(job);
}

static void on_oversized(void *ctx)
{
	(void)ctx;
	fputs("logtally: a line over limits: line_bytes is skipped, as the daemon "
	      "skips "
	      "it\n",
	      stderr);
}

static void on_progress(void *ctx, uint64_t bytes)
{
	(void)ctx;
	(void)bytes;
}

static void read_arguments(struct job *job, const struct options *options)
{
	struct strbuf lines = STRBUF_INIT;
	struct block block = {.read_time_ns = job->now_ns, .mtime_ns = job->now_ns};

	for (size_t i = 0; i < options->argument_count; i++) {
		strbuf_puts(&lines, options->arguments[i]);
		strbuf_putc(&lines, '\n');
	}
	block.bytes = strbuf_slice(&lines);
	feed(job, &block);
	strbuf_finish(&lines);
}

static bool read_file(struct job *job, const char *file)
{
	static const struct input_reader_ops ops = {
		.block = on_block, .oversized = on_oversized, .progress = on_progress};
	struct inputs inputs = {NULL, 0};
	struct input_reader *reader = input_reader_create(
		job->setup->config->limits.line_bytes, job->now_ns, &ops, job);
	struct error err;
	bool ok = inputs_add(&inputs, file, &err);

	for (size_t i = 0; ok && i < inputs.count; i++)
		ok = input_read(reader, &inputs.items[i], &err);
	if (!ok)
		fprintf(stderr, "logtally: %s\n", err.text);
	input_reader_destroy(reader);
	inputs_finish(&inputs);
	return ok;
}

static bool read_all(struct job *job, const struct options *options)
{
	bool ok = true;

	if (options->argument_count > 0)
		read_arguments(job, options);
	for (size_t i = 0; i < options->file_count; i++)
		ok &= read_file(job, options->files[i]);
	if (options->argument_count + options->file_count == 0)
		ok = read_file(job, "-");
	end_lines(job);
	return ok;
}

/* -- the command ---------------------------------------------------------- */

static bool parse_color(const char *text, bool *color)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	*color = isatty(STDOUT_FILENO) && !(no_color && *no_color) &&
		 !(term && strcmp(term, "dumb") == 0);
	if (!text || strcmp(text, "auto") == 0)
		return true;
	*color = strcmp(text, "always") == 0;
	return *color || strcmp(text, "never") == 0;
}

static size_t terminal_columns(void)
{
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == -1 || size.ws_col < 40)
		return COLUMNS;
	return size.ws_col;
}

/* 0, or the exit status after a word on stderr. */
static int check_options(const struct options *options, struct job *job)
{
	if (!options->config_file && options->pattern_count == 0)
		return usage("no rules: give --patterns PATH or --config.file FILE");
	if (options->argument_count + options->file_count == 0 && isatty(STDIN_FILENO))
		return usage("no line: give 'LINE', --file FILE, or lines on standard "
			     "input");
	if (!parse_color(options->color, &job->style.colour))
		return usage("--color is auto, always or never");
	job->json = options->format && strcmp(options->format, "json") == 0;
	if (options->format && !job->json && strcmp(options->format, "text") != 0)
		return usage("--format is text or json");
	return 0;
}

/* The path that the lines come from; NULL: not known, every patterns file is tried. */
static const char *path_of_lines(struct job *job, const struct options *options)
{
	const char *path = options->as, *file;
	struct source *source;

	if (!path && options->file_count == 1 && options->argument_count == 0) {
		file = realpath(options->files[0], NULL);
		source = file ? setup_source(job->setup, file, job->scratch) : NULL;
		if (source && source_patterns_count(source) > 0)
			path = arena_strdup(job->arena, file);
		source_destroy(source);
		free((void *)file);
	} else if (path && *path != '/') {
		path = arena_printf(job->arena, "/%s", path);
	}
	return path;
}

static int explain(struct job *job, const struct options *options)
{
	const char *path = path_of_lines(job, options);
	bool ok, any;

	if (path)
		add_view(job, path, NULL);
	else
		try_all(job);
	show_unwanted(job, path);
	flush(job);
	ok = read_all(job, options);
	any = show_end(job);
	if (path && source_patterns_count(job->views[0].source) == 0) {
		fprintf(stderr, "logtally: no patterns file wants %s\n", path);
		return 1;
	}
	if (ok && !any) {
		fputs("logtally: there is no line in what was read\n", stderr);
		return 1;
	}
	return ok ? 0 : 1;
}

static void prepare(struct job *job)
{
	const struct config *config = job->setup->config;

	job->registry =
		registry_create(&(struct registry_options){.never_expires = true});
	setup_bind(job->setup, job->registry);
	job->store = store_create(job->registry);
	store_use(job->store, job->setup->schema);
	job->arena = arena_create();
	job->scratch = regex_scratch_create((uint32_t)config->limits.match_steps);
	job->now_ns = clock_wall_ns();
	job->style.labels = config->labels;
	job->style.label_count = config->label_count;
	job->style.columns = terminal_columns();
}

static void finish(struct job *job)
{
	for (size_t i = 0; i < job->view_count; i++) {
		explain_destroy(job->views[i].explain);
		source_destroy(job->views[i].source);
	}
	free(job->views);
	free(job->seen);
	regex_scratch_destroy(job->scratch);
	arena_destroy(job->arena);
	store_destroy(job->store);
	setup_unbind(job->setup);
	registry_destroy(job->registry);
	setup_destroy(job->setup);
	strbuf_finish(&job->out);
}

int command_explain(const struct options *options)
{
	struct job job = {.out = STRBUF_INIT, .style.all = options->all};
	int status = check_options(options, &job);

	if (status != 0)
		return status;
	job.setup = setup_load_or_print(options);
	if (!job.setup)
		return 1;
	prepare(&job);
	status = explain(&job, options);
	finish(&job);
	return status;
}
