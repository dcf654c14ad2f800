#include "exporter/gzip.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <zlib.h>

#include "common/slice.h"
#include "common/xalloc.h"

#define INPUT_BYTES (64 * 1024)
#define BLANK " \t"

struct gzip {
	z_stream stream;
	gzip_source source;
	void *ctx;
	bool source_ended;
	bool ended;
	char input[INPUT_BYTES];
};

static void *allocate(void *ctx, unsigned count, unsigned size_bytes)
{
	(void)ctx;
	return xcalloc(count, size_bytes);
}

static void release(void *ctx, void *memory)
{
	(void)ctx;
	free(memory);
}

struct gzip *gzip_create(gzip_source source, void *ctx)
{
	struct gzip *gzip = xmalloc(sizeof(*gzip));
	int rc;

	gzip->stream = (z_stream){.zalloc = allocate, .zfree = release};
	gzip->source = source;
	gzip->ctx = ctx;
	gzip->source_ended = false;
	gzip->ended = false;
	/* 16 above the window bits asks for gzip's header and trailer. */
	rc = deflateInit2(&gzip->stream, Z_BEST_SPEED, Z_DEFLATED, MAX_WBITS + 16,
			  MAX_MEM_LEVEL - 1, Z_DEFAULT_STRATEGY);
	assert(rc == Z_OK);
	(void)rc;
	return gzip;
}

void gzip_destroy(struct gzip *gzip)
{
	if (!gzip)
		return;
	deflateEnd(&gzip->stream);
	free(gzip);
}

static void refill(struct gzip *gzip)
{
	size_t n = gzip->source(gzip->ctx, gzip->input, sizeof(gzip->input));

	gzip->stream.next_in = (Bytef *)gzip->input;
	gzip->stream.avail_in = (uInt)n;
	gzip->source_ended = n == 0;
}

size_t gzip_read(struct gzip *gzip, char *out, size_t size_bytes)
{
	uInt room = size_bytes < INPUT_BYTES ? (uInt)size_bytes : INPUT_BYTES;

	gzip->stream.next_out = (Bytef *)out;
	gzip->stream.avail_out = room;
	while (!gzip->ended && gzip->stream.avail_out > 0) {
		if (gzip->stream.avail_in == 0 && !gzip->source_ended)
			refill(gzip);
		gzip->ended = deflate(&gzip->stream,
				      gzip->source_ended ? Z_FINISH : Z_NO_FLUSH) ==
			      Z_STREAM_END;
	}
	return room - gzip->stream.avail_out;
}

/* Cuts the text before the first of `separators` off *rest. */
static struct slice next_part(const char **rest, const char *separators)
{
	struct slice part;

	*rest += strspn(*rest, BLANK);
	part = (struct slice){*rest, strcspn(*rest, separators)};
	*rest += part.len;
	while (part.len > 0 && strchr(BLANK, part.ptr[part.len - 1]))
		part.len--;
	return part;
}

static bool slice_is_name(struct slice s, const char *name)
{
	return s.len == strlen(name) && strncasecmp(s.ptr, name, s.len) == 0;
}

/* "q=0", "q=0.000": the only weight that matters here. */
static bool is_refusal(struct slice parameter)
{
	size_t i = 2;

	if (parameter.len < 3 || strncasecmp(parameter.ptr, "q=", 2) != 0)
		return false;
	while (i < parameter.len &&
	       (parameter.ptr[i] == '0' || parameter.ptr[i] == '.'))
		i++;
	return i == parameter.len;
}

bool gzip_accepted(const char *accept_encoding)
{
	const char *rest = accept_encoding ? accept_encoding : "";
	bool others = false;

	while (*rest) {
		struct slice coding = next_part(&rest, ",;");
		bool refused = false;

		while (*rest == ';') {
			rest++;
			refused |= is_refusal(next_part(&rest, ",;"));
		}
		if (*rest == ',')
			rest++;
		if (slice_is_name(coding, "gzip") || slice_is_name(coding, "x-gzip"))
			return !refused;
		if (slice_is(coding, "*"))
			others = !refused;
	}
	return others;
}
