#include "parsers/engine.h"

#include <stdlib.h>

#include "common/clock.h"
#include "common/xalloc.h"
#include "parsers/assembly.h"
#include "parsers/candidates.h"
#include "parsers/rule.h"
#include "parsers/rule_runner.h"

/* In one block of so many, rules that were not found are tried all the same. */
#define CHECK_EVERY 10000

struct engine {
	const struct patterns *patterns;
	struct rule_runner *rules;
	struct candidates *candidates;
	unsigned check_every, until_check;
	struct regex_scratch *line_scratch, *pattern_scratch, *other_scratch;
	struct format_fields *fields;
	struct records lines, records; /* of the present block; see assembly.h */
};

static const char *const error_names[RULE_ERRORS] = {
	[RULE_ERROR_VALUE] = "value",
	[RULE_ERROR_NEGATIVE] = "negative",
	[RULE_ERROR_LABEL_TOO_LONG] = "label_too_long",
	[RULE_ERROR_MATCH_LIMIT] = "match_limit",
	[RULE_ERROR_TIMESTAMP] = "timestamp",
	[RULE_ERROR_TIME_AHEAD] = "time_ahead",
	[RULE_ERROR_STATE] = "state",
};

static const char *const cut_names[RECORD_CUTS] = {
	[RECORD_CUT_LINES] = "lines",
	[RECORD_CUT_BYTES] = "bytes",
	[RECORD_CUT_AGE] = "age",
};

const char *rule_error_name(enum rule_error error)
{
	return error_names[error];
}

const char *record_cut_name(enum record_cut why)
{
	return cut_names[why];
}

/* A rule that has no literals, or none that the scanner knows, is always tried. */
static void try_always(struct engine *e, const struct patterns_file *file)
{
	for (size_t i = 0; i < file->rule_count; i++)
		if (file->rules[i].finding.how != FINDING_LITERALS)
			candidates_always(e->candidates, file->rules[i].index);
		else if (file->rules[i].finding.is_escaped)
			candidates_escaped(e->candidates, file->rules[i].index);
}

void engine_scan_with(struct engine *e, const struct scanner *scanner,
		      unsigned check_every)
{
	candidates_destroy(e->candidates);
	e->candidates = candidates_create(scanner, patterns_rule_count(e->patterns));
	for (size_t i = 0; i < patterns_file_count(e->patterns); i++)
		try_always(e, patterns_file(e->patterns, i));
	e->check_every = e->until_check = check_every;
}

void engine_set_trace(struct engine *e, const struct engine_trace *trace, void *ctx)
{
	rule_runner_set_trace(e->rules, trace, ctx);
}

struct engine *engine_create(const struct patterns *patterns, uint32_t match_steps,
			     const struct engine_ops *ops, void *ctx)
{
	struct engine *e = xcalloc(1, sizeof(*e));

	e->patterns = patterns;
	e->rules = rule_runner_create(patterns, ops, ctx);
	e->line_scratch = regex_scratch_create(match_steps);
	e->pattern_scratch = regex_scratch_create(match_steps);
	e->other_scratch = regex_scratch_create(match_steps);
	e->fields = format_fields_create();
	e->lines = e->records = (struct records)RECORDS_INIT;
	engine_scan_with(e, patterns_scanner(patterns), CHECK_EVERY);
	return e;
}

void engine_destroy(struct engine *e)
{
	if (!e)
		return;
	rule_runner_destroy(e->rules);
	candidates_destroy(e->candidates);
	regex_scratch_destroy(e->line_scratch);
	regex_scratch_destroy(e->pattern_scratch);
	regex_scratch_destroy(e->other_scratch);
	format_fields_destroy(e->fields);
	records_finish(&e->lines);
	records_finish(&e->records);
	free(e);
}

static void want_rules(struct engine *e, const struct record *record)
{
	candidates_want_none(e->candidates);
	for (size_t i = 0; i < record->file_count; i++) {
		const struct patterns_file *file = record->files[i];

		if (file->rule_count > 0)
			candidates_want(e->candidates, file->rules[0].index,
					file->rule_count);
	}
}

/* Most logs are ASCII: that is seen once a block, not by each match. */
static void trust(struct engine *e, struct slice text, bool is_ascii)
{
	if (!is_ascii)
		text = (struct slice){NULL, 0};
	regex_scratch_trust(e->line_scratch, text);
	regex_scratch_trust(e->pattern_scratch, text);
	regex_scratch_trust(e->other_scratch, text);
}

/* Now and then all rules are tried. */
static bool is_to_be_checked(struct engine *e)
{
	if (--e->until_check > 0)
		return false;
	e->until_check = e->check_every;
	return true;
}

static struct record record_of(const struct engine *e, const struct source *source,
			       const struct block *block)
{
	return (struct record){
		.source = source,
		.block = block,
		.envelope_time_ns = ENVELOPE_NO_TIME,
		.line_scratch = e->line_scratch,
		.pattern_scratch = e->pattern_scratch,
		.other_scratch = e->other_scratch,
		.fields = e->fields,
	};
}

static bool check_and_run(struct engine *e, struct record *record, bool check,
			  struct engine_counts *counts)
{
	if (check)
		counts->scan_misses +=
			rule_runner_check(e->rules, record, e->candidates);
	return rule_runner_run(e->rules, record, e->candidates, counts);
}

/*
 * The scan is no rule's: its time is not shared out, and where it finds nothing,
 * the clock is not asked.
 */
static void feed_lines(struct engine *e, const struct source *source,
		       const struct block *block, struct engine_counts *counts)
{
	struct record record = record_of(e, source, block);
	bool check = is_to_be_checked(e), is_ascii;
	uint64_t lines, matched = 0;
	int64_t start_ns;

	record.files = source_all_patterns(source);
	record.file_count = source_patterns_count(source);
	want_rules(e, &record);
	lines = candidates_begin(e->candidates, block->bytes, check, &is_ascii);
	trust(e, block->bytes, is_ascii);
	counts->lines += lines;
	counts->unmatched_lines += lines;
	if (!candidates_any(e->candidates))
		return;
	start_ns = clock_thread_cpu_ns();
	while (candidates_next(e->candidates, &record.text))
		matched += check_and_run(e, &record, check, counts);
	counts->unmatched_lines -= matched;
	rule_runner_end_block(e->rules, start_ns);
}

/* -- records that lie in no block ----------------------------------------- */

static void run_assembled(struct engine *e, const struct source *source,
			  const struct patterns_file *const *files, size_t file_count,
			  struct records *records, struct engine_counts *counts)
{
	struct slice bytes = strbuf_slice(&records->bytes);
	struct block block = {0};
	struct record record = record_of(e, source, &block);
	bool check, is_ascii;
	int64_t start_ns;

	if (records->count == 0)
		return;
	check = is_to_be_checked(e);
	record.files = files;
	record.file_count = file_count;
	want_rules(e, &record);
	candidates_begin_records(e->candidates, bytes, records->ends, records->count,
				 check, &is_ascii);
	trust(e, bytes, is_ascii);
	if (!candidates_any(e->candidates))
		return;
	start_ns = clock_thread_cpu_ns();
	while (candidates_next(e->candidates, &record.text)) {
		struct record_origin *origin =
			&records->origins[candidates_record(e->candidates)];

		block.read_time_ns = origin->read_time_ns;
		block.mtime_ns = origin->mtime_ns;
		record.line = origin->line;
		record.stream = origin->stream;
		record.envelope_time_ns = origin->time_ns;
		origin->matched = check_and_run(e, &record, check, counts);
	}
	rule_runner_end_block(e->rules, start_ns);
}

/* What became of e->lines, group by group. */
static void run_groups(struct engine *e, const struct source *source,
		       struct assembly *assembly, int64_t now_ns, bool complete_silent,
		       struct engine_counts *counts)
{
	struct slice lines = strbuf_slice(&e->lines.bytes);
	bool is_ascii;

	count_lines(lines, &is_ascii);
	for (size_t i = 0; i < assembly_group_count(assembly); i++) {
		struct records *records;
		const struct patterns_file *const *files;
		size_t file_count;

		trust(e, lines, is_ascii);
		records = assembly_join(assembly, i, &e->lines, now_ns, complete_silent,
					e->other_scratch, &e->records, counts);
		files = assembly_group(assembly, i, &file_count);
		run_assembled(e, source, files, file_count, records, counts);
		assembly_vote(assembly, records);
	}
	assembly_settle(assembly, counts);
}

void engine_feed(struct engine *e, struct source *source, const struct block *block,
		 struct engine_counts *counts)
{
	struct assembly *assembly = source_assembly(source, block);
	int64_t now_ns;

	if (!assembly) {
		feed_lines(e, source, block, counts);
		return;
	}
	now_ns = clock_monotonic_ns();
	assembly_take(assembly, block, now_ns, &e->lines, counts);
	run_groups(e, source, assembly, now_ns, false, counts);
}

void engine_close(struct engine *e, struct source *source, int64_t now_ns,
		  struct engine_counts *counts)
{
	struct assembly *assembly = source_present_assembly(source);

	if (!assembly)
		return;
	assembly_take_old(assembly, now_ns, &e->lines, counts);
	run_groups(e, source, assembly, now_ns, true, counts);
}

void engine_restore(struct engine *e, struct source *source,
		    const struct open_record *open, int64_t now_ns,
		    struct engine_counts *counts)
{
	struct assembly *assembly = source_make_assembly(source);

	if (assembly_restore(assembly, open, now_ns, &e->records))
		return;
	for (size_t i = 0; i < source_patterns_count(source); i++) {
		const struct patterns_file *file = source_patterns(source, i);

		if (slice_is(open->patterns, file->name))
			run_assembled(e, source, &file, 1, &e->records, counts);
	}
	assembly_vote(assembly, &e->records);
}
