#include "tailer/content.h"

#include <assert.h>
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tailer/archive.h"

/* Unpacked at once: some milliseconds of work. */
#define BUDGET_BYTES ((uint64_t)2 * 1024 * 1024)

void content_open(struct content *content, int fd)
{
	assert(content->fd == -1);
	content->fd = fd;
	content->kind = CONTENT_UNKNOWN;
}

void content_close(struct content *content)
{
	int fd = content_take_fd(content);

	if (fd != -1)
		close(fd);
}

int content_take_fd(struct content *content)
{
	int fd = content->fd;

	archive_destroy(content->archive);
	content->archive = NULL;
	content->fd = -1;
	return fd;
}

/* An empty file may still become either. */
static void find_kind(struct content *content)
{
	struct stat st;

	if (content->kind != CONTENT_UNKNOWN || content->fd == -1 ||
	    fstat(content->fd, &st) == -1 || st.st_size == 0)
		return;
	content->kind = archive_kind_of(content->fd) == ARCHIVE_PLAIN ? CONTENT_PLAIN
								      : CONTENT_ARCHIVE;
}

bool content_is_archive(struct content *content)
{
	find_kind(content);
	return content->kind == CONTENT_ARCHIVE;
}

ssize_t content_read_at(struct content *content, void *to, size_t count_bytes,
			uint64_t at_bytes)
{
	ssize_t n;

	if (content->archive)
		return archive_read_at(content->archive, to, count_bytes, at_bytes);
	do
		n = pread(content->fd, to, count_bytes, (off_t)at_bytes);
	while (n == -1 && errno == EINTR);
	return n;
}

enum content_reach content_reach(struct content *content, uint64_t at_bytes,
				 size_t window_bytes)
{
	if (!content_is_archive(content))
		return CONTENT_THERE;
	if (!content->archive)
		content->archive = archive_open(
			content->fd, archive_kind_of(content->fd), window_bytes);
	switch (archive_skip(content->archive, at_bytes, BUDGET_BYTES)) {
	case ARCHIVE_DONE:
		return CONTENT_THERE;
	case ARCHIVE_MORE:
		return CONTENT_LATER;
	case ARCHIVE_FAILED:
		break;
	}
	return CONTENT_FAILED;
}

uint64_t content_unpacked_bytes(const struct content *content)
{
	return content->archive ? archive_position_bytes(content->archive) : 0;
}

uint64_t content_skip_hole(const struct content *content, uint64_t at_bytes)
{
	off_t data = lseek(content->fd, (off_t)at_bytes, SEEK_DATA);

	return data == -1 ? at_bytes : (uint64_t)data;
}

bool content_size_is(struct content *content, uint64_t bytes)
{
	struct stat st;
	uint64_t hint;

	if (!content_is_archive(content))
		return fstat(content->fd, &st) == 0 && (uint64_t)st.st_size == bytes;
	return archive_size_hint(content->fd, archive_kind_of(content->fd), &hint) &&
	       hint == (hint <= UINT32_MAX ? (uint32_t)bytes : bytes);
}
