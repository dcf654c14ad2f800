/*
 * A pattern, as it stands in a patterns file, and a line, with a newline between
 * them: how far the pattern got lies within both, and is told of what does not match;
 * its flaws lie within it.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/utf8.h"
#include "parsers/explain_attempt.h"
#include "parsers/regex_progress.h"
#include "parsers/regex_shape.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define STEPS 10000
#define MOST_SHAPE_BYTES 40
#define MOST_BYTES                                                        \
	4096 /* of what a pattern expands to: each limit is then met soon \
	      */
#define check(holds) ((holds) ? (void)0 : fail(__LINE__))

static void fail(int line)
{
	fprintf(stderr, "line %d does not hold\n", line);
	abort();
}

static void check_progress(const struct regex *regex, struct regex_scratch *scratch,
			   struct slice line)
{
	struct slice pattern = regex_pattern(regex);
	struct regex_progress p = regex_progress(pattern, line, NULL, 0, STEPS);
	enum regex_result result = regex_match(regex, scratch, line);

	check(!p.known || p.pattern_at <= pattern.len);
	check(!p.known || p.pattern_len <= pattern.len - p.pattern_at);
	check(!p.known || p.subject_at <= line.len);
	/* Counting steps, JIT and the interpreter differ. */
	if (result != REGEX_LIMIT && !p.hit_limit)
		check(p.matched == (result == REGEX_MATCH));
}

static void check_attempt(const struct attempt_context *context,
			  const struct regex *regex, struct slice line)
{
	struct explained_attempt a = explain_attempt(context, regex, line);

	explain_hint(&a);
	check(a.written_at <= a.written.len);
	check(a.subject_at <= a.subject.len);
	check(a.reference.len <= a.written.len - a.written_at);
	for (size_t i = 0; i < a.wanted.len; i++)
		check(a.wanted.ptr[i] || !a.wanted.ptr[i]); /* can be read */
}

static void on_flaw(void *ctx, enum shape_flaw flaw, size_t at)
{
	const struct slice *pattern = ctx;

	(void)flaw;
	check(at < pattern->len);
}

/* What check asks of a pattern is slow: of short ones, then. */
static void check_shape(const struct regex *regex)
{
	struct slice pattern = regex_pattern(regex);

	if (pattern.len > MOST_SHAPE_BYTES)
		return;
	regex_flaws(pattern, on_flaw, &pattern);
	for (size_t i = 0; i < regex_name_count(regex); i++)
		regex_group_is_unbounded(pattern, regex_name(regex, i));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct grok_definition definitions[] = {
		{"ID", {"p\\d{3,}", 7}, {.file = "fuzz"}},
		{"TWO", {"%{ID:a}|x%{WORD}", 16}, {.file = "fuzz"}},
	};
	const char *bytes = (const char *)data;
	const char *newline = size > 0 ? memchr(bytes, '\n', size) : NULL;
	static struct regex_scratch *scratch;
	struct attempt_context context = {.definitions = definitions,
					  .definition_count = 2,
					  .field = "message",
					  .match_steps = STEPS};
	struct strbuf expanded = STRBUF_INIT;
	struct slice written, line;
	struct diag *diag;
	struct regex *regex = NULL;

	if (!newline)
		return 0;
	scratch = scratch ? scratch : regex_scratch_create(STEPS);
	written = (struct slice){bytes, (size_t)(newline - bytes)};
	line = (struct slice){newline + 1, size - written.len - 1};
	context.arena = arena_create();
	context.scratch = scratch;
	context.line = line;
	diag = diag_create();
	if (grok_expand(written, (struct position){.file = "fuzz"}, definitions, 2,
			&expanded, diag) &&
	    expanded.len <= MOST_BYTES)
		regex = regex_compile(strbuf_slice(&expanded),
				      (struct position){.file = "fuzz"}, diag);
	if (regex) {
		regex_set_written(regex, written, (struct position){.file = "fuzz"});
		check_progress(regex, scratch, line);
		check_attempt(&context, regex, line);
		check_shape(regex);
	}
	regex_destroy(regex);
	strbuf_finish(&expanded);
	diag_destroy(diag);
	arena_destroy(context.arena);
	return 0;
}
