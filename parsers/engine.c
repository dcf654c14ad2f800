#include "parsers/engine.h"

#include <stdlib.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/xalloc.h"
#include "parsers/assembly.h"
#include "parsers/candidates.h"
#include "parsers/cpu_share.h"
#include "parsers/measure.h"
#include "parsers/rule.h"

/* In one block of so many, rules that were not found are tried all the same. */
#define CHECK_EVERY 10000

struct engine {
	const struct patterns *patterns;
	const struct engine_ops *ops;
	void *ctx;
	struct candidates *candidates;
	unsigned check_every, until_check;
	struct regex_scratch *line_scratch, *pattern_scratch, *other_scratch;
	struct timestamp_cache *times; /* one a file */
	struct format_fields *fields;
	struct strbuf value_scratch;
	struct label_scratch label_scratch[METRIC_MAX_LABELS];
	struct pseudonyms *pseudonyms; /* NULL: no label is hashed */
	struct records lines, records; /* of the present block; see assembly.h */
	/* Matches of the present block, and which rules have any. */
	uint64_t *matches;
	size_t *matched_rules;
	size_t matched_count;
	struct cpu_share *cpu;
	const struct engine_trace *trace; /* NULL: nobody wants to know */
	void *trace_ctx;
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
	e->trace = trace;
	e->trace_ctx = ctx;
}

struct engine *engine_create(const struct patterns *patterns, uint32_t match_steps,
			     const struct engine_ops *ops, void *ctx)
{
	struct engine *e = xcalloc(1, sizeof(*e));
	size_t rules = patterns_rule_count(patterns);

	e->patterns = patterns;
	e->ops = ops;
	e->ctx = ctx;
	e->line_scratch = regex_scratch_create(match_steps);
	e->pattern_scratch = regex_scratch_create(match_steps);
	e->other_scratch = regex_scratch_create(match_steps);
	e->fields = format_fields_create();
	e->value_scratch = (struct strbuf)STRBUF_INIT;
	if (patterns_hash_key(patterns).len > 0)
		e->pseudonyms = pseudonyms_create(patterns_hash_key(patterns));
	e->lines = e->records = (struct records)RECORDS_INIT;
	for (size_t i = 0; i < METRIC_MAX_LABELS; i++)
		e->label_scratch[i] =
			(struct label_scratch){.now = STRBUF_INIT,
					       .next = STRBUF_INIT,
					       .pseudonyms = e->pseudonyms};
	e->times = xcalloc(patterns_file_count(patterns), sizeof(*e->times));
	e->matches = xcalloc(rules, sizeof(*e->matches));
	e->matched_rules = xcalloc(rules, sizeof(*e->matched_rules));
	e->cpu = cpu_share_create(rules);
	engine_scan_with(e, patterns_scanner(patterns), CHECK_EVERY);
	return e;
}

void engine_destroy(struct engine *e)
{
	if (!e)
		return;
	candidates_destroy(e->candidates);
	regex_scratch_destroy(e->line_scratch);
	regex_scratch_destroy(e->pattern_scratch);
	regex_scratch_destroy(e->other_scratch);
	format_fields_destroy(e->fields);
	strbuf_finish(&e->value_scratch);
	records_finish(&e->lines);
	records_finish(&e->records);
	for (size_t i = 0; i < METRIC_MAX_LABELS; i++)
		label_scratch_finish(&e->label_scratch[i]);
	pseudonyms_destroy(e->pseudonyms);
	free(e->times);
	free(e->matches);
	free(e->matched_rules);
	cpu_share_destroy(e->cpu);
	free(e);
}

static void failed(struct engine *e, const struct rule *rule, enum rule_error error)
{
	e->ops->error(e->ctx, rule->index, error);
}

/* A match that hits a limit is no match, and counts. */
static bool matches(struct engine *e, const struct rule *rule,
		    const struct regex *regex, struct regex_scratch *scratch,
		    struct slice text)
{
	enum regex_result result = regex_match(regex, scratch, text);

	if (result == REGEX_LIMIT)
		failed(e, rule, RULE_ERROR_MATCH_LIMIT);
	return result == REGEX_MATCH;
}

static bool where_holds(struct engine *e, const struct rule *rule,
			const struct rule_where *where, struct record *record)
{
	struct slice text = field_text(where->field, record);

	if (!text.ptr)
		return false;
	if (where->matches)
		return matches(e, rule, where->matches, record->other_scratch, text);
	for (size_t i = 0; i < where->text_count; i++)
		if (slice_eq(text, where->texts[i]))
			return true;
	return false;
}

static bool pattern_holds(struct engine *e, const struct rule *rule,
			  struct record *record, struct slice text)
{
	if (rule->pattern_count == 0)
		return true;
	for (size_t i = 0; text.ptr && i < rule->pattern_count; i++) {
		if (matches(e, rule, rule->patterns[i], record->pattern_scratch,
			    text)) {
			record->alternative = i;
			record->has_match = true;
			return true;
		}
	}
	return false;
}

/* *which: of its conditions, the one that refused. */
static enum engine_verdict try_rule(struct engine *e, const struct rule *rule,
				    struct record *record, size_t *which)
{
	struct slice text;

	record->has_match = false;
	*which = 0;
	for (size_t i = 0; i < rule->where_count; i++) {
		if (!where_holds(e, rule, &rule->where[i], record)) {
			*which = i;
			return ENGINE_WHERE;
		}
	}
	if (rule->pattern_count == 0 && rule->unless_count == 0)
		return ENGINE_MATCHED;
	text = field_text(rule->in, record);
	if (!pattern_holds(e, rule, record, text))
		return ENGINE_PATTERN;
	for (size_t i = 0; text.ptr && i < rule->unless_count; i++) {
		if (matches(e, rule, rule->unless[i], record->other_scratch, text)) {
			*which = i;
			return ENGINE_UNLESS;
		}
	}
	return ENGINE_MATCHED;
}

/* False: the metric is not to be updated; the reason was counted. */
static bool find_value(struct engine *e, const struct rule *rule,
		       const struct rule_metric *metric, struct record *record,
		       struct update *update)
{
	enum rule_error error;

	if (measure(metric, record, &e->value_scratch, update, &error))
		return true;
	failed(e, rule, error);
	return false;
}

static bool find_labels(struct engine *e, const struct rule *rule,
			const struct rule_metric *metric, struct record *record,
			struct slice *labels)
{
	for (size_t i = 0; i < metric->label_count; i++) {
		if (label_text(&metric->labels[i], record, &e->label_scratch[i],
			       &labels[i]) == LABEL_LIMIT) {
			failed(e, rule, RULE_ERROR_MATCH_LIMIT);
			return false;
		}
	}
	return true;
}

static void count_refusal(struct engine *e, const struct rule *rule,
			  enum update_result result)
{
	if (result == UPDATE_NEGATIVE)
		failed(e, rule, RULE_ERROR_NEGATIVE);
	else if (result == UPDATE_NOT_FINITE)
		failed(e, rule, RULE_ERROR_VALUE);
	else if (result == UPDATE_LABEL_TOO_LONG)
		failed(e, rule, RULE_ERROR_LABEL_TOO_LONG);
}

static void update_metric(struct engine *e, const struct rule *rule,
			  const struct rule_metric *metric, struct record *record)
{
	struct slice labels[METRIC_MAX_LABELS + 1];
	struct update update = {.metric = metric->metric,
				.op = metric->op,
				.time_ns = record_time_ns(record),
				.labels = labels,
				.base_after = metric->base_after,
				.first_counts = metric->first_counts};

	if (e->trace)
		e->trace->metric(e->trace_ctx, metric, record);
	if (metric->value_is_time && record->time_state == RECORD_TIME_AHEAD)
		return;
	labels[metric->label_count] = source_path(record->source);
	if (find_value(e, rule, metric, record, &update) &&
	    find_labels(e, rule, metric, record, labels))
		count_refusal(e, rule, e->ops->update(e->ctx, &update));
}

static void count_bad_time(struct engine *e, const struct rule *rule,
			   struct record *record)
{
	record_time_ns(record);
	if (record->time_state == RECORD_TIME_UNPARSED)
		failed(e, rule, RULE_ERROR_TIMESTAMP);
	else if (record->time_state == RECORD_TIME_AHEAD)
		failed(e, rule, RULE_ERROR_TIME_AHEAD);
}

/* The time is worked out once a record, or once a rule if rules capture it. */
static void use_time_of(const struct rule *rule, struct record *record)
{
	if (record->time_field == rule->time_field && rule->time_is_of_line)
		return;
	record->time_field = rule->time_field;
	record->time_state = RECORD_TIME_UNKNOWN;
}

static bool run_rule(struct engine *e, const struct rule *rule, struct record *record)
{
	size_t which;
	enum engine_verdict verdict;

	use_time_of(rule, record);
	verdict = try_rule(e, rule, record, &which);
	if (record->line_hit_limit) {
		record->line_hit_limit = false;
		failed(e, rule, RULE_ERROR_MATCH_LIMIT);
	}
	if (verdict == ENGINE_MATCHED)
		use_time_of(rule, record);
	if (e->trace)
		e->trace->rule(e->trace_ctx, rule, record, verdict, which);
	if (verdict != ENGINE_MATCHED)
		return false;
	if (e->matches[rule->index]++ == 0)
		e->matched_rules[e->matched_count++] = rule->index;
	if (rule->metric_count > 0)
		count_bad_time(e, rule, record);
	for (size_t i = 0; i < rule->metric_count; i++)
		update_metric(e, rule, &rule->metrics[i], record);
	return true;
}

static bool run_rule_timed(struct engine *e, const struct rule *rule,
			   struct record *record)
{
	int64_t start_ns = clock_thread_cpu_ns();
	bool matched = run_rule(e, rule, record);

	cpu_share_sample(e->cpu, rule->index, start_ns);
	return matched;
}

static void begin_file(struct engine *e, struct record *record,
		       const struct patterns_file *file)
{
	record->file = file;
	record->times = &e->times[file - patterns_file(e->patterns, 0)];
	record->line_tried = record->line_matched = false;
	record->line_hit_limit = false;
	record->fields_read = false;
	record->has_match = false;
	record->time_state = RECORD_TIME_UNKNOWN;
	record->time_field = NULL;
}

/* Its candidates in their order, up to one that stops. */
static bool run_file(struct engine *e, const struct patterns_file *file,
		     struct record *record, bool timed)
{
	size_t first = file->rules[0].index, end = first + file->rule_count;
	bool matched = false;

	begin_file(e, record, file);
	for (size_t i = first; (i = candidates_rule(e->candidates, i, end)) < end;
	     i++) {
		const struct rule *rule = &file->rules[i - first];

		if (!(timed ? run_rule_timed : run_rule)(e, rule, record))
			continue;
		matched = true;
		if (rule->stop)
			break;
	}
	return matched;
}

static void count_malformed(unsigned malformed, struct engine_counts *counts)
{
	for (int i = 0; malformed != 0; i++, malformed >>= 1)
		counts->malformed[i] += malformed & 1;
}

/* True if a rule of some file matched. */
static bool run_record(struct engine *e, struct record *record,
		       struct engine_counts *counts)
{
	bool timed = cpu_share_is_due(e->cpu) && e->ops->cpu;
	bool matched = false;

	record->malformed = 0;
	for (size_t i = 0; i < record->file_count; i++)
		if (record->files[i]->rule_count > 0)
			matched |= run_file(e, record->files[i], record, timed);
	if (timed)
		cpu_share_out(e->cpu, e->ops->cpu, e->ctx);
	count_malformed(record->malformed, counts);
	return matched;
}

/* -- is the scan right? --------------------------------------------------- */

static bool any_pattern_matches(const struct rule *rule, struct record *record)
{
	struct slice text = field_text(rule->in, record);

	for (size_t i = 0; text.ptr && i < rule->pattern_count; i++)
		if (regex_match(rule->patterns[i], record->pattern_scratch, text) ==
		    REGEX_MATCH)
			return true;
	return false;
}

static void missed(struct engine *e, const struct rule *rule)
{
	log_warn("a rule matches a line that has none of its texts: it is tried on "
		 "every line from now on",
		 LOG_TEXT("patterns", rule->info.patterns),
		 LOG_TEXT("rule", rule->info.name));
	candidates_always(e->candidates, rule->index);
}

/* Tries, without counting anything, what is no candidate; it becomes one. */
static uint64_t check_record(struct engine *e, struct record *record)
{
	uint64_t misses = 0;

	for (size_t i = 0; i < record->file_count; i++) {
		const struct patterns_file *file = record->files[i];

		begin_file(e, record, file);
		for (size_t j = 0; j < file->rule_count; j++) {
			const struct rule *rule = &file->rules[j];
			size_t index = rule->index;

			if (candidates_rule(e->candidates, index, index + 1) == index ||
			    !any_pattern_matches(rule, record))
				continue;
			missed(e, rule);
			misses++;
		}
	}
	return misses;
}

static void report_matches(struct engine *e)
{
	for (size_t i = 0; i < e->matched_count; i++) {
		size_t rule = e->matched_rules[i];

		if (e->ops->matched)
			e->ops->matched(e->ctx, rule, e->matches[rule]);
		e->matches[rule] = 0;
	}
	e->matched_count = 0;
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
		counts->scan_misses += check_record(e, record);
	return run_record(e, record, counts);
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
	report_matches(e);
	cpu_share_add(e->cpu, clock_thread_cpu_ns() - start_ns);
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
	report_matches(e);
	cpu_share_add(e->cpu, clock_thread_cpu_ns() - start_ns);
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
