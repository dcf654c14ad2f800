#include "tailer/archive.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "common/xalloc.h"
#include "tailer/decoder.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

#define INPUT_BYTES (64 * 1024)

/* The longest header of a Zstandard frame. */
#define ZSTD_HEADER_BYTES 18

/* Of a frame that is not to be skipped. */
#define ZSTD_FIRST_BYTE 0x28

enum ending {
	ENDING_NONE, /* the end of the file was not reached, or not as yet */
	ENDING_COMPLETE,
	ENDING_TRUNCATED,
};

struct archive {
	int fd;
	struct decoder *decoder;
	uint64_t position_bytes; /* of the content: this much was decompressed */
	uint64_t file_bytes;     /* this much of the file is in `in`, or behind it */
	struct slice in;         /* what the decoder did not take yet, of `input` */
	bool more_out;           /* it may have more content without more input */
	enum ending ending;
	int broken; /* errno of a decoder that cannot go on; 0: it can */
	char input[INPUT_BYTES];
	size_t window_bytes;
	char window[]; /* content at position P is at P modulo its size */
};

static ssize_t read_file(int fd, void *to, size_t count_bytes, uint64_t at_bytes)
{
	ssize_t n;

	do
		n = pread(fd, to, count_bytes, (off_t)at_bytes);
	while (n == -1 && errno == EINTR);
	return n;
}

/* Of four bytes; `mask` says which bits of them count. */
static const struct {
	enum archive_kind kind;
	unsigned char magic[4], mask[4];
} magics[] = {
	/* The third byte is the method: deflate is the only one. */
	{ARCHIVE_GZIP, {0x1f, 0x8b, 0x08, 0}, {0xff, 0xff, 0xff, 0}},
	{ARCHIVE_ZSTD, {0x28, 0xb5, 0x2f, 0xfd}, {0xff, 0xff, 0xff, 0xff}},
	/* A skippable frame. */
	{ARCHIVE_ZSTD, {0x50, 0x2a, 0x4d, 0x18}, {0xf0, 0xff, 0xff, 0xff}},
};

enum archive_kind archive_kind_of(int fd)
{
	unsigned char bytes[4];

	if (read_file(fd, bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		return ARCHIVE_PLAIN;
	for (size_t i = 0; i < COUNT(magics); i++) {
		size_t n = 0;

		while (n < sizeof(bytes) &&
		       (bytes[n] & magics[i].mask[n]) == magics[i].magic[n])
			n++;
		if (n == sizeof(bytes))
			return magics[i].kind;
	}
	return ARCHIVE_PLAIN;
}

/* The last four bytes of a member, little-endian. */
static bool gzip_size(int fd, uint64_t *bytes)
{
	unsigned char end[4];
	struct stat st;

	if (fstat(fd, &st) == -1 || st.st_size < (off_t)sizeof(end) ||
	    read_file(fd, end, sizeof(end), (uint64_t)st.st_size - sizeof(end)) !=
		    (ssize_t)sizeof(end))
		return false;
	*bytes = end[0] | end[1] << 8 | end[2] << 16 | (uint64_t)end[3] << 24;
	return true;
}

static bool zstd_size(int fd, uint64_t *bytes)
{
	char header[ZSTD_HEADER_BYTES];
	ssize_t n = read_file(fd, header, sizeof(header), 0);
	unsigned long long size;

	if (n <= 0 || header[0] != ZSTD_FIRST_BYTE)
		return false;
	size = ZSTD_getFrameContentSize(header, (size_t)n);
	if (size == ZSTD_CONTENTSIZE_UNKNOWN || size == ZSTD_CONTENTSIZE_ERROR)
		return false;
	*bytes = size;
	return true;
}

bool archive_size_hint(int fd, enum archive_kind kind, uint64_t *bytes)
{
	switch (kind) {
	case ARCHIVE_GZIP:
		return gzip_size(fd, bytes);
	case ARCHIVE_ZSTD:
		return zstd_size(fd, bytes);
	default:
		return false;
	}
}

static void start_over(struct archive *archive)
{
	decoder_reset(archive->decoder);
	archive->position_bytes = 0;
	archive->file_bytes = 0;
	archive->in = (struct slice){archive->input, 0};
	archive->more_out = false;
	archive->ending = ENDING_NONE;
	archive->broken = 0;
}

struct archive *archive_open(int fd, enum archive_kind kind, size_t window_bytes)
{
	struct archive *archive = xmalloc(sizeof(*archive) + window_bytes);

	assert(window_bytes > 0);
	archive->fd = fd;
	archive->decoder = decoder_create(kind);
	archive->window_bytes = window_bytes;
	start_over(archive);
	return archive;
}

void archive_destroy(struct archive *archive)
{
	if (!archive)
		return;
	decoder_destroy(archive->decoder);
	free(archive);
}

static uint64_t kept_from(const struct archive *archive)
{
	return archive->position_bytes > archive->window_bytes
		       ? archive->position_bytes - archive->window_bytes
		       : 0;
}

/* 0 at the end of the file, -1 with errno set on failure. */
static ssize_t refill(struct archive *archive)
{
	ssize_t n = read_file(archive->fd, archive->input, INPUT_BYTES,
			      archive->file_bytes);

	archive->ending = ENDING_NONE;
	if (n > 0) {
		archive->file_bytes += (uint64_t)n;
		archive->in = (struct slice){archive->input, (size_t)n};
	}
	return n;
}

static size_t least(uint64_t a, uint64_t b)
{
	return (size_t)(a < b ? a : b);
}

/* One step of the decoder, into the window. */
static void decode(struct archive *archive, uint64_t to_bytes, uint64_t *budget_bytes)
{
	size_t at = (size_t)(archive->position_bytes % archive->window_bytes);
	size_t room = least(least(archive->window_bytes - at, *budget_bytes),
			    to_bytes - archive->position_bytes);
	size_t given = least(archive->in.len, *budget_bytes);
	struct slice in = {archive->in.ptr, given};
	size_t made, took;

	if (!decoder_step(archive->decoder, &in, archive->window + at, room, &made))
		archive->broken = errno;
	took = given - in.len;
	archive->in = (struct slice){archive->in.ptr + took, archive->in.len - took};
	archive->position_bytes += made;
	archive->more_out = made == room;
	*budget_bytes -= least(took + made, *budget_bytes);
}

static enum archive_result end(struct archive *archive)
{
	if (decoder_may_end(archive->decoder)) {
		archive->ending = ENDING_COMPLETE;
		return ARCHIVE_DONE;
	}
	archive->ending = ENDING_TRUNCATED;
	errno = EBADMSG;
	return ARCHIVE_FAILED;
}

static enum archive_result advance(struct archive *archive, uint64_t to_bytes,
				   uint64_t budget_bytes)
{
	while (archive->position_bytes < to_bytes) {
		if (archive->broken) {
			errno = archive->broken;
			return ARCHIVE_FAILED;
		}
		if (budget_bytes == 0)
			return ARCHIVE_MORE;
		if (archive->in.len == 0 && !archive->more_out) {
			ssize_t n = refill(archive);

			if (n <= 0)
				return n == 0 ? end(archive) : ARCHIVE_FAILED;
		}
		decode(archive, to_bytes, &budget_bytes);
	}
	return ARCHIVE_DONE;
}

enum archive_result archive_skip(struct archive *archive, uint64_t to_bytes,
				 uint64_t budget_bytes)
{
	assert(budget_bytes > 0);
	if (to_bytes < kept_from(archive))
		start_over(archive);
	return advance(archive, to_bytes, budget_bytes);
}

static void copy_out(const struct archive *archive, char *to, size_t count_bytes,
		     uint64_t at_bytes)
{
	size_t at = (size_t)(at_bytes % archive->window_bytes);
	size_t first = least(count_bytes, archive->window_bytes - at);

	memcpy(to, archive->window + at, first);
	memcpy(to + first, archive->window, count_bytes - first);
}

/* What the archive is, not what befell the reading of its file. */
static bool is_damaged(const struct archive *archive)
{
	return archive->broken || archive->ending == ENDING_TRUNCATED;
}

ssize_t archive_read_at(struct archive *archive, void *buf, size_t count_bytes,
			uint64_t at_bytes)
{
	uint64_t to = at_bytes + count_bytes;
	enum archive_result result;

	assert(count_bytes <= archive->window_bytes);
	if (at_bytes < kept_from(archive))
		start_over(archive);
	result = advance(archive, to < at_bytes ? UINT64_MAX : to,
			 count_bytes + ARCHIVE_READ_BUDGET_BYTES);
	if (result == ARCHIVE_MORE) {
		errno = EAGAIN;
		return -1;
	}
	if (result == ARCHIVE_FAILED &&
	    (archive->position_bytes <= at_bytes || !is_damaged(archive)))
		return -1;
	if (archive->position_bytes <= at_bytes)
		return 0;
	count_bytes = least(count_bytes, archive->position_bytes - at_bytes);
	copy_out(archive, buf, count_bytes, at_bytes);
	return (ssize_t)count_bytes;
}

uint64_t archive_position_bytes(const struct archive *archive)
{
	return archive->position_bytes;
}

uint64_t archive_file_position_bytes(const struct archive *archive)
{
	return archive->file_bytes - archive->in.len;
}

bool archive_is_complete(const struct archive *archive)
{
	return archive->ending == ENDING_COMPLETE;
}

bool archive_is_truncated(const struct archive *archive)
{
	return archive->ending == ENDING_TRUNCATED;
}
