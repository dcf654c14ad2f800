#include <stdlib.h>
#include <time.h>

#include "common/utf8.h"
#include "common/xalloc.h"
#include "daemon/excerpt.h"
#include "daemon/explain_shown.h"
#include "exporter/exposition.h"
#include "exporter/number.h"

#define GREEN "\033[32m"
#define RED "\033[31m"
#define YELLOW "\033[33m"
#define BOLD "\033[1m"
#define PLAIN "\033[0m"

#define FIELD_COLUMNS 60  /* of a field's text */
#define LEAST_CLOSENESS 3 /* bytes of the pattern's texts that are there */

/* -- pieces --------------------------------------------------------------- */

static void add_coloured(struct strbuf *out, const struct shown_style *style,
			 const char *colour, const char *text)
{
	if (style->colour)
		strbuf_puts(out, colour);
	strbuf_puts(out, text);
	if (style->colour)
		strbuf_puts(out, PLAIN);
}

/* No longer than `most` bytes, with three dots for the rest; no character is halved. */
static void add_cut(struct strbuf *out, struct slice text, size_t most)
{
	bool cut = text.len > most;

	if (cut)
		text.len = most;
	while (cut && text.len > 0 && utf8_is_continuation(text.ptr[text.len]))
		text.len--;
	strbuf_add_slice(out, text);
	strbuf_puts(out, cut ? "..." : "");
}

/* Escaped, and no longer than `most` bytes. */
static void add_quoted(struct strbuf *out, struct slice text, size_t most)
{
	struct strbuf shown = STRBUF_INIT;

	add_cut(&shown, text, most);
	strbuf_putc(out, '"');
	excerpt_add_plain(out, strbuf_slice(&shown));
	strbuf_putc(out, '"');
	strbuf_finish(&shown);
}

void shown_globs(struct strbuf *out, const struct patterns_file *file)
{
	if (file->file_glob_count == 0)
		strbuf_puts(out, "all files");
	for (size_t i = 0; i < file->file_glob_count; i++) {
		strbuf_puts(out, i > 0 ? ", '" : "'");
		excerpt_add_plain(out, slice_of(file->files[i]));
		strbuf_puts(out, "'");
	}
}

static void add_label(struct strbuf *labels, const char *name, struct slice value)
{
	struct strbuf shown = STRBUF_INIT;

	add_cut(&shown, value, SHOWN_VALUE_BYTES);
	exposition_add_label(labels, name, strbuf_slice(&shown));
	strbuf_finish(&shown);
}

void shown_series(struct strbuf *out, const struct shown_style *style,
		  const struct explained_update *update)
{
	struct strbuf labels = STRBUF_INIT;

	strbuf_puts(out, update->def->name);
	for (size_t i = 0; update->made && i < update->def->label_count; i++)
		add_label(&labels, update->def->labels[i], update->labels[i]);
	for (size_t i = 0; update->made && i < style->label_count; i++)
		add_label(&labels, style->labels[i].name,
			  slice_of(style->labels[i].value));
	if (labels.len > 0) {
		strbuf_putc(out, '{');
		excerpt_add_plain(out, strbuf_slice(&labels));
		strbuf_putc(out, '}');
	}
	strbuf_finish(&labels);
}

void shown_change(struct strbuf *out, const struct explained_update *update)
{
	static const char *const signs[] = {
		[UPDATE_ADD] = "+",
		[UPDATE_SUBTRACT] = "+",
		[UPDATE_SET] = "= ",
		[UPDATE_OBSERVE] = "observes ",
		[UPDATE_TOTAL] = "running total ",
		[UPDATE_SEE] = "sees ",
	};
	char number[NUMBER_MAX_BYTES];
	bool down = update->op == UPDATE_SUBTRACT;
	double value = down ? -update->value : update->value;
	size_t len = number_format(number, value);

	if (update->text.len > 0) {
		strbuf_puts(out, signs[update->op]);
		add_quoted(out, update->text, FIELD_COLUMNS);
		return;
	}
	/* A number below 0 has its sign. */
	if (!(value < 0 && update->op == UPDATE_ADD) && !(value < 0 && down))
		strbuf_puts(out, signs[update->op]);
	strbuf_add(out, number, len);
}

static void add_fields(struct strbuf *out, const struct shown_style *style,
		       const char *label, const struct explained_fields *fields)
{
	(void)style;
	if (fields->count == 0)
		return;
	strbuf_puts(out, label);
	for (size_t i = 0; i < fields->count; i++) {
		strbuf_addf(out, "%s%s=", i > 0 ? " " : "", fields->list[i].name);
		if (fields->list[i].text.ptr)
			add_quoted(out, fields->list[i].text, FIELD_COLUMNS);
		else
			strbuf_puts(out, "(none)");
	}
	strbuf_putc(out, '\n');
}

/* -- an attempt ----------------------------------------------------------- */

static void add_wanted(struct strbuf *out, const struct shown_style *style,
		       const struct explained_attempt *a)
{
	struct strbuf wanted = STRBUF_INIT;
	bool is_bare;

	excerpt_add_plain(&wanted, a->wanted);
	if (style->colour)
		strbuf_puts(out, BOLD RED);
	strbuf_puts(out, "^");
	if (style->colour)
		strbuf_puts(out, PLAIN);
	strbuf_puts(out, " stopped here: ");
	if (a->reference.len > 0 && a->wanted.ptr != a->reference.ptr) {
		strbuf_puts(out, "in ");
		excerpt_add_plain(out, a->reference);
		strbuf_puts(out, ", ");
	}
	is_bare = wanted.len > 0 && wanted.ptr[0] != ' ' &&
		  wanted.ptr[wanted.len - 1] != ' ';
	strbuf_addf(out, is_bare ? "%s %s" : "%s \"%s\"",
		    a->anywhere ? "nothing matches" : "wanted", wanted.ptr);
	strbuf_finish(&wanted);
}

/* "    pattern: " or the like, as wide as the other label. */
static size_t add_label_text(struct strbuf *out, const char *label, size_t columns)
{
	strbuf_addf(out, "      %s:", label);
	for (size_t i = strlen(label); i < columns + 1; i++)
		strbuf_putc(out, ' ');
	return 6 + columns + 2;
}

static void add_attempt(struct strbuf *out, const struct shown_style *style,
			const char *pattern_label, const char *field,
			const struct explained_attempt *a)
{
	const char *hint = explain_hint(a);
	const char *text_label = strcmp(field, "_line") == 0 ? "line" : field;
	size_t columns = strlen(pattern_label) > strlen(text_label)
				 ? strlen(pattern_label)
				 : strlen(text_label);
	struct strbuf mark = STRBUF_INIT;
	struct excerpt how = {.indent = 6 + columns + 2};

	how.columns = style->columns > how.indent + EXCERPT_LEAST_COLUMNS
			      ? style->columns - how.indent
			      : EXCERPT_LEAST_COLUMNS;
	add_wanted(&mark, style, a);
	how.mark = mark.ptr;
	add_label_text(out, pattern_label, columns);
	excerpt_add(out, &how, a->written, a->known ? a->written_at : EXCERPT_NO_CARET);
	how.mark = a->anywhere ? "^ from here on" : "^";
	add_label_text(out, text_label, columns);
	excerpt_add(out, &how, a->subject, a->known ? a->subject_at : EXCERPT_NO_CARET);
	if (a->hit_limit)
		strbuf_puts(
			out,
			"      it takes more than limits: match_steps, and counts as "
			"no match\n");
	if (hint)
		strbuf_addf(out, "      hint: %s\n", hint);
	strbuf_finish(&mark);
}

/* -- a rule --------------------------------------------------------------- */

static void add_update(struct strbuf *out, const struct shown_style *style,
		       const struct explained_update *update)
{
	strbuf_puts(out, "      ");
	shown_series(out, style, update);
	if (update->made) {
		strbuf_putc(out, ' ');
		shown_change(out, update);
	}
	if (update->problem) {
		strbuf_puts(out, update->made ? "  " : ": ");
		if (style->colour)
			strbuf_puts(out, RED);
		strbuf_puts(out, update->made ? "not counted: " : "no update: ");
		excerpt_add_plain(out, slice_of(update->problem));
		if (style->colour)
			strbuf_puts(out, PLAIN);
	}
	strbuf_putc(out, '\n');
}

static void add_matched(struct strbuf *out, const struct shown_style *style,
			const struct explained_rule *r)
{
	add_coloured(out, style, GREEN, "matched");
	strbuf_puts(out, r->rule->stop ? ", and stops\n" : "\n");
	add_fields(out, style, "      captures: ", &r->captures);
	if (r->time_problem)
		strbuf_addf(out, "      %s\n", r->time_problem);
	if (r->rule->metric_count == 0)
		strbuf_puts(out, "      it has no metrics\n");
	for (size_t i = 0; i < r->update_count; i++)
		add_update(out, style, &r->updates[i]);
}

static void add_where(struct strbuf *out, const struct shown_style *style,
		      const struct explained_rule *r)
{
	add_coloured(out, style, YELLOW, "where refuses");
	strbuf_addf(out, ": %s ", r->field);
	if (r->actual.ptr) {
		strbuf_puts(out, "is ");
		add_quoted(out, r->actual, FIELD_COLUMNS);
	} else {
		strbuf_puts(out, "is missing");
	}
	strbuf_puts(out, ", wanted ");
	excerpt_add_plain(out, slice_of(r->wanted));
	strbuf_puts(out, r->pattern_matches ? " (its pattern would match)\n" : "\n");
}

static void add_pattern(struct strbuf *out, const struct shown_style *style,
			const struct explained_rule *r)
{
	add_coloured(out, style, RED, "no match");
	if (r->attempt_count == 0)
		strbuf_addf(out, ": it looks at %s, which this line does not have",
			    r->field);
	strbuf_putc(out, '\n');
	for (size_t i = 0; i < r->attempt_count; i++) {
		char label[32] = "pattern";

		if (r->attempt_count > 1)
			snprintf(label, sizeof(label), "pattern %zu", i + 1);
		add_attempt(out, style, label, r->field, &r->attempts[i]);
	}
}

static void add_rule(struct strbuf *out, const struct shown_style *style,
		     const struct explained_rule *r)
{
	strbuf_puts(out, "    rule ");
	add_coloured(out, style, BOLD, r->rule->info.name);
	strbuf_puts(out, ": ");
	switch (r->verdict) {
	case EXPLAINED_MATCHED:
		add_matched(out, style, r);
		break;
	case EXPLAINED_WHERE:
		add_where(out, style, r);
		break;
	case EXPLAINED_PATTERN:
		add_pattern(out, style, r);
		break;
	case EXPLAINED_UNLESS:
		add_coloured(out, style, YELLOW, "unless refuses");
		strbuf_puts(out, ": ");
		excerpt_add_plain(out, r->unless);
		strbuf_puts(out, " matches ");
		add_quoted(out, r->matched, FIELD_COLUMNS);
		strbuf_putc(out, '\n');
		break;
	case EXPLAINED_STOPPED:
		strbuf_addf(out, "not tried: %s stops\n", r->stopped_by->info.name);
	}
	if (r->hit_limit && r->attempt_count == 0)
		strbuf_puts(out, "      a regular expression takes more than limits: "
				 "match_steps, and counts as no match\n");
}

/* -- which rules ---------------------------------------------------------- */

/* Those that are shown though they do not match. */
struct closest {
	bool all;
	const struct explained_rule *rules[SHOWN_CLOSEST];
	size_t count;
};

/* The first of equals stays first. */
static void consider(struct closest *c, const struct explained_rule *rule)
{
	size_t i = c->count;

	if (rule->closeness < LEAST_CLOSENESS)
		return;
	while (i > 0 && c->rules[i - 1]->closeness < rule->closeness)
		i--;
	if (i == SHOWN_CLOSEST)
		return;
	c->count += c->count < SHOWN_CLOSEST;
	memmove(&c->rules[i + 1], &c->rules[i],
		(c->count - i - 1) * sizeof(c->rules[0]));
	c->rules[i] = rule;
}

static struct closest find_closest(const struct shown_style *style,
				   const struct shown_line *line)
{
	struct closest c = {.all = style->all};
	size_t rules = 0;

	for (size_t i = 0; i < line->count; i++) {
		const struct explained_record *r = line->records[i];

		rules += r->rule_count;
		for (size_t j = 0; j < r->rule_count; j++)
			if (r->rules[j].verdict != EXPLAINED_MATCHED)
				consider(&c, &r->rules[j]);
	}
	c.all |= rules <= SHOWN_FEW;
	return c;
}

static bool is_shown(const struct explained_rule *r, const struct closest *closest)
{
	if (closest->all || r->verdict == EXPLAINED_MATCHED)
		return true;
	for (size_t i = 0; i < closest->count; i++)
		if (closest->rules[i] == r)
			return true;
	return false;
}

static bool has_shown_rules(const struct explained_record *r,
			    const struct closest *closest)
{
	for (size_t i = 0; i < r->rule_count; i++)
		if (is_shown(&r->rules[i], closest))
			return true;
	return false;
}

/* -- a record ------------------------------------------------------------- */

static void add_time(struct strbuf *out, struct slice seconds)
{
	double value = strtod(seconds.ptr, NULL);
	time_t whole = (time_t)value;
	const char *point = memchr(seconds.ptr, '.', seconds.len);
	struct tm tm;
	char text[64];

	if (value < 0 || !gmtime_r(&whole, &tm) ||
	    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm) == 0)
		return;
	strbuf_addf(out, "    time: %s", text);
	if (point)
		strbuf_add(out, point, seconds.len - (size_t)(point - seconds.ptr));
	strbuf_puts(out, "Z\n");
}

static void add_malformed(struct strbuf *out, const struct shown_style *style,
			  const struct explained_record *r)
{
	struct excerpt how = {.mark = "^ from here on"};

	strbuf_addf(out, "    it is no %s: its fields are missing\n",
		    format_name(r->file->format));
	how.indent = add_label_text(out, "line", strlen("line"));
	how.columns = style->columns > how.indent + EXCERPT_LEAST_COLUMNS
			      ? style->columns - how.indent
			      : EXCERPT_LEAST_COLUMNS;
	excerpt_add(out, &how, r->text, r->malformed_at);
}

static size_t add_record(struct strbuf *out, const struct shown_style *style,
			 const struct explained_record *r,
			 const struct closest *closest)
{
	size_t shown = 0;

	if (!has_shown_rules(r, closest))
		return 0;
	strbuf_puts(out, "  ");
	add_coloured(out, style, BOLD, r->file->path);
	strbuf_puts(out, " (files: ");
	shown_globs(out, r->file);
	strbuf_puts(out, ")\n");
	add_fields(out, style, "    fields: ", &r->fields);
	if (r->time.ptr)
		add_time(out, r->time);
	if (r->is_malformed)
		add_malformed(out, style, r);
	if (r->line_failed) {
		strbuf_puts(out, "    `line` does not match: its fields are missing\n");
		add_attempt(out, style, "pattern", "_line", &r->line_attempt);
	}
	for (size_t i = 0; i < r->rule_count; i++) {
		if (!is_shown(&r->rules[i], closest))
			continue;
		add_rule(out, style, &r->rules[i]);
		shown++;
	}
	return shown;
}

void shown_text(struct strbuf *out, const struct shown_style *style,
		const struct shown_line *line)
{
	struct closest closest = find_closest(style, line);
	size_t rules = 0, shown = 0;
	const struct explained_record *first = line->records[0];
	struct excerpt how = {.columns = style->columns - 12};
	char head[32];

	snprintf(head, sizeof(head), "line %zu: ", first->line);
	strbuf_puts(out, head);
	excerpt_add(out, &how, first->text, EXCERPT_NO_CARET);
	for (size_t i = 0; i < line->count; i++) {
		rules += line->records[i]->rule_count;
		shown += add_record(out, style, line->records[i], &closest);
	}
	if (shown == 0)
		strbuf_puts(out, "  no rule comes close\n");
	if (shown < rules)
		strbuf_addf(out, "  %zu more rule%s (--all shows them)\n",
			    rules - shown, rules - shown == 1 ? "" : "s");
}
