#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "parsers/yaml.h"

static struct diag *diag;
static struct arena *arena;

static void setup(void)
{
	diag = diag_create();
	arena = arena_create();
}

static void teardown(void)
{
	diag_destroy(diag);
	arena_destroy(arena);
}

TestSuite(yaml, .init = setup, .fini = teardown);

static struct yaml_node *parsed(const char *text)
{
	return yaml_parse("f.yml", slice_of(text), arena, diag);
}

static void expect_said(const char *said)
{
	struct strbuf out = STRBUF_INIT;

	diag_render(diag, &out);
	cr_expect_str_eq(out.ptr, said, "said:\n%sexpected:\n%s", out.ptr, said);
	strbuf_finish(&out);
}

/* Parses well. */
static struct yaml_node *good(const char *text)
{
	struct yaml_node *root = parsed(text);

	expect_said("");
	cr_assert(root);
	return root;
}

/* Is reported, and yet read as it was meant: key `a` has this text. */
static void expect_meant(const char *text, const char *said, const char *meant)
{
	struct yaml_node *root = parsed(text), *value;

	expect_said(said);
	cr_assert(root, "%s cannot be read", text);
	value = yaml_get(root, "a");
	cr_assert(value, "%s has no key", text);
	cr_expect(slice_is(value->text, meant), "'%s' instead of '%s'", value->text.ptr,
		  meant);
}

static void expect_unreadable(const char *text, const char *said)
{
	cr_expect_null(parsed(text));
	expect_said(said);
}

/* `text` is a file whose key `a` is not fit to be a pattern. */
static void expect_no_pattern(const char *text, const char *said)
{
	struct yaml_node *root = parsed(text);
	struct slice got;

	cr_assert(root);
	cr_expect_not(
		yaml_pattern_text(yaml_get(root, "a"), "the pattern", &got, diag));
	expect_said(said);
}

static void expect_pattern(const char *text, const char *pattern)
{
	struct slice got = {NULL, 0};

	cr_expect(yaml_pattern_text(yaml_get(good(text), "a"), "the pattern", &got,
				    diag));
	cr_expect(got.ptr && slice_is(got, pattern), "'%.*s'", SLICE_ARG(got));
}

static void expect_scalar(const struct yaml_node *node, const char *text, int line,
			  int column)
{
	cr_assert(node);
	cr_assert_eq(node->kind, YAML_SCALAR);
	cr_expect_str_eq(node->text.ptr, text);
	cr_expect_str_eq(node->at.file, "f.yml");
	cr_expect_eq(node->at.line, line, "%s in line %d", text, node->at.line);
	cr_expect_eq(node->at.column, column, "%s in column %d", text, node->at.column);
}

Test(yaml, every_scalar_is_its_source_text)
{
	struct yaml_node *root = good("a: [yes, no, ~, null, 007, 1_000, 1e3, 0x1F, "
				      "12:30:45, 2026-11-20, =, '']\n");
	const char *texts[] = {"yes", "no",   "~",        "null",       "007", "1_000",
			       "1e3", "0x1F", "12:30:45", "2026-11-20", "=",   ""};
	struct yaml_node *list = yaml_get(root, "a");

	cr_assert_eq(list->count, 12);
	for (size_t i = 0; i < 12; i++)
		cr_expect_str_eq(list->items[i]->text.ptr, texts[i]);
}

Test(yaml, positions_count_characters_from_one)
{
	struct yaml_node *root = good("# x\nä: {ö: ü, 'é': [x,\n  y]}\n");
	struct yaml_node *map = yaml_get(root, "ä");

	expect_scalar(root->keys[0], "ä", 2, 1);
	cr_expect_eq(map->at.column, 4);
	expect_scalar(map->items[0], "ü", 2, 8);
	expect_scalar(map->keys[1], "é", 2, 11);
	expect_scalar(map->items[1]->items[1], "y", 3, 3);
}

Test(yaml, a_byte_order_mark_and_crlf_do_no_harm)
{
	struct yaml_node *root = good("\xEF\xBB\xBF"
				      "a: b\r\nc: |\r\n  x\r\n  y\r\nd: e\r\n");

	expect_scalar(yaml_get(root, "a"), "b", 1, 4);
	expect_scalar(yaml_get(root, "c"), "x\ny\n", 2, 4);
	expect_scalar(yaml_get(root, "d"), "e", 5, 4);
}

Test(yaml, a_file_without_content_is_an_empty_mapping)
{
	const char *texts[] = {"", "\n\n", "# only a comment", "---\n", "---\n...\n"};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct yaml_node *root = good(texts[i]);

		cr_expect_eq(root->kind, YAML_MAPPING, "%s", texts[i]);
		cr_expect_eq(root->count, 0, "%s", texts[i]);
		cr_expect_null(yaml_get(root, "a"));
	}
}

Test(yaml, a_key_without_a_value_has_an_empty_one)
{
	expect_scalar(yaml_get(good("a:\nb: 1\n"), "a"), "", 1, 3);
}

Test(yaml, a_duplicate_key_names_the_first)
{
	struct yaml_node *root = parsed("a: 1\nb:\n  x: 1\n  x: 2\na: 3\n");

	expect_said("f.yml:4:3: the key `x` stands twice: first in line 3, column 3: "
		    "remove one of the two\n"
		    "f.yml:5:1: the key `a` stands twice: first in line 1, column 1: "
		    "remove one of the two\n");
	cr_assert(root, "more can be checked");
	expect_scalar(yaml_get(root, "a"), "1", 1, 4);
	cr_expect_eq(root->count, 2);
}

Test(yaml, a_percent_sign_at_the_start_of_a_value)
{
	expect_meant(
		"a: %{IP:ip} - %{DATA} # the address\n",
		"f.yml:1:4: a value that begins with % must stand in quotes: write "
		"'%{IP:ip} - %{DATA}'\n",
		"%{IP:ip} - %{DATA}");
}

Test(yaml, a_percent_sign_within_braces)
{
	struct yaml_node *root = parsed("a: {b: %{IP:ip}, c: d}\n");

	expect_said("f.yml:1:8: a value that begins with % must stand in quotes: write "
		    "'%{IP:ip}'\n");
	expect_scalar(yaml_get(yaml_get(root, "a"), "b"), "%{IP:ip}", 1, 8);
	expect_scalar(yaml_get(yaml_get(root, "a"), "c"), "d", 1, 21);
}

Test(yaml, a_template_with_braces_within_braces)
{
	struct yaml_node *root = parsed("a: {route: /x/${path}, to: ${b}}\n");

	expect_said(
		"f.yml:1:12: a value that holds { must stand in quotes within {...}: "
		"write '/x/${path}'\n"
		"f.yml:1:28: a value that holds { must stand in quotes within {...}: "
		"write '${b}'\n");
	expect_scalar(yaml_get(yaml_get(root, "a"), "route"), "/x/${path}", 1, 12);
	expect_scalar(yaml_get(yaml_get(root, "a"), "to"), "${b}", 1, 28);
}

Test(yaml, a_regex_with_brackets_within_brackets)
{
	parsed("a: [x, y[0-9]+,\n  z{3}]\n");
	expect_said(
		"f.yml:1:8: a value that holds [ must stand in quotes within [...]: "
		"write 'y[0-9]+'\n"
		"f.yml:2:3: a value that holds { must stand in quotes within [...]: "
		"write 'z{3}'\n");
}

Test(yaml, an_unknown_escape_in_double_quotes)
{
	expect_meant("a: \"\\d+ it's \\\"x\\\"\"\n",
		     "f.yml:1:4: \\d is not an escape that double quotes know: write "
		     "'\\d+ it''s \"x\"'\n",
		     "\\d+ it's \"x\"");
}

Test(yaml, a_half_written_hex_escape_in_double_quotes)
{
	expect_meant("a: \"x\\xZZ\"\n",
		     "f.yml:1:4: \\x is not an escape that double quotes know: write "
		     "'x\\xZZ'\n",
		     "x\\xZZ");
}

Test(yaml, an_unknown_escape_in_quotes_over_several_lines)
{
	expect_unreadable(
		"a: \"\\d\n  x\"\n",
		"f.yml:1:4: \\d is not an escape that double quotes know: put "
		"the value in single quotes\n");
}

Test(yaml, a_glob_in_a_list_is_no_alias)
{
	struct yaml_node *root = parsed("a: [*.log, **/b*, c]\n");

	expect_said(
		"f.yml:1:5: a value that begins with * must stand in quotes: write "
		"'*.log'\n"
		"f.yml:1:12: a value that begins with * must stand in quotes: write "
		"'**/b*'\n");
	expect_scalar(yaml_get(root, "a")->items[0], "*.log", 1, 5);
	expect_scalar(yaml_get(root, "a")->items[1], "**/b*", 1, 12);
	expect_scalar(yaml_get(root, "a")->items[2], "c", 1, 19);
}

Test(yaml, a_glob_in_an_indented_list_is_no_alias)
{
	parsed("a:\n  - *.log # all\n");
	expect_said("f.yml:2:5: a value that begins with * must stand in quotes: write "
		    "'*.log'\n");
}

Test(yaml, a_star_before_a_word_is_no_alias)
{
	expect_meant(
		"a: *err\n",
		"f.yml:1:4: `*err` is an alias in YAML, not text: it must stand in "
		"quotes: write '*err'\n",
		"*err");
}

Test(yaml, an_anchor_is_text)
{
	expect_meant(
		"a: &x y\n",
		"f.yml:1:4: `&x y` is an anchor in YAML, not text: it must stand in "
		"quotes: write '&x y'\n",
		"&x y");
}

Test(yaml, anchors_of_collections_are_refused)
{
	parsed("a: &x [b]\nc: !set {d: e}\n");
	expect_said(
		"f.yml:1:4: an anchor before a list or mapping means nothing here: "
		"leave it out\n"
		"f.yml:2:4: a tag before a list or mapping means nothing here: leave "
		"it out\n");
}

Test(yaml, an_at_sign_at_the_start_of_a_value)
{
	expect_meant(
		"a: @timestamp\n",
		"f.yml:1:4: a value that begins with @ must stand in quotes: write "
		"'@timestamp'\n",
		"@timestamp");
}

Test(yaml, a_backtick_at_the_start_of_a_value)
{
	expect_meant(
		"a: `it's`\n",
		"f.yml:1:4: a value that begins with ` must stand in quotes: write "
		"'`it''s`'\n",
		"`it's`");
}

Test(yaml, an_exclamation_mark_eats_the_value)
{
	expect_meant("a: !debug\nb: c\n",
		     "f.yml:1:4: `!debug` is a tag in YAML, not text: it must stand in "
		     "quotes: write '!debug'\n",
		     "!debug");
}

Test(yaml, an_exclamation_mark_and_a_space_vanish)
{
	expect_meant("a: ! b\n",
		     "f.yml:1:4: `! b` is a tag in YAML, not text: it must stand in "
		     "quotes: write '! b'\n",
		     "! b");
}

Test(yaml, an_undeclared_tag_handle_is_text)
{
	expect_meant(
		"a: !x!y z\n",
		"f.yml:1:4: a value that begins with ! must stand in quotes: write "
		"'!x!y z'\n",
		"!x!y z");
}

Test(yaml, a_pipe_at_the_start_of_a_regex)
{
	expect_meant(
		"a: |x|y\n",
		"f.yml:1:4: a value that begins with | must stand in quotes: write "
		"'|x|y'\n",
		"|x|y");
}

Test(yaml, a_bracket_at_the_start_of_a_regex)
{
	expect_meant(
		"a: [a-z]+ (x)\n",
		"f.yml:1:4: a value that begins with [ must stand in quotes: write "
		"'[a-z]+ (x)'\n",
		"[a-z]+ (x)");
}

Test(yaml, a_dash_at_the_start_of_a_value)
{
	expect_meant(
		"a: - b\n",
		"f.yml:1:4: a value that begins with - must stand in quotes: write "
		"'- b'\n",
		"- b");
}

Test(yaml, a_colon_within_a_plain_value)
{
	expect_meant("x: 1\na: error: (.*) # c\n",
		     "f.yml:2:4: a value that holds a colon and a space must stand in "
		     "quotes: write 'error: (.*)'\n",
		     "error: (.*)");
}

Test(yaml, a_colon_within_a_plain_value_within_braces)
{
	parsed("a: {b: error: x, c: d}\n");
	expect_said(
		"f.yml:1:8: a value that holds : must stand in quotes within {...}: "
		"write 'error: x'\n");
}

Test(yaml, no_space_behind_the_colon_of_the_first_key)
{
	expect_meant("a:b\nc: d\n",
		     "f.yml:1:2: a space must follow the colon of a key: write a: b\n",
		     "b");
}

Test(yaml, no_space_behind_the_colon_of_a_later_key)
{
	expect_meant("x: []\na:b # c\nc: d\n",
		     "f.yml:2:2: a space must follow the colon of a key: write a: b\n",
		     "b");
}

Test(yaml, no_space_behind_the_colon_in_a_list_entry)
{
	parsed("a:\n  - name:foo\n    pattern: x\n");
	expect_said(
		"f.yml:2:9: a space must follow the colon of a key: write name: foo\n");
}

Test(yaml, no_space_behind_the_colon_within_braces)
{
	struct yaml_node *root = parsed("a: {status:$status, b: 1}\n");

	expect_said("f.yml:1:5: a space must follow the colon of a key: write status: "
		    "$status\n");
	cr_expect_str_eq(yaml_get(yaml_get(root, "a"), "status")->text.ptr, "$status");
}

Test(yaml, no_space_behind_the_only_colon_of_a_mapping)
{
	struct yaml_node *root = good("where:\n  level:ERROR\n");

	cr_expect_not(
		yaml_expect(yaml_get(root, "where"), YAML_MAPPING, "where", diag));
	expect_said("f.yml:2:3: where must be a mapping of keys to values, not text: "
		    "write level: ERROR, with a space after the colon\n");
}

Test(yaml, a_missing_closing_quote)
{
	expect_meant("a: 'x y\nb: 'z'\nc: d\n",
		     "f.yml:1:4: the quote that opens here is not closed on this line: "
		     "write 'x y'\n",
		     "x y");
}

Test(yaml, a_missing_closing_quote_at_the_end_of_the_file)
{
	expect_meant("a: \"x\nb: c\n",
		     "f.yml:1:4: the quote that opens here is not closed on this line: "
		     "write \"x\"\n",
		     "x");
}

Test(yaml, a_missing_closing_quote_in_a_list)
{
	expect_unreadable("a: ['x, y]\nb: c\n",
			  "f.yml:1:5: the quote that opens here is not closed on this "
			  "line: write ' at the end of the value\n");
}

Test(yaml, an_apostrophe_within_single_quotes)
{
	expect_meant(
		"a: 'It's ''its'' day'\n",
		"f.yml:1:4: a ' within single quotes is written twice: write 'It''s "
		"''its'' day'\n",
		"It's 'its' day");
}

Test(yaml, quotes_within_double_quotes)
{
	expect_meant(
		"a: \"say \"hi\" now\"\n",
		"f.yml:1:4: a \" within double quotes ends them: write 'say \"hi\" "
		"now'\n",
		"say \"hi\" now");
}

Test(yaml, text_behind_the_closing_quote)
{
	expect_unreadable(
		"a: 'x' y\n",
		"f.yml:1:8: text follows the quote that ends the value: put all "
		"of the value between one pair of quotes\n");
}

Test(yaml, a_tab_as_indentation)
{
	expect_unreadable("a:\n\tb: c\n",
			  "f.yml:2:1: a tab stands where YAML allows only "
			  "spaces: indent with spaces\n");
}

Test(yaml, tabs_in_the_text_of_a_block_are_text)
{
	expect_scalar(yaml_get(good("a: |\n  x\n  \tat y\n"), "a"), "x\n\tat y\n", 1,
		      4);
}

Test(yaml, an_unclosed_list)
{
	expect_unreadable(
		"a: [b, c\nd: e\n",
		"f.yml:1:4: the [ that opens here is not closed: write ] at its "
		"end; text goes in single quotes\n");
}

Test(yaml, a_plain_line_in_a_list_that_goes_on_is_not_taken_for_a_value)
{
	expect_unreadable(
		"a: {b: x\n\nc: d}\n",
		"f.yml:1:4: the { that opens here is not closed: write } at its "
		"end; text goes in single quotes\n");
}

Test(yaml, a_line_that_is_indented_too_deep)
{
	expect_unreadable("a: b\n  c: d\n",
			  "f.yml:2:3: this line is indented deeper than the one above, "
			  "which already has a value: give both lines the same "
			  "indentation\n");
}

Test(yaml, a_line_that_fits_no_indentation)
{
	expect_unreadable(
		"a:\n    b: 1\n  c: d\n",
		"f.yml:3:3: this fits neither the keys nor the list above: look "
		"at the indentation of this line and of those above\n");
}

Test(yaml, a_line_that_is_no_key)
{
	expect_unreadable(
		"foo\nbar: 1\n",
		"f.yml:1:1: `foo` is neither a key nor the value of one: write "
		"a key and its value as `key: value`\n");
}

Test(yaml, a_second_document)
{
	cr_expect(parsed("a: b\n---\nc: d\n"));
	expect_said(
		"f.yml:2:1: a second document begins here: put it into a file of its "
		"own\n");
}

Test(yaml, a_key_must_be_text)
{
	cr_expect(parsed("? [a]\n: b\n?\n: c\n"));
	expect_said("f.yml:1:3: a key must be text\n"
		    "f.yml:3:2: no key stands before the colon\n");
}

Test(yaml, nesting_has_a_limit)
{
	struct strbuf deep = STRBUF_INIT;

	for (int i = 0; i < 50000; i++)
		strbuf_putc(&deep, '[');
	expect_unreadable(deep.ptr, "f.yml:1:65: nested deeper than 64 levels\n");
	strbuf_finish(&deep);
}

Test(yaml, bytes_that_no_yaml_file_may_hold)
{
	cr_expect(yaml_parse("f.yml",
			     (struct slice){"a: b\0\nc: \xe9\xe8\nd: \xe9", 15}, arena,
			     diag));
	expect_said(
		"f.yml:1:5: a control character (U+0000) cannot stand in YAML: in a "
		"regular expression write \\x{...}\n"
		"f.yml:2:4: this is not UTF-8 text: save the file as UTF-8\n");
}

Test(yaml, utf16_is_named)
{
	expect_unreadable("\xFF\xFE",
			  "f.yml: the file is UTF-16 text: save the file as "
			  "UTF-8\n");
}

Test(yaml, all_errors_are_reported_at_once)
{
	parsed("a: %x\nb: {c: ${d}}\ne: \"\\s\"\na: 'y\nf: *g\n");
	cr_expect_eq(diag_errors(diag), 6);
}

Test(yaml, hundreds_of_errors_end)
{
	struct strbuf text = STRBUF_INIT;

	for (int i = 0; i < 1000; i++)
		strbuf_addf(&text, "k%d: %%x\n", i);
	cr_expect_null(yaml_parse("f.yml", strbuf_slice(&text), arena, diag));
	cr_expect_eq(diag_errors(diag), 200);
	strbuf_finish(&text);
}

Test(yaml, a_comment_does_not_cut_what_is_not_text)
{
	struct yaml_node *root = good("a: # x\n  - b # y\n  - 'c' # z\n  - d#e\n");
	struct yaml_node *list = yaml_get(root, "a");

	cr_expect_not(list->cut_by_comment);
	cr_expect(list->items[0]->cut_by_comment);
	cr_expect_not(list->items[1]->cut_by_comment);
	cr_expect_not(list->items[2]->cut_by_comment);
}

Test(yaml, a_comment_that_cuts_a_pattern)
{
	expect_no_pattern(
		"a: job  #(\\d+) done\n",
		"f.yml:1:4: a comment begins at ` #` and cuts the pattern off: "
		"write 'job  #(\\d+) done' or put the comment on a line of its "
		"own\n");
}

Test(yaml, a_pattern_that_is_all_comment)
{
	expect_no_pattern(
		"a: #(\\d+)\n",
		"f.yml:1:3: a comment begins at ` #` and cuts the pattern off: "
		"write '#(\\d+)' or put the comment on a line of its own\n");
}

Test(yaml, a_control_character_in_a_pattern)
{
	expect_no_pattern(
		"a: \"\\bfoo\\b's\\e\"\n",
		"f.yml:1:4: the pattern holds a control character: \\b in double "
		"quotes is U+0008: write '\\bfoo\\b''s\\e'\n");
}

Test(yaml, a_nul_in_a_pattern)
{
	expect_no_pattern("a: \"x\\0\"\n", "f.yml:1:4: the pattern holds a control "
					   "character (U+0000): write 'x\\x00'\n");
}

Test(yaml, a_pattern_without_text)
{
	expect_no_pattern("a:\n",
			  "f.yml:1:3: the pattern must be text, but nothing stands "
			  "here: write it in single quotes\n");
}

Test(yaml, a_pattern_that_is_a_list)
{
	expect_no_pattern("a: [x]\n",
			  "f.yml:1:4: the pattern must be text, not a list: "
			  "if it is text, put it in single quotes\n");
}

Test(yaml, a_block_pattern_loses_its_final_newline)
{
	expect_pattern("a: |\n  x\n", "x");
	expect_pattern("a: >-\n  x\n  y\n", "x y");
	expect_pattern("a: ''\n", "");
	expect_pattern("a: \"x\\ty\\\\d\"\n", "x\ty\\d");
}

Test(yaml, unknown_keys_get_the_closest_known_one)
{
	const char *known[] = {"name", "pattern"};
	struct yaml_node *root = good("name: x\npatern: y\nzzz: z\n");

	yaml_check_keys(root, "a rule", known, 2, diag);
	expect_said("f.yml:2:1: a rule has no key `patern`: did you mean `pattern`?\n"
		    "f.yml:3:1: a rule has no key `zzz`: possible are name, pattern\n");
}

Test(yaml, another_kind_than_expected_is_named)
{
	struct yaml_node *root = good("a: x\nb: [y]\nc:\n");

	cr_expect_not(yaml_expect(yaml_get(root, "a"), YAML_SEQUENCE, "a", diag));
	cr_expect_not(yaml_expect(yaml_get(root, "b"), YAML_MAPPING, "b", diag));
	cr_expect_not(yaml_expect(yaml_get(root, "c"), YAML_SEQUENCE, "c", diag));
	cr_expect(yaml_expect(yaml_get(root, "b"), YAML_SEQUENCE, "b", diag));
	expect_said(
		"f.yml:1:4: a must be a list, not text: write ['x']\n"
		"f.yml:2:4: b must be a mapping of keys to values, not a list: write "
		"`key: value`, each on its own line\n"
		"f.yml:3:3: c must be a list, but nothing stands here: begin each "
		"entry with `- `\n");
}

Test(yaml, a_file_that_cannot_be_read_is_named)
{
	cr_expect_null(yaml_load("/nonexistent/f.yml", arena, diag));
	cr_expect_null(yaml_load("/tmp", arena, diag));
	expect_said("/nonexistent/f.yml: cannot be read: No such file or directory\n"
		    "/tmp: cannot be read: Is a directory\n");
}

Test(yaml, a_file_is_loaded_with_its_path_in_positions)
{
	char path[] = "/tmp/yamlXXXXXX";
	int fd = mkstemp(path);
	struct yaml_node *root;

	cr_assert(fd != -1 && write(fd, "a: b\n", 5) == 5);
	close(fd);
	root = yaml_load(path, arena, diag);
	unlink(path);
	cr_assert(root);
	cr_expect_str_eq(root->at.file, path);
	cr_expect_str_eq(yaml_get(root, "a")->text.ptr, "b");
}
