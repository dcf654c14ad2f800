/*
 * libhs fails, at any call: rules are tried on each line, and nothing is lost.
 * This program's own functions of libhs come before the library's.
 */
#include <dlfcn.h>
#include <hs/hs.h>

#include "parsers/engine.h"
#include "parsers/rule.h"

#include "fixture.h"

static bool platform_fails, compile_fails, scratch_fails;
static unsigned scans_until_failure; /* 0: never */

hs_error_t hs_valid_platform(void)
{
	return platform_fails ? HS_ARCH_ERROR : HS_SUCCESS;
}

hs_error_t hs_compile_multi(const char *const *expressions, const unsigned int *flags,
			    const unsigned int *ids, unsigned int elements,
			    unsigned int mode, const hs_platform_info_t *platform,
			    hs_database_t **db, hs_compile_error_t **error)
{
	hs_error_t (*real)(const char *const *, const unsigned int *,
			   const unsigned int *, unsigned int, unsigned int,
			   const hs_platform_info_t *, hs_database_t **,
			   hs_compile_error_t **) =
		(__typeof__(real))dlsym(RTLD_NEXT, "hs_compile_multi");
	const char *wrong = "(";

	return real(compile_fails ? &wrong : expressions, flags, ids,
		    compile_fails ? 1 : elements, mode, platform, db, error);
}

hs_error_t hs_alloc_scratch(const hs_database_t *db, hs_scratch_t **scratch)
{
	hs_error_t (*real)(const hs_database_t *, hs_scratch_t **) =
		(__typeof__(real))dlsym(RTLD_NEXT, "hs_alloc_scratch");

	return scratch_fails ? HS_NOMEM : real(db, scratch);
}

/* Fails half way, after hits were reported. */
hs_error_t hs_scan(const hs_database_t *db, const char *data, unsigned int length,
		   unsigned int flags, hs_scratch_t *scratch,
		   match_event_handler on_event, void *context)
{
	hs_error_t (*real)(const hs_database_t *, const char *, unsigned int,
			   unsigned int, hs_scratch_t *, match_event_handler, void *) =
		(__typeof__(real))dlsym(RTLD_NEXT, "hs_scan");
	bool fails = scans_until_failure > 0 && --scans_until_failure == 0;
	hs_error_t rc = real(db, data, fails ? length / 2 : length, flags, scratch,
			     on_event, context);

	return fails ? HS_UNKNOWN_ERROR : rc;
}

static struct patterns *load(void)
{
	return patterns_of_good_text(
		"rules:\n  - {name: a, pattern: 'quick', metrics: [{counter: "
		"n_total, help: n, labels: {l: $_line}}]}\n",
		(struct patterns_options){0});
}

static enum update_result on_update(void *ctx, const struct update *u)
{
	strbuf_addf(ctx, "%.*s\n", SLICE_ARG(u->labels[0]));
	return UPDATE_DONE;
}

static void on_error(void *ctx, size_t rule, enum rule_error error)
{
	(void)rule;
	strbuf_addf(ctx, "error %d\n", (int)error);
}

static const struct engine_ops ops = {.update = on_update, .error = on_error};

/* Three blocks, each with two lines that match. */
static void expect_all_lines(bool scanner)
{
	struct patterns *patterns = load();
	struct strbuf said = STRBUF_INIT;
	struct engine *engine = engine_create(patterns, 10000, &ops, &said);
	struct source *source = source_create(patterns, "/a", NULL, 0);
	struct engine_counts counts = {0};
	struct block block = {.bytes = slice_of("quick 1\nlazy\nquick 2\n")};

	cr_expect_eq(patterns_scanner(patterns) != NULL, scanner);
	for (int i = 0; i < 3; i++) {
		strbuf_clear(&said);
		engine_feed(engine, source, &block, &counts);
		cr_expect_str_eq(said.ptr, "quick 1\nquick 2\n");
	}
	cr_expect_eq(counts.lines, 9);
	cr_expect_eq(counts.unmatched_lines, 3);
	engine_destroy(engine);
	source_destroy(source);
	strbuf_finish(&said);
	patterns_destroy(patterns);
}

Test(scan_faults, none_happen_by_themselves)
{
	expect_all_lines(true);
}

Test(scan_faults, a_cpu_that_is_not_supported_costs_no_line)
{
	platform_fails = true;
	expect_all_lines(false);
}

Test(scan_faults, literals_that_are_refused_cost_no_line)
{
	compile_fails = true;
	expect_all_lines(false);
}

Test(scan_faults, a_worker_without_scratch_loses_no_line)
{
	scratch_fails = true;
	expect_all_lines(true);
}

Test(scan_faults, a_scan_that_fails_half_way_costs_no_line)
{
	for (unsigned scan = 1; scan <= 3; scan++) {
		scans_until_failure = scan;
		expect_all_lines(true);
		cr_expect_eq(scans_until_failure, 0);
	}
}
