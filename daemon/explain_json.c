#include "common/utf8.h"
#include "daemon/explain_shown.h"
#include "exporter/number.h"

#include <math.h>

void shown_json_text(struct strbuf *out, struct slice text)
{
	struct strbuf valid = STRBUF_INIT;

	utf8_add_valid(&valid, text);
	strbuf_putc(out, '"');
	for (size_t i = 0; i < valid.len; i++) {
		unsigned char c = (unsigned char)valid.ptr[i];

		if (c == '"' || c == '\\')
			strbuf_addf(out, "\\%c", c);
		else if (c < 0x20 || c == 0x7F)
			strbuf_addf(out, "\\u%04x", c);
		else
			strbuf_putc(out, (char)c);
	}
	strbuf_putc(out, '"');
	strbuf_finish(&valid);
}

/* "key": and what follows is up to the caller. */
static void add_key(struct strbuf *out, const char *key)
{
	char last = out->len > 0 ? out->ptr[out->len - 1] : '{';

	strbuf_puts(out, last == '{' || last == '[' ? "" : ", ");
	shown_json_text(out, slice_of(key));
	strbuf_puts(out, ": ");
}

static void add_text(struct strbuf *out, const char *key, struct slice text)
{
	add_key(out, key);
	if (text.ptr)
		shown_json_text(out, text);
	else
		strbuf_puts(out, "null");
}

static void add_string(struct strbuf *out, const char *key, const char *text)
{
	add_text(out, key, text ? slice_of(text) : (struct slice){NULL, 0});
}

static void add_count(struct strbuf *out, const char *key, size_t count)
{
	add_key(out, key);
	strbuf_addf(out, "%zu", count);
}

static void add_bool(struct strbuf *out, const char *key, bool value)
{
	add_key(out, key);
	strbuf_puts(out, value ? "true" : "false");
}

static void add_fields(struct strbuf *out, const char *key,
		       const struct explained_fields *fields)
{
	add_key(out, key);
	strbuf_putc(out, '{');
	for (size_t i = 0; i < fields->count; i++)
		add_text(out, fields->list[i].name, fields->list[i].text);
	strbuf_putc(out, '}');
}

static void add_attempt(struct strbuf *out, const struct explained_attempt *a)
{
	const char *hint = explain_hint(a);
	strbuf_putc(out, '{');
	add_text(out, "pattern", a->written);
	add_text(out, "text", a->subject);
	if (a->known) {
		add_count(out, "pattern_byte", a->written_at);
		add_count(out, "text_byte", a->subject_at);
		add_text(out, "wanted", a->wanted);
		add_bool(out, "anywhere", a->anywhere);
	}
	if (a->reference.len > 0)
		add_text(out, "reference", a->reference);
	if (a->hit_limit)
		add_bool(out, "hit_limit", true);
	if (hint)
		add_string(out, "hint", hint);
	strbuf_putc(out, '}');
}

static const char *const ops[] = {
	[UPDATE_ADD] = "add",     [UPDATE_SUBTRACT] = "subtract",
	[UPDATE_SET] = "set",     [UPDATE_OBSERVE] = "observe",
	[UPDATE_TOTAL] = "total", [UPDATE_SEE] = "see",
};

static void add_value(struct strbuf *out, double value)
{
	char number[NUMBER_MAX_BYTES];
	size_t len = number_format(number, value);

	add_key(out, "value");
	if (isfinite(value))
		strbuf_add(out, number, len);
	else
		shown_json_text(out, (struct slice){number, len});
}

static void add_update(struct strbuf *out, const struct shown_style *style,
		       const struct explained_update *update)
{
	strbuf_putc(out, '{');
	add_string(out, "metric", update->def->name);
	if (update->made) {
		add_key(out, "labels");
		strbuf_putc(out, '{');
		for (size_t i = 0; i < update->def->label_count; i++)
			add_text(out, update->def->labels[i], update->labels[i]);
		for (size_t i = 0; i < style->label_count; i++)
			add_string(out, style->labels[i].name, style->labels[i].value);
		strbuf_putc(out, '}');
		add_string(out, "op", ops[update->op]);
		if (update->text.len > 0)
			add_text(out, "text", update->text);
		else
			add_value(out, update->value);
	}
	if (update->problem)
		add_string(out, "problem", update->problem);
	strbuf_putc(out, '}');
}

static void add_matched(struct strbuf *out, const struct shown_style *style,
			const struct explained_rule *r)
{
	add_fields(out, "captures", &r->captures);
	if (r->time_problem)
		add_string(out, "time_problem", r->time_problem);
	add_bool(out, "stops", r->rule->stop);
	add_key(out, "updates");
	strbuf_putc(out, '[');
	for (size_t i = 0; i < r->update_count; i++) {
		strbuf_puts(out, i > 0 ? ", " : "");
		add_update(out, style, &r->updates[i]);
	}
	strbuf_putc(out, ']');
}

static void add_attempts(struct strbuf *out, const struct explained_rule *r)
{
	add_string(out, "field", r->field);
	add_key(out, "attempts");
	strbuf_putc(out, '[');
	for (size_t i = 0; i < r->attempt_count; i++) {
		strbuf_puts(out, i > 0 ? ", " : "");
		add_attempt(out, &r->attempts[i]);
	}
	strbuf_putc(out, ']');
}

static void add_rule(struct strbuf *out, const struct shown_style *style,
		     const struct explained_rule *r)
{
	static const char *const verdicts[] = {
		[EXPLAINED_MATCHED] = "matched", [EXPLAINED_WHERE] = "where",
		[EXPLAINED_PATTERN] = "pattern", [EXPLAINED_UNLESS] = "unless",
		[EXPLAINED_STOPPED] = "stopped",
	};

	strbuf_putc(out, '{');
	add_string(out, "rule", r->rule->info.name);
	add_count(out, "at_line", (size_t)r->rule->info.at.line);
	add_string(out, "verdict", verdicts[r->verdict]);
	if (r->hit_limit)
		add_bool(out, "hit_limit", true);
	switch (r->verdict) {
	case EXPLAINED_MATCHED:
		add_matched(out, style, r);
		break;
	case EXPLAINED_WHERE:
		add_string(out, "field", r->field);
		add_text(out, "actual", r->actual);
		add_string(out, "wanted", r->wanted);
		add_bool(out, "pattern_matches", r->pattern_matches);
		break;
	case EXPLAINED_PATTERN:
		add_attempts(out, r);
		break;
	case EXPLAINED_UNLESS:
		add_text(out, "unless", r->unless);
		add_text(out, "matched", r->matched);
		break;
	case EXPLAINED_STOPPED:
		add_string(out, "stopped_by", r->stopped_by->info.name);
	}
	strbuf_putc(out, '}');
}

void shown_json(struct strbuf *out, const struct shown_style *style,
		const struct explained_record *record)
{
	strbuf_putc(out, '{');
	add_count(out, "line", record->line);
	add_text(out, "text", record->text);
	add_string(out, "patterns", record->file->path);
	add_fields(out, "fields", &record->fields);
	if (record->time.ptr)
		add_text(out, "time", record->time);
	if (record->is_malformed)
		add_count(out, "malformed_at", record->malformed_at);
	if (record->line_failed) {
		add_key(out, "line_attempt");
		add_attempt(out, &record->line_attempt);
	}
	add_key(out, "rules");
	strbuf_putc(out, '[');
	for (size_t i = 0; i < record->rule_count; i++) {
		strbuf_puts(out, i > 0 ? ",\n  " : "\n  ");
		add_rule(out, style, &record->rules[i]);
	}
	strbuf_puts(out, "]}");
}
