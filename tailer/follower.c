#include "tailer/follower.h"

#include <assert.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>

#include "common/clock.h"
#include "common/hashmap.h"
#include "common/xalloc.h"
#include "tailer/handover.h"
#include "tailer/inbox.h"
#include "tailer/openfiles.h"
#include "tailer/reader.h"
#include "tailer/stream.h"

#define DEFAULT_FINISH_MS 10000
#define DEFAULT_REMEMBER_MS (24 * 3600 * 1000)
#define SWEEPS 24 /* looks at what to forget, in the time that it is remembered */
#define LINGER_NS NS_PER_SECOND /* of a path without a file */

struct path {
	struct stream stream;
	struct path *next_ready;
	struct path *earlier, *later; /* in the list of those that are due sometime */
	int64_t due_ns;               /* 0: not in that list */
	int64_t empty_since_ns;       /* 0: it has a file */
	bool ready;
};

struct follower {
	struct stream_host host;
	struct follower_ops ops;
	struct inbox *inbox;
	struct hashmap *paths;
	struct path *first_ready, **last_ready;
	size_t ready_count;
	struct path *due;    /* in no order */
	int64_t next_due_ns; /* nothing is due earlier; 0: nothing is due */
	int64_t next_sweep_ns;
	bool backlog_has_ended; /* all of it was adopted */
	atomic_bool backlog_is_read;
	atomic_bool held;
};

const char *rotation_kind_name(enum rotation_kind kind)
{
	static const char *const names[ROTATION_KINDS] = {
		[ROTATION_RENAME] = "rename",
		[ROTATION_TRUNCATE] = "truncate",
		[ROTATION_DELETE] = "delete",
	};

	assert(kind < ROTATION_KINDS);
	return names[kind];
}

struct follower *follower_create(const struct follower_options *options,
				 const struct follower_ops *ops, void *ctx,
				 struct error *err)
{
	struct inbox *inbox = inbox_create(err);
	struct follower *follower;

	if (!inbox)
		return NULL;
	follower = xcalloc(1, sizeof(*follower));
	follower->inbox = inbox;
	follower->ops = *ops;
	follower->host = (struct stream_host){
		.ops = &follower->ops,
		.ctx = ctx,
		.buffer =
			reader_buffer_create(options->line_bytes, options->block_bytes),
		.open = openfiles_create(options->open_files),
		.changes = changes_create(),
		.next_number = 1,
		.number_stride = 1,
		.finish_ns =
			(options->finish_ms ? options->finish_ms : DEFAULT_FINISH_MS) *
			NS_PER_MS,
		.remember_ns = (options->remember_ms ? options->remember_ms
						     : DEFAULT_REMEMBER_MS) *
			       NS_PER_MS,
	};
	follower->next_sweep_ns =
		clock_monotonic_ns() + follower->host.remember_ns / SWEEPS;
	follower->paths = hashmap_create_borrowing();
	follower->last_ready = &follower->first_ready;
	atomic_init(&follower->backlog_is_read, false);
	atomic_init(&follower->held, false);
	return follower;
}

static void free_path(struct path *path)
{
	stream_finish(&path->stream);
	free(path);
}

void follower_destroy(struct follower *follower)
{
	size_t cursor = 0;
	struct slice name;
	void *value;

	if (!follower)
		return;
	while (hashmap_next(follower->paths, &cursor, &name, &value))
		free_path(value);
	hashmap_destroy(follower->paths);
	inbox_destroy(follower->inbox);
	reader_buffer_destroy(follower->host.buffer);
	openfiles_destroy(follower->host.open);
	changes_destroy(follower->host.changes);
	free(follower);
}

int follower_fd(const struct follower *follower)
{
	return inbox_fd(follower->inbox);
}

void follower_wake(struct follower *follower)
{
	inbox_wake(follower->inbox);
}

bool follower_reserve(struct follower *follower)
{
	return openfiles_reserve(follower->host.open);
}

void follower_adopt(struct follower *follower, const struct adoption *adoptions,
		    size_t count)
{
	inbox_adopt(follower->inbox, adoptions, count);
}

void follower_looked(struct follower *follower, struct file *file)
{
	inbox_say(follower->inbox, MESSAGE_LOOKED, file);
}

void follower_hold(struct follower *follower)
{
	atomic_store(&follower->held, true);
}

void follower_go_on(struct follower *follower)
{
	atomic_store(&follower->held, false);
	follower_wake(follower);
}

void follower_number_from(struct follower *follower, uint64_t first, uint64_t stride)
{
	follower->host.next_number = first;
	follower->host.number_stride = stride;
}

void follower_notify(struct follower *follower, struct file *file)
{
	inbox_say(follower->inbox, MESSAGE_NOTICE, file);
}

void follower_end_backlog(struct follower *follower)
{
	inbox_say(follower->inbox, MESSAGE_BACKLOG_END, NULL);
}

bool follower_backlog_is_read(const struct follower *follower)
{
	return atomic_load(&follower->backlog_is_read);
}

static void make_ready(struct follower *follower, struct path *path)
{
	if (path->ready)
		return;
	path->ready = true;
	path->next_ready = NULL;
	follower->ready_count++;
	*follower->last_ready = path;
	follower->last_ready = &path->next_ready;
}

static struct path *take_ready(struct follower *follower)
{
	struct path *path = follower->first_ready;

	follower->first_ready = path->next_ready;
	if (!follower->first_ready)
		follower->last_ready = &follower->first_ready;
	follower->ready_count--;
	path->ready = false;
	return path;
}

static void set_due(struct follower *follower, struct path *path, int64_t due_ns)
{
	if (path->due_ns == 0 && due_ns > 0) {
		path->earlier = NULL;
		path->later = follower->due;
		if (path->later)
			path->later->earlier = path;
		follower->due = path;
	}
	if (path->due_ns > 0 && due_ns == 0) {
		*(path->earlier ? &path->earlier->later : &follower->due) = path->later;
		if (path->later)
			path->later->earlier = path->earlier;
	}
	path->due_ns = due_ns;
	if (!follower->due)
		follower->next_due_ns = 0;
	else if (due_ns > 0 &&
		 (follower->next_due_ns == 0 || due_ns < follower->next_due_ns))
		follower->next_due_ns = due_ns;
}

/* Rounded so that many of about the same time are one walk over the list. */
#define DUE_TOGETHER_NS (100 * NS_PER_MS)

static void make_due_ready(struct follower *follower)
{
	int64_t now_ns = clock_monotonic_ns();
	int64_t next_ns = 0;

	if (follower->next_due_ns == 0 || now_ns < follower->next_due_ns)
		return;
	for (struct path *path = follower->due; path; path = path->later) {
		if (path->due_ns <= now_ns)
			make_ready(follower, path);
		else if (next_ns == 0 || path->due_ns < next_ns)
			next_ns = path->due_ns;
	}
	if (next_ns > 0)
		next_ns += DUE_TOGETHER_NS;
	follower->next_due_ns = next_ns;
}

static struct path *path_of(struct follower *follower, const struct file *file)
{
	struct slice name = slice_of(file_path(file));
	struct path *path = hashmap_get(follower->paths, name);

	if (path)
		return path;
	path = xcalloc(1, sizeof(*path));
	stream_init(&path->stream, &follower->host, name.ptr);
	hashmap_put(follower->paths, name, path);
	return path;
}

/* NULL if there is none. */
static struct path *path_with(struct stream *stream)
{
	char *at = (char *)stream;

	return at ? (struct path *)(void *)(at - offsetof(struct path, stream)) : NULL;
}

/* What it remembers stays. */
static void end_path(struct follower *follower, struct path *path)
{
	set_due(follower, path, 0);
	stream_retire(&path->stream);
	if (!stream_is_empty(&path->stream))
		return;
	hashmap_remove(follower->paths, slice_of(path->stream.path));
	free_path(path);
}

static void take_message(struct follower *follower, const struct message *message)
{
	struct file *file = message->adoption.file;
	struct path *path = NULL;

	switch (message->kind) {
	case MESSAGE_ADOPT:
		path = path_of(follower, file);
		stream_adopt(&path->stream, &message->adoption);
		break;
	case MESSAGE_NOTICE:
		path = path_with(stream_notice(file));
		break;
	case MESSAGE_LOOKED:
		path = path_of(follower, file);
		stream_looked(&path->stream);
		break;
	case MESSAGE_BACKLOG_END:
		follower->backlog_has_ended = true;
		break;
	}
	if (path)
		make_ready(follower, path);
	message_finish(message);
}

static void take_messages(struct follower *follower)
{
	const struct message *messages;
	size_t count = inbox_take(follower->inbox, &messages);

	for (size_t i = 0; i < count; i++)
		take_message(follower, &messages[i]);
}

/* A file that is deleted is often made again at once. */
static void wait_for_a_file(struct follower *follower, struct path *path)
{
	int64_t now_ns = clock_monotonic_ns();

	if (path->empty_since_ns == 0)
		path->empty_since_ns = now_ns;
	if (now_ns - path->empty_since_ns >= LINGER_NS)
		end_path(follower, path);
	else
		set_due(follower, path, path->empty_since_ns + LINGER_NS);
}

static void step_path(struct follower *follower, struct path *path)
{
	bool more = stream_step(&path->stream);

	if (stream_is_idle(&path->stream)) {
		wait_for_a_file(follower, path);
		return;
	}
	path->empty_since_ns = 0;
	set_due(follower, path, stream_due_ns(&path->stream));
	if (more)
		make_ready(follower, path);
}

static bool is_at_rest(const struct path *path)
{
	return !path->ready && path->due_ns == 0 && stream_is_idle(&path->stream);
}

/* What came and went long ago: its memory, and paths that have none. */
static void sweep(struct follower *follower)
{
	int64_t now_ns = clock_monotonic_ns();
	size_t cursor = 0;
	struct slice name;
	void *value;

	if (now_ns < follower->next_sweep_ns)
		return;
	follower->next_sweep_ns = now_ns + follower->host.remember_ns / SWEEPS;
	while (hashmap_next(follower->paths, &cursor, &name, &value)) {
		struct path *path = value;

		stream_forget_faded(&path->stream);
		if (is_at_rest(path) && stream_is_empty(&path->stream))
			end_path(follower, path);
	}
}

static void report_backlog(struct follower *follower)
{
	if (!follower->backlog_has_ended || follower->host.backlog > 0 ||
	    atomic_load(&follower->backlog_is_read))
		return;
	atomic_store(&follower->backlog_is_read, true);
	follower->ops.backlog_read(follower->host.ctx);
}

bool follower_turn(struct follower *follower)
{
	bool held;

	take_messages(follower);
	/* Asked last: it was held before that was said which is not to be read yet. */
	held = atomic_load(&follower->held);
	follower->ops.boundary(follower->host.ctx);
	if (held)
		return false;
	make_due_ready(follower);
	sweep(follower);
	for (size_t left = follower->ready_count; left > 0; left--) {
		step_path(follower, take_ready(follower));
		follower->ops.boundary(follower->host.ctx);
	}
	report_backlog(follower);
	return follower->first_ready != NULL;
}

int follower_wait_ms(const struct follower *follower)
{
	int64_t left_ns;

	if (atomic_load(&follower->held))
		return -1;
	if (follower->first_ready)
		return 0;
	if (follower->next_due_ns == 0)
		return -1;
	left_ns = follower->next_due_ns - clock_monotonic_ns();
	return left_ns <= 0 ? 0 : (int)((left_ns + NS_PER_MS - 1) / NS_PER_MS);
}

static void fill_checkpoint(const struct change *change, struct checkpoint *checkpoint)
{
	const char *at = (const char *)change - offsetof(struct generation, change);

	generation_checkpoint((const void *)at, checkpoint);
}

static void note_all(struct follower *follower)
{
	size_t cursor = 0;
	struct slice name;
	void *value;

	while (hashmap_next(follower->paths, &cursor, &name, &value))
		stream_note_all(&((struct path *)value)->stream);
}

void follower_checkpoints(struct follower *follower, uint64_t sequence,
			  uint64_t saved_sequence,
			  void (*visit)(void *ctx, const struct checkpoint *checkpoint,
					bool dropped),
			  void *ctx)
{
	if (saved_sequence == 0)
		note_all(follower);
	changes_visit(follower->host.changes, sequence, saved_sequence, fill_checkpoint,
		      visit, ctx);
}

void follower_each(const struct follower *follower,
		   void (*visit)(void *ctx, const struct follower_status *status),
		   void *ctx)
{
	size_t cursor = 0;
	struct slice name;
	void *value;

	while (hashmap_next(follower->paths, &cursor, &name, &value)) {
		const struct path *path = value;
		struct follower_status status = stream_status(&path->stream);

		if (stream_is_followed(&path->stream))
			visit(ctx, &status);
	}
}
