#include "daemon/input_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/xalloc.h"
#include "tailer/archive.h"
#include "tailer/content.h"
#include "tailer/linecut.h"

#define READ_BYTES ((size_t)256 * 1024)

struct input_reader {
	size_t line_bytes;
	int64_t now_ns;
	const struct input_reader_ops *ops;
	void *ctx;
	char *buffer;  /* the unfinished line, then what is read */
	char *decoded; /* the text of UTF-16, once there was some */

	/* Of the present input. */
	const struct input *input;
	struct content content;
	uint64_t at_bytes;   /* of the content: what is read next */
	uint64_t told_bytes; /* of the file: progress */
	struct linecut cut;
	size_t kept_bytes; /* of the unfinished line, at the front of the buffer */
};

struct input_reader *input_reader_create(size_t line_bytes, int64_t now_ns,
					 const struct input_reader_ops *ops, void *ctx)
{
	struct input_reader *r = xcalloc(1, sizeof(*r));

	r->line_bytes = line_bytes;
	r->now_ns = now_ns;
	r->ops = ops;
	r->ctx = ctx;
	r->content = CONTENT_INIT;
	r->buffer = xmalloc(line_bytes + 1); /* as much as linecut.h takes */
	return r;
}

void input_reader_destroy(struct input_reader *r)
{
	if (!r)
		return;
	free(r->buffer);
	free(r->decoded);
	free(r);
}

/* -- bytes ---------------------------------------------------------------- */

static const char *name_of(const struct input *input)
{
	return input->file ? input->file : "standard input";
}

static bool open_input(struct input_reader *r, struct error *err)
{
	const struct input *input = r->input;
	int fd = input->file ? open(input->file, O_RDONLY | O_NOCTTY | O_CLOEXEC)
			     : fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0);

	if (fd == -1)
		return error_errno(err, "%s", name_of(input));
	content_open(&r->content, fd);
	if (input->sized) {
		posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
		content_reach(&r->content, 0, READ_BYTES);
	}
	return true;
}

static ssize_t read_stream(struct input_reader *r, char *to, size_t count_bytes)
{
	ssize_t n;

	do
		n = read(r->content.fd, to, count_bytes);
	while (n == -1 && errno == EINTR);
	return n;
}

static ssize_t read_file(struct input_reader *r, char *to, size_t count_bytes)
{
	ssize_t n;

	do
		n = content_read_at(&r->content, to, count_bytes, r->at_bytes);
	while (n == -1 && errno == EAGAIN);
	return n;
}

static ssize_t read_some(struct input_reader *r)
{
	size_t room = r->line_bytes + 1 - r->kept_bytes;
	size_t count = room < READ_BYTES ? room : READ_BYTES;
	char *to = r->buffer + r->kept_bytes;
	ssize_t n =
		r->input->sized ? read_file(r, to, count) : read_stream(r, to, count);

	if (n > 0)
		r->at_bytes += (uint64_t)n;
	return n;
}

static void tell_progress(struct input_reader *r)
{
	uint64_t bytes = r->content.archive
				 ? archive_file_position_bytes(r->content.archive)
				 : r->at_bytes;

	r->ops->progress(r->ctx, bytes - r->told_bytes);
	r->told_bytes = bytes;
}

static bool failed(const struct input_reader *r, struct error *err)
{
	const char *name = name_of(r->input);

	if (errno == EBADMSG && archive_is_truncated(r->content.archive))
		return error_set(err,
				 "%s: the archive ends in the middle, after %" PRIu64
				 " bytes of content",
				 name, r->at_bytes);
	if (errno == EBADMSG)
		return error_set(err,
				 "%s: the archive is damaged, after %" PRIu64
				 " bytes of content",
				 name, r->at_bytes);
	return error_errno(err, "%s", name);
}

/* A stream is taken as it is: what looks packed is no log. */
static bool is_packed_stream(const struct input_reader *r, size_t count_bytes)
{
	static const char gzip[] = {'\x1f', '\x8b'};
	static const char zstd[] = {'\x28', '\xb5', '\x2f', '\xfd'};

	return !r->input->sized && r->at_bytes == count_bytes &&
	       ((count_bytes >= sizeof(gzip) &&
		 memcmp(r->buffer, gzip, sizeof(gzip)) == 0) ||
		(count_bytes >= sizeof(zstd) &&
		 memcmp(r->buffer, zstd, sizeof(zstd)) == 0));
}

/* -- lines ---------------------------------------------------------------- */

static void emit(struct input_reader *r, struct slice lines, uint64_t at_bytes)
{
	bool has_mtime = r->input->mtime_ns != INT64_MAX;
	struct slice text = encoding_text(r->cut.encoding, lines, at_bytes == 0,
					  &r->decoded, r->line_bytes + 1);
	struct block block = {.bytes = text,
			      .offset_bytes = at_bytes,
			      .read_time_ns = r->now_ns,
			      .mtime_ns = has_mtime ? r->input->mtime_ns : r->now_ns};

	if (text.len > 0)
		r->ops->block(r->ctx, &block);
}

/* Cuts what the buffer holds; the unfinished line moves to its front. */
static void cut_lines(struct input_reader *r, size_t len)
{
	struct slice bytes = {r->buffer, len};
	struct linecut_result result;
	uint64_t torn_bytes;

	if (r->cut.encoding == ENCODING_UNKNOWN)
		r->cut.encoding = encoding_of(bytes);
	result = linecut_feed(&r->cut, bytes, r->line_bytes);
	torn_bytes = linecut_torn_bytes(&r->cut);
	if (result.oversized_bytes > 0)
		r->ops->oversized(r->ctx);
	if (result.lines.len > 0) {
		emit(r, result.lines, result.lines_at_bytes);
		r->kept_bytes =
			(size_t)(bytes.ptr + len - result.lines.ptr - result.lines.len);
	} else {
		r->kept_bytes = torn_bytes <= r->line_bytes ? (size_t)torn_bytes : 0;
	}
	if (r->kept_bytes > 0)
		linecut_rewind(&r->cut);
	memmove(r->buffer, r->buffer + len - r->kept_bytes, r->kept_bytes);
}

static void end_last_line(struct input_reader *r)
{
	if (r->kept_bytes > 0)
		emit(r, (struct slice){r->buffer, r->kept_bytes}, r->cut.offset_bytes);
	else if (linecut_torn_bytes(&r->cut) > 0)
		r->ops->oversized(r->ctx);
}

static bool read_lines(struct input_reader *r, struct error *err)
{
	ssize_t n;

	while ((n = read_some(r)) > 0) {
		tell_progress(r);
		if (is_packed_stream(r, (size_t)n))
			return error_set(err,
					 "%s: is compressed: unpack it on the way, as "
					 "with zcat",
					 name_of(r->input));
		cut_lines(r, r->kept_bytes + (size_t)n);
	}
	if (n == -1)
		return failed(r, err);
	tell_progress(r);
	end_last_line(r);
	return true;
}

bool input_read(struct input_reader *r, const struct input *input, struct error *err)
{
	bool ok;

	r->input = input;
	r->at_bytes = r->told_bytes = 0;
	r->kept_bytes = 0;
	r->cut = (struct linecut){0};
	ok = open_input(r, err) && read_lines(r, err);
	content_close(&r->content);
	return ok;
}
