#include "parsers/rule_runner.h"

#include <stdlib.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/xalloc.h"
#include "parsers/cpu_share.h"
#include "parsers/measure.h"
#include "parsers/rule.h"

struct rule_runner {
	const struct patterns *patterns;
	const struct engine_ops *ops;
	void *ctx;
	struct timestamp_cache *times; /* one a file */
	struct strbuf value_scratch;
	struct label_scratch label_scratch[METRIC_MAX_LABELS];
	struct pseudonyms *pseudonyms; /* NULL: no label is hashed */
	/* Matches of the present block, and which rules have any. */
	uint64_t *matches;
	size_t *matched_rules;
	size_t matched_count;
	struct cpu_share *cpu;
	const struct engine_trace *trace; /* NULL: nobody wants to know */
	void *trace_ctx;
};

struct rule_runner *rule_runner_create(const struct patterns *patterns,
				       const struct engine_ops *ops, void *ctx)
{
	struct rule_runner *r = xcalloc(1, sizeof(*r));
	size_t rules = patterns_rule_count(patterns);

	r->patterns = patterns;
	r->ops = ops;
	r->ctx = ctx;
	r->value_scratch = (struct strbuf)STRBUF_INIT;
	if (patterns_hash_key(patterns).len > 0)
		r->pseudonyms = pseudonyms_create(patterns_hash_key(patterns));
	for (size_t i = 0; i < METRIC_MAX_LABELS; i++)
		r->label_scratch[i] =
			(struct label_scratch){.now = STRBUF_INIT,
					       .next = STRBUF_INIT,
					       .pseudonyms = r->pseudonyms};
	r->times = xcalloc(patterns_file_count(patterns), sizeof(*r->times));
	r->matches = xcalloc(rules, sizeof(*r->matches));
	r->matched_rules = xcalloc(rules, sizeof(*r->matched_rules));
	r->cpu = cpu_share_create(rules);
	return r;
}

void rule_runner_destroy(struct rule_runner *r)
{
	if (!r)
		return;
	strbuf_finish(&r->value_scratch);
	for (size_t i = 0; i < METRIC_MAX_LABELS; i++)
		label_scratch_finish(&r->label_scratch[i]);
	pseudonyms_destroy(r->pseudonyms);
	free(r->times);
	free(r->matches);
	free(r->matched_rules);
	cpu_share_destroy(r->cpu);
	free(r);
}

void rule_runner_set_trace(struct rule_runner *r, const struct engine_trace *trace,
			   void *ctx)
{
	r->trace = trace;
	r->trace_ctx = ctx;
}

static void failed(struct rule_runner *r, const struct rule *rule,
		   enum rule_error error)
{
	r->ops->error(r->ctx, rule->index, error);
}

/* A match that hits a limit is no match, and counts. */
static bool matches(struct rule_runner *r, const struct rule *rule,
		    const struct regex *regex, struct regex_scratch *scratch,
		    struct slice text)
{
	enum regex_result result = regex_match(regex, scratch, text);

	if (result == REGEX_LIMIT)
		failed(r, rule, RULE_ERROR_MATCH_LIMIT);
	return result == REGEX_MATCH;
}

static bool where_holds(struct rule_runner *r, const struct rule *rule,
			const struct rule_where *where, struct record *record)
{
	struct slice text = field_text(where->field, record);

	if (!text.ptr)
		return false;
	if (where->matches)
		return matches(r, rule, where->matches, record->other_scratch, text);
	for (size_t i = 0; i < where->text_count; i++)
		if (slice_eq(text, where->texts[i]))
			return true;
	return false;
}

static bool pattern_holds(struct rule_runner *r, const struct rule *rule,
			  struct record *record, struct slice text)
{
	if (rule->pattern_count == 0)
		return true;
	for (size_t i = 0; text.ptr && i < rule->pattern_count; i++) {
		if (matches(r, rule, rule->patterns[i], record->pattern_scratch,
			    text)) {
			record->alternative = i;
			record->has_match = true;
			return true;
		}
	}
	return false;
}

/* *which: of its conditions, the one that refused. */
static enum engine_verdict try_rule(struct rule_runner *r, const struct rule *rule,
				    struct record *record, size_t *which)
{
	struct slice text;

	record->has_match = false;
	*which = 0;
	for (size_t i = 0; i < rule->where_count; i++) {
		if (!where_holds(r, rule, &rule->where[i], record)) {
			*which = i;
			return ENGINE_WHERE;
		}
	}
	if (rule->pattern_count == 0 && rule->unless_count == 0)
		return ENGINE_MATCHED;
	text = field_text(rule->in, record);
	if (!pattern_holds(r, rule, record, text))
		return ENGINE_PATTERN;
	for (size_t i = 0; text.ptr && i < rule->unless_count; i++) {
		if (matches(r, rule, rule->unless[i], record->other_scratch, text)) {
			*which = i;
			return ENGINE_UNLESS;
		}
	}
	return ENGINE_MATCHED;
}

/* False: the metric is not to be updated; the reason was counted. */
static bool find_value(struct rule_runner *r, const struct rule *rule,
		       const struct rule_metric *metric, struct record *record,
		       struct update *update)
{
	enum rule_error error;

	if (measure(metric, record, &r->value_scratch, update, &error))
		return true;
	failed(r, rule, error);
	return false;
}

static bool find_labels(struct rule_runner *r, const struct rule *rule,
			const struct rule_metric *metric, struct record *record,
			struct slice *labels)
{
	for (size_t i = 0; i < metric->label_count; i++) {
		if (label_text(&metric->labels[i], record, &r->label_scratch[i],
			       &labels[i]) == LABEL_LIMIT) {
			failed(r, rule, RULE_ERROR_MATCH_LIMIT);
			return false;
		}
	}
	return true;
}

static void count_refusal(struct rule_runner *r, const struct rule *rule,
			  enum update_result result)
{
	if (result == UPDATE_NEGATIVE)
		failed(r, rule, RULE_ERROR_NEGATIVE);
	else if (result == UPDATE_NOT_FINITE)
		failed(r, rule, RULE_ERROR_VALUE);
	else if (result == UPDATE_LABEL_TOO_LONG)
		failed(r, rule, RULE_ERROR_LABEL_TOO_LONG);
}

static void update_metric(struct rule_runner *r, const struct rule *rule,
			  const struct rule_metric *metric, struct record *record)
{
	struct slice labels[METRIC_MAX_LABELS + 1];
	struct update update = {.metric = metric->metric,
				.op = metric->op,
				.time_ns = record_time_ns(record),
				.labels = labels,
				.base_after = metric->base_after,
				.first_counts = metric->first_counts};

	if (r->trace)
		r->trace->metric(r->trace_ctx, metric, record);
	if (metric->value_is_time && record->time_state == RECORD_TIME_AHEAD)
		return;
	labels[metric->label_count] = source_path(record->source);
	if (find_value(r, rule, metric, record, &update) &&
	    find_labels(r, rule, metric, record, labels))
		count_refusal(r, rule, r->ops->update(r->ctx, &update));
}

static void count_bad_time(struct rule_runner *r, const struct rule *rule,
			   struct record *record)
{
	record_time_ns(record);
	if (record->time_state == RECORD_TIME_UNPARSED)
		failed(r, rule, RULE_ERROR_TIMESTAMP);
	else if (record->time_state == RECORD_TIME_AHEAD)
		failed(r, rule, RULE_ERROR_TIME_AHEAD);
}

/* The time is worked out once a record, or once a rule if rules capture it. */
static void use_time_of(const struct rule *rule, struct record *record)
{
	if (record->time_field == rule->time_field && rule->time_is_of_line)
		return;
	record->time_field = rule->time_field;
	record->time_state = RECORD_TIME_UNKNOWN;
}

static bool run_rule(struct rule_runner *r, const struct rule *rule,
		     struct record *record)
{
	size_t which;
	enum engine_verdict verdict;

	use_time_of(rule, record);
	verdict = try_rule(r, rule, record, &which);
	if (record->line_hit_limit) {
		record->line_hit_limit = false;
		failed(r, rule, RULE_ERROR_MATCH_LIMIT);
	}
	if (verdict == ENGINE_MATCHED)
		use_time_of(rule, record);
	if (r->trace)
		r->trace->rule(r->trace_ctx, rule, record, verdict, which);
	if (verdict != ENGINE_MATCHED)
		return false;
	if (r->matches[rule->index]++ == 0)
		r->matched_rules[r->matched_count++] = rule->index;
	if (rule->metric_count > 0)
		count_bad_time(r, rule, record);
	for (size_t i = 0; i < rule->metric_count; i++)
		update_metric(r, rule, &rule->metrics[i], record);
	return true;
}

static bool run_rule_timed(struct rule_runner *r, const struct rule *rule,
			   struct record *record)
{
	int64_t start_ns = clock_thread_cpu_ns();
	bool matched = run_rule(r, rule, record);

	cpu_share_sample(r->cpu, rule->index, start_ns);
	return matched;
}

static void begin_file(struct rule_runner *r, struct record *record,
		       const struct patterns_file *file)
{
	record->file = file;
	record->times = &r->times[file - patterns_file(r->patterns, 0)];
	record->line_tried = record->line_matched = false;
	record->line_hit_limit = false;
	record->fields_read = false;
	record->has_match = false;
	record->time_state = RECORD_TIME_UNKNOWN;
	record->time_field = NULL;
}

/* Its candidates in their order, up to one that stops. */
static bool run_file(struct rule_runner *r, const struct patterns_file *file,
		     struct record *record, const struct candidates *candidates,
		     bool timed)
{
	size_t first = file->rules[0].index, end = first + file->rule_count;
	bool matched = false;

	begin_file(r, record, file);
	for (size_t i = first; (i = candidates_rule(candidates, i, end)) < end; i++) {
		const struct rule *rule = &file->rules[i - first];

		if (!(timed ? run_rule_timed : run_rule)(r, rule, record))
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

bool rule_runner_run(struct rule_runner *r, struct record *record,
		     const struct candidates *candidates, struct engine_counts *counts)
{
	bool timed = cpu_share_is_due(r->cpu) && r->ops->cpu;
	bool matched = false;

	record->malformed = 0;
	for (size_t i = 0; i < record->file_count; i++)
		if (record->files[i]->rule_count > 0)
			matched |= run_file(r, record->files[i], record, candidates,
					    timed);
	if (timed)
		cpu_share_out(r->cpu, r->ops->cpu, r->ctx);
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

static void missed(const struct rule *rule, struct candidates *candidates)
{
	log_warn("a rule matches a line that has none of its texts: it is tried on "
		 "every line from now on",
		 LOG_TEXT("patterns", rule->info.patterns),
		 LOG_TEXT("rule", rule->info.name));
	candidates_always(candidates, rule->index);
}

uint64_t rule_runner_check(struct rule_runner *r, struct record *record,
			   struct candidates *candidates)
{
	uint64_t misses = 0;

	for (size_t i = 0; i < record->file_count; i++) {
		const struct patterns_file *file = record->files[i];

		begin_file(r, record, file);
		for (size_t j = 0; j < file->rule_count; j++) {
			const struct rule *rule = &file->rules[j];
			size_t index = rule->index;

			if (candidates_rule(candidates, index, index + 1) == index ||
			    !any_pattern_matches(rule, record))
				continue;
			missed(rule, candidates);
			misses++;
		}
	}
	return misses;
}

static void report_matches(struct rule_runner *r)
{
	for (size_t i = 0; i < r->matched_count; i++) {
		size_t rule = r->matched_rules[i];

		if (r->ops->matched)
			r->ops->matched(r->ctx, rule, r->matches[rule]);
		r->matches[rule] = 0;
	}
	r->matched_count = 0;
}

void rule_runner_end_block(struct rule_runner *r, int64_t start_ns)
{
	report_matches(r);
	cpu_share_add(r->cpu, clock_thread_cpu_ns() - start_ns);
}
