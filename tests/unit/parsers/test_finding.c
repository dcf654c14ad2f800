/* Which rules the scan finds by a text of theirs, and what is said of the others. */
#include "parsers/rule.h"

#include "fixture.h"

static struct patterns *load_text(const char *text)
{
	return patterns_of_good_text(text, (struct patterns_options){0});
}

Test(finding, only_rules_that_can_be_found_by_the_line_have_literals)
{
	struct patterns *patterns =
		load_text("line: '^(?<head>\\S+) (?<message>.*)'\nrules:\n"
			  "  - {name: message, pattern: 'quick'}\n"
			  "  - {name: line, in: _line, pattern: ['quick', 'brown']}\n"
			  "  - {name: path, in: _path, pattern: 'quick'}\n"
			  "  - {name: none, where: {head: quick}}\n"
			  "  - {name: one_of_two, pattern: ['quick', '\\d+']}\n");
	static const enum finding_how want[] = {FINDING_LITERALS, FINDING_LITERALS,
						FINDING_ELSEWHERE, FINDING_NO_PATTERN,
						FINDING_NO_LITERAL};

	for (size_t i = 0; i < 5; i++)
		cr_expect_eq(patterns_file(patterns, 0)->rules[i].finding.how, want[i],
			     "%zu", i);
	patterns_destroy(patterns);
}

/* That of each rule of a file, which are called `how`. */
static void expect_finding(const char *yaml, const enum finding_how *how,
			   const bool *is_escaped)
{
	struct patterns *patterns = load_text(yaml);
	const struct patterns_file *file = patterns_file(patterns, 0);

	for (size_t i = 0; i < file->rule_count; i++) {
		cr_expect_eq(file->rules[i].finding.how, how[i], "%zu", i);
		cr_expect_eq(file->rules[i].finding.is_escaped, is_escaped[i], "%zu",
			     i);
	}
	patterns_destroy(patterns);
}

Test(finding, a_field_of_json_is_found_by_its_text_or_a_backslash)
{
	expect_finding("format: json\nrules:\n"
		       "  - {name: message, pattern: 'quick'}\n"
		       "  - {name: nested, in: a.b, pattern: 'quick'}\n"
		       "  - {name: line, in: _line, pattern: 'quick'}\n"
		       "  - {name: none, where: {level: quick}}\n",
		       (enum finding_how[]){FINDING_LITERALS, FINDING_LITERALS,
					    FINDING_LITERALS, FINDING_NO_PATTERN},
		       (bool[]){true, true, false, false});
}

Test(finding, people_are_told_of_backslashes_and_of_keys_alone)
{
	static const char *const yaml[] = {
		"format: json\nrules:\n  - {name: a, pattern: 'quick'}\n",
		"format: logfmt\nrules:\n  - {name: a, pattern: '^true$'}\n"};
	static const char *const want[] = {
		"a: found by \"quick\", and tried on lines with a backslash\n",
		"a: tried on every line: its pattern matches the text of a key alone"};

	for (int i = 0; i < 2; i++) {
		struct patterns *patterns = load_text(yaml[i]);
		struct strbuf said = STRBUF_INIT;

		finding_describe(patterns, &said);
		cr_expect(strstr(said.ptr, want[i]), "%s", said.ptr);
		strbuf_finish(&said);
		patterns_destroy(patterns);
	}
}
