#include "tailer/decoder.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "common/xalloc.h"

#define ZSTD_WINDOW_LOG_MOST 27

/* A block's header: ZSTD_decompressStream() asks for the next one's ahead. */
#define ZSTD_BLOCK_HEADER_BYTES 3

struct codec {
	void (*init)(struct decoder *decoder);
	void (*finish)(struct decoder *decoder);
	void (*reset)(struct decoder *decoder);
	bool (*step)(struct decoder *decoder, struct slice *in, char *out,
		     size_t room_bytes, size_t *made_bytes);
};

struct decoder {
	const struct codec *codec;
	bool may_end;
	union {
		z_stream gzip;
		struct {
			ZSTD_DStream *stream;
			size_t wants_bytes; /* of input, to get on by one block */
			bool draining;      /* the room was filled: there may be more */
		} zstd;
	};
};

static void take(struct slice *in, size_t bytes)
{
	in->ptr += bytes;
	in->len -= bytes;
}

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

static void gzip_init(struct decoder *decoder)
{
	int rc;

	decoder->gzip = (z_stream){.zalloc = allocate, .zfree = release};
	/* 16 above the window bits asks for gzip's header and trailer. */
	rc = inflateInit2(&decoder->gzip, MAX_WBITS + 16);
	assert(rc == Z_OK);
	(void)rc;
}

static void gzip_finish(struct decoder *decoder)
{
	inflateEnd(&decoder->gzip);
}

static void gzip_reset(struct decoder *decoder)
{
	inflateReset(&decoder->gzip);
}

/* Between members: true if one begins. */
static bool next_member(struct decoder *decoder, struct slice *in)
{
	while (in->len > 0 && *in->ptr == '\0')
		take(in, 1);
	if (in->len == 0)
		return false;
	inflateReset(&decoder->gzip);
	decoder->may_end = false;
	return true;
}

static bool gzip_step(struct decoder *decoder, struct slice *in, char *out,
		      size_t room_bytes, size_t *made_bytes)
{
	z_stream *z = &decoder->gzip;
	uInt given = in->len < UINT_MAX ? (uInt)in->len : UINT_MAX;
	uInt room = room_bytes < UINT_MAX ? (uInt)room_bytes : UINT_MAX;
	int rc;

	if (decoder->may_end && !next_member(decoder, in))
		return true;
	given = given < in->len ? given : (uInt)in->len;
	z->next_in = (Bytef *)in->ptr;
	z->avail_in = given;
	z->next_out = (Bytef *)out;
	z->avail_out = room;
	rc = inflate(z, Z_NO_FLUSH);
	take(in, given - z->avail_in);
	*made_bytes = room - z->avail_out;
	decoder->may_end = rc == Z_STREAM_END;
	if (rc == Z_OK || rc == Z_STREAM_END || rc == Z_BUF_ERROR)
		return true;
	errno = EBADMSG;
	return false;
}

static void zstd_reset(struct decoder *decoder)
{
	ZSTD_DCtx_reset(decoder->zstd.stream, ZSTD_reset_session_only);
	decoder->zstd.wants_bytes = 0;
	decoder->zstd.draining = false;
}

static void zstd_init(struct decoder *decoder)
{
	decoder->zstd.stream = ZSTD_createDStream();
	if (!decoder->zstd.stream) { /* as xmalloc() */
		fputs("logtally: out of memory\n", stderr);
		exit(1);
	}
	ZSTD_DCtx_setParameter(decoder->zstd.stream, ZSTD_d_windowLogMax,
			       ZSTD_WINDOW_LOG_MOST);
	zstd_reset(decoder);
}

static void zstd_finish(struct decoder *decoder)
{
	ZSTD_freeDStream(decoder->zstd.stream);
}

static int zstd_errno(size_t rc)
{
	switch (ZSTD_getErrorCode(rc)) {
	case ZSTD_error_memory_allocation:
		return ENOMEM;
	case ZSTD_error_frameParameter_windowTooLarge:
	case ZSTD_error_frameParameter_unsupported:
	case ZSTD_error_version_unsupported:
	case ZSTD_error_dictionary_wrong:
		return EOPNOTSUPP;
	default:
		return EBADMSG;
	}
}

/*
 * When ZSTD_decompressStream() fails it does not say how much it wrote before.
 * So it is never given enough to finish a block and read the header of the
 * next, or the checksum, and nothing while it has output left: what fails then
 * has written nothing.
 */
static size_t harmless_input(const struct decoder *decoder, size_t len)
{
	size_t wants = decoder->zstd.wants_bytes;
	size_t most =
		wants > ZSTD_BLOCK_HEADER_BYTES ? wants - ZSTD_BLOCK_HEADER_BYTES : 1;

	if (decoder->zstd.draining)
		return 0;
	return len < most ? len : most;
}

static bool zstd_step(struct decoder *decoder, struct slice *in, char *out,
		      size_t room_bytes, size_t *made_bytes)
{
	ZSTD_inBuffer input = {in->ptr, harmless_input(decoder, in->len), 0};
	ZSTD_outBuffer output = {out, room_bytes, 0};
	size_t rc = ZSTD_decompressStream(decoder->zstd.stream, &output, &input);

	if (ZSTD_isError(rc)) {
		errno = zstd_errno(rc);
		return false;
	}
	take(in, input.pos);
	*made_bytes = output.pos;
	if (input.pos > 0 || output.pos > 0)
		decoder->may_end = rc == 0;
	decoder->zstd.wants_bytes = rc;
	decoder->zstd.draining = output.pos == room_bytes;
	return true;
}

static const struct codec codecs[] = {
	[ARCHIVE_GZIP] = {gzip_init, gzip_finish, gzip_reset, gzip_step},
	[ARCHIVE_ZSTD] = {zstd_init, zstd_finish, zstd_reset, zstd_step},
};

struct decoder *decoder_create(enum archive_kind kind)
{
	struct decoder *decoder = xcalloc(1, sizeof(*decoder));

	assert(kind != ARCHIVE_PLAIN);
	decoder->codec = &codecs[kind];
	decoder->codec->init(decoder);
	return decoder;
}

void decoder_destroy(struct decoder *decoder)
{
	if (!decoder)
		return;
	decoder->codec->finish(decoder);
	free(decoder);
}

void decoder_reset(struct decoder *decoder)
{
	decoder->codec->reset(decoder);
	decoder->may_end = false;
}

bool decoder_step(struct decoder *decoder, struct slice *in, char *out,
		  size_t room_bytes, size_t *made_bytes)
{
	*made_bytes = 0;
	return decoder->codec->step(decoder, in, out, room_bytes, made_bytes);
}

bool decoder_may_end(const struct decoder *decoder)
{
	return decoder->may_end;
}
