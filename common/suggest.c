#include "common/suggest.h"

#include <ctype.h>
#include <string.h>

#define MAX_WORD 48

static size_t min3(size_t a, size_t b, size_t c)
{
	size_t m = a < b ? a : b;

	return m < c ? m : c;
}

static int same(char a, char b)
{
	if (a == '-')
		a = '_';
	if (b == '-')
		b = '_';
	return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/* Optimal string alignment: a swap of neighbours counts once. */
static size_t distance(const char *a, const char *b)
{
	size_t rows[3][MAX_WORD + 1];
	size_t *before = rows[0], *last = rows[1], *row = rows[2];
	size_t la = strlen(a), lb = strlen(b);

	if (la > MAX_WORD || lb > MAX_WORD)
		return MAX_WORD;
	for (size_t j = 0; j <= lb; j++)
		last[j] = j;
	for (size_t i = 1; i <= la; i++) {
		size_t *free_row = before;

		row[0] = i;
		for (size_t j = 1; j <= lb; j++) {
			size_t differs = same(a[i - 1], b[j - 1]) ? 0 : 1;

			row[j] = min3(last[j] + 1, row[j - 1] + 1,
				      last[j - 1] + differs);
			if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) &&
			    same(a[i - 2], b[j - 1]) && before[j - 2] + 1 < row[j])
				row[j] = before[j - 2] + 1;
		}
		before = last;
		last = row;
		row = free_row;
	}
	return last[lb];
}

const char *suggest_closest(const char *typed, const char *const *words, size_t count)
{
	size_t best = strlen(typed) / 3 + 1; /* one edit in three letters */
	const char *closest = NULL;

	for (size_t i = 0; i < count; i++) {
		size_t d = distance(typed, words[i]);

		if (d < best || (d == best && !closest && d < strlen(words[i]))) {
			best = d;
			closest = words[i];
		}
	}
	return closest;
}
