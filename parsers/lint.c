#include "parsers/lint.h"

#include <stdio.h>
#include <stdlib.h>

#include "parsers/regex_shape.h"

#define MOST_SHOWN 160 /* bytes of a pattern that is shown whole */
#define PROBE_STEPS 10000

/* -- steps ---------------------------------------------------------------- */

struct flaw_search {
	struct loader *l;
	const struct regex *regex;
	bool found[2];
};

/* A longer one is named by its place alone. */
static void show(struct loader *l, const struct regex *regex, size_t at)
{
	struct slice written = regex_written(regex);

	if (written.len <= MOST_SHOWN)
		diag_excerpt(l->diag, written, at);
}

static size_t written_offset(struct loader *l, const struct regex *regex, size_t at)
{
	struct grok_map map =
		grok_map(regex_written(regex), l->definitions, l->definition_count);
	size_t offset = grok_map_back(&map, at);

	free(map.spans);
	return offset;
}

static void on_flaw(void *ctx, enum shape_flaw flaw, size_t at)
{
	struct flaw_search *search = ctx;
	struct loader *l = search->l;

	if (search->found[flaw])
		return;
	search->found[flaw] = true;
	if (flaw == SHAPE_NESTED)
		diag_warning(
			l->diag, regex_at(search->regex),
			"begin each repetition with a text that this cannot take, "
			"or write (?>...) around the group",
			"a line that does not match can take very many steps: what "
			"is repeated here, within a repeated group, can take what "
			"the next repetition could");
	else
		diag_warning(l->diag, regex_at(search->regex), "leave one out",
			     "the same is repeated twice in a row: a line that does "
			     "not match takes many steps");
	show(l, search->regex, written_offset(l, search->regex, at));
}

void lint_regex(struct loader *l, const struct regex *regex)
{
	struct flaw_search search = {.l = l, .regex = regex};

	regex_flaws(regex_pattern(regex), on_flaw, &search);
}

/* -- patterns that say nothing --------------------------------------------- */

/* Whoever means any text writes ^, or .* to have it. */
static bool takes_anything(const struct regex *regex, struct regex_scratch *scratch)
{
	return !slice_starts(regex_pattern(regex), "^") &&
	       regex_match(regex, scratch, slice_of("\x01")) == REGEX_MATCH &&
	       regex_group(scratch, 0).len == 0;
}

static void lint_matches(struct loader *l, struct regex *const *regexes, size_t count,
			 const char *key)
{
	struct regex_scratch *scratch = regex_scratch_create(PROBE_STEPS);

	for (size_t i = 0; i < count; i++)
		if (takes_anything(regexes[i], scratch))
			diag_warning(l->diag, regex_at(regexes[i]),
				     "write what must stand there, or ^ if any text is "
				     "meant",
				     "%s matches any text: it can match nothing, and "
				     "does so anywhere",
				     key);
	regex_scratch_destroy(scratch);
}

/* -- captures ------------------------------------------------------------- */

/* \k<name>, (?&name) and the like: the pattern itself uses it. */
static bool refers_to(struct slice pattern, const char *name)
{
	static const char *const before[] = {"\\k<", "\\k{", "\\k'", "\\g{", "(?&",
					     "(?P>", "(?P=", "(?(<", "(?('"};
	char text[64];

	for (size_t i = 0; i < sizeof(before) / sizeof(before[0]); i++) {
		int len = snprintf(text, sizeof(text), "%s%s", before[i], name);

		if (memmem(pattern.ptr, pattern.len, text, (size_t)len))
			return true;
	}
	return false;
}

/*
 * Where the capture is named; false if that is in a definition, which others may use
 * for the sake of it.
 */
static bool find_name(struct slice written, const char *name, size_t *at)
{
	static const struct {
		const char *before, *behind;
	} forms[] = {{"<", ">"}, {"'", "'"}, {":", "}"}, {":", ":"}};

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		char text[64];
		int len = snprintf(text, sizeof(text), "%s%s%s", forms[i].before, name,
				   forms[i].behind);
		const char *found = memmem(written.ptr, written.len, text, (size_t)len);

		if (found) {
			*at = (size_t)(found + 1 - written.ptr);
			return true;
		}
	}
	return false;
}

static void lint_captures(struct loader *l, const struct regex *regex,
			  const struct hashmap *used)
{
	for (size_t i = 0; i < regex_name_count(regex); i++) {
		const char *name = regex_name(regex, i);
		size_t at;

		if (hashmap_get(used, slice_of(name)) ||
		    refers_to(regex_pattern(regex), name) ||
		    !find_name(regex_written(regex), name, &at))
			continue;
		diag_warning(l->diag, regex_at(regex),
			     "use it, or do not capture: write (?:...) or %{NAME}",
			     "nothing in the rule uses the capture %s", name);
		show(l, regex, at);
	}
}

/* Those of `line` say what a line looks like: they are there for all rules to come. */
void lint_rule(struct loader *l, const struct rule *rule, const struct hashmap *used)
{
	for (size_t i = 0; i < rule->pattern_count; i++)
		lint_captures(l, rule->patterns[i], used);
	lint_matches(l, rule->patterns, rule->pattern_count, "pattern");
	lint_matches(l, rule->unless, rule->unless_count, "unless");
}

/* -- labels --------------------------------------------------------------- */

static bool is_unbounded(const struct patterns_file *file, const struct rule *rule,
			 const struct field *field)
{
	bool in_pattern = false;

	if (field->builtin == FIELD_LINE)
		return true;
	for (size_t i = 0; i < field->pattern_count; i++) {
		if (field->in_pattern[i].count == 0)
			continue;
		in_pattern = true;
		if (regex_group_is_unbounded(regex_pattern(rule->patterns[i]),
					     field->name))
			return true;
	}
	return !in_pattern && file->line && field->in_line.count > 0 &&
	       regex_group_is_unbounded(regex_pattern(file->line), field->name);
}

/* Nothing limits which texts the label can have, nor how many. */
static const struct field *unbounded_field(const struct patterns_file *file,
					   const struct rule *rule,
					   const struct label_rule *label)
{
	if (label->map || label->replace_count > 0)
		return NULL;
	for (size_t i = 0; i < label->value.count; i++) {
		const struct field *field = label->value.parts[i].field;

		if (field && is_unbounded(file, rule, field))
			return field;
	}
	return NULL;
}

/* Once for each label of a metric, wherever it is fed from. */
static void lint_metric_labels(struct loader *l, const struct patterns_file *file,
			       const struct rule *rule,
			       const struct rule_metric *metric)
{
	struct metric_slot *slot = l->metrics[metric->metric];

	for (size_t i = 0; i < metric->label_count && slot->def.max_series == 0; i++) {
		const struct label_rule *label = &metric->labels[i];
		const struct field *field = unbounded_field(file, rule, label);

		if (!field || slot->unbounded_labels >> i & 1)
			continue;
		slot->unbounded_labels |= UINT32_C(1) << i;
		diag_warning(l->diag, label->at,
			     "give the metric max_series, map or replace the value, or "
			     "capture only what can occur",
			     "the label %s of %s can be any text, and each text is a "
			     "series: $%s has no bounds",
			     label->name, slot->def.name, field->name);
	}
}

void lint_labels(struct loader *l, const struct patterns_file *file)
{
	for (size_t i = 0; i < file->rule_count; i++)
		for (size_t j = 0; j < file->rules[i].metric_count; j++)
			lint_metric_labels(l, file, &file->rules[i],
					   &file->rules[i].metrics[j]);
}
