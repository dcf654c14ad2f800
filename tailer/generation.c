#include "tailer/generation.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/xalloc.h"

struct generation *generation_create_from(struct stream *stream, uint64_t number,
					  struct reader *reader)
{
	struct generation *g = xcalloc(1, sizeof(*g));

	g->stream = stream;
	g->change.number = number;
	g->reader = reader;
	g->dirty = true;
	g->quiet_since_ns = clock_monotonic_ns();
	return g;
}

void generation_set_number(struct generation *g)
{
	struct stream_host *host = g->stream->host;

	g->change.number = host->next_number;
	host->next_number += host->number_stride;
}

struct generation *generation_create(struct stream *stream, struct file *file,
				     const struct checkpoint *resume,
				     const struct checkpoint *at)
{
	struct generation *g = generation_create_from(
		stream, resume ? resume->id : 0, reader_create(resume ? resume : at));

	if (!resume)
		generation_set_number(g);
	else if (resume->place)
		g->place = xstrdup(resume->place);
	g->copy_of = resume ? resume->copy_of : 0;
	generation_take_file(g, file);
	return g;
}

void generation_destroy(struct generation *g, bool dropped)
{
	generation_end_backlog(g);
	generation_close(g);
	generation_release_file(g);
	changes_end(g->stream->host->changes, &g->change, dropped);
	reader_destroy(g->reader);
	free(g->place);
	free(g);
}

void generation_changed(struct generation *g)
{
	if (g->role != ROLE_CANDIDATE)
		changes_note(g->stream->host->changes, &g->change);
}

bool generation_is_torn(const struct generation *g)
{
	return reader_position_bytes(g->reader) > reader_offset_bytes(g->reader);
}

bool generation_is_leaving(const struct generation *g)
{
	return !(g->standing & FILE_CURRENT) || (g->standing & FILE_UNWANTED);
}

uint64_t generation_lag_bytes(const struct generation *g)
{
	uint64_t size = reader_size_bytes(g->reader);
	uint64_t offset = reader_offset_bytes(g->reader);

	return size > offset ? size - offset : 0;
}

void generation_end_backlog(struct generation *g)
{
	if (g->backlog_bytes > 0)
		g->stream->host->backlog--;
	g->backlog_bytes = 0;
}

/* ---- the file ---- */

void generation_release_file(struct generation *g)
{
	if (!g->file)
		return;
	file_set_reader(g->file, NULL);
	file_unref(g->file);
	g->file = NULL;
	g->standing = 0;
}

void generation_take_file(struct generation *g, struct file *file)
{
	generation_release_file(g);
	g->file = file_ref(file);
	g->standing = file_standing(file);
	file_set_reader(file, g);
}

static struct generation *holder_of(struct openfiles_link *link)
{
	return (void *)((char *)link - offsetof(struct generation, open));
}

/* The longest idle file that can be found again gives up its descriptor. */
static void close_longest_idle(struct stream_host *host)
{
	struct openfiles_link *link = openfiles_oldest(host->open);

	for (; link; link = link->newer) {
		struct generation *idle = holder_of(link);

		if (file_standing(idle->file) & FILE_NAMED) {
			generation_close(idle);
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
	if (g->file && file_place(g->file, &place))
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

/* A file that a link leads to is looked for there when no link does any more. */
static void note_place(struct generation *g, int fd)
{
	char link[40], place[PATH_MAX];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, place, sizeof(place) - 1);
	if (n <= 0)
		return;
	place[n] = '\0';
	if (*place != '/' || access(place, F_OK) == -1)
		return;
	free(g->place);
	g->place = strcmp(place, g->stream->path) == 0 ? NULL : xstrdup(place);
}

static int64_t born_ns(int fd)
{
	struct statx st;

	if (statx(fd, "", AT_EMPTY_PATH, STATX_BTIME, &st) == -1 ||
	    !(st.stx_mask & STATX_BTIME))
		return 0;
	return st.stx_btime.tv_sec * NS_PER_SECOND + st.stx_btime.tv_nsec;
}

void generation_take_fd(struct generation *g, int fd)
{
	note_place(g, fd);
	reader_open(g->reader, fd);
	g->born_ns = born_ns(fd);
	openfiles_add(g->stream->host->open, &g->open);
}

/* Others are closed only for a file that can be opened. */
bool generation_open(struct generation *g)
{
	struct stream_host *host = g->stream->host;
	int fd;

	if (reader_is_open(g->reader))
		return true;
	fd = open_place(g);
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
	generation_take_fd(g, fd);
	return true;
}

void generation_note_failure(struct generation *g, int error)
{
	if (g->failures++ == 0 && error != ENOENT)
		log_warn("cannot read file, will try again",
			 LOG_TEXT("path", g->stream->path),
			 LOG_TEXT("error", strerror(error)));
}

void generation_close(struct generation *g)
{
	if (!reader_is_open(g->reader))
		return;
	reader_close(g->reader);
	openfiles_remove(g->stream->host->open, &g->open);
}

/* ---- lists ---- */

static struct generation **list_of(struct generation *g)
{
	switch (g->role) {
	case ROLE_CANDIDATE:
		return &g->stream->candidates;
	case ROLE_PAST:
		return &g->stream->past;
	case ROLE_ACTIVE:
	case ROLE_SEEKING:
		break;
	}
	return &g->stream->oldest;
}

void generation_link(struct generation **list, struct generation *g)
{
	g->next = *list;
	*list = g;
}

void generation_unlink(struct generation *g)
{
	struct generation **link = list_of(g);

	while (*link != g)
		link = &(*link)->next;
	*link = g->next;
	g->next = NULL;
}

/* ---- what is to be saved ---- */

void generation_checkpoint(const struct generation *g, struct checkpoint *checkpoint)
{
	bool finished = g->role == ROLE_PAST && !g->unfinished;
	bool rotated = g->role == ROLE_ACTIVE && !(g->standing & FILE_CURRENT);

	checkpoint->id = g->change.number;
	checkpoint->path = g->stream->path;
	checkpoint->place = g->place;
	checkpoint->state = finished  ? CHECKPOINT_FINISHED
			    : rotated ? CHECKPOINT_ROTATED
				      : CHECKPOINT_ACTIVE;
	checkpoint->copy_of = g->copy_of;
	if (g->file) {
		checkpoint->identity = *file_identity(g->file);
		checkpoint->inode = file_inode(g->file);
	}
	reader_checkpoint(g->reader, checkpoint);
}
