/*
 * Literals in bytes: each is found, whole, and nothing else; and lines counted.
 */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "common/strbuf.h"
#include "parsers/candidates.h"

Test(scanner, lines_are_counted_as_they_are_cut)
{
	struct strbuf text = STRBUF_INIT;
	bool ascii;

	cr_expect_eq(count_lines(slice_of(""), &ascii), 0);
	cr_expect_eq(count_lines(slice_of("a"), &ascii), 1);
	cr_expect_eq(count_lines(slice_of("a\nb"), &ascii), 2);
	for (uint64_t lines = 1; lines < 10000; lines++) {
		if (lines % 7 == 0)
			strbuf_puts(&text, "some text");
		strbuf_putc(&text, '\n');
		if (lines % 97 == 0)
			cr_assert_eq(count_lines(strbuf_slice(&text), &ascii), lines);
	}
	strbuf_finish(&text);
}

Test(scanner, one_byte_above_ascii_is_seen_wherever_it_is)
{
	char text[100];

	memset(text, 'x', sizeof(text));
	for (size_t len = 0; len <= sizeof(text); len++) {
		bool ascii = false;

		count_lines((struct slice){text, len}, &ascii);
		cr_expect(ascii);
		for (size_t i = 0; i < len; i++) {
			text[i] = (char)0x80;
			count_lines((struct slice){text, len}, &ascii);
			cr_expect_not(ascii, "%zu of %zu", i, len);
			text[i] = 'x';
		}
	}
}

Test(scanner, any_bytes_can_be_a_literal)
{
	char text[256];
	struct error err;
	size_t count;

	for (int i = 0; i < 256; i++)
		text[i] = (char)i;
	for (size_t i = 0; i + 2 <= sizeof(text); i++) {
		struct scanner_entry entries[] = {{{{text + i, 2}, false}, 7},
						  {{{text + i, 2}, false}, 3},
						  {{{text + i, 2}, false}, 7}};
		struct scanner *scanner = scanner_create(entries, 3, &err);
		struct scanner_scratch *scratch = scanner_scratch_create(scanner, &err);
		const struct scanner_hit *hits;
		const struct scanner_rules *rules;

		cr_assert(scanner_find(scanner, scratch,
				       (struct slice){text, sizeof(text)}, &hits,
				       &count));
		cr_assert_eq(count, 1);
		cr_expect_eq(hits[0].byte, i + 1);
		rules = &scanner_rules(scanner)[hits[0].literal];
		cr_expect(rules->count == 2 && rules->list[0] == 3 &&
			  rules->list[1] == 7);
		scanner_scratch_destroy(scratch);
		scanner_destroy(scanner);
	}
}

/* Which literals are hit, in order: "ab" for the first, then the second. */
static void expect_hits(const struct literal *literals, size_t count,
			struct slice bytes, const char *want)
{
	struct scanner_entry entries[8];
	struct error err;
	struct scanner *scanner;
	struct scanner_scratch *scratch;
	const struct scanner_hit *hits;
	size_t hit_count;
	struct strbuf said = STRBUF_INIT;

	for (size_t i = 0; i < count; i++)
		entries[i] = (struct scanner_entry){literals[i], i};
	scanner = scanner_create(entries, count, &err);
	scratch = scanner_scratch_create(scanner, &err);
	cr_assert(scanner_find(scanner, scratch, bytes, &hits, &hit_count));
	for (size_t i = 0; i < hit_count; i++) {
		const struct scanner_rules *rules = scanner_rules(scanner);

		cr_expect(i == 0 || hits[i].byte >= hits[i - 1].byte);
		strbuf_putc(&said, (char)('a' + rules[hits[i].literal].list[0]));
	}
	cr_expect_str_eq(said.ptr, want, "%.*s: %s", SLICE_ARG(bytes), said.ptr);
	strbuf_finish(&said);
	scanner_scratch_destroy(scratch);
	scanner_destroy(scanner);
}

Test(scanner, long_literals_are_compared_whole)
{
	static const struct literal some[] = {{{"the quick brown fox", 19}, false},
					      {{"a quick brown", 13}, false},
					      {{"quick brown bear", 16}, false},
					      {{"UPPER and Lower case", 20}, true},
					      {{"upper AND lower", 15}, false},
					      {{"fox", 3}, false}};
	static const struct {
		const char *bytes;
		const char *want;
	} cases[] = {
		{"the quick brown fox", "af"},
		{"he quick brown fox", "f"},
		{"the quick brown fo", ""},
		{"the quick brown foxthe quick brown fox", "afaf"},
		{"a quick brown bear", "bc"},
		{"a quick brown", "b"},
		{" quick brown", ""},
		{"quick brown bea", ""},
		{"upper AND lower case", "de"},
		{"uPPER aND LOWER cASE", "d"},
		{"upper AND lower CAS", "e"},
		{"UPPER\x80"
		 "and Lower case",
		 ""},
		{"UPPER\nand Lower case", ""},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		/* A copy of its own, so that what is read beyond it is found out. */
		size_t len = strlen(cases[i].bytes);
		char *copy = malloc(len);

		memcpy(copy, cases[i].bytes, len);
		expect_hits(some, 6, (struct slice){copy, len}, cases[i].want);
		free(copy);
	}
}
