#include <criterion/criterion.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "daemon/footprint.h"

/* In KiB; `name` with its colon. */
static long memory_of(const char *name)
{
	FILE *f = fopen("/proc/self/status", "r");
	char line[256];
	long kib = -1;

	cr_assert(f);
	while (fgets(line, sizeof(line), f))
		if (strncmp(line, name, strlen(name)) == 0)
			kib = strtol(line + strlen(name), NULL, 10);
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
	long before = memory_of("RssFile:");
	char *heap = strdup(text);

	written[0] = 'A';
	qsort(heap, strlen(heap), 1, by_first);
	footprint_shrink();
	cr_expect_lt(memory_of("RssFile:"), before);
	cr_expect_str_eq(text, "constants are still there");
	cr_expect_str_eq(written, "And what was written");
	cr_expect_eq(heap[0], ' ');
	qsort(heap, strlen(heap), 1, by_first);
	free(heap);
}

/* As a debugger does, or the loader of a library with text relocations. */
static void write_to_constant(char *at, char c)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	void *start = (void *)((uintptr_t)at & ~(page - 1));

	cr_assert_eq(mprotect(start, page, PROT_READ | PROT_WRITE), 0);
	*(volatile char *)at = c;
	cr_assert_eq(mprotect(start, page, PROT_READ), 0);
}

Test(footprint, a_constant_that_was_written_to_stays_so)
{
	write_to_constant((char *)(uintptr_t)text, 'C');
	footprint_shrink();
	cr_expect_eq(*(const volatile char *)text, 'C');
}

#ifndef __SANITIZE_ADDRESS__ /* whose heap is not the C library's */
Test(footprint, holes_in_the_heap_are_given_back)
{
	static char *blocks[20000];
	size_t count = sizeof(blocks) / sizeof(blocks[0]);
	long before;

	for (size_t i = 0; i < count; i++)
		blocks[i] = memset(malloc(1000), 1, 1000);
	for (size_t i = 0; i + 1 < count; i++)
		free(blocks[i]);
	before = memory_of("RssAnon:");
	footprint_shrink();
	cr_expect_lt(memory_of("RssAnon:"), before - 15000);
	free(blocks[count - 1]);
}
#endif
