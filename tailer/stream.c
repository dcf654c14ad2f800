#include "tailer/stream.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/xalloc.h"
#include "tailer/kin.h"
#include "tailer/writers.h"

#define LOOK_NS (100 * NS_PER_MS) /* for the rest of a line */
#define POLL_NS NS_PER_SECOND     /* of files whose names nobody watches */
#define MAX_RETRY_SECONDS 60
#define SLOW_BLOCK_NS (20 * NS_PER_MS)
#define MAX_HALVINGS 8   /* 1 KiB of 256 */
#define FIRST_HALVINGS 6 /* until it is known how long its lines take */

/* Generations without a file that a path remembers. */
#define MAX_GHOSTS 64

struct stream *stream_create(struct stream_host *host, const char *path, void *owner)
{
	size_t size = strlen(path) + 1;
	struct stream *stream = xcalloc(1, sizeof(*stream) + size);

	memcpy(stream->path, path, size);
	stream->host = host;
	stream->halvings = FIRST_HALVINGS;
	stream->owner = owner;
	return stream;
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

void stream_destroy(struct stream *stream)
{
	destroy_all(stream->oldest);
	destroy_all(stream->candidates);
	destroy_all(stream->past);
	stream_retire(stream);
	free(stream);
}

/* ---- what is told to the worker ---- */

static void *user_of(struct generation *g)
{
	struct stream *stream = g->stream;

	if (!stream->has_user)
		stream->user =
			stream->host->ops->path_added(stream->host->ctx, stream->path,
						      g->file ? file_root(g->file) : 0);
	stream->has_user = true;
	return stream->user;
}

static void report_rotation(struct generation *g, enum rotation_kind kind)
{
	struct stream_host *host = g->stream->host;
	bool warn = kind == ROTATION_TRUNCATE;

	LOG_AT(warn ? LOG_LEVEL_WARN : LOG_LEVEL_INFO,
	       warn                      ? "file truncated, reading it from its start"
	       : kind == ROTATION_DELETE ? "file deleted"
					 : "file rotated",
	       LOG_TEXT("path", g->stream->path),
	       LOG_INT("offset_bytes", reader_offset_bytes(g->reader)));
	host->ops->rotated(host->ctx, user_of(g), kind);
	host->ops->save_soon(host->ctx);
}

static void report_lost(struct generation *g, const char *reason, uint64_t bytes)
{
	struct stream_host *host = g->stream->host;

	log_warn(bytes > 0 ? "lines were lost" : "lines may be lost",
		 LOG_TEXT("path", g->stream->path), LOG_TEXT("reason", reason),
		 LOG_INT("lost_bytes", bytes));
	host->ops->lost(host->ctx, user_of(g), reason, bytes);
}

/* ---- lists ---- */

/*
 * By time of change; of the same time the one that was made later, or found
 * under the path's name and not read yet, is the newer.
 */
static bool is_older(const struct generation *a, const struct generation *b)
{
	int64_t a_ns = reader_mtime_ns(a->reader), b_ns = reader_mtime_ns(b->reader);

	if (a_ns != b_ns)
		return a_ns < b_ns;
	if (a->born_ns != b->born_ns && a->born_ns > 0 && b->born_ns > 0)
		return a->born_ns < b->born_ns;
	return !(a->had_name && !b->had_name && reader_is_new(a->reader));
}

/* Newer than all that were seen while they had the name; else by age. */
static void insert(struct stream *stream, struct generation *g)
{
	struct generation **link = &stream->oldest;

	while (*link && ((g->standing & FILE_CURRENT) ||
			 (!((*link)->standing & FILE_CURRENT) && is_older(*link, g))))
		link = &(*link)->next;
	generation_link(link, g);
}

static void forget(struct generation *g)
{
	generation_unlink(g);
	generation_destroy(g, true);
}

static bool is_ghost(const struct generation *g)
{
	return !g->file || !(file_standing(g->file) & FILE_NAMED);
}

/* The oldest go first; what is still in a directory would be taken for unseen. */
static void forget_old_ghosts(struct stream *stream)
{
	struct generation *oldest = NULL;
	size_t count = 0;

	for (struct generation *g = stream->past; g; g = g->next)
		if (is_ghost(g)) {
			count++;
			oldest = g;
		}
	if (count > MAX_GHOSTS)
		forget(oldest);
}

/* Its copies may turn up as long as that: so far none has. */
static bool has_faded(struct generation *g)
{
	bool before = g->fading;

	g->fading = is_ghost(g);
	return g->fading && before &&
	       clock_wall_ns() - reader_mtime_ns(g->reader) >=
		       g->stream->host->remember_ns;
}

void stream_forget_faded(struct stream *stream)
{
	struct generation *next;

	for (struct generation *g = stream->past; g; g = next) {
		next = g->next;
		if (has_faded(g))
			forget(g);
	}
}

/* It is read, or left alone from now on. */
static void to_past(struct generation *g)
{
	generation_unlink(g);
	generation_end_backlog(g);
	generation_close(g);
	g->role = ROLE_PAST;
	g->dirty = false;
	g->due_ns = 0;
	g->lost_as = NULL;
	g->vanished = false;
	if (g->file)
		file_set_done(g->file, true);
	generation_link(&g->stream->past, g);
	generation_changed(g);
	forget_old_ghosts(g->stream);
}

static void to_active(struct generation *g)
{
	generation_unlink(g);
	g->role = ROLE_ACTIVE;
	g->dirty = true;
	g->unfinished = g->vanished = false;
	g->due_ns = 0;
	g->failures = 0;
	g->copy_of = 0;
	if (g->file)
		file_set_done(g->file, false);
	g->quiet_since_ns = clock_monotonic_ns();
	insert(g->stream, g);
	user_of(g);
	generation_changed(g);
}

/* A copy may hold what is not read yet: newer generations wait for the answer. */
static void to_seeking(struct generation *g, const char *lost_as)
{
	g->role = ROLE_SEEKING;
	g->lost_as = lost_as;
	g->dirty = false;
	g->due_ns = 0;
	g->resumed = false;
	generation_changed(g);
}

static void ask_for_siblings(struct generation *g, struct file *file)
{
	g->ask = ++g->stream->asks;
	file_ask(file);
}

static bool is_answered(const struct generation *g)
{
	return (int)(g->ask - g->stream->answers) <= 0;
}

/* ---- adoption ---- */

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

static void say_following(const struct generation *g)
{
	log_info("following file", LOG_TEXT("path", g->stream->path),
		 LOG_INT("offset_bytes", reader_offset_bytes(g->reader)),
		 LOG_INT("size_bytes", reader_size_bytes(g->reader)));
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
			to_active(g);
			say_following(g);
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
		insert(g->stream, g);
		to_seeking(g, "deleted");
		ask_for_siblings(g, g->file);
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
		report_lost(g, "state_lost", reader_size_bytes(g->reader));
	if (g->standing & FILE_CURRENT) {
		to_active(g);
		say_following(g);
		return;
	}
	generation_end_backlog(g);
	generation_close(g);
	generation_changed(g);
}

static void read_from_now_on(struct generation *g)
{
	g->role = ROLE_ACTIVE;
	insert(g->stream, g);
	user_of(g);
	generation_changed(g);
	say_following(g);
	if (generation_is_leaving(g) && !(g->standing & FILE_UNWANTED))
		report_rotation(g, ROTATION_RENAME);
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

void stream_adopt(struct stream *stream, const struct adoption *adoption)
{
	const struct checkpoint at = {.offset_bytes = adoption->start_bytes,
				      .size_bytes = adoption->size_bytes,
				      .mtime_ns = adoption->mtime_ns};
	struct generation *g =
		generation_create(stream, adoption->file, adoption->resume, &at);

	g->later_than_ns = adoption->later_than_ns;
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
		g->had_name = true;
		read_from_now_on(g);
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

static void drop_candidate(struct generation *c)
{
	generation_unlink(c);
	generation_destroy(c, false);
}

/* ---- notices ---- */

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
		forget_old_ghosts(g->stream);
		return;
	}
	if (!(g->standing & FILE_NAMED))
		return;
	/* It is back, or somebody writes to it again. */
	if (g->unfinished || (g->standing & FILE_CURRENT) || has_more(g))
		to_active(g);
}

void *stream_notice(struct file *file)
{
	struct generation *g = file_reader(file);
	unsigned events = file_take(file);
	unsigned before;
	void *owner;

	if (!g)
		return NULL;
	owner = g->stream->owner;
	before = g->standing;
	g->standing = file_standing(file);
	if (events & (FILE_WRITTEN | FILE_CLOSED))
		g->closed = events & FILE_CLOSED;
	if (g->role == ROLE_PAST) {
		notice_past(g, events);
		return owner;
	}
	if (g->role == ROLE_CANDIDATE && (events & FILE_FORGOTTEN)) {
		drop_candidate(g);
		return owner;
	}
	g->dirty = true;
	if ((before & FILE_CURRENT) && generation_is_leaving(g)) {
		g->quiet_since_ns = clock_monotonic_ns();
		generation_changed(g);
		if (!(g->standing & FILE_UNWANTED))
			report_rotation(g, how_it_left(g));
	}
	return owner;
}

void stream_looked(struct stream *stream)
{
	stream->answers++;
}

/* ---- failure ---- */

static bool can_come_back(const struct generation *g)
{
	return g->file && (g->standing & FILE_NAMED);
}

/* With nothing open and no name only a copy can have what is left. */
static void lose_file(struct generation *g)
{
	if (g->file) {
		ask_for_siblings(g, g->file);
		to_seeking(g, "deleted");
	}
}

/* Nothing more can be had of an archive. */
static void give_up_archive(struct generation *g)
{
	report_lost(g, "damaged_archive", 0);
	to_past(g);
}

/* Looked at again, ever more seldom; never holds up the others. */
static void fail(struct generation *g, int64_t now_ns)
{
	int64_t wait_seconds = g->failures < 6 ? 1 << g->failures : MAX_RETRY_SECONDS;
	int error = errno;

	if (error == EBADMSG) {
		give_up_archive(g);
		return;
	}
	if (!reader_is_open(g->reader) && !can_come_back(g)) {
		lose_file(g);
		return;
	}
	generation_note_failure(g, error);
	if (error == ESTALE)
		generation_close(g);
	generation_end_backlog(g);
	g->dirty = false;
	g->due_ns = now_ns + wait_seconds * NS_PER_SECOND;
}

/* ---- reading ---- */

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
	void *user = user_of(g);

	if (output->oversized_bytes > 0)
		ops->oversized(ctx, user, output->oversized_bytes);
	if (output->block.bytes.len > 0) {
		int64_t start_ns = clock_monotonic_ns();

		ops->block(ctx, user, &output->block);
		keep_pace(stream, clock_monotonic_ns() - start_ns);
	}
}

static enum reader_result read_block(struct generation *g, int64_t now_ns)
{
	uint64_t position = reader_position_bytes(g->reader);
	uint64_t offset = reader_offset_bytes(g->reader);
	struct reader_output output;
	enum reader_result result;

	if (!generation_open(g))
		return READER_FAILED;
	openfiles_touch(g->stream->host->open, &g->open);
	reader_buffer_halve(g->stream->host->buffer, g->stream->halvings);
	result = reader_step(g->reader, g->stream->host->buffer, &output);
	if (result == READER_FAILED || result == READER_CHANGED)
		return result;
	g->failures = 0;
	g->resumed = false;
	deliver(g, &output);
	if (reader_position_bytes(g->reader) != position) {
		g->quiet_since_ns = now_ns;
		g->stream->last_line_ns = output.block.read_time_ns;
	}
	if (reader_offset_bytes(g->reader) != offset)
		generation_changed(g);
	if (reader_position_bytes(g->reader) >= g->backlog_bytes)
		generation_end_backlog(g);
	return result;
}

/* ---- the end of a generation ---- */

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
	generation_changed(g);
	return true;
}

/* Under a name that is watched it may be written to again: then it is reopened. */
static void leave(struct generation *g)
{
	if (reader_is_deleted(g->reader) && g->file) {
		file_set_gone(g->file);
		generation_close(g);
		generation_release_file(g);
	}
	to_past(g);
}

enum progress {
	STEP_DONE, /* nothing more for now; the generation may be past */
	STEP_MORE, /* there is more to read at once */
	STEP_WAIT, /* newer ones may not be read yet */
};

static enum progress rest(const struct generation *g)
{
	return generation_is_leaving(g) && generation_is_torn(g) && g->failures == 0
		       ? STEP_WAIT
		       : STEP_DONE;
}

static bool can_be_joined(struct generation *next)
{
	return next && (next->role == ROLE_SEEKING ||
			(generation_open(next) && reader_is_fresh(next->reader)));
}

/* The line that a truncation has cut goes on in the file that was truncated. */
static bool join(struct generation *g, int64_t now_ns)
{
	struct generation *next = g->next;
	struct reader_output output;

	if (!can_be_joined(next) ||
	    now_ns - g->quiet_since_ns >= g->stream->host->finish_ns)
		return finish(g);
	if (next->role == ROLE_SEEKING)
		return false;
	switch (reader_join(g->reader, next->reader, g->stream->host->buffer,
			    &output)) {
	case READER_MORE:
		deliver(g, &output);
		generation_changed(g);
		generation_changed(next);
		next->dirty = true;
		return true;
	case READER_END:
	case READER_CHANGED:
	case READER_FAILED:
		break;
	}
	return false;
}

/* Of those that are to be judged, of the same age the first that was found; or NULL. */
static struct generation *oldest_candidate(const struct stream *stream)
{
	struct generation *oldest = NULL;

	for (struct generation *c = stream->candidates; c; c = c->next)
		if (c->dirty && (!oldest || !is_older(oldest, c)))
			oldest = c;
	return oldest;
}

static enum progress settle_joined(struct generation *g, int64_t now_ns)
{
	if (generation_is_torn(g) && !join(g, now_ns)) {
		g->due_ns = now_ns + POLL_NS;
		g->dirty = true;
		return STEP_WAIT;
	}
	leave(g);
	return STEP_DONE;
}

/* One of them may be where the line goes on. */
static bool waits_for_candidates(struct generation *g, int64_t now_ns)
{
	bool judged = !oldest_candidate(g->stream);

	if (!generation_is_torn(g))
		return false;
	if (judged && (now_ns - g->quiet_since_ns >= g->stream->host->finish_ns ||
		       !kin_awaits_truncated(g)))
		return false;
	g->due_ns = judged ? now_ns + LOOK_NS : now_ns;
	return true;
}

/*
 * The file is read to its end and has lost its name or is not wanted.  Ends
 * its last line, closes it and lets it be as far as its writers allow.
 */
static enum progress settle(struct generation *g, int64_t now_ns)
{
	uint64_t size_bytes = reader_size_bytes(g->reader);
	enum writers writers = writers_of(reader_fd(g->reader));

	if (waits_for_candidates(g, now_ns))
		return STEP_WAIT;
	if (g->joins || (generation_is_torn(g) && writers != WRITERS_SOME &&
			 kin_is_of_truncated(g))) {
		g->joins = true;
		return settle_joined(g, now_ns);
	}
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

/* ---- truncation ---- */

static bool has_copy(const struct generation *original)
{
	const struct generation *g = original->stream->past;

	while (g && g->copy_of != original->change.number)
		g = g->next;
	return g != NULL;
}

/* What a candidate waited for to be read may be gone. */
static void judge_again(struct stream *stream)
{
	for (struct generation *c = stream->candidates; c; c = c->next) {
		c->dirty = true;
		c->holds_up_nobody = false;
	}
}

/* In front of it, and of copies that were made since. */
static void link_before(struct generation *g, struct generation *old)
{
	struct generation **link = &g->stream->oldest;

	while (*link != g && is_older(*link, old))
		link = &(*link)->next;
	generation_link(link, old);
}

/* What was read becomes a generation of its own, in front of the file's new one. */
static void split(struct generation *g)
{
	struct stream *stream = g->stream;
	struct generation *old = generation_create_from(stream, g->change.number,
							reader_start_over(g->reader));

	changes_end(stream->host->changes, &g->change, false);
	g->change.sequence = 0;
	generation_set_number(g);
	generation_end_backlog(g);
	g->resumed = false;
	g->dirty = true;
	old->joins = true;
	link_before(g, old);
	judge_again(stream);
	to_seeking(old, "truncated");
	ask_for_siblings(old, g->file);
	generation_changed(g);
	report_rotation(g, ROTATION_TRUNCATE);
}

static void accept_lost_end(struct generation *g)
{
	uint64_t vanished_bytes = reader_accept_lost_end(g->reader);

	report_lost(g, "tail_vanished", vanished_bytes);
	generation_changed(g);
}

/*
 * Only a crash of the system takes the end of a file away and leaves its
 * beginning: what happens while we run is a truncation.
 */
static void take_change(struct generation *g)
{
	if (g->resumed && !has_copy(g) && reader_has_lost_its_end(g->reader))
		accept_lost_end(g);
	else
		split(g);
}

/* Reading goes on in the file of `copy`. */
static void go_on_in(struct generation *seeking, struct generation *copy)
{
	struct file *file = file_ref(copy->file);
	int fd = -1;

	if (reader_is_open(copy->reader)) {
		fd = reader_take_fd(copy->reader);
		openfiles_move(seeking->stream->host->open, &copy->open, &seeking->open,
			       seeking);
	}
	seeking->born_ns = copy->born_ns;
	forget(copy);
	generation_close(seeking);
	generation_take_file(seeking, file);
	file_unref(file);
	if (fd != -1)
		reader_open(seeking->reader, fd);
	to_active(seeking);
	log_info("going on in a copy", LOG_TEXT("path", seeking->stream->path),
		 LOG_INT("offset_bytes", reader_offset_bytes(seeking->reader)));
}

/* `complete`: a copy ends where reading did. */
static void stop_seeking(struct generation *g, bool complete)
{
	const char *reason = g->lost_as;
	uint64_t unread_bytes = generation_lag_bytes(g);

	/* Of what nothing was counted a candidate may well be the whole. */
	bool unread =
		reader_offset_bytes(g->reader) == 0 &&
		(g->stream->candidates || (g->stream->unseen_ns > 0 &&
					   clock_monotonic_ns() - g->stream->unseen_ns <
						   g->stream->host->finish_ns));

	if (!unread && (unread_bytes > 0 || (g->vanished && !complete)))
		report_lost(g, reason, unread_bytes);
	to_past(g);
}

static bool awaits_candidates(const struct stream *stream)
{
	const struct generation *c = stream->candidates;

	while (c && (c->holds_up_nobody || (!c->dirty && c->due_ns == 0)))
		c = c->next;
	return c != NULL;
}

static enum progress seek(struct generation *g)
{
	struct stream *stream = g->stream;
	bool complete = false;

	/* It was between two names: discovery has told the new one before its answer.
	 */
	if (g->file && (file_standing(g->file) & FILE_NAMED)) {
		g->standing = file_standing(g->file);
		to_active(g);
		return STEP_MORE;
	}
	for (struct generation *copy = stream->past; copy; copy = copy->next) {
		if (copy->copy_of != g->change.number)
			continue;
		switch (kin_compare(copy, g)) {
		case KIN_GOES_ON:
			go_on_in(g, copy);
			return STEP_MORE;
		case KIN_LATER:
			return STEP_MORE;
		case KIN_COPY:
			complete = true;
			break;
		default:
			break;
		}
	}
	if (!complete && (awaits_candidates(stream) || !is_answered(g)))
		return STEP_WAIT;
	stop_seeking(g, complete);
	return STEP_MORE;
}

/* ---- candidates ---- */

static void take_copy(struct generation *c, struct generation *original)
{
	c->copy_of = original->change.number;
	original->dirty = true;
	reader_skip_to_end(c->reader, c->stream->host->buffer);
	to_past(c);
	if (c->standing & FILE_CURRENT)
		to_active(c);
}

/* Of what was deleted before anything of it was counted nothing is known. */
static void end_unread_seeking(struct stream *stream)
{
	struct generation *next;

	for (struct generation *g = stream->oldest; g; g = next) {
		next = g->next;
		if (g->role == ROLE_SEEKING && reader_offset_bytes(g->reader) == 0) {
			generation_release_file(g);
			to_past(g);
		}
	}
}

static void take_unseen(struct generation *c)
{
	if (reader_size_bytes(c->reader) > 0) {
		end_unread_seeking(c->stream);
		c->stream->unseen_ns = clock_monotonic_ns();
	}
	generation_unlink(c);
	c->dirty = true;
	c->due_ns = 0;
	c->copy_of = 0;
	read_from_now_on(c);
}

/* False if it is to be looked at again at once. */
static bool judge(struct generation *c, int64_t now_ns)
{
	struct generation *original;

	c->dirty = false;
	switch (kin_judge(c, now_ns, &original)) {
	case KIN_LATER:
		c->dirty = true;
		return false;
	case KIN_UNSEEN:
		if (reader_mtime_ns(c->reader) > c->later_than_ns)
			take_unseen(c);
		else
			drop_candidate(c);
		break;
	case KIN_COPY:
		take_copy(c, original);
		break;
	case KIN_GOES_ON:
		go_on_in(original, c);
		break;
	case KIN_WAIT:
		generation_end_backlog(c);
		break;
	}
	return true;
}

static bool is_before(const struct generation *g, int64_t candidate_ns)
{
	return !(g->standing & FILE_CURRENT) &&
	       reader_mtime_ns(g->reader) <= candidate_ns;
}

/*
 * A candidate may be a copy of what is about to be read, and it may have to be
 * read in its turn: what is older comes before it is judged.  Those behind one
 * that seeks wait for the candidates.
 */
static bool older_are_read(const struct stream *stream, int64_t candidate_ns)
{
	const struct generation *g = stream->oldest;

	for (; g && g->role == ROLE_ACTIVE && !g->waits; g = g->next)
		if (is_before(g, candidate_ns) && g->dirty)
			return false;
	return true;
}

static void make_due_dirty(struct stream *stream, int64_t now_ns)
{
	for (struct generation *c = stream->candidates; c; c = c->next)
		if (c->due_ns > 0 && now_ns >= c->due_ns)
			c->dirty = true;
}

/* The oldest first.  False if one is to be looked at again at once. */
static bool judge_candidates(struct stream *stream, int64_t now_ns)
{
	struct generation *c;

	make_due_dirty(stream, now_ns);
	while ((c = oldest_candidate(stream)) &&
	       older_are_read(stream, reader_mtime_ns(c->reader)))
		if (!judge(c, now_ns))
			return false;
	return true;
}

/* A candidate may be what a truncation has left: that is to be known first. */
static void find_truncation(struct stream *stream)
{
	struct generation *g = stream->oldest, *next;

	for (; g; g = next) {
		next = g->next;
		if (g->role == ROLE_ACTIVE && (g->standing & FILE_CURRENT) &&
		    g->dirty && generation_open(g) &&
		    reader_verify(g->reader, stream->host->buffer) == READER_CHANGED &&
		    !(g->resumed && reader_has_lost_its_end(g->reader)))
			take_change(g);
	}
}

/* ---- the whole ---- */

/*
 * The file may have been truncated before anything of it was read: then a copy
 * has what comes first.  Copies that were made before it began as it does now
 * are known when discovery has answered.  True if it may be read.
 */
static bool announce(struct generation *g)
{
	struct reader_buffer *buffer = g->stream->host->buffer;

	if (!(g->standing & FILE_CURRENT) || !reader_is_new(g->reader)) {
		g->announced = true;
		return true;
	}
	if (!generation_open(g) || reader_prepare(g->reader, buffer) != MATCH_YES)
		return true; /* reading tells why, and nothing is read */
	if (g->asked && !is_answered(g))
		return false;
	if (g->asked && reader_begins_as(g->reader, g->reader)) {
		g->announced = true;
		reader_forget_beginning(g->reader);
		return true;
	}
	reader_forget_beginning(g->reader);
	reader_prepare(g->reader, buffer);
	g->asked = true;
	ask_for_siblings(g, g->file);
	return false;
}

static enum progress step(struct generation *g, int64_t now_ns)
{
	if (g->role == ROLE_SEEKING)
		return seek(g);
	if (g->due_ns > 0 && now_ns >= g->due_ns)
		g->dirty = true;
	if (!g->dirty)
		return rest(g);
	if (!g->announced && !announce(g))
		return STEP_WAIT;
	g->due_ns = 0;
	switch (read_block(g, now_ns)) {
	case READER_MORE:
		return STEP_MORE;
	case READER_CHANGED:
		take_change(g);
		return STEP_MORE;
	case READER_FAILED:
		fail(g, now_ns);
		return STEP_DONE;
	case READER_END:
		break;
	}
	g->dirty = false;
	return generation_is_leaving(g) ? settle(g, now_ns) : STEP_DONE;
}

bool stream_step(struct stream *stream)
{
	int64_t now_ns = clock_monotonic_ns();
	struct generation *next;
	const struct generation *candidate;
	int64_t candidate_ns;
	bool waits;

	if (stream->candidates)
		find_truncation(stream);
	if (!judge_candidates(stream, now_ns))
		return true;
	candidate = oldest_candidate(stream);
	candidate_ns = candidate ? reader_mtime_ns(candidate->reader) : 0;
	waits = candidate != NULL;
	for (struct generation *g = stream->oldest; g; g = next) {
		enum progress progress;

		next = g->next;
		if (waits && !is_before(g, candidate_ns))
			continue;
		g->waits = false;
		progress = step(g, now_ns);
		if (progress == STEP_WAIT)
			g->waits = true;
		if (progress == STEP_WAIT && g->joins && next &&
		    next->role == ROLE_SEEKING)
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
