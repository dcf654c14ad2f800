/*
 * A patterns file of any bytes: it loads, or there is an error that says why; what
 * loads can be run.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/clock.h"
#include "parsers/engine.h"
#include "parsers/pseudonym.h"
#include "parsers/rule.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define check(holds) ((holds) ? (void)0 : fail(__LINE__))

static void fail(int line)
{
	fprintf(stderr, "line %d does not hold\n", line);
	abort();
}

static const char *path_of(const uint8_t *data, size_t size)
{
	static char path[64];
	static int fd = -1;

	if (fd == -1)
		fd = memfd_create("patterns", MFD_CLOEXEC);
	check(ftruncate(fd, 0) == 0 && pwrite(fd, data, size, 0) == (ssize_t)size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return path;
}

static enum update_result on_update(void *ctx, const struct update *update)
{
	size_t count;
	const struct metric_def *const *defs = patterns_metrics(ctx, &count);
	unsigned sum = 0; /* of every byte, so that each is read */

	check(update->metric < count);
	for (size_t i = 0; i < defs[update->metric]->label_count; i++)
		for (size_t j = 0; j < update->labels[i].len; j++)
			sum += (unsigned char)update->labels[i].ptr[j];
	check(sum < UINT32_MAX);
	return UPDATE_DONE;
}

static void on_error(void *ctx, size_t rule, enum rule_error error)
{
	check(rule < patterns_rule_count(ctx) && rule_error_name(error));
}

static void on_matched(void *ctx, size_t rule, uint64_t count)
{
	check(rule < patterns_rule_count(ctx) && count > 0);
}

static void on_cpu(void *ctx, size_t rule, double cpu_ns)
{
	check(rule < patterns_rule_count(ctx) && cpu_ns >= 0);
}

static void run(struct patterns *patterns, const char *path, struct slice lines)
{
	static const struct engine_ops ops = {on_update, on_error, on_matched, on_cpu};
	struct block block = {.bytes = lines,
			      .read_time_ns = 1763640000 * NS_PER_SECOND,
			      .mtime_ns = 1763640000 * NS_PER_SECOND};
	size_t fields;
	struct slice *values;
	struct source *source;
	struct engine *engine = engine_create(patterns, 1000, &ops, patterns);
	struct engine_counts counts = {0};

	patterns_path_fields(patterns, &fields);
	values = calloc(fields + 1, sizeof(*values));
	source = source_create(patterns, path, values, fields);
	engine_feed(engine, source, &block, &counts);
	engine_destroy(engine);
	source_destroy(source);
	free(values);
}

static void run_tests(struct patterns *patterns)
{
	const struct patterns_file *file = patterns_file(patterns, 0);

	run(patterns, "/var/log/a.log",
	    slice_of("2025-11-20 12:00:01,5 ERROR a=1\nx\n"));
	for (size_t i = 0; i < file->test_count; i++)
		run(patterns, file->tests[i].file, file->tests[i].lines);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *path = path_of(data, size);
	struct patterns_options options = {
		.paths = &path,
		.path_count = 1,
		.lint = size % 4 < 2,
		.tests_supply_fields = true,
		.hash_key = size % 2 ? slice_of(PSEUDONYM_TEST_KEY) : slice_of("")};
	struct diag *diag = diag_create();
	struct patterns *patterns = patterns_load(&options, diag);
	struct strbuf out = STRBUF_INIT;

	check((patterns == NULL) == (diag_errors(diag) > 0));
	diag_render(diag, &out);
	check(out.len > 0 || diag_errors(diag) + diag_warnings(diag) == 0);
	if (patterns)
		run_tests(patterns);
	patterns_destroy(patterns);
	strbuf_finish(&out);
	diag_destroy(diag);
	return 0;
}
