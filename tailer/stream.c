#include "tailer/stream.h"

#include "common/clock.h"
#include "common/shared_text.h"
#include "tailer/lineage.h"
#include "tailer/reading.h"
#include "tailer/roles.h"

#define FIRST_HALVINGS 6 /* until it is known how long its lines take */

void stream_init(struct stream *stream, struct stream_host *host, const char *path)
{
	*stream = (struct stream){.host = host,
				  .path = shared_text_ref(path),
				  .halvings = FIRST_HALVINGS};
}

static void destroy_all(struct generation *list)
{
	struct generation *next;

	for (; list; list = next) {
		next = list->next;
		generation_destroy(list, false);
	}
}

void stream_retire(struct stream *stream)
{
	if (stream->has_user)
		stream->host->ops->path_removed(stream->host->ctx, stream->user);
	stream->has_user = false;
	stream->user = NULL;
}

void stream_finish(struct stream *stream)
{
	destroy_all(stream->oldest);
	destroy_all(stream->candidates);
	destroy_all(stream->past);
	stream_retire(stream);
	shared_text_unref(stream->path);
}

/* Archives are never added to: that they were written is no news. */
static bool has_more(struct generation *g)
{
	bool more = generation_open(g) && reader_refresh(g->reader) &&
		    !reader_is_archive(g->reader) &&
		    reader_size_bytes(g->reader) != reader_position_bytes(g->reader);

	if (!more)
		generation_close(g);
	return more;
}

/* What an earlier run read, and what became of its file meanwhile. */
static void resume(struct generation *g, const struct adoption *adoption)
{
	bool finished = adoption->resume->state == CHECKPOINT_FINISHED;
	bool all_read = adoption->resume->state == CHECKPOINT_ROTATED &&
			generation_lag_bytes(g) == 0;

	g->resumed = true;
	g->role = ROLE_PAST;
	file_set_done(g->file, true);
	generation_link(&g->stream->past, g);
	if ((g->standing & FILE_NAMED) || reader_is_open(g->reader)) {
		bool grown = adoption->size_bytes != adoption->resume->size_bytes;

		if (!finished || (g->standing & FILE_CURRENT) ||
		    (grown && has_more(g))) {
			/* Its place among the others is that of now. */
			if (generation_open(g))
				reader_refresh(g->reader);
			roles_to_active(g);
			roles_say_following(g);
		} else {
			generation_close(g);
		}
	} else if (all_read && adoption->reachable) {
		generation_changed(g); /* rotated, read, and deleted since */
	} else if (!finished && adoption->reachable) {
		/* Or it was renamed during the look: then an event waits that says so.
		 */
		generation_unlink(g);
		g->role = ROLE_SEEKING;
		g->vanished = true;
		roles_insert(g->stream, g);
		roles_to_seeking(g, "deleted");
		roles_ask(g, g->file);
	} else {
		g->unfinished = !finished;
	}
}

static void record(struct generation *g, enum adoption_kind kind)
{
	g->role = ROLE_PAST;
	file_set_done(g->file, true);
	generation_link(&g->stream->past, g);
	if (generation_open(g))
		reader_skip_to_end(g->reader, g->stream->host->buffer);
	if (kind == ADOPT_LOST)
		roles_report_lost(g, "state_lost", reader_size_bytes(g->reader));
	if (g->standing & FILE_CURRENT) {
		roles_to_active(g);
		roles_say_following(g);
		return;
	}
	generation_end_backlog(g);
	generation_close(g);
	generation_changed(g);
}

/* At the end: judged in the order in which they were told. */
static void to_candidates(struct generation *g)
{
	struct generation **link = &g->stream->candidates;

	g->role = ROLE_CANDIDATE;
	while (*link)
		link = &(*link)->next;
	generation_link(link, g);
}

/* An earlier run last saw it so; or it is so now, or was when it was opened. */
static bool had_name(const struct generation *g, const struct adoption *adoption)
{
	if (g->standing & FILE_CURRENT)
		return true;
	if (adoption->resume)
		return adoption->resume->state == CHECKPOINT_ACTIVE &&
		       (g->standing & FILE_NAMED);
	return adoption->kind == ADOPT_READ;
}

void stream_adopt(struct stream *stream, const struct adoption *adoption)
{
	const struct checkpoint at = {.offset_bytes = adoption->start_bytes,
				      .size_bytes = adoption->size_bytes,
				      .mtime_ns = adoption->mtime_ns};
	struct generation *g =
		generation_create(stream, adoption->file, adoption->resume, &at);

	g->later_than_ns = adoption->later_than_ns;
	g->had_name = had_name(g, adoption);
	if (adoption->fd != -1)
		generation_take_fd(g, adoption->fd);
	if (adoption->backlog_bytes > reader_offset_bytes(g->reader)) {
		g->backlog_bytes = adoption->backlog_bytes;
		stream->host->backlog++;
	}
	if (stream->last_line_ns == 0 || (g->standing & FILE_CURRENT))
		stream->last_line_ns = adoption->mtime_ns;
	if (adoption->resume) {
		resume(g, adoption);
		return;
	}
	switch (adoption->kind) {
	case ADOPT_READ:
		roles_read_from_now_on(g);
		break;
	case ADOPT_SIBLING:
		to_candidates(g);
		break;
	case ADOPT_RECORD:
	case ADOPT_LOST:
		record(g, adoption->kind);
		break;
	}
}

/* The file itself knows best whether it has another name or none. */
static enum rotation_kind how_it_left(struct generation *g)
{
	if (reader_is_open(g->reader) && reader_refresh(g->reader))
		return reader_is_deleted(g->reader) ? ROTATION_DELETE : ROTATION_RENAME;
	return g->standing & FILE_NAMED ? ROTATION_RENAME : ROTATION_DELETE;
}

static void notice_past(struct generation *g, unsigned events)
{
	if (events & FILE_FORGOTTEN) {
		generation_release_file(g);
		generation_changed(g);
		roles_forget_old_ghosts(g->stream);
		return;
	}
	if (!(g->standing & FILE_NAMED))
		return;
	/* It is back, or somebody writes to it again. */
	if (g->unfinished || g->claims || (g->standing & FILE_CURRENT) || has_more(g))
		roles_to_active(g);
}

struct stream *stream_notice(struct file *file)
{
	struct generation *g = file_reader(file);
	unsigned events = file_take(file);
	unsigned before;
	struct stream *stream;

	if (!g)
		return NULL;
	stream = g->stream;
	before = g->standing;
	g->standing = file_standing(file);
	if (events & (FILE_WRITTEN | FILE_CLOSED))
		g->closed = events & FILE_CLOSED;
	if (g->role == ROLE_PAST) {
		notice_past(g, events);
		return stream;
	}
	if (g->role == ROLE_CANDIDATE && (events & FILE_FORGOTTEN)) {
		roles_drop_candidate(g);
		return stream;
	}
	g->dirty = true;
	if ((before & FILE_CURRENT) && generation_is_leaving(g)) {
		g->quiet_since_ns = clock_monotonic_ns();
		generation_changed(g);
		if (!(g->standing & FILE_UNWANTED))
			roles_report_rotation(g, how_it_left(g));
	}
	return stream;
}

void stream_looked(struct stream *stream)
{
	stream->answers++;
}

static enum progress step(struct generation *g, int64_t now_ns)
{
	if (g->role == ROLE_SEEKING)
		return lineage_seek(g);
	if (g->due_ns > 0 && now_ns >= g->due_ns)
		g->dirty = true;
	if (!g->dirty)
		return reading_rest(g);
	if (!g->announced && !reading_announce(g))
		return STEP_WAIT;
	g->due_ns = 0;
	switch (reading_block(g, now_ns)) {
	case READER_MORE:
		return STEP_MORE;
	case READER_CHANGED:
		lineage_take_change(g);
		return STEP_MORE;
	case READER_FAILED:
		reading_fail(g, now_ns);
		return STEP_DONE;
	case READER_END:
		break;
	}
	g->dirty = false;
	return generation_is_leaving(g) ? reading_settle(g, now_ns) : STEP_DONE;
}

bool stream_step(struct stream *stream)
{
	int64_t now_ns = clock_monotonic_ns();
	struct generation *next;
	const struct generation *candidate, *awaited = NULL;
	bool waits;

	if (stream->candidates)
		lineage_find_truncation(stream);
	if (!lineage_judge_candidates(stream, now_ns))
		return true;
	candidate = roles_oldest_candidate(stream);
	waits = candidate != NULL;
	for (struct generation *g = stream->oldest; g; g = next) {
		enum progress progress;

		next = g->next;
		if (waits && !lineage_is_before(g, candidate))
			continue;
		if (awaited && g != awaited)
			continue;
		g->waits = false;
		progress = step(g, now_ns);
		if (progress == STEP_WAIT)
			g->waits = true;
		if (progress == STEP_WAIT && (awaited = reading_awaits(g)))
			continue;
		if (progress != STEP_DONE)
			return progress == STEP_MORE || waits;
	}
	return waits;
}

static void take_earlier(const struct generation *list, int64_t *due_ns)
{
	for (; list; list = list->next)
		if (list->due_ns > 0 && (*due_ns == 0 || list->due_ns < *due_ns))
			*due_ns = list->due_ns;
}

int64_t stream_due_ns(const struct stream *stream)
{
	int64_t due_ns = 0;

	take_earlier(stream->oldest, &due_ns);
	take_earlier(stream->candidates, &due_ns);
	return due_ns;
}

static void note_all(struct generation *list)
{
	for (; list; list = list->next)
		generation_changed(list);
}

void stream_note_all(struct stream *stream)
{
	note_all(stream->oldest);
	note_all(stream->past);
}

bool stream_is_followed(const struct stream *stream)
{
	return stream->has_user;
}

bool stream_is_idle(const struct stream *stream)
{
	return !stream->oldest && !stream->candidates;
}

bool stream_is_empty(const struct stream *stream)
{
	return stream_is_idle(stream) && !stream->past;
}

struct follower_status stream_status(const struct stream *stream)
{
	struct follower_status status = {.path = stream->user,
					 .name = stream->path,
					 .last_line_ns = stream->last_line_ns};

	for (const struct generation *g = stream->oldest; g; g = g->next) {
		status.size_bytes = reader_size_bytes(g->reader);
		status.offset_bytes = reader_offset_bytes(g->reader);
		status.lag_bytes += generation_lag_bytes(g);
		status.open = reader_is_open(g->reader);
	}
	return status;
}

void stream_forget_faded(struct stream *stream)
{
	roles_forget_faded(stream);
}
