#include "tailer/roles.h"

#include "common/clock.h"
#include "common/log.h"

/* Generations without a file that a path remembers. */
#define MAX_GHOSTS 64

void *roles_user(struct generation *g)
{
	struct stream *stream = g->stream;

	if (!stream->has_user)
		stream->user =
			stream->host->ops->path_added(stream->host->ctx, stream->path,
						      g->file ? file_root(g->file) : 0);
	stream->has_user = true;
	return stream->user;
}

void roles_report_rotation(struct generation *g, enum rotation_kind kind)
{
	struct stream_host *host = g->stream->host;
	bool warn = kind == ROTATION_TRUNCATE;

	LOG_AT(warn ? LOG_LEVEL_WARN : LOG_LEVEL_INFO,
	       warn                      ? "file truncated, reading it from its start"
	       : kind == ROTATION_DELETE ? "file deleted"
					 : "file rotated",
	       LOG_TEXT("path", g->stream->path),
	       LOG_INT("offset_bytes", reader_offset_bytes(g->reader)));
	host->ops->rotated(host->ctx, roles_user(g), kind);
	host->ops->save_soon(host->ctx);
}

void roles_report_lost(struct generation *g, const char *reason, uint64_t bytes)
{
	struct stream_host *host = g->stream->host;

	log_warn(bytes > 0 ? "lines were lost" : "lines may be lost",
		 LOG_TEXT("path", g->stream->path), LOG_TEXT("reason", reason),
		 LOG_INT("lost_bytes", bytes));
	host->ops->lost(host->ctx, roles_user(g), reason, bytes);
}

bool roles_is_older(const struct generation *a, const struct generation *b)
{
	int64_t a_ns = reader_mtime_ns(a->reader), b_ns = reader_mtime_ns(b->reader);

	if (a_ns != b_ns)
		return a_ns < b_ns;
	if (a->born_ns != b->born_ns && a->born_ns > 0 && b->born_ns > 0)
		return a->born_ns < b->born_ns;
	return !(a->had_name && !b->had_name && reader_is_new(a->reader));
}

void roles_insert(struct stream *stream, struct generation *g)
{
	struct generation **link = &stream->oldest;

	while (*link &&
	       ((g->standing & FILE_CURRENT) ||
		(!((*link)->standing & FILE_CURRENT) && roles_is_older(*link, g))))
		link = &(*link)->next;
	generation_link(link, g);
}

void roles_forget(struct generation *g)
{
	generation_unlink(g);
	generation_destroy(g, true);
}

static bool is_ghost(const struct generation *g)
{
	return !g->file || !(file_standing(g->file) & FILE_NAMED);
}

void roles_forget_old_ghosts(struct stream *stream)
{
	struct generation *oldest = NULL;
	size_t count = 0;

	for (struct generation *g = stream->past; g; g = g->next)
		if (is_ghost(g)) {
			count++;
			oldest = g;
		}
	if (count > MAX_GHOSTS)
		roles_forget(oldest);
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

void roles_forget_faded(struct stream *stream)
{
	struct generation *next;

	for (struct generation *g = stream->past; g; g = next) {
		next = g->next;
		if (has_faded(g))
			roles_forget(g);
	}
}

void roles_to_past(struct generation *g)
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
	roles_forget_old_ghosts(g->stream);
}

void roles_to_active(struct generation *g)
{
	generation_unlink(g);
	g->role = ROLE_ACTIVE;
	g->dirty = true;
	g->unfinished = g->vanished = g->claims = false;
	g->due_ns = 0;
	g->failures = 0;
	g->copy_of = 0;
	if (g->file)
		file_set_done(g->file, false);
	g->quiet_since_ns = clock_monotonic_ns();
	roles_insert(g->stream, g);
	roles_user(g);
	generation_changed(g);
}

void roles_to_seeking(struct generation *g, const char *lost_as)
{
	g->role = ROLE_SEEKING;
	g->lost_as = lost_as;
	g->dirty = false;
	g->due_ns = 0;
	g->resumed = false;
	generation_changed(g);
}

void roles_ask(struct generation *g, struct file *file)
{
	g->ask = ++g->stream->asks;
	file_ask(file);
}

bool roles_is_answered(const struct generation *g)
{
	return (int)(g->ask - g->stream->answers) <= 0;
}

void roles_say_following(const struct generation *g)
{
	log_info("following file", LOG_TEXT("path", g->stream->path),
		 LOG_INT("offset_bytes", reader_offset_bytes(g->reader)),
		 LOG_INT("size_bytes", reader_size_bytes(g->reader)));
}

void roles_read_from_now_on(struct generation *g)
{
	g->role = ROLE_ACTIVE;
	roles_insert(g->stream, g);
	roles_user(g);
	generation_changed(g);
	roles_say_following(g);
	if (generation_is_leaving(g) && !(g->standing & FILE_UNWANTED))
		roles_report_rotation(g, ROTATION_RENAME);
}

void roles_drop_candidate(struct generation *c)
{
	generation_unlink(c);
	generation_destroy(c, false);
}

struct generation *roles_oldest_candidate(const struct stream *stream)
{
	struct generation *oldest = NULL;

	for (struct generation *c = stream->candidates; c; c = c->next)
		if (c->dirty && (!oldest || !roles_is_older(oldest, c)))
			oldest = c;
	return oldest;
}
