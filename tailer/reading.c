#include "tailer/reading.h"

#include <errno.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "tailer/kin.h"
#include "tailer/roles.h"
#include "tailer/writers.h"

#define LOOK_NS (100 * NS_PER_MS) /* for the rest of a line */
#define POLL_NS NS_PER_SECOND     /* of files whose names nobody watches */
#define MAX_RETRY_SECONDS 60
#define SLOW_BLOCK_NS (20 * NS_PER_MS)
#define MAX_HALVINGS 8 /* 1 KiB of 256 */

static bool can_come_back(const struct generation *g)
{
	return g->file && (g->standing & FILE_NAMED);
}

/* With nothing open and no name only a copy can have what is left. */
static void lose_file(struct generation *g)
{
	if (g->file) {
		roles_ask(g, g->file);
		roles_to_seeking(g, "deleted");
	}
}

/* Nothing more can be had of an archive. */
static void give_up_archive(struct generation *g)
{
	roles_report_lost(g, "damaged_archive", 0);
	roles_to_past(g);
}

void reading_fail(struct generation *g, int64_t now_ns)
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
	void *user = roles_user(g);

	if (output->oversized_bytes > 0)
		ops->oversized(ctx, user, output->oversized_bytes);
	if (output->block.bytes.len > 0) {
		int64_t start_ns = clock_monotonic_ns();

		ops->block(ctx, user, &output->block);
		keep_pace(stream, clock_monotonic_ns() - start_ns);
	}
}

enum reader_result reading_block(struct generation *g, int64_t now_ns)
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
	roles_to_past(g);
}

enum progress reading_rest(const struct generation *g)
{
	return generation_is_leaving(g) && generation_is_torn(g) && g->failures == 0
		       ? STEP_WAIT
		       : STEP_DONE;
}

static bool can_be_joined(struct generation *next)
{
	return next && (next->role == ROLE_SEEKING ||
			(next->role == ROLE_ACTIVE && generation_open(next) &&
			 reader_is_fresh(next->reader)));
}

/* The line that a truncation has cut goes on in the file that was truncated. */
static bool join(struct generation *g, int64_t now_ns)
{
	struct generation *next = kin_goes_on_in(g);
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

const struct generation *reading_awaits(const struct generation *g)
{
	const struct generation *next = g->joins ? kin_goes_on_in(g) : NULL;

	return next && next->role == ROLE_SEEKING ? next : NULL;
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
	bool judged = !roles_oldest_candidate(g->stream);

	if (!generation_is_torn(g))
		return false;
	if (judged && (now_ns - g->quiet_since_ns >= g->stream->host->finish_ns ||
		       !kin_awaits_truncated(g)))
		return false;
	g->due_ns = judged ? now_ns + LOOK_NS : now_ns;
	return true;
}

enum progress reading_settle(struct generation *g, int64_t now_ns)
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
		return reading_rest(g);
	}
	/* The writers may have written before they were asked for. */
	if (reader_refresh(g->reader) && reader_size_bytes(g->reader) != size_bytes) {
		g->dirty = true;
		return STEP_MORE;
	}
	if (!(g->standing & FILE_UNWANTED) && !finish(g)) {
		reading_fail(g, now_ns);
		return STEP_DONE;
	}
	if (writers == WRITERS_SOME && !(g->standing & FILE_UNWANTED))
		g->due_ns = g->standing & FILE_NAMED ? 0 : now_ns + POLL_NS;
	else
		leave(g);
	return STEP_DONE;
}

bool reading_announce(struct generation *g)
{
	struct reader_buffer *buffer = g->stream->host->buffer;

	if (!(g->standing & FILE_CURRENT) || !reader_is_new(g->reader)) {
		g->announced = true;
		return true;
	}
	if (!generation_open(g) || reader_prepare(g->reader, buffer) != MATCH_YES)
		return true; /* reading tells why, and nothing is read */
	if (g->asked && !roles_is_answered(g))
		return false;
	if (g->asked && reader_begins_as(g->reader, g->reader)) {
		g->announced = true;
		reader_forget_beginning(g->reader);
		return true;
	}
	reader_forget_beginning(g->reader);
	reader_prepare(g->reader, buffer);
	g->asked = true;
	roles_ask(g, g->file);
	return false;
}
