/*
 * Any file, read as an archive: never a crash, never more work than asked for,
 * and its content does not depend on how it is read.
 *
 * What is not an archive becomes one, cut or damaged now and then: then it is
 * also known what the content is.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "common/strbuf.h"
#include "tailer/archive.h"

/* Of what decompresses to more, only so much is looked at. */
#define CONTENT_BYTES (256 * 1024)
#define WINDOW_BYTES 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned long long seed;

static size_t any(size_t below)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (size_t)(seed >> 33) % below;
}

#define check(holds) ((holds) ? (void)0 : fail(__LINE__))

static void fail(int line)
{
	fprintf(stderr, "line %d does not hold\n", line);
	abort();
}

/* What the content is, and how it ends. */
struct content {
	size_t size_bytes;
	int error; /* 0: at the end, or where it is too long to look at */
	char bytes[CONTENT_BYTES];
};

static ssize_t read_at(struct archive *archive, char *to, size_t count, size_t at)
{
	ssize_t n;

	do
		n = archive_read_at(archive, to, count, at);
	while (n == -1 && errno == EAGAIN);
	return n;
}

static void read_in_order(int fd, enum archive_kind kind, struct content *content)
{
	struct archive *archive = archive_open(fd, kind, WINDOW_BYTES);
	ssize_t n = 1;

	content->size_bytes = 0;
	while (n > 0 && content->size_bytes < CONTENT_BYTES) {
		n = read_at(archive, content->bytes + content->size_bytes, WINDOW_BYTES,
			    content->size_bytes);
		content->size_bytes += n > 0 ? (size_t)n : 0;
	}
	content->error = n == -1 ? errno : 0;
	if (n == 0)
		check(archive_is_complete(archive));
	if (n == -1)
		check(errno == EBADMSG || errno == EOPNOTSUPP || errno == ENOMEM);
	archive_destroy(archive);
}

static void skip(struct archive *archive)
{
	size_t budget = any(3000) + 1;
	uint64_t to = any(CONTENT_BYTES);
	uint64_t was = archive_position_bytes(archive);
	uint64_t now;

	for (int i = 0; i < 3; i++) {
		if (archive_skip(archive, to, budget) != ARCHIVE_MORE)
			return;
		now = archive_position_bytes(archive);
		check(now <= budget || now - was <= budget);
		was = now;
	}
}

static void read_here_and_there(int fd, enum archive_kind kind,
				const struct content *content)
{
	size_t window = any(2) ? any(64) + 1 : any(WINDOW_BYTES) + 1;
	struct archive *archive = archive_open(fd, kind, window);
	char buf[WINDOW_BYTES];

	for (int i = 0; i < 30; i++) {
		size_t at = any(content->size_bytes + 2);
		size_t count = any(window) + 1;
		size_t left = at < content->size_bytes ? content->size_bytes - at : 0;
		ssize_t n;

		if (any(4) == 0)
			skip(archive);
		if (count > left && content->size_bytes >= CONTENT_BYTES)
			continue;
		n = read_at(archive, buf, count, at);
		if (left == 0 && content->error) {
			check(n == -1 && errno == content->error);
			continue;
		}
		check(n == (ssize_t)(left < count ? left : count));
		check(n == 0 || memcmp(buf, content->bytes + at, (size_t)n) == 0);
	}
	archive_destroy(archive);
}

static void add_gzip(struct strbuf *file, const uint8_t *data, size_t size)
{
	z_stream z = {.next_in = (Bytef *)data, .avail_in = (uInt)size};

	check(deflateInit2(&z, (int)any(10), Z_DEFLATED, MAX_WBITS + 16, 8, 0) == Z_OK);
	z.avail_out = (uInt)deflateBound(&z, size);
	z.next_out = (Bytef *)strbuf_room(file, z.avail_out);
	check(deflate(&z, Z_FINISH) == Z_STREAM_END);
	file->len += z.total_out;
	deflateEnd(&z);
}

/* In blocks, with or without their size and checksum. */
static void add_zstd(struct strbuf *file, const uint8_t *data, size_t size)
{
	ZSTD_CCtx *ctx = ZSTD_createCCtx();
	ZSTD_inBuffer in = {data, 0, 0};

	ZSTD_CCtx_setParameter(ctx, ZSTD_c_compressionLevel, (int)any(3) + 1);
	ZSTD_CCtx_setParameter(ctx, ZSTD_c_checksumFlag, (int)any(2));
	do {
		size_t room = ZSTD_compressBound(size) + 64;
		ZSTD_outBuffer out = {strbuf_room(file, room), room, 0};

		in.size += any(size - in.size + 1);
		check(ZSTD_compressStream2(ctx, &out, &in,
					   in.size == size ? ZSTD_e_end
							   : ZSTD_e_flush) == 0);
		file->len += out.pos;
	} while (in.size < size);
	ZSTD_freeCCtx(ctx);
}

static void make_archive(struct strbuf *file, enum archive_kind kind,
			 const uint8_t *data, size_t size)
{
	size_t piece;

	strbuf_clear(file);
	do {
		piece = any(2) ? size : any(size + 1);
		if (kind == ARCHIVE_GZIP)
			add_gzip(file, data, piece);
		else
			add_zstd(file, data, piece);
		data += piece;
		size -= piece;
	} while (size > 0);
}

static void put(int fd, const void *bytes, size_t size)
{
	check(ftruncate(fd, 0) == 0);
	check(pwrite(fd, bytes, size, 0) == (ssize_t)size);
}

static void read_both_ways(int fd, enum archive_kind kind, struct content *content)
{
	uint64_t hint;

	archive_size_hint(fd, kind, &hint);
	read_in_order(fd, kind, content);
	read_here_and_there(fd, kind, content);
}

/* Whole, cut, and damaged. */
static void read_made(int fd, enum archive_kind kind, const uint8_t *data, size_t size,
		      struct content *content)
{
	static struct strbuf file;

	if (size > CONTENT_BYTES - WINDOW_BYTES)
		return;
	make_archive(&file, kind, data, size);
	put(fd, file.ptr, file.len);
	read_both_ways(fd, kind, content);
	check(content->error == 0 && content->size_bytes == size);
	check(memcmp(content->bytes, data, size) == 0);
	put(fd, file.ptr, any(file.len));
	read_both_ways(fd, kind, content);
	check(content->size_bytes <= size);
	check(memcmp(content->bytes, data, content->size_bytes) == 0);
	file.ptr[any(file.len)] ^= (char)(any(255) + 1);
	put(fd, file.ptr, file.len);
	read_both_ways(fd, kind, content);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct content content;
	static int fd = -1;
	enum archive_kind kind;

	if (fd == -1)
		fd = memfd_create("archive", MFD_CLOEXEC);
	seed = size;
	for (size_t i = 0; i < size; i++)
		seed = seed * 31 + data[i];
	put(fd, data, size);
	kind = archive_kind_of(fd);
	if (kind != ARCHIVE_PLAIN) {
		read_both_ways(fd, kind, &content);
		return 0;
	}
	kind = any(2) ? ARCHIVE_GZIP : ARCHIVE_ZSTD;
	read_both_ways(fd, kind, &content);
	read_made(fd, kind, data, size, &content);
	return 0;
}
