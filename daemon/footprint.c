#include "daemon/footprint.h"

#include <fcntl.h>
#include <link.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

/* What the kernel says of a page in /proc/self/pagemap, which has a number for each. */
#define PAGE_IS_THERE (UINT64_C(1) << 63)
#define PAGE_IS_THE_FILES (UINT64_C(1) << 61)

#define PAGES_AT_ONCE 512

struct pages {
	int map; /* /proc/self/pagemap */
	uintptr_t bytes_each;
};

static bool may_go(uint64_t entry)
{
	return (entry & PAGE_IS_THERE) && (entry & PAGE_IS_THE_FILES);
}

/* Returns how many were looked at. */
static size_t release_some(const struct pages *pages, uintptr_t start, size_t count)
{
	uint64_t entries[PAGES_AT_ONCE];
	uintptr_t each = pages->bytes_each;
	size_t most = count < PAGES_AT_ONCE ? count : PAGES_AT_ONCE, first = 0;
	ssize_t got = pread(pages->map, entries, most * sizeof(*entries),
			    (off_t)(start / each * sizeof(*entries)));
	size_t looked_at = got > 0 ? (size_t)got / sizeof(*entries) : 0;

	for (size_t i = 0; i <= looked_at; i++) {
		if (i < looked_at && may_go(entries[i]))
			continue;
		if (i > first)
			madvise((void *)(start + first * each), (i - first) * each,
				MADV_DONTNEED);
		first = i + 1;
	}
	return looked_at;
}

static void release_all(const struct pages *pages, uintptr_t start, uintptr_t end)
{
	uintptr_t each = pages->bytes_each;
	size_t count, looked_at;

	start &= ~(each - 1);
	for (count = (end - start + each - 1) / each; count > 0; count -= looked_at) {
		looked_at = release_some(pages, start, count);
		if (looked_at == 0)
			return;
		start += looked_at * each;
	}
}

static int release_object(struct dl_phdr_info *object, size_t size, void *ctx)
{
	(void)size;
	for (size_t i = 0; i < object->dlpi_phnum; i++) {
		const ElfW(Phdr) *segment = &object->dlpi_phdr[i];
		uintptr_t start = object->dlpi_addr + segment->p_vaddr;

		if (segment->p_type == PT_LOAD && !(segment->p_flags & PF_W))
			release_all(ctx, start, start + segment->p_filesz);
	}
	return 0;
}

void footprint_shrink(void)
{
	struct pages pages = {.bytes_each = (uintptr_t)sysconf(_SC_PAGESIZE)};

	malloc_trim(0);
	pages.map = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	if (pages.map == -1)
		return;
	dl_iterate_phdr(release_object, &pages);
	close(pages.map);
}
