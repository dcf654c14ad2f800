#include "tailer/stream.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/xalloc.h"
#include "tailer/writers.h"

#define POLL_NS NS_PER_SECOND /* of files whose names nobody watches */
#define MAX_RETRY_SECONDS 60
#define SLOW_BLOCK_NS (20 * NS_PER_MS)
#define MAX_HALVINGS 8   /* 1 KiB of 256 */
#define FIRST_HALVINGS 6 /* until it is known how long its lines take */

struct generation {
	struct generation *next; /* newer */
	struct stream *stream;
	struct file *file;
	struct reader *reader;
	struct openfiles_link open;
	unsigned standing; /* as of the last notice */
	bool dirty;        /* there may be more to read */
	bool closed;       /* a writer has closed it, and nothing came since */
	unsigned failures; /* in a row */
	int64_t quiet_since_ns;
	int64_t due_ns;         /* look again by then; 0: when something happens */
	uint64_t backlog_bytes; /* 0: no backlog, or read */
};

struct stream {
	struct stream_host *host;
	void *owner;
	void *user; /* what path_added returned */
	struct generation *oldest;
	int64_t last_line_ns;
	unsigned halvings; /* of the blocks that are read: its lines take long */
	char path[];
};

struct stream *stream_create(struct stream_host *host, const char *path, unsigned root,
			     void *owner)
{
	size_t size = strlen(path) + 1;
	struct stream *stream = xcalloc(1, sizeof(*stream) + size);

	memcpy(stream->path, path, size);
	stream->host = host;
	stream->halvings = FIRST_HALVINGS;
	stream->owner = owner;
	stream->user = host->ops->path_added(host->ctx, stream->path, root);
	return stream;
}

static bool is_leaving(const struct generation *g)
{
	return !(g->standing & FILE_CURRENT) || (g->standing & FILE_UNWANTED);
}

static bool is_torn(const struct generation *g)
{
	return reader_position_bytes(g->reader) > reader_offset_bytes(g->reader);
}

static uint64_t lag_bytes(const struct generation *g)
{
	uint64_t size = reader_size_bytes(g->reader);
	uint64_t offset = reader_offset_bytes(g->reader);

	return size > offset ? size - offset : 0;
}

static void end_backlog(struct generation *g)
{
	if (g->backlog_bytes > 0)
		g->stream->host->backlog--;
	g->backlog_bytes = 0;
}

static void close_generation(struct generation *g)
{
	if (!reader_is_open(g->reader))
		return;
	reader_close(g->reader);
	openfiles_remove(g->stream->host->open, &g->open);
}

static void drop(struct generation *g)
{
	struct generation **link = &g->stream->oldest;

	while (*link != g)
		link = &(*link)->next;
	*link = g->next;
	end_backlog(g);
	close_generation(g);
	reader_destroy(g->reader);
	file_set_reader(g->file, NULL);
	file_unref(g->file);
	free(g);
}

void stream_destroy(struct stream *stream)
{
	while (stream->oldest)
		drop(stream->oldest);
	stream->host->ops->path_removed(stream->host->ctx, stream->user);
	free(stream);
}

/* Newer than all that were seen while they had the name; else older by mtime. */
static void insert(struct stream *stream, struct generation *g)
{
	struct generation **link = &stream->oldest;
	int64_t mtime = reader_mtime_ns(g->reader);

	while (*link && ((g->standing & FILE_CURRENT) ||
			 (!((*link)->standing & FILE_CURRENT) &&
			  reader_mtime_ns((*link)->reader) <= mtime)))
		link = &(*link)->next;
	g->next = *link;
	*link = g;
}

static void report_rotation(struct generation *g, enum rotation_kind kind)
{
	struct stream *stream = g->stream;
	bool warn = kind == ROTATION_TRUNCATE;

	LOG_AT(warn ? LOG_LEVEL_WARN : LOG_LEVEL_INFO,
	       warn                      ? "file truncated, reading it from its start"
	       : kind == ROTATION_DELETE ? "file deleted"
					 : "file rotated",
	       LOG_TEXT("path", stream->path),
	       LOG_INT("offset_bytes", reader_offset_bytes(g->reader)));
	stream->host->ops->rotated(stream->host->ctx, stream->user, kind);
}

void stream_adopt(struct stream *stream, const struct adoption *adoption)
{
	struct generation *g = xcalloc(1, sizeof(*g));

	g->stream = stream;
	g->file = file_ref(adoption->file);
	g->reader = reader_create(adoption->start_bytes, adoption->size_bytes,
				  adoption->mtime_ns);
	g->standing = file_standing(g->file);
	g->dirty = true;
	g->quiet_since_ns = clock_monotonic_ns();
	if (adoption->fd != -1) {
		reader_open(g->reader, adoption->fd);
		openfiles_add(stream->host->open, &g->open, g);
	}
	if (adoption->backlog_bytes > adoption->start_bytes) {
		g->backlog_bytes = adoption->backlog_bytes;
		stream->host->backlog++;
	}
	insert(stream, g);
	file_set_reader(g->file, g);
	stream->last_line_ns = adoption->mtime_ns;
	log_info("following file", LOG_TEXT("path", stream->path),
		 LOG_INT("offset_bytes", adoption->start_bytes),
		 LOG_INT("size_bytes", adoption->size_bytes));
	if (!adoption->again && is_leaving(g) && !(g->standing & FILE_UNWANTED))
		report_rotation(g, ROTATION_RENAME);
}

/* The file itself knows best whether it has another name or none. */
static enum rotation_kind how_it_left(struct generation *g)
{
	if (reader_is_open(g->reader) && reader_refresh(g->reader))
		return reader_is_deleted(g->reader) ? ROTATION_DELETE : ROTATION_RENAME;
	return g->standing & FILE_NAMED ? ROTATION_RENAME : ROTATION_DELETE;
}

void *stream_notice(struct file *file)
{
	struct generation *g = file_reader(file);
	unsigned events = file_take(file);
	unsigned before;

	if (!g)
		return NULL;
	before = g->standing;
	g->standing = file_standing(file);
	g->dirty = true;
	if (events & (FILE_WRITTEN | FILE_CLOSED))
		g->closed = events & FILE_CLOSED;
	if ((before & FILE_CURRENT) && is_leaving(g)) {
		g->quiet_since_ns = clock_monotonic_ns();
		if (!(g->standing & FILE_UNWANTED))
			report_rotation(g, how_it_left(g));
	}
	return g->stream->owner;
}

/* The longest idle file that can be found again gives up its descriptor. */
static void close_longest_idle(struct stream_host *host)
{
	struct openfiles_link *link = openfiles_oldest(host->open);

	for (; link; link = link->newer) {
		struct generation *idle = link->holder;

		if (file_standing(idle->file) & FILE_NAMED) {
			close_generation(idle);
			return;
		}
	}
}

/* -1 with errno set; ENOENT also if another file is there now. */
static int open_place(struct generation *g)
{
	struct strbuf place = STRBUF_INIT;
	struct identity found;
	int fd = -1;

	errno = ENOENT;
	if (file_place(g->file, &place))
		fd = open(place.ptr, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd != -1 && (!identity_of_fd(fd, &found) ||
			 !identity_eq(&found, file_identity(g->file)))) {
		close(fd);
		fd = -1;
		errno = ENOENT;
	}
	strbuf_finish(&place);
	return fd;
}

/* Others are closed only for a file that can be opened. */
static bool reopen(struct generation *g)
{
	struct stream_host *host = g->stream->host;
	int fd = open_place(g);

	if (fd == -1 && errno == EMFILE) {
		close_longest_idle(host);
		fd = open_place(g);
	}
	if (fd == -1)
		return false;
	if (!openfiles_reserve(host->open)) {
		close_longest_idle(host);
		openfiles_reserve_anyway(host->open);
	}
	reader_open(g->reader, fd);
	openfiles_add(host->open, &g->open, g);
	return true;
}

/* With nothing open and no name there is nothing to come back to. */
static void give_up(struct generation *g)
{
	struct stream *stream = g->stream;
	uint64_t unread_bytes = lag_bytes(g);

	if (!file_release(g->file, reader_offset_bytes(g->reader), false))
		return;
	if (unread_bytes > 0) {
		log_warn("file deleted before it was read",
			 LOG_TEXT("path", stream->path),
			 LOG_INT("lost_bytes", unread_bytes));
		stream->host->ops->lost(stream->host->ctx, stream->user, "deleted",
					unread_bytes);
	}
	drop(g);
}

/* Looked at again, ever more seldom; never holds up the others. */
static void fail(struct generation *g, int64_t now_ns)
{
	int64_t wait_seconds = g->failures < 6 ? 1 << g->failures : MAX_RETRY_SECONDS;
	int error = errno;

	if (!reader_is_open(g->reader) && !(g->standing & FILE_NAMED)) {
		give_up(g);
		return;
	}
	if (g->failures++ == 0 && error != ENOENT)
		log_warn("cannot read file, will try again",
			 LOG_TEXT("path", g->stream->path),
			 LOG_TEXT("error", strerror(error)));
	if (error == ESTALE)
		close_generation(g);
	end_backlog(g);
	g->dirty = false;
	g->due_ns = now_ns + wait_seconds * NS_PER_SECOND;
}

/* Lines that take long come in smaller blocks, so that other files have their turn. */
static void keep_pace(struct stream *stream, int64_t block_ns)
{
	if (block_ns > SLOW_BLOCK_NS && stream->halvings < MAX_HALVINGS)
		stream->halvings++;
	else if (block_ns < SLOW_BLOCK_NS / 8 && stream->halvings > 0)
		stream->halvings--;
}

static void deliver(struct generation *g, const struct reader_output *output)
{
	struct stream *stream = g->stream;
	const struct follower_ops *ops = stream->host->ops;
	void *ctx = stream->host->ctx;

	if (output->lost_bytes > 0)
		ops->lost(ctx, stream->user, "truncated", output->lost_bytes);
	if (output->oversized_bytes > 0)
		ops->oversized(ctx, stream->user, output->oversized_bytes);
	if (output->block.bytes.len > 0) {
		int64_t start_ns = clock_monotonic_ns();

		ops->block(ctx, stream->user, &output->block);
		keep_pace(stream, clock_monotonic_ns() - start_ns);
	}
}

static enum reader_result read_block(struct generation *g, int64_t now_ns)
{
	uint64_t position = reader_position_bytes(g->reader);
	struct reader_output output;
	enum reader_result result;

	if (!reader_is_open(g->reader) && !reopen(g))
		return READER_FAILED;
	openfiles_touch(g->stream->host->open, &g->open);
	reader_buffer_halve(g->stream->host->buffer, g->stream->halvings);
	result = reader_step(g->reader, g->stream->host->buffer, &output);
	if (result == READER_FAILED)
		return result;
	g->failures = 0;
	deliver(g, &output);
	if (reader_position_bytes(g->reader) != position) {
		g->quiet_since_ns = now_ns;
		g->stream->last_line_ns = output.block.read_time_ns;
	}
	if (result == READER_STARTED_OVER)
		report_rotation(g, ROTATION_TRUNCATE);
	if (result == READER_STARTED_OVER ||
	    reader_position_bytes(g->reader) >= g->backlog_bytes)
		end_backlog(g);
	return result;
}

static bool is_finished(const struct generation *g, enum writers writers,
			int64_t now_ns)
{
	if ((g->standing & FILE_UNWANTED) || writers == WRITERS_NONE)
		return true;
	if (g->closed && writers == WRITERS_UNKNOWN)
		return true;
	return now_ns - g->quiet_since_ns >= g->stream->host->finish_ns;
}

/* What stands after the last newline counts: nobody will end that line. */
static bool finish(struct generation *g)
{
	struct reader_output output;

	if (reader_finish(g->reader, g->stream->host->buffer, &output) == READER_FAILED)
		return false;
	deliver(g, &output);
	return true;
}

/* Under a name that is watched it may be written to again: then it is reopened. */
static void leave(struct generation *g)
{
	bool deleted = reader_is_deleted(g->reader);

	close_generation(g);
	if (file_release(g->file, reader_offset_bytes(g->reader), deleted))
		drop(g);
}

enum progress {
	STEP_DONE, /* nothing more for now; the generation may be dropped */
	STEP_MORE, /* there is more to read at once */
	STEP_TORN, /* its last line must end before newer ones may be read */
};

static enum progress rest(const struct generation *g)
{
	return is_leaving(g) && is_torn(g) && g->failures == 0 ? STEP_TORN : STEP_DONE;
}

/*
 * The file is read to its end and has lost its name or is not wanted.  Ends
 * its last line, closes and drops it as far as its writers allow.
 */
static enum progress settle(struct generation *g, int64_t now_ns)
{
	uint64_t size_bytes = reader_size_bytes(g->reader);
	enum writers writers = writers_of(reader_fd(g->reader));

	if (!is_finished(g, writers, now_ns)) {
		g->due_ns = now_ns + POLL_NS;
		return rest(g);
	}
	/* The writers may have written before they were asked for. */
	if (reader_refresh(g->reader) && reader_size_bytes(g->reader) != size_bytes) {
		g->dirty = true;
		return STEP_MORE;
	}
	if (!(g->standing & FILE_UNWANTED) && !finish(g)) {
		fail(g, now_ns);
		return STEP_DONE;
	}
	if (writers == WRITERS_SOME && !(g->standing & FILE_UNWANTED))
		g->due_ns = g->standing & FILE_NAMED ? 0 : now_ns + POLL_NS;
	else
		leave(g);
	return STEP_DONE;
}

static enum progress step(struct generation *g, int64_t now_ns)
{
	if (g->due_ns > 0 && now_ns >= g->due_ns)
		g->dirty = true;
	if (!g->dirty)
		return rest(g);
	g->due_ns = 0;
	switch (read_block(g, now_ns)) {
	case READER_MORE:
	case READER_STARTED_OVER:
		return STEP_MORE;
	case READER_FAILED:
		fail(g, now_ns);
		return STEP_DONE;
	case READER_END:
		break;
	}
	g->dirty = false;
	return is_leaving(g) ? settle(g, now_ns) : STEP_DONE;
}

bool stream_step(struct stream *stream)
{
	int64_t now_ns = clock_monotonic_ns();
	struct generation *next;

	for (struct generation *g = stream->oldest; g; g = next) {
		enum progress progress;

		next = g->next;
		progress = step(g, now_ns);
		if (progress != STEP_DONE)
			return progress == STEP_MORE;
	}
	return false;
}

int64_t stream_due_ns(const struct stream *stream)
{
	int64_t due_ns = 0;

	for (const struct generation *g = stream->oldest; g; g = g->next)
		if (g->due_ns > 0 && (due_ns == 0 || g->due_ns < due_ns))
			due_ns = g->due_ns;
	return due_ns;
}

bool stream_is_empty(const struct stream *stream)
{
	return stream->oldest == NULL;
}

struct follower_status stream_status(const struct stream *stream)
{
	struct follower_status status = {.path = stream->user,
					 .name = stream->path,
					 .last_line_ns = stream->last_line_ns};

	for (const struct generation *g = stream->oldest; g; g = g->next) {
		status.size_bytes = reader_size_bytes(g->reader);
		status.offset_bytes = reader_offset_bytes(g->reader);
		status.lag_bytes += lag_bytes(g);
		status.open = reader_is_open(g->reader);
	}
	return status;
}
