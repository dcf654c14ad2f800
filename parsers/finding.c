#include "parsers/finding.h"

#include <stdlib.h>

#include "common/xalloc.h"
#include "parsers/rule.h"

#define IMPLIED_STEPS 10000

/*
 * The scan sees the record's text: the field must be a piece of it.  A
 * format's field is one on those without a backslash.
 */
static bool is_piece_of_line(const struct field *field)
{
	if (field->builtin != FIELD_NOT_BUILTIN)
		return field->builtin == FIELD_LINE;
	return (field->in_line.count > 0 || field->in_format) &&
	       field->path_field < 0 && field->of_container == FIELD_NOT_OF_CONTAINER;
}

static bool may_match(const struct regex *regex, const char *text)
{
	struct regex_scratch *scratch = regex_scratch_create(IMPLIED_STEPS);
	enum regex_result result = regex_match(regex, scratch, slice_of(text));

	regex_scratch_destroy(scratch);
	return result != REGEX_NO_MATCH;
}

/* Does a pattern match a value that stands for a text not in the line? */
static bool matches_implied(const struct rule *rule, enum format format)
{
	const char *implied = format_implied_value(format);

	if (!rule->in->in_format || !implied)
		return false;
	for (size_t i = 0; i < rule->pattern_count; i++)
		if (may_match(rule->patterns[i], implied))
			return true;
	return false;
}

static struct finding finding_of(const struct rule *rule, enum format format,
				 struct arena *arena)
{
	struct finding finding = {.how = FINDING_LITERALS};

	if (rule->pattern_count == 0)
		return (struct finding){.how = FINDING_NO_PATTERN};
	finding.is_escaped = rule->in->in_format;
	if (!is_piece_of_line(rule->in))
		return (struct finding){.how = FINDING_ELSEWHERE};
	for (size_t i = 0; i < rule->pattern_count; i++) {
		struct literals literals =
			literals_of(regex_pattern(rule->patterns[i]), arena);

		finding.pattern = i;
		if (i > 0)
			literals = literals_either(finding.literals, literals, arena);
		finding.literals = literals;
		if (literals.count == 0) {
			finding.how = FINDING_NO_LITERAL;
			return finding;
		}
	}
	if (matches_implied(rule, format))
		return (struct finding){.how = FINDING_IMPLIED};
	return finding;
}

static struct scanner_entry *add_entries(struct scanner_entry *entries, size_t *count,
					 const struct rule *rule)
{
	for (size_t i = 0; i < rule->finding.literals.count; i++) {
		entries = xgrow(entries, *count, sizeof(*entries));
		entries[(*count)++] = (struct scanner_entry){
			rule->finding.literals.list[i], rule->index};
	}
	return entries;
}

struct scanner *finding_scanner(struct patterns_file *files, size_t count,
				struct arena *arena, struct error *err)
{
	struct scanner_entry *entries = NULL;
	size_t entry_count = 0;
	struct scanner *scanner;

	for (size_t i = 0; i < count; i++) {
		for (size_t j = 0; j < files[i].rule_count; j++) {
			struct rule *rule = &files[i].rules[j];

			rule->finding = finding_of(rule, files[i].format, arena);
			entries = add_entries(entries, &entry_count, rule);
		}
	}
	scanner = scanner_create(entries, entry_count, err);
	free(entries);
	return scanner;
}

/* -- for people ----------------------------------------------------------- */

static void add_quoted(struct slice text, struct strbuf *out)
{
	strbuf_putc(out, '"');
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.ptr[i];

		if (c < 0x20 || c == 0x7F)
			strbuf_addf(out, "\\x%02x", c);
		else
			strbuf_putc(out, (char)c);
	}
	strbuf_putc(out, '"');
}

static void add_literals(const struct literals *literals, struct strbuf *out)
{
	strbuf_puts(out, "found by ");
	for (size_t i = 0; i < literals->count; i++) {
		if (i > 0)
			strbuf_puts(out, i + 1 == literals->count ? " or " : ", ");
		add_quoted(literals->list[i].text, out);
		if (literals->list[i].caseless)
			strbuf_puts(out, " in any case");
	}
}

static void add_found(const struct finding *finding, struct strbuf *out)
{
	add_literals(&finding->literals, out);
	if (finding->is_escaped)
		strbuf_puts(out, ", and tried on lines with a backslash");
}

static void add_common(struct slice common, struct strbuf *out)
{
	if (common.len == 0) {
		strbuf_puts(out, "it would be found by too many texts: make several "
				 "rules of it");
		return;
	}
	add_quoted(common, out);
	strbuf_puts(out, " stands in every match, but in most other lines too: write "
			 "more of the text around it");
}

static void add_lack(const struct literals *literals, struct strbuf *out)
{
	if (literals->lack == LITERALS_COMMON)
		add_common(literals->common, out);
	else if (literals->lack == LITERALS_OPAQUE)
		strbuf_puts(out,
			    "a verb such as (*ACCEPT), a callout, or \\Q and \\E in "
			    "a way that is not understood: write it without");
	else
		strbuf_puts(out,
			    "no text stands in every match: write one, such as the "
			    "words before a value; of alternatives each needs one");
}

static void add_reason(const struct rule *rule, struct strbuf *out)
{
	const struct finding *finding = &rule->finding;

	strbuf_puts(out, "tried on every line: ");
	if (finding->how == FINDING_NO_PATTERN) {
		strbuf_puts(out, "it has no pattern: add one with a text that all its "
				 "lines have");
	} else if (finding->how == FINDING_ELSEWHERE) {
		strbuf_addf(out,
			    "its pattern looks at %s, not at the line: if what it "
			    "looks for is in the line, look there",
			    rule->in->name);
	} else if (finding->how == FINDING_IMPLIED) {
		strbuf_puts(out, "its pattern matches the text of a key alone, which "
				 "does not stand in the line");
	} else {
		if (rule->pattern_count > 1)
			strbuf_addf(out, "pattern %zu: ", finding->pattern + 1);
		add_lack(&finding->literals, out);
	}
}

void finding_describe(const struct patterns *patterns, struct strbuf *out)
{
	for (size_t i = 0; i < patterns_file_count(patterns); i++) {
		const struct patterns_file *file = patterns_file(patterns, i);

		for (size_t j = 0; j < file->rule_count; j++) {
			const struct rule *rule = &file->rules[j];

			strbuf_addf(out, "%s:%d: %s: ", file->path, rule->info.at.line,
				    rule->info.name);
			if (rule->finding.how == FINDING_LITERALS)
				add_found(&rule->finding, out);
			else
				add_reason(rule, out);
			strbuf_putc(out, '\n');
		}
	}
}
