#include <criterion/criterion.h>
#include <stdlib.h>

#include "parsers/regex.h"

static struct diag *diag;
static struct regex_scratch *scratch;

static void setup(void)
{
	diag = diag_create();
	scratch = regex_scratch_create(100000);
}

static void teardown(void)
{
	diag_destroy(diag);
	regex_scratch_destroy(scratch);
}

TestSuite(regex, .init = setup, .fini = teardown);

static struct regex *compiled(const char *pattern)
{
	struct position at = {"f.yml", 3, 5};
	struct regex *regex = regex_compile(slice_of(pattern), at, diag);

	cr_assert(regex, "%s does not compile", pattern);
	return regex;
}

static void expect_group(unsigned number, const char *text)
{
	struct slice group = regex_group(scratch, number);

	if (text)
		cr_expect(group.ptr && slice_is(group, text), "group %u is '%.*s'",
			  number, SLICE_ARG(group));
	else
		cr_expect_null(group.ptr, "group %u took part", number);
}

static void expect_error(const char *pattern, const char *text)
{
	struct position at = {"f.yml", 3, 5};
	struct strbuf out = STRBUF_INIT;

	cr_expect_null(regex_compile(slice_of(pattern), at, diag));
	diag_render(diag, &out);
	cr_expect_str_eq(out.ptr, text);
	strbuf_finish(&out);
}

static void expect_replaced(const char *pattern, const char *subject, const char *with,
			    const char *text)
{
	struct regex *regex = compiled(pattern);
	struct strbuf out = STRBUF_INIT;

	regex_replace(regex, scratch, slice_of(subject), slice_of(with), &out);
	cr_expect_str_eq(out.ptr, text, "s/%s/%s/ on %s gives %s", pattern, with,
			 subject, out.ptr);
	strbuf_finish(&out);
	regex_destroy(regex);
}

Test(regex, a_match_gives_its_groups)
{
	struct regex *r = compiled("(\\w+)=(?<n>\\d+)(x)?");

	cr_expect_eq(regex_match(r, scratch, slice_of("; a=12;")), REGEX_MATCH);
	expect_group(0, "a=12");
	expect_group(1, "a");
	expect_group(2, "12");
	expect_group(3, NULL);
	expect_group(4, NULL);
	expect_group(4000000000u, NULL);
	cr_expect_eq(regex_match(r, scratch, slice_of("a=")), REGEX_NO_MATCH);
	expect_group(0, NULL);
	regex_destroy(r);
}

Test(regex, the_scratch_grows_with_the_number_of_groups)
{
	struct strbuf pattern = STRBUF_INIT, subject = STRBUF_INIT;
	struct regex *r;

	for (int i = 0; i < 300; i++) {
		strbuf_addf(&pattern, "(%d,)", i);
		strbuf_addf(&subject, "%d,", i);
	}
	r = compiled(pattern.ptr);
	cr_expect_eq(regex_group_count(r), 300);
	cr_expect_eq(regex_match(r, scratch, strbuf_slice(&subject)), REGEX_MATCH);
	expect_group(1, "0,");
	expect_group(300, "299,");
	regex_destroy(r);
	strbuf_finish(&pattern);
	strbuf_finish(&subject);
}

Test(regex, groups_of_an_earlier_regex_do_not_show_through)
{
	struct regex *many = compiled("(a)(b)(c)"), *one = compiled("(a)|(z)");

	cr_expect_eq(regex_match(many, scratch, slice_of("abc")), REGEX_MATCH);
	cr_expect_eq(regex_match(one, scratch, slice_of("abc")), REGEX_MATCH);
	expect_group(1, "a");
	expect_group(2, NULL);
	expect_group(3, NULL);
	regex_destroy(many);
	regex_destroy(one);
}

Test(regex, names_come_in_the_order_of_their_first_group)
{
	struct regex *r = compiled("(?<zeta>a)(?<alpha>b)|(?<alpha>c)(x)(?<zeta>d)");
	unsigned groups[2] = {0, 0};

	cr_assert_eq(regex_name_count(r), 2);
	cr_expect_str_eq(regex_name(r, 0), "zeta");
	cr_expect_str_eq(regex_name(r, 1), "alpha");
	cr_expect_eq(regex_groups_named(r, "alpha", groups, 2), 2);
	cr_expect_eq(groups[0], 2);
	cr_expect_eq(groups[1], 3);
	cr_expect_eq(regex_groups_named(r, "zeta", groups, 1), 2, "all are counted");
	cr_expect_eq(groups[0], 1);
	cr_expect_eq(regex_groups_named(r, "other", groups, 2), 0);
	regex_destroy(r);
}

Test(regex, an_empty_subject_without_a_pointer_is_a_subject)
{
	struct regex *r = compiled("^(x?)$");

	cr_expect_eq(regex_match(r, scratch, (struct slice){NULL, 0}), REGEX_MATCH);
	expect_group(1, "");
	regex_destroy(r);
}

Test(regex, invalid_utf8_and_nul_are_ordinary_bytes_that_do_not_match_letters)
{
	struct regex *r = compiled("status=(\\d+).*é");
	const char bytes[] = "\xff\xfe\0 status=42 \xC3\xA9";

	cr_expect_eq(regex_match(r, scratch, (struct slice){bytes, sizeof(bytes) - 1}),
		     REGEX_MATCH);
	expect_group(1, "42");
	regex_destroy(r);
}

Test(regex, negated_classes_match_what_is_not_ascii)
{
	static const char *const patterns[] = {
		"^# (\\S+)$", "^# (\\D+)$", "^# ([^\\s]+)$", "^# (b\\W)$", "^# (b.)$"};

	for (size_t i = 0; i < sizeof(patterns) / sizeof(*patterns); i++) {
		struct regex *r = compiled(patterns[i]);

		cr_expect_eq(regex_match(r, scratch, slice_of("# b\u00e9")),
			     REGEX_MATCH, "%s", patterns[i]);
		expect_group(1, "b\u00e9");
		regex_destroy(r);
	}
}

Test(regex, text_with_ill_formed_bytes_matches_beside_them)
{
	struct regex *r = compiled("name=(\\S+) (\\d+)");

	cr_expect_eq(regex_match(r, scratch, slice_of("\xff\xfe name=b\u00e9 7 \xc3")),
		     REGEX_MATCH);
	expect_group(1, "b\u00e9");
	expect_group(2, "7");
	regex_destroy(r);
}

Test(regex, a_leading_dot_star_matches_behind_an_ill_formed_byte)
{
	struct regex *r = compiled(".*end");

	cr_expect_eq(regex_match(r, scratch, slice_of("a\xff the end")), REGEX_MATCH);
	expect_group(0, " the end");
	regex_destroy(r);
}

Test(regex, trust_is_in_that_text_only)
{
	struct regex *r = compiled("^(.)$");
	static const char trusted[] = "abc", other[] = "\xff";

	regex_scratch_trust(scratch, (struct slice){trusted, 3});
	cr_expect_eq(regex_match(r, scratch, (struct slice){trusted + 2, 1}),
		     REGEX_MATCH);
	cr_expect_eq(regex_match(r, scratch, slice_of(other)), REGEX_NO_MATCH);
	cr_expect_eq(regex_match(r, scratch, slice_of("\u00e9")), REGEX_MATCH);
	regex_destroy(r);
}

Test(regex, a_dot_is_one_character_and_not_a_newline)
{
	struct regex *r = compiled("^.$");

	cr_expect_eq(regex_match(r, scratch, slice_of("é")), REGEX_MATCH);
	cr_expect_eq(regex_match(r, scratch, slice_of("a\nb")), REGEX_NO_MATCH);
	regex_destroy(r);
}

Test(regex, a_runaway_pattern_stops_at_the_limit)
{
	struct regex *r = compiled("^(a+)+$"),
		     *interpreted = compiled("(*NO_JIT)^(a+)+$");
	struct slice hostile =
		slice_of("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab");

	cr_expect_eq(regex_match(r, scratch, hostile), REGEX_LIMIT);
	expect_group(0, NULL);
	cr_expect_eq(regex_match(interpreted, scratch, hostile), REGEX_LIMIT);
	cr_expect_eq(regex_match(r, scratch, slice_of("aaa")), REGEX_MATCH,
		     "the scratch is as good as new");
	regex_destroy(r);
	regex_destroy(interpreted);
}

Test(regex, deep_recursion_stops_at_the_limit)
{
	struct regex *r = compiled("^(\\((?1)*\\))*$");
	struct strbuf deep = STRBUF_INIT;

	for (int i = 0; i < 200000; i++)
		strbuf_putc(&deep, '(');
	cr_expect_eq(regex_match(r, scratch, strbuf_slice(&deep)), REGEX_LIMIT);
	strbuf_finish(&deep);
	regex_destroy(r);
}

Test(regex, an_error_shows_the_pattern_with_a_caret)
{
	expect_error("é(a", "f.yml:3:5: the regular expression does not compile: "
			    "missing closing parenthesis\n"
			    "    é(a\n"
			    "       ^\n");
}

Test(regex, a_glob_is_recognised)
{
	expect_error("*.log", "f.yml:3:5: the regular expression does not compile: "
			      "quantifier does not follow a repeatable item: this is a "
			      "regular expression, not a glob: any text is .*\n"
			      "    *.log\n"
			      "    ^\n");
}

Test(regex, a_long_pattern_is_shown_near_the_error_only)
{
	struct strbuf pattern = STRBUF_INIT, out = STRBUF_INIT;

	for (int i = 0; i < 500; i++)
		strbuf_puts(&pattern, "é");
	strbuf_puts(&pattern, "[z-a]");
	for (int i = 0; i < 500; i++)
		strbuf_puts(&pattern, "é");
	cr_expect_null(regex_compile(strbuf_slice(&pattern),
				     (struct position){"f.yml", 1, 1}, diag));
	diag_render(diag, &out);
	cr_expect(strstr(out.ptr, "    ...é"));
	cr_expect(strstr(out.ptr, "é...\n"));
	cr_expect_lt(out.len, 500);
	strbuf_finish(&pattern);
	strbuf_finish(&out);
}

Test(regex, single_bytes_are_out_of_reach)
{
	expect_error("a\\Cb", "f.yml:3:5: the regular expression does not compile: "
			      "using \\C is disabled by the application\n"
			      "    a\\Cb\n"
			      "       ^\n");
}

Test(regex, replace_replaces_every_match)
{
	expect_replaced("/p\\d+", "/p1/x/p22", "/:id", "/:id/x/:id");
	expect_replaced("z", "abc", "x", "abc");
	expect_replaced("b", "", "x", "");
	expect_replaced("^a", "aaa", "x", "xaa");
}

Test(regex, replace_knows_groups_by_number_and_name)
{
	expect_replaced("(\\w)(?<n>\\d)", "a1 b2", "${n}$1", "1a 2b");
	expect_replaced("(\\w)(?<n>\\d)", "a1", "<$n-${1}0-$10>", "<1-a0->");
	expect_replaced("(?<v>a)|(?<v>b)", "ab", "[$v]", "[a][b]");
	expect_replaced("a", "a", "$$1 $ ${ ${} $", "$1 $ ${ ${} $");
	expect_replaced("a", "a", "$9$none|${none}", "|");
}

Test(regex, replace_handles_empty_matches_as_perl_does)
{
	expect_replaced("a*", "baac", "x", "xbxxcx");
	expect_replaced("", "éa", "-", "-é-a-");
	expect_replaced("(?=b)", "abab", "|", "a|ba|b");
	expect_replaced("x*$", "axx", "-", "a--");
}

Test(regex, replace_says_what_happened)
{
	struct regex *r = compiled("^(a+)+$"), *plain = compiled("b");
	struct strbuf out = STRBUF_INIT;
	struct slice hostile =
		slice_of("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab");

	cr_expect_eq(regex_replace(r, scratch, hostile, slice_of("x"), &out),
		     REGEX_LIMIT);
	cr_expect_eq(regex_replace(plain, scratch, slice_of("a"), slice_of("x"), &out),
		     REGEX_NO_MATCH);
	cr_expect_eq(regex_replace(plain, scratch, slice_of("b"), slice_of("x"), &out),
		     REGEX_MATCH);
	regex_destroy(r);
	regex_destroy(plain);
	strbuf_finish(&out);
}
