#include "parsers/explain.h"

#include <stdlib.h>

#include "common/arena.h"
#include "common/strbuf.h"
#include "common/xalloc.h"
#include "parsers/kubernetes.h"
#include "parsers/record.h"

/* Closeness, beside how many bytes of a pattern's texts had matched. */
#define CLOSE_BUT_WHERE 1e6
#define CLOSE_BUT_UNLESS 2e6
/* The file's `line` matches: that counts as so many bytes. */
#define CLOSE_BY_LINE 8
#define MATCHED 1e9

struct explain {
	const struct patterns *patterns;
	uint32_t match_steps;
	enum update_result (*update)(void *ctx, const struct update *update);
	void *ctx;
	struct engine *engine;
	struct regex_scratch *scratch;
	struct rulers *rulers;
	struct arena *arena;
	struct explained_record **records;
	size_t count;

	/* While a block is fed. */
	const struct patterns_file *only;
	const struct block *block;
	size_t lines_before; /* of what was fed before it */
	size_t counted_bytes, counted_lines;
	struct explained_record *record; /* NULL: nobody wants it */
	struct slice record_text;        /* as the engine has it */
	struct explained_rule *rule;     /* whose updates come */
	struct explained_update *metric; /* whose update comes */
	bool hit_limit;                  /* the rule that comes next did */
};

/* -- texts ---------------------------------------------------------------- */

/* A copy that lives as long as the record's; mostly it is a part of that. */
static struct slice keep(struct explain *x, struct slice text)
{
	size_t at = (size_t)((uintptr_t)text.ptr - (uintptr_t)x->record_text.ptr);

	if (!text.ptr)
		return text;
	if (x->record->text.ptr && at <= x->record_text.len &&
	    text.len <= x->record_text.len - at)
		return (struct slice){x->record->text.ptr + at, text.len};
	return (struct slice){arena_copy(x->arena, text), text.len};
}

static void add_field(struct explain *x, struct explained_fields *fields,
		      const char *name, struct slice text)
{
	struct explained_field *list =
		arena_alloc(x->arena, (fields->count + 1) * sizeof(*list));

	if (fields->count > 0)
		memcpy(list, fields->list, fields->count * sizeof(*list));
	list[fields->count++] = (struct explained_field){name, keep(x, text)};
	fields->list = list;
}

/* Of groups of one name, the first that took part. */
static void add_captures(struct explain *x, struct explained_fields *fields,
			 const struct regex *regex, const struct regex_scratch *scratch)
{
	for (size_t i = 0; i < regex_name_count(regex); i++) {
		unsigned groups[16];
		size_t count =
			regex_groups_named(regex, regex_name(regex, i), groups, 16);
		struct slice text = {NULL, 0};

		for (size_t j = 0; j < count && j < 16 && !text.ptr; j++)
			text = regex_group(scratch, groups[j]);
		add_field(x, fields, regex_name(regex, i), text);
	}
}

/* -- records -------------------------------------------------------------- */

/* Its number among all lines that were fed. */
static size_t line_of(struct explain *x, const struct record *record)
{
	const char *start;
	size_t at;

	if (record->line > 0)
		return record->line;
	start = x->block->bytes.ptr;
	at = (size_t)((uintptr_t)record->text.ptr - (uintptr_t)start);

	if (at <= x->block->bytes.len) {
		if (at < x->counted_bytes)
			x->counted_bytes = x->counted_lines = 0;
		for (; x->counted_bytes < at; x->counted_bytes++)
			x->counted_lines += start[x->counted_bytes] == '\n';
	}
	return x->lines_before + x->counted_lines + 1;
}

static struct attempt_context context_of(const struct explain *x,
					 const struct field *field)
{
	bool is_line = !field || field->builtin == FIELD_LINE;

	return (struct attempt_context){
		.arena = x->arena,
		.definitions = x->record->file->definitions,
		.definition_count = x->record->file->definition_count,
		.line = is_line ? (struct slice){NULL, 0} : x->record->text,
		.field = field ? field->name : "_line",
		.scratch = x->scratch,
		.match_steps = x->match_steps,
		.rulers = x->rulers,
	};
}

static void add_line_fields(struct explain *x, struct record *record)
{
	const struct regex *line = record->file->line;
	struct attempt_context context = context_of(x, NULL);

	if (!line)
		return;
	if (record_match_line(record)) {
		add_captures(x, &x->record->fields, line, record->line_scratch);
		return;
	}
	x->record->line_failed = true;
	x->record->line_attempt = explain_attempt(&context, line, x->record->text);
}

/* Those that rules of the file name. */
static void add_format_fields(struct explain *x, struct record *record)
{
	const struct wanted *wanted = record->file->wanted;

	for (size_t i = 0; wanted && i < wanted_count(wanted); i++) {
		struct slice text = record_field(record, i);

		x->record->is_malformed = record->fields_malformed;
		if (text.ptr)
			add_field(x, &x->record->fields, wanted_name(wanted, i), text);
	}
	if (x->record->is_malformed)
		x->record->malformed_at = format_malformed_at(record->fields);
}

static void add_path_fields(struct explain *x, const struct record *record)
{
	size_t count;
	const char *const *names = patterns_path_fields(x->patterns, &count);

	for (size_t i = 0; i < count; i++) {
		struct slice text = source_path_field(record->source, i);

		if (text.ptr)
			add_field(x, &x->record->fields, names[i], text);
	}
}

static void add_container_fields(struct explain *x, const struct record *record)
{
	const struct slice path = source_path(record->source);
	const struct {
		const char *name;
		struct slice text;
	} fields[] = {
		{"stream", envelope_stream_name(record->stream)},
		{"namespace", kubernetes_part(path, KUBERNETES_NAMESPACE)},
		{"pod", kubernetes_part(path, KUBERNETES_POD)},
		{"container", kubernetes_part(path, KUBERNETES_CONTAINER)},
	};

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (fields[i].text.ptr)
			add_field(x, &x->record->fields, fields[i].name,
				  fields[i].text);
}

static void begin_record(struct explain *x, struct record *record)
{
	const struct patterns_file *file = record->file;
	struct explained_record *r;

	x->record = NULL;
	if (x->only && x->only != file)
		return;
	r = arena_alloc(x->arena, sizeof(*r));
	r->file = file;
	r->line = line_of(x, record);
	r->text = (struct slice){arena_copy(x->arena, record->text), record->text.len};
	r->rules = arena_alloc(x->arena, file->rule_count * sizeof(*r->rules));
	r->rule_count = file->rule_count;
	for (size_t i = 0; i < file->rule_count; i++)
		r->rules[i].rule = &file->rules[i];
	x->records = xgrow(x->records, x->count, sizeof(struct explained_record *));
	x->records[x->count++] = x->record = r;
	x->record_text = record->text;
	add_line_fields(x, record);
	add_format_fields(x, record);
	add_container_fields(x, record);
	add_path_fields(x, record);
}

/* -- why a rule does not match -------------------------------------------- */

static void add_quoted(struct strbuf *out, struct slice text)
{
	strbuf_puts(out, "\"");
	strbuf_add_slice(out, text);
	strbuf_puts(out, "\"");
}

static const char *wanted_of(struct explain *x, const struct rule_where *where)
{
	struct strbuf out = STRBUF_INIT;
	const char *text;

	if (where->matches) {
		strbuf_puts(&out, "what matches ");
		strbuf_add_slice(&out, regex_written(where->matches));
	}
	for (size_t i = 0; !where->matches && i < where->text_count; i++) {
		strbuf_puts(&out, i == 0                      ? ""
				  : i + 1 < where->text_count ? ", "
							      : " or ");
		add_quoted(&out, where->texts[i]);
	}
	text = arena_copy(x->arena, strbuf_slice(&out));
	strbuf_finish(&out);
	return text;
}

static void add_attempts(struct explain *x, struct explained_rule *r,
			 struct record *record)
{
	const struct rule *rule = r->rule;
	struct slice text = keep(x, field_text(rule->in, record));
	struct attempt_context context = context_of(x, rule->in);

	r->field = rule->in->name;
	if (!text.ptr)
		return;
	r->attempts = arena_alloc(x->arena, rule->pattern_count * sizeof(*r->attempts));
	r->attempt_count = rule->pattern_count;
	for (size_t i = 0; i < rule->pattern_count; i++) {
		r->attempts[i] = explain_attempt(&context, rule->patterns[i], text);
		if (r->attempts[i].closeness > r->closeness)
			r->closeness = r->attempts[i].closeness;
	}
	if (r->closeness >= 1 && record->line_matched)
		r->closeness += CLOSE_BY_LINE;
}

static void try_pattern(struct explain *x, struct explained_rule *r,
			const struct regex *pattern, struct slice text)
{
	struct attempt_context context = context_of(x, r->rule->in);
	double closeness = CLOSE_BUT_WHERE;

	if (regex_match(pattern, x->scratch, text) == REGEX_MATCH)
		r->pattern_matches = true;
	else
		closeness = explain_attempt(&context, pattern, text).closeness * 0.9;
	r->closeness = closeness > r->closeness ? closeness : r->closeness;
}

/* `where` comes first, so nobody has tried the pattern. */
static void add_where(struct explain *x, struct explained_rule *r,
		      struct record *record, size_t which)
{
	const struct rule *rule = r->rule;
	const struct rule_where *where = &rule->where[which];
	struct slice text = field_text(rule->in, record);

	r->field = where->field->name;
	r->actual = keep(x, field_text(where->field, record));
	r->wanted = wanted_of(x, where);
	for (size_t i = 0; text.ptr && i < rule->pattern_count; i++)
		try_pattern(x, r, rule->patterns[i], keep(x, text));
}

static void add_unless(struct explain *x, struct explained_rule *r,
		       const struct record *record, size_t which)
{
	r->unless = regex_written(r->rule->unless[which]);
	r->matched = keep(x, regex_group(record->other_scratch, 0));
	r->closeness = CLOSE_BUT_UNLESS;
}

static void add_match(struct explain *x, struct explained_rule *r,
		      struct record *record)
{
	const struct rule *rule = r->rule;

	x->record->matched_count++;
	r->closeness = MATCHED;
	if (record->has_match)
		add_captures(x, &r->captures, rule->patterns[record->alternative],
			     record->pattern_scratch);
	r->updates = arena_alloc(x->arena, rule->metric_count * sizeof(*r->updates));
	if (rule->metric_count > 0 && !x->record->time.ptr) {
		record_time_ns(record);
		if (record->time_state == RECORD_TIME_PARSED)
			x->record->time = keep(x, record_time_text(record));
	}
	for (size_t i = (size_t)(rule - x->record->file->rules) + 1;
	     rule->stop && i < x->record->rule_count; i++) {
		x->record->rules[i].verdict = EXPLAINED_STOPPED;
		x->record->rules[i].stopped_by = rule;
	}
}

static void on_rule(void *ctx, const struct rule *rule, struct record *record,
		    enum engine_verdict verdict, size_t which)
{
	static const enum explained_verdict verdicts[] = {
		[ENGINE_MATCHED] = EXPLAINED_MATCHED,
		[ENGINE_WHERE] = EXPLAINED_WHERE,
		[ENGINE_PATTERN] = EXPLAINED_PATTERN,
		[ENGINE_UNLESS] = EXPLAINED_UNLESS,
	};
	struct explain *x = ctx;
	bool hit_limit = x->hit_limit;

	if (rule == record->file->rules)
		begin_record(x, record);
	x->rule = NULL;
	x->metric = NULL;
	x->hit_limit = false;
	if (!x->record)
		return;
	x->rule = &x->record->rules[rule - record->file->rules];
	x->rule->verdict = verdicts[verdict];
	x->rule->hit_limit = hit_limit;
	if (verdict == ENGINE_MATCHED)
		add_match(x, x->rule, record);
	else if (verdict == ENGINE_WHERE)
		add_where(x, x->rule, record, which);
	else if (verdict == ENGINE_UNLESS)
		add_unless(x, x->rule, record, which);
	else
		add_attempts(x, x->rule, record);
}

/* -- what becomes of a match ---------------------------------------------- */

/* What is wrong with the value if no update comes. */
static const char *value_problem(struct explain *x, const struct rule_metric *metric,
				 struct slice value)
{
	if (metric->states)
		return arena_printf(x->arena, "\"%.*s\" is none of its states",
				    SLICE_ARG(value));
	return arena_printf(x->arena, "the value \"%.*s\" is not a %s",
			    SLICE_ARG(value), value_as_name(metric->as));
}

static void on_metric(void *ctx, const struct rule_metric *metric,
		      struct record *record)
{
	struct explain *x = ctx;
	struct strbuf text = STRBUF_INIT;
	size_t count;

	if (!x->rule)
		return;
	x->metric = &x->rule->updates[x->rule->update_count++];
	x->metric->metric = metric;
	x->metric->def = patterns_metrics(x->patterns, &count)[metric->metric];
	if (metric->has_value)
		x->metric->problem = value_problem(
			x, metric, template_text(&metric->value, record, &text));
	else if (metric->from)
		x->metric->problem =
			arena_printf(x->arena, "the field %s is missing or empty",
				     metric->from->name);
	if (metric->value_is_time && record->time_state == RECORD_TIME_AHEAD)
		x->metric->problem = "its value is a time that is over 5 minutes ahead";
	strbuf_finish(&text);
}

static const char *problem_of(struct explain *x, const struct update *update,
			      enum update_result result)
{
	switch (result) {
	case UPDATE_OLD:
		return "not shown: its present value is of a later log time";
	case UPDATE_OVERFLOWED:
		return "over max_series: counts as other, or not at all";
	case UPDATE_LABEL_TOO_LONG:
		return "a label is over limits: label_value_bytes";
	case UPDATE_NEGATIVE:
		return "a counter cannot go down";
	case UPDATE_NOT_FINITE:
		return arena_printf(x->arena, "a sum or a window cannot take %g",
				    update->value);
	default:
		return NULL;
	}
}

static enum update_result on_update(void *ctx, const struct update *update)
{
	struct explain *x = ctx;
	struct explained_update *u = x->metric;
	enum update_result result;
	struct slice *labels;

	if (!u)
		return UPDATE_DONE;
	result = x->update(x->ctx, update);
	labels = arena_alloc(x->arena, u->def->label_count * sizeof(*labels));
	for (size_t i = 0; i < u->def->label_count; i++)
		labels[i] = keep(x, update->labels[i]);
	u->made = true;
	u->labels = labels;
	u->value = update->value;
	if (update->op == UPDATE_SEE)
		u->text = keep(x, update->text);
	else if (u->def->kind == METRIC_STATE)
		u->text = slice_of(u->def->states[(size_t)update->value]);
	u->op = update->op;
	u->result = result;
	u->problem = problem_of(x, update, result);
	return result;
}

static void on_error(void *ctx, size_t rule, enum rule_error error)
{
	struct explain *x = ctx;

	if (!x->rule || x->rule->rule->index != rule) {
		x->hit_limit |= error == RULE_ERROR_MATCH_LIMIT;
	} else if (error == RULE_ERROR_TIMESTAMP) {
		x->rule->time_problem = "its time does not fit the layout: the time of "
					"reading stands in";
	} else if (error == RULE_ERROR_TIME_AHEAD) {
		x->rule->time_problem = "its time is over 5 minutes ahead: the time of "
					"reading stands in";
	} else if (x->metric && !x->metric->made && error == RULE_ERROR_MATCH_LIMIT) {
		x->metric->problem = "a replacement took more than limits: match_steps";
	} else if (error == RULE_ERROR_MATCH_LIMIT) {
		x->hit_limit = true;
	}
}

/* -- all of it ------------------------------------------------------------ */

static const struct engine_ops ops = {.update = on_update, .error = on_error};
static const struct engine_trace trace = {.rule = on_rule, .metric = on_metric};

struct explain *
explain_create(const struct patterns *patterns, uint32_t match_steps,
	       enum update_result (*update)(void *ctx, const struct update *update),
	       void *ctx)
{
	struct explain *x = xcalloc(1, sizeof(*x));

	x->patterns = patterns;
	x->match_steps = match_steps;
	x->update = update;
	x->ctx = ctx;
	x->engine = engine_create(patterns, match_steps, &ops, x);
	engine_scan_with(x->engine, NULL, 0);
	engine_set_trace(x->engine, &trace, x);
	x->scratch = regex_scratch_create(match_steps);
	x->rulers = rulers_create();
	x->arena = arena_create();
	return x;
}

void explain_destroy(struct explain *x)
{
	if (!x)
		return;
	engine_destroy(x->engine);
	regex_scratch_destroy(x->scratch);
	rulers_destroy(x->rulers);
	arena_destroy(x->arena);
	free(x->records);
	free(x);
}

static void forget_block(struct explain *x)
{
	x->record = NULL;
	x->rule = NULL;
	x->metric = NULL;
}

void explain_feed(struct explain *x, struct source *source,
		  const struct patterns_file *only, const struct block *block)
{
	struct engine_counts counts = {0};

	x->only = only;
	x->block = block;
	x->counted_bytes = x->counted_lines = 0;
	engine_feed(x->engine, source, block, &counts);
	x->lines_before += counts.lines;
	forget_block(x);
}

void explain_end(struct explain *x, struct source *source,
		 const struct patterns_file *only)
{
	struct engine_counts counts = {0};

	x->only = only;
	engine_close(x->engine, source, INT64_MAX, &counts);
	forget_block(x);
}

size_t explain_count(const struct explain *x)
{
	return x->count;
}

const struct explained_record *explain_record(const struct explain *x, size_t index)
{
	return x->records[index];
}

void explain_clear(struct explain *x)
{
	arena_destroy(x->arena);
	x->arena = arena_create();
	x->count = 0;
}
