/*
 * Lines in, records out.  Loads patterns whose rules tell whole records, feeds
 * lines, and says what came out: a record a line, with ~ for the newlines in it.
 */
#ifndef RECORDS_FIXTURE_H
#define RECORDS_FIXTURE_H

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/xalloc.h"
#include "parsers/engine.h"
#include "parsers/rule.h"

static struct patterns *patterns;
static struct engine *engine;
static struct source *source;
static struct engine_counts counts;
static struct strbuf said = STRBUF_INIT;
static char directory[] = "/tmp/records-XXXXXX";

#define NOW_NS (1764000000 * NS_PER_SECOND)
#define CRI "2016-10-06T00:17:09.5Z "
#define PODS "/var/log/pods/ns_web_1/app/0.log"

static inline enum update_result on_update(void *ctx, const struct update *u)
{
	(void)ctx;
	for (size_t i = 0; i < u->labels[0].len; i++)
		strbuf_putc(&said,
			    u->labels[0].ptr[i] == '\n' ? '~' : u->labels[0].ptr[i]);
	strbuf_putc(&said, '\n');
	return UPDATE_DONE;
}

static inline void on_error(void *ctx, size_t rule, enum rule_error error)
{
	(void)ctx;
	strbuf_addf(&said, "error %zu %s\n", rule, rule_error_name(error));
}

static const struct engine_ops ops = {.update = on_update, .error = on_error};

static inline const char *path_of(unsigned index)
{
	static char path[64];

	snprintf(path, sizeof(path), "%s/%u.yml", directory, index);
	return path;
}

static inline void finish(void)
{
	engine_destroy(engine);
	source_destroy(source);
	patterns_destroy(patterns);
	engine = NULL;
	source = NULL;
	patterns = NULL;
	for (unsigned i = 0; i < 2; i++)
		unlink(path_of(i));
}

static inline void setup(void)
{
	cr_assert(mkdtemp(directory));
}

static inline void teardown(void)
{
	finish();
	strbuf_finish(&said);
	rmdir(directory);
}

static inline void write_file(unsigned index, const char *yaml)
{
	FILE *f = fopen(path_of(index), "w");

	fputs(yaml, f);
	fclose(f);
}

static inline void load(const char *path, const char *a, const char *b)
{
	const char *paths[] = {directory};
	struct patterns_options options = {.paths = paths, .path_count = 1};
	struct diag *diag = diag_create();
	struct strbuf errors = STRBUF_INIT;

	finish();
	write_file(0, a);
	if (b)
		write_file(1, b);
	patterns = patterns_load(&options, diag);
	diag_render(diag, &errors);
	cr_assert(patterns, "%s", errors.ptr);
	strbuf_finish(&errors);
	diag_destroy(diag);
	engine = engine_create(patterns, 100000, &ops, NULL);
	source = source_create(patterns, path, NULL, 0);
	counts = (struct engine_counts){0};
	strbuf_clear(&said);
}

#define ALL                                                                      \
	"rules: [{name: all, metrics: [{counter: a_total, help: a, labels: {l: " \
	"$_line}}]}]\n"

/* As above, with the head of a file whose one rule tells each record. */
static inline void load_all(const char *path, const char *head)
{
	char *yaml = xasprintf("%s" ALL, head);

	load(path, yaml, NULL);
	free(yaml);
}

static inline void feed(const char *lines)
{
	struct block block = {.bytes = slice_of(lines),
			      .read_time_ns = NOW_NS,
			      .mtime_ns = NOW_NS - NS_PER_SECOND};

	engine_feed(engine, source, &block, &counts);
}

static inline void end(void)
{
	engine_close(engine, source, INT64_MAX, &counts);
}

static inline void expect(const char *want)
{
	cr_expect_str_eq(said.ptr, want, "got:\n%s\nwanted:\n%s", said.ptr, want);
	strbuf_clear(&said);
}

static inline void expect_records(const char *head, const char *lines, const char *want)
{
	load_all("/l/a.log", head);
	feed(lines);
	end();
	expect(want);
}

/* One rule, which tells each record where `pattern` is. */
#define WITH(multiline, pattern)                         \
	multiline "rules: [{name: r, pattern: '" pattern \
		  "', metrics: [{counter: a_total, help: a, labels: {l: $_line}}]}]\n"

#endif
