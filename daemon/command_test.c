#include "daemon/commands.h"

#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/xalloc.h"
#include "daemon/samples.h"
#include "daemon/test_reasons.h"
#include "daemon/test_report.h"
#include "exporter/exposition.h"
#include "parsers/engine.h"
#include "parsers/patterns_list.h"
#include "parsers/pseudonym.h"
#include "parsers/rule.h"

/* Where updates go: empty for each test. */
struct ground {
	struct registry *registry;
	struct schema *schema;
	struct store *store;
};

struct testing {
	struct test_report *report;
	const char *only; /* tests whose name has this; NULL: all */
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
	source_set_envelope(source, test->envelope);
	free(fields);
	return source;
}

static struct block block_of(const struct pattern_test *test)
{
	int64_t now_ns = test->now_ns ? test->now_ns : clock_wall_ns();

	return (struct block){
		.bytes = test->lines, .read_time_ns = now_ns, .mtime_ns = now_ns};
}

static void feed(const struct patterns *patterns, const struct pattern_test *test,
		 struct store *store)
{
	static const struct engine_ops ops = {.update = on_update, .error = on_error};
	struct block block = block_of(test);
	struct engine *engine = engine_create(patterns, 1000000, &ops, store);
	struct source *source = source_of(patterns, test);
	struct engine_counts counts = {0};

	engine_feed(engine, source, &block, &counts);
	engine_close(engine, source, INT64_MAX, &counts);
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

static struct ground ground_make(const struct patterns *patterns)
{
	struct ground ground;
	size_t count;
	const struct metric_def *const *defs = patterns_metrics(patterns, &count);

	ground.registry =
		registry_create(&(struct registry_options){.never_expires = true});
	ground.schema = registry_bind(ground.registry, defs, count, 0, NULL, 0,
				      clock_wall_ns(), 0);
	ground.store = store_create(ground.registry);
	store_use(ground.store, ground.schema);
	return ground;
}

static void ground_finish(struct ground *ground)
{
	store_destroy(ground->store);
	schema_unref(ground->schema);
	registry_destroy(ground->registry);
}

/* What the lines make of an empty registry. */
static void run_lines(const struct patterns *patterns, const struct pattern_test *test,
		      struct strbuf *out)
{
	struct ground ground = ground_make(patterns);

	feed(patterns, test, ground.store);
	render(ground.store, ground.schema, out);
	ground_finish(&ground);
}

/* The same lines again, to be asked about. */
static void add_reasons(const struct patterns *patterns,
			const struct pattern_test *test, struct strbuf *out)
{
	struct ground ground = ground_make(patterns);
	struct source *source = source_of(patterns, test);
	struct block block = block_of(test);

	test_reasons(patterns, source, &block, ground.store, out);
	source_destroy(source);
	ground_finish(&ground);
}

/* -- files ---------------------------------------------------------------- */

/* `said` gets errors and warnings, unless it is NULL. */
static struct patterns *load(const char *path, const char *zone, struct strbuf *said)
{
	struct patterns_options options = {.paths = &path,
					   .path_count = 1,
					   .tests_supply_fields = true,
					   .default_zone = zone,
					   .hash_key = slice_of(PSEUDONYM_TEST_KEY)};
	struct diag *diag = diag_create();
	struct patterns *patterns = patterns_load(&options, diag);

	if (said)
		diag_render(diag, said);
	diag_destroy(diag);
	return patterns;
}

static void run_test(const char *path, const struct patterns *patterns,
		     const struct pattern_test *test, struct testing *t)
{
	struct patterns *zoned = test->zone ? load(path, test->zone, NULL) : NULL;
	struct strbuf got = STRBUF_INIT, difference = STRBUF_INIT;
	int64_t start_ns = clock_monotonic_ns();
	bool ok;

	if (zoned)
		patterns = zoned;
	run_lines(patterns, test, &got);
	ok = samples_compare(test->expect, strbuf_slice(&got), &difference);
	if (!ok)
		add_reasons(patterns, test, &difference);
	test_report_case(t->report, test->name, test->at,
			 clock_seconds(clock_monotonic_ns() - start_ns),
			 ok ? NULL : difference.ptr);
	patterns_destroy(zoned);
	strbuf_finish(&got);
	strbuf_finish(&difference);
}

static void run_tests(const char *path, const struct patterns *patterns,
		      struct testing *t)
{
	const struct patterns_file *file = patterns_file(patterns, 0);

	if (file->test_count == 0)
		printf("none  %s: carries no tests\n", path);
	for (size_t i = 0; i < file->test_count; i++) {
		if (!t->only || strcasestr(file->tests[i].name, t->only))
			run_test(path, patterns, &file->tests[i], t);
	}
}

static void run_file(const char *path, struct testing *t)
{
	struct strbuf said = STRBUF_INIT;
	struct patterns *patterns = load(path, NULL, &said);

	fputs(said.ptr, stderr);
	test_report_file(t->report, path);
	if (patterns)
		run_tests(path, patterns, t);
	else
		test_report_broken(t->report, said.ptr);
	patterns_destroy(patterns);
	strbuf_finish(&said);
}

static void report_unread(struct testing *t, const char *path, const char *why)
{
	fprintf(stderr, "logtally: %s\n", why);
	test_report_file(t->report, path);
	test_report_broken(t->report, why);
}

static void run_path(const char *path, struct testing *t)
{
	struct arena *arena = arena_create();
	const char *const *files;
	struct error err;
	size_t count;
	bool read = patterns_list(path, arena, &files, &count, &err);

	if (read && count == 0)
		error_set(&err, "%s: " PATTERNS_LIST_NONE ": " PATTERNS_LIST_TAKEN,
			  path);
	if (count == 0)
		report_unread(t, path, err.text);
	for (size_t i = 0; i < count; i++)
		run_file(files[i], t);
	arena_destroy(arena);
}

/* The counts, and the exit status. */
static int conclude(const struct testing *t, const struct options *options)
{
	size_t passed = test_report_passed(t->report);
	size_t failed = test_report_failed(t->report);
	struct error err;
	int status = failed > 0;

	if (options->junit &&
	    !test_report_write_junit(t->report, options->junit, &err)) {
		fprintf(stderr, "logtally: %s\n", err.text);
		status = 1;
	}
	if (t->only && passed + failed == 0) {
		fprintf(stderr, "logtally: no test's name has \"%s\" in it\n", t->only);
		status = 1;
	}
	printf("%zu passed, %zu failed\n", passed, failed);
	return status;
}

int command_test(const struct options *options)
{
	struct testing t = {.only = options->only};
	int status;

	if (options->argument_count + options->pattern_count == 0) {
		fputs("logtally: nothing to test: give PATTERNS (files or "
		      "directories)\n",
		      stderr);
		return 2;
	}
	t.report = test_report_create();
	for (size_t i = 0; i < options->pattern_count; i++)
		run_path(options->patterns[i], &t);
	for (size_t i = 0; i < options->argument_count; i++)
		run_path(options->arguments[i], &t);
	status = conclude(&t, options);
	test_report_destroy(t.report);
	return status;
}
