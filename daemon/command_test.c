#include "daemon/commands.h"

#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/xalloc.h"
#include "daemon/samples.h"
#include "exporter/exposition.h"
#include "parsers/engine.h"
#include "parsers/pseudonym.h"
#include "parsers/rule.h"

struct totals {
	size_t passed, failed;
};

/* -- one test: its lines through its file's rules ------------------------- */

static enum update_result on_update(void *ctx, const struct update *update)
{
	return store_update(ctx, update);
}

static void on_error(void *ctx, size_t rule, enum rule_error error)
{
	(void)ctx;
	(void)rule;
	(void)error;
}

static void on_matched(void *ctx, size_t rule, uint64_t count)
{
	(void)ctx;
	(void)rule;
	(void)count;
}

static void on_cpu(void *ctx, size_t rule, double cpu_ns)
{
	(void)ctx;
	(void)rule;
	(void)cpu_ns;
}

static struct source *source_of(const struct patterns *patterns,
				const struct pattern_test *test)
{
	size_t count;
	const char *const *names = patterns_path_fields(patterns, &count);
	struct slice *fields = xcalloc(count, sizeof(*fields));
	struct source *source;

	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < test->field_count; j++)
			if (strcmp(names[i], test->field_names[j]) == 0)
				fields[i] = slice_of(test->field_values[j]);
	source = source_create(patterns, test->file, fields, count);
	free(fields);
	return source;
}

static void feed(const struct patterns *patterns, const struct pattern_test *test,
		 struct store *store)
{
	static const struct engine_ops ops = {.update = on_update,
					      .error = on_error,
					      .matched = on_matched,
					      .cpu = on_cpu};
	int64_t now_ns = test->now_ns ? test->now_ns : clock_wall_ns();
	struct block block = {
		.bytes = test->lines, .read_time_ns = now_ns, .mtime_ns = now_ns};
	struct engine *engine = engine_create(patterns, 1000000, &ops, store);
	struct source *source = source_of(patterns, test);
	struct engine_counts counts = {0, 0};

	engine_feed(engine, source, &block, &counts);
	source_destroy(source);
	engine_destroy(engine);
}

static void render(struct store *store, struct schema *schema, struct strbuf *out)
{
	struct part *part = store_cut(store, 1);
	struct cut *cut = cut_create(1, schema, &part, 1, false);
	struct exposition *text =
		exposition_create(cut, EXPOSITION_ALL_SEEN, (struct slice){"", 0});
	char piece[4096];
	size_t n;

	while ((n = exposition_read(text, piece, sizeof(piece))) > 0)
		strbuf_add(out, piece, n);
	exposition_destroy(text);
	cut_unref(cut);
}

/* What the lines make of an empty registry. */
static void run_lines(const struct patterns *patterns, const struct pattern_test *test,
		      struct strbuf *out)
{
	struct registry *registry =
		registry_create(&(struct registry_options){.never_expires = true});
	size_t count;
	const struct metric_def *const *defs = patterns_metrics(patterns, &count);
	struct schema *schema =
		registry_bind(registry, defs, count, 0, NULL, 0, clock_wall_ns(), 0);
	struct store *store = store_create(registry);

	store_use(store, schema);
	feed(patterns, test, store);
	render(store, schema, out);
	store_destroy(store);
	schema_unref(schema);
	registry_destroy(registry);
}

/* -- files ---------------------------------------------------------------- */

static struct patterns *load(const char *path, const char *zone, bool print)
{
	struct patterns_options options = {.paths = &path,
					   .path_count = 1,
					   .tests_supply_fields = true,
					   .default_zone = zone,
					   .hash_key = slice_of(PSEUDONYM_TEST_KEY)};
	struct diag *diag = diag_create();
	struct patterns *patterns = patterns_load(&options, diag);
	struct strbuf out = STRBUF_INIT;

	diag_render(diag, &out);
	if (print)
		fputs(out.ptr, stderr);
	strbuf_finish(&out);
	diag_destroy(diag);
	return patterns;
}

static void report(const char *path, const struct pattern_test *test, bool ok,
		   const char *difference, struct totals *totals)
{
	if (ok) {
		totals->passed++;
		printf("ok    %s: %s\n", path, test->name);
	} else {
		totals->failed++;
		printf("FAIL  %s:%d:%d: %s\n%s", path, test->at.line, test->at.column,
		       test->name, difference);
	}
}

static void run_test(const char *path, const struct patterns *patterns,
		     const struct pattern_test *test, struct totals *totals)
{
	struct patterns *in_zone = test->zone ? load(path, test->zone, false) : NULL;
	struct strbuf got = STRBUF_INIT, difference = STRBUF_INIT;
	bool ok;

	run_lines(in_zone ? in_zone : patterns, test, &got);
	ok = samples_compare(test->expect, strbuf_slice(&got), &difference);
	report(path, test, ok, difference.ptr, totals);
	patterns_destroy(in_zone);
	strbuf_finish(&got);
	strbuf_finish(&difference);
}

static void run_file(const char *path, struct totals *totals)
{
	struct patterns *patterns = load(path, NULL, true);
	const struct patterns_file *file;

	if (!patterns) {
		totals->failed++;
		printf("FAIL  %s: does not load\n", path);
		return;
	}
	file = patterns_file(patterns, 0);
	if (file->test_count == 0)
		printf("none  %s: carries no tests\n", path);
	for (size_t i = 0; i < file->test_count; i++)
		run_test(path, patterns, &file->tests[i], totals);
	patterns_destroy(patterns);
}

static void run_path(const char *path, struct totals *totals)
{
	struct arena *arena = arena_create();
	const char *const *files;
	struct error err;
	size_t count;

	if (!patterns_list(path, arena, &files, &count, &err)) {
		fprintf(stderr, "logtally: %s\n", err.text);
		totals->failed++;
		count = 0;
	}
	for (size_t i = 0; i < count; i++)
		run_file(files[i], totals);
	arena_destroy(arena);
}

int command_test(const struct options *options)
{
	struct totals totals = {0, 0};

	if (options->argument_count + options->pattern_count == 0) {
		fputs("logtally: nothing to test: give PATTERNS (files or "
		      "directories)\n",
		      stderr);
		return 2;
	}
	for (size_t i = 0; i < options->pattern_count; i++)
		run_path(options->patterns[i], &totals);
	for (size_t i = 0; i < options->argument_count; i++)
		run_path(options->arguments[i], &totals);
	printf("%zu passed, %zu failed\n", totals.passed, totals.failed);
	return totals.failed > 0;
}
