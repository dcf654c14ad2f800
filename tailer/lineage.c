#include "tailer/lineage.h"

#include "common/log.h"
#include "tailer/kin.h"
#include "tailer/roles.h"

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

	while (*link != g && roles_is_older(*link, old))
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
	roles_to_seeking(old, "truncated");
	roles_ask(old, g->file);
	generation_changed(g);
	roles_report_rotation(g, ROTATION_TRUNCATE);
}

static void accept_lost_end(struct generation *g)
{
	uint64_t vanished_bytes = reader_accept_lost_end(g->reader);

	roles_report_lost(g, "tail_vanished", vanished_bytes);
	generation_changed(g);
}

void lineage_take_change(struct generation *g)
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
		openfiles_move(seeking->stream->host->open, &copy->open,
			       &seeking->open);
	}
	seeking->born_ns = copy->born_ns;
	roles_forget(copy);
	generation_close(seeking);
	generation_take_file(seeking, file);
	file_unref(file);
	if (fd != -1)
		reader_open(seeking->reader, fd);
	roles_to_active(seeking);
	log_info("going on in a copy", LOG_TEXT("path", seeking->stream->path),
		 LOG_INT("offset_bytes", reader_offset_bytes(seeking->reader)));
}

static bool is_unread(const struct generation *g)
{
	return reader_offset_bytes(g->reader) == 0;
}

static struct generation *find_unclaimed(struct generation *list,
					 const struct generation *g)
{
	for (; list; list = list->next)
		if (list->unclaimed && list != g &&
		    (reader_mtime_ns(list->reader) >= reader_mtime_ns(g->reader) ||
		     kin_has_time_of(list, g)))
			break;
	return list;
}

/*
 * Of what nothing was read no more is known than that it was there.  What nobody had
 * seen may be all of it: each of at most one.
 */
static bool claim(struct generation *g)
{
	struct generation *whole = find_unclaimed(g->stream->oldest, g);

	if (!whole)
		whole = find_unclaimed(g->stream->past, g);
	if (whole)
		whole->unclaimed = false;
	return whole != NULL;
}

/* `complete`: a copy ends where reading did. */
static void stop_seeking(struct generation *g, bool complete)
{
	const char *reason = g->lost_as;
	uint64_t unread_bytes = generation_lag_bytes(g);
	bool claims = is_unread(g) && (g->stream->candidates || claim(g));

	if (!claims && (unread_bytes > 0 || (g->vanished && !complete)))
		roles_report_lost(g, reason, unread_bytes);
	roles_to_past(g);
	g->claims = claims;
}

static bool awaits_candidates(const struct stream *stream)
{
	const struct generation *c = stream->candidates;

	while (c && (c->holds_up_nobody || (!c->dirty && c->due_ns == 0)))
		c = c->next;
	return c != NULL;
}

enum progress lineage_seek(struct generation *g)
{
	struct stream *stream = g->stream;
	bool complete = false;

	/* It was between two names: discovery has told the new one before its answer.
	 */
	if (g->file && (file_standing(g->file) & FILE_NAMED)) {
		g->standing = file_standing(g->file);
		roles_to_active(g);
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
	if (!complete && (awaits_candidates(stream) || !roles_is_answered(g)))
		return STEP_WAIT;
	stop_seeking(g, complete);
	return STEP_MORE;
}

static void take_copy(struct generation *c, struct generation *original)
{
	/* A copy of a copy is one of what that is a copy of. */
	c->copy_of = original->copy_of ? original->copy_of : original->change.number;
	original->dirty = true;
	reader_skip_to_end(c->reader, c->stream->host->buffer);
	roles_to_past(c);
	if (c->standing & FILE_CURRENT)
		roles_to_active(c);
}

/* That of the same time, else the oldest. */
static struct generation *find_unread_seeking(const struct generation *c)
{
	struct generation *g = c->stream->oldest, *found = NULL;

	for (; g; g = g->next) {
		if (g->role != ROLE_SEEKING || !is_unread(g))
			continue;
		if (kin_has_time_of(c, g))
			return g;
		if (!found)
			found = g;
	}
	return found;
}

/*
 * It may be all of what went before anything of it was read: that ends with the same
 * commit that knows this one, or a later run would look for it in vain.
 */
static void take_unseen(struct generation *c)
{
	struct generation *unread = find_unread_seeking(c);

	c->unclaimed = !unread;
	if (unread) {
		roles_to_past(unread);
		unread->claims = true;
	}
	generation_unlink(c);
	c->dirty = true;
	c->due_ns = 0;
	c->copy_of = 0;
	roles_read_from_now_on(c);
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
			roles_drop_candidate(c);
		break;
	case KIN_EMPTY:
		roles_to_past(c);
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

bool lineage_is_before(const struct generation *g, const struct generation *candidate)
{
	return !(g->standing & FILE_CURRENT) && roles_is_older(g, candidate);
}

/*
 * A candidate may be a copy of what is about to be read, and it may have to be
 * read in its turn: what is older comes before it is judged.  Those behind one
 * that seeks or waits come after the candidates.
 */
static bool older_are_read(const struct stream *stream,
			   const struct generation *candidate)
{
	const struct generation *g = stream->oldest;

	for (; g && g->role == ROLE_ACTIVE && !g->waits; g = g->next)
		if (lineage_is_before(g, candidate) && g->dirty)
			return false;
	return true;
}

static void make_due_dirty(struct stream *stream, int64_t now_ns)
{
	for (struct generation *c = stream->candidates; c; c = c->next)
		if (c->due_ns > 0 && now_ns >= c->due_ns)
			c->dirty = true;
}

bool lineage_judge_candidates(struct stream *stream, int64_t now_ns)
{
	struct generation *c;

	make_due_dirty(stream, now_ns);
	while ((c = roles_oldest_candidate(stream)) && older_are_read(stream, c))
		if (!judge(c, now_ns))
			return false;
	return true;
}

void lineage_find_truncation(struct stream *stream)
{
	struct generation *g = stream->oldest, *next;

	for (; g; g = next) {
		next = g->next;
		if (g->role == ROLE_ACTIVE && (g->standing & FILE_CURRENT) &&
		    g->dirty && generation_open(g) &&
		    reader_verify(g->reader, stream->host->buffer) == READER_CHANGED &&
		    !(g->resumed && reader_has_lost_its_end(g->reader)))
			lineage_take_change(g);
	}
}
