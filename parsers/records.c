#include "parsers/records.h"

#include <stdlib.h>

#include "common/xalloc.h"

#define LEAST_CAPACITY 64

void records_finish(struct records *r)
{
	strbuf_finish(&r->bytes);
	free(r->ends);
	free(r->origins);
	*r = (struct records)RECORDS_INIT;
}

void records_clear(struct records *r)
{
	strbuf_clear(&r->bytes);
	r->count = 0;
}

static size_t start_of(const struct records *r, size_t index)
{
	return index == 0 ? 0 : r->ends[index - 1] + 1;
}

size_t records_start(const struct records *r)
{
	return start_of(r, r->count);
}

static void grow(struct records *r)
{
	r->capacity = r->capacity ? 2 * r->capacity : LEAST_CAPACITY;
	r->ends = xreallocarray(r->ends, r->capacity, sizeof(*r->ends));
	r->origins = xreallocarray(r->origins, r->capacity, sizeof(*r->origins));
}

void records_add(struct records *r, const struct record_origin *origin)
{
	if (r->count == r->capacity)
		grow(r);
	r->ends[r->count] = r->bytes.len;
	r->origins[r->count++] = *origin;
	strbuf_putc(&r->bytes, '\n');
}

struct slice records_text(const struct records *r, size_t index)
{
	size_t start = start_of(r, index);

	return (struct slice){r->bytes.ptr + start, r->ends[index] - start};
}
