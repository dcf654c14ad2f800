/*
 * A pattern and a subject, with a newline between them: if the pattern matches,
 * one of its literals is in the subject, and the scanner finds it.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "parsers/literals.h"
#include "parsers/regex.h"
#include "parsers/scanner.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define check(holds) ((holds) ? (void)0 : fail(__LINE__))

static void fail(int line)
{
	fprintf(stderr, "line %d does not hold\n", line);
	abort();
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

static int same(struct literal literal, const char *p)
{
	for (size_t i = 0; i < literal.text.len; i++)
		if (literal.caseless ? lower(p[i]) != lower(literal.text.ptr[i])
				     : p[i] != literal.text.ptr[i])
			return 0;
	return 1;
}

static size_t occurrences(struct literal literal, struct slice subject)
{
	size_t count = 0;

	for (size_t i = 0; i + literal.text.len <= subject.len; i++)
		count += (size_t)same(literal, subject.ptr + i);
	return count;
}

/* Literals that are equal are one for the scanner. */
static int is_first(const struct literals *literals, size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (literals->list[i].caseless == literals->list[j].caseless &&
		    literals->list[i].text.len == literals->list[j].text.len &&
		    same(literals->list[i], literals->list[j].text.ptr))
			return 0;
	return 1;
}

static size_t found_by_scanner(const struct literals *literals, struct slice subject)
{
	struct scanner_entry entries[LITERALS_MAX];
	const struct scanner_hit *hits;
	struct scanner *scanner;
	struct scanner_scratch *scratch;
	struct error err;
	size_t count;

	for (size_t i = 0; i < literals->count; i++)
		entries[i] = (struct scanner_entry){literals->list[i], i};
	scanner = scanner_create(entries, literals->count, &err);
	check(scanner);
	scratch = scanner_scratch_create(scanner, &err);
	check(scratch);
	check(scanner_find(scanner, scratch, subject, &hits, &count));
	for (size_t i = 0; i < count; i++)
		check(hits[i].byte < subject.len);
	scanner_scratch_destroy(scratch);
	scanner_destroy(scanner);
	return count;
}

static void check_literals(const struct literals *literals, struct slice subject,
			   int matches)
{
	size_t count = 0;

	for (size_t i = 0; i < literals->count; i++) {
		check(literals->list[i].text.len > 0);
		check(!memchr(literals->list[i].text.ptr, '\n',
			      literals->list[i].text.len));
		if (is_first(literals, i))
			count += occurrences(literals->list[i], subject);
	}
	check(!matches || count > 0);
	check(found_by_scanner(literals, subject) == count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *bytes = (const char *)data;
	const char *newline = size > 0 ? memchr(bytes, '\n', size) : NULL;
	static struct regex_scratch *scratch;
	struct slice pattern, subject;
	struct arena *arena;
	struct diag *diag;
	struct regex *regex;

	if (!newline)
		return 0;
	if (!scratch)
		scratch = regex_scratch_create(10000);
	pattern = (struct slice){bytes, (size_t)(newline - bytes)};
	subject = (struct slice){newline + 1, size - pattern.len - 1};
	arena = arena_create();
	diag = diag_create();
	regex = regex_compile(pattern, (struct position){.file = "fuzz"}, diag);
	if (regex) {
		struct literals literals = literals_of(pattern, arena);

		if (literals.count > 0)
			check_literals(&literals, subject,
				       regex_match(regex, scratch, subject) ==
					       REGEX_MATCH);
	}
	regex_destroy(regex);
	diag_destroy(diag);
	arena_destroy(arena);
	return 0;
}
