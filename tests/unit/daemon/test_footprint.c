#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/footprint.h"

/* In KiB, of pages that are as they are in a file. */
static long file_pages(void)
{
	FILE *f = fopen("/proc/self/status", "r");
	char line[256];
	long kib = -1;

	cr_assert(f);
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "RssFile: %ld", &kib) == 1)
			break;
	fclose(f);
	return kib;
}

static const char text[] = "constants are still there";
static char written[] = "and what was written";

static int by_first(const void *a, const void *b)
{
	return *(const char *)a - *(const char *)b;
}

Test(footprint, code_and_constants_come_back_as_they_are_needed)
{
	long before = file_pages();
	char *heap = strdup(text);

	written[0] = 'A';
	qsort(heap, strlen(heap), 1, by_first);
	footprint_shrink();
	cr_expect_lt(file_pages(), before);
	cr_expect_str_eq(text, "constants are still there");
	cr_expect_str_eq(written, "And what was written");
	cr_expect_eq(heap[0], ' ');
	qsort(heap, strlen(heap), 1, by_first);
	free(heap);
}
