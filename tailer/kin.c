#include "tailer/kin.h"

#include <errno.h>
#include <stdlib.h>

#include "common/clock.h"
#include "tailer/roles.h"
#include "tailer/writers.h"

#define LOOK_NS (100 * NS_PER_MS) /* at a file that is being written */
#define RETRY_NS NS_PER_SECOND    /* of one that cannot be opened */

/* Every generation of the path, one after the other. */
static struct generation *next_of(struct stream *stream, struct generation *g)
{
	if (!g)
		return stream->oldest ? stream->oldest : stream->past;
	if (g->next)
		return g->next;
	return g->role == ROLE_PAST ? NULL : stream->past;
}

static bool is_at_hand(const struct generation *g)
{
	return reader_is_open(g->reader) ||
	       (g->file && (file_standing(g->file) & FILE_NAMED));
}

static bool is_current(const struct generation *g)
{
	return g->role == ROLE_ACTIVE && (g->standing & FILE_CURRENT);
}

/*
 * Plain copies are made of the file that is written to (copytruncate), and of
 * files that then go (a move to another file system).
 */
static bool may_be_original(const struct generation *original,
			    const struct generation *candidate)
{
	return reader_is_archive(candidate->reader) || original->role != ROLE_PAST ||
	       !is_at_hand(original);
}

/* A compressor may keep the seconds only. */
static bool same_time(const struct generation *original,
		      const struct generation *candidate)
{
	int64_t apart_ns = llabs(reader_mtime_ns(original->reader) -
				 reader_mtime_ns(candidate->reader));

	return reader_is_archive(candidate->reader) ? apart_ns < NS_PER_SECOND
						    : apart_ns == 0;
}

static bool proves(const struct generation *original,
		   const struct generation *candidate)
{
	return original->role == ROLE_SEEKING || is_current(original) ||
	       reader_is_telling(original->reader) || same_time(original, candidate);
}

static bool is_possible(const struct generation *original,
			const struct generation *candidate)
{
	return reader_offset_bytes(original->reader) > 0 &&
	       may_be_original(original, candidate) && proves(original, candidate) &&
	       reader_begins_like(candidate->reader, original->reader);
}

/* What makes an archive gives it the time of its original, perhaps cut to s or us. */
bool kin_has_time_of(const struct generation *g, const struct generation *original)
{
	static const int64_t units_ns[] = {1, 1000, NS_PER_MS, NS_PER_SECOND};
	int64_t original_ns = reader_mtime_ns(original->reader);

	for (size_t i = 0; i < sizeof(units_ns) / sizeof(*units_ns); i++)
		if (reader_mtime_ns(g->reader) ==
		    original_ns - original_ns % units_ns[i])
			return true;
	return false;
}

/*
 * An archive that says that it has just what was read, and that it is of that
 * time, need not be unpacked.
 */
static struct generation *find_by_size(struct generation *c)
{
	struct generation *g = NULL;

	while (reader_is_archive(c->reader) && (g = next_of(c->stream, g)))
		if (g->role == ROLE_PAST && is_possible(g, c) &&
		    kin_has_time_of(c, g) &&
		    reader_size_is(c->reader, reader_offset_bytes(g->reader)))
			return g;
	return NULL;
}

/* The one that is to be compared next: in the order of offsets. */
static struct generation *next_to_compare(struct generation *c)
{
	struct generation *g = NULL, *found = NULL;

	while ((g = next_of(c->stream, g)))
		if (reader_offset_bytes(g->reader) > c->judged_bytes &&
		    (!found || reader_offset_bytes(g->reader) <
				       reader_offset_bytes(found->reader)) &&
		    is_possible(g, c))
			found = g;
	return found;
}

/* Those of the same offset lie at the same place of the candidate. */
static enum reader_match compare_all_at(struct generation *c, uint64_t offset_bytes,
					struct generation **best)
{
	struct generation *g = NULL;
	enum reader_match match = MATCH_NO;

	while ((g = next_of(c->stream, g))) {
		if (reader_offset_bytes(g->reader) != offset_bytes ||
		    !is_possible(g, c))
			continue;
		match = reader_match(c->reader, g->reader, c->stream->host->buffer);
		if (match == MATCH_YES)
			*best = g;
		if (match == MATCH_LATER || match == MATCH_FAILED)
			return match;
	}
	return *best ? MATCH_YES : match;
}

static struct generation *by_number(struct stream *stream, uint64_t number)
{
	struct generation *g = NULL;

	while (number > 0 && (g = next_of(stream, g)))
		if (g->change.number == number)
			return g;
	return NULL;
}

/*
 * The generation that has read most of what the candidate holds.  MATCH_SHORT:
 * one that begins alike has read more than the candidate has.
 */
static enum reader_match find_original(struct generation *c, struct generation **best)
{
	enum reader_match match = MATCH_NO;
	struct generation *g;

	while ((g = next_to_compare(c))) {
		uint64_t offset = reader_offset_bytes(g->reader);
		struct generation *found = NULL;

		match = compare_all_at(c, offset, &found);
		if (match == MATCH_LATER || match == MATCH_FAILED)
			return match;
		if (match == MATCH_SHORT)
			break;
		c->judged_bytes = offset;
		if (found)
			c->copy_of = found->change.number;
	}
	*best = by_number(c->stream, c->copy_of);
	if (*best)
		return MATCH_YES;
	return match == MATCH_SHORT ? MATCH_SHORT : MATCH_NO;
}

/* Does its file still hold what was read of it? */
static bool is_intact(struct generation *g)
{
	return g->role != ROLE_SEEKING && is_at_hand(g) && generation_open(g) &&
	       reader_verify(g->reader, g->stream->host->buffer) == READER_END;
}

static enum verdict judge_copy(struct generation *c, struct generation *original)
{
	uint64_t offset = reader_offset_bytes(original->reader);
	enum reader_match beyond = reader_reaches_beyond(c->reader, offset);
	bool intact = is_intact(original);

	if (intact && original->role == ROLE_PAST)
		generation_close(original);
	if (beyond == MATCH_NO)
		return KIN_COPY;
	if (original->role == ROLE_PAST &&
	    (intact || reader_knows_fragment(original->reader)))
		return KIN_UNSEEN; /* it only begins alike */
	if (!intact)
		return original->role != ROLE_PAST && is_at_hand(original)
			       ? KIN_COPY /* truncated: it will ask for its copies */
			       : KIN_GOES_ON;
	return reader_is_archive(c->reader) ||
			       reader_size_bytes(c->reader) <=
				       reader_size_bytes(original->reader)
		       ? KIN_COPY
		       : KIN_UNSEEN;
}

/* A copy of which nothing was read yet, or one that is not complete. */
static struct generation *find_longer(struct generation *c)
{
	for (struct generation *g = c->stream->oldest; g; g = g->next)
		if (is_current(g) && generation_open(g) &&
		    reader_is_beginning_of(c->reader, g->reader))
			return g;
	return NULL;
}

static bool is_alike(struct generation *c, struct generation *g)
{
	if (!generation_open(g))
		return false;
	if (!reader_is_archive(g->reader))
		return reader_begins_as(c->reader, g->reader);
	switch (reader_prepare(g->reader, c->stream->host->buffer)) {
	case MATCH_YES:
		return reader_began_alike(c->reader, g->reader);
	case MATCH_LATER:
		return true; /* so far nothing speaks against it */
	case MATCH_NO:
	case MATCH_SHORT:
	case MATCH_FAILED:
		break;
	}
	return false;
}

/* Of two candidates one is to be judged without the other: the older. */
static bool comes_first(const struct generation *other, const struct generation *c)
{
	if (roles_is_older(other, c) != roles_is_older(c, other))
		return roles_is_older(other, c);
	while (other && other != c)
		other = other->next;
	return other != NULL;
}

/*
 * One that is still to be read, or to be judged, begins like this: it will be known
 * again then.
 */
static bool has_unread_original(struct generation *c)
{
	struct stream *stream = c->stream;

	for (struct generation *g = stream->oldest; g; g = g->next)
		if (g->role == ROLE_ACTIVE && reader_offset_bytes(g->reader) == 0 &&
		    is_alike(c, g))
			return true;
	for (struct generation *g = stream->candidates; g; g = g->next)
		if (g != c && comes_first(g, c) && is_alike(c, g))
			return true;
	return false;
}

static bool is_being_written(const struct generation *c, int64_t now_ns)
{
	enum writers writers = writers_of(reader_fd(c->reader));

	if (writers == WRITERS_NONE || (writers == WRITERS_UNKNOWN && c->closed))
		return false;
	return now_ns - c->quiet_since_ns < c->stream->host->finish_ns;
}

static enum verdict wait_for(struct generation *c, int64_t now_ns)
{
	c->due_ns = now_ns + LOOK_NS;
	c->judged_bytes = 0;
	c->copy_of = 0;
	reader_forget_beginning(c->reader);
	return KIN_WAIT;
}

static struct generation *find_alike(struct generation *c)
{
	struct generation *g = NULL;

	while ((g = next_of(c->stream, g)) && !is_possible(g, c))
		;
	return g;
}

/*
 * Lines were added to a file while it was compressed.  Where the file is no
 * more, an archive that is not newer than it can only be its own.
 */
static struct generation *find_longer_of_archive(struct generation *c)
{
	struct generation *g = NULL;

	while (reader_is_archive(c->reader) && (g = next_of(c->stream, g))) {
		bool open = reader_is_open(g->reader), same;

		if (!is_possible(g, c))
			continue;
		if (!is_at_hand(g) || !generation_open(g)) {
			if (reader_mtime_ns(c->reader) <= reader_mtime_ns(g->reader))
				return g;
			continue;
		}
		same = reader_end_stands_in(c->reader, g->reader);
		if (!open)
			generation_close(g);
		if (same)
			return g;
	}
	return NULL;
}

static enum verdict judge_open(struct generation *c, int64_t now_ns,
			       struct generation **original)
{
	/* What has the path's name is written to as long as it has it. */
	bool busy = !(c->standing & FILE_CURRENT) && is_being_written(c, now_ns);

	*original = find_by_size(c);
	if (*original)
		return KIN_COPY;
	switch (find_original(c, original)) {
	case MATCH_LATER:
		return KIN_LATER;
	case MATCH_FAILED:
		/* An archive whose making was interrupted has its original beside it.
		 */
		*original = find_alike(c);
		return *original ? KIN_COPY : KIN_UNSEEN;
	case MATCH_YES:
		return busy ? wait_for(c, now_ns) : judge_copy(c, *original);
	case MATCH_SHORT:
		if (busy)
			return wait_for(c, now_ns);
		*original = find_longer_of_archive(c);
		if (*original)
			return KIN_COPY;
		break;
	case MATCH_NO:
		break;
	}
	/* Many lines begin alike: a copy of a piece of one proves nothing. */
	if (reader_is_fragment(c->reader) && !reader_is_archive(c->reader))
		return busy ? wait_for(c, now_ns) : KIN_UNSEEN;
	if (has_unread_original(c)) {
		c->holds_up_nobody = true;
		return wait_for(c, now_ns);
	}
	*original = find_longer(c);
	if (!*original)
		return KIN_UNSEEN;
	return busy ? wait_for(c, now_ns) : KIN_COPY;
}

/*
 * Without a name it may be between two: then it is told.  What has a name is
 * asked again, and holds up nobody for long meanwhile.
 */
static enum verdict wait_for_file(struct generation *c, int64_t now_ns)
{
	generation_note_failure(c, errno);
	generation_close(c);
	if (!c->file || !(file_standing(c->file) & FILE_NAMED)) {
		if (c->file)
			file_set_done(c->file, true);
		return KIN_WAIT;
	}
	c->holds_up_nobody = now_ns - c->quiet_since_ns >= c->stream->host->finish_ns;
	c->due_ns = now_ns + RETRY_NS;
	return KIN_WAIT;
}

static enum verdict judge_empty(struct generation *c, int64_t now_ns)
{
	if (reader_is_archive(c->reader))
		return KIN_EMPTY;
	/* The path's next lines come here. */
	if (c->standing & FILE_CURRENT)
		return KIN_UNSEEN;
	if (!reader_is_deleted(c->reader))
		return KIN_WAIT;
	/* That its last writer has closed it nobody tells. */
	if (is_being_written(c, now_ns) ||
	    writers_of(reader_fd(c->reader)) == WRITERS_SOME) {
		c->due_ns = now_ns + RETRY_NS;
		return KIN_WAIT;
	}
	return KIN_EMPTY;
}

enum verdict kin_judge(struct generation *c, int64_t now_ns,
		       struct generation **original)
{
	uint64_t size_bytes = reader_size_bytes(c->reader);
	enum reader_match prepared;
	bool archive;

	*original = NULL;
	c->due_ns = 0;
	c->holds_up_nobody = false;
	if (!generation_open(c) || !reader_refresh(c->reader))
		return wait_for_file(c, now_ns);
	c->failures = 0;
	if (c->file)
		file_set_done(c->file, false);
	if (reader_size_bytes(c->reader) != size_bytes)
		c->quiet_since_ns = now_ns;
	/* How an archive begins shows when it is complete, and not before. */
	archive = reader_is_archive(c->reader);
	if (archive && is_being_written(c, now_ns))
		return wait_for(c, now_ns);
	prepared = reader_prepare(c->reader, c->stream->host->buffer);
	if (reader_is_archive(c->reader) != archive)
		return wait_for(c, now_ns);
	switch (prepared) {
	case MATCH_NO:
		return judge_empty(c, now_ns);
	case MATCH_LATER:
		return KIN_LATER;
	case MATCH_FAILED:
		return KIN_UNSEEN;
	case MATCH_YES:
	case MATCH_SHORT:
		break;
	}
	return judge_open(c, now_ns, original);
}

enum verdict kin_compare(struct generation *copy, struct generation *seeking)
{
	struct reader_buffer *buffer = copy->stream->host->buffer;

	if (!generation_open(copy))
		return KIN_UNSEEN;
	if (reader_prepare(copy->reader, buffer) == MATCH_LATER)
		return KIN_LATER;
	switch (reader_match(copy->reader, seeking->reader, buffer)) {
	case MATCH_LATER:
		return KIN_LATER;
	case MATCH_YES:
		break;
	case MATCH_NO:
	case MATCH_SHORT:
	case MATCH_FAILED:
		generation_close(copy);
		return KIN_UNSEEN;
	}
	if (reader_reaches_beyond(copy->reader, reader_offset_bytes(seeking->reader)) ==
	    MATCH_YES)
		return KIN_GOES_ON;
	generation_close(copy);
	return KIN_COPY;
}

/* 0: not known. */
static int64_t copied_ns(const struct generation *g)
{
	return reader_is_archive(g->reader) ? reader_mtime_ns(g->reader) : g->born_ns;
}

/*
 * Before `g` was copied.  A file that is renamed the moment it was made may be as old
 * as the one that takes its place; what is copied was made, and written to, before.
 */
static bool was_there_before(struct generation *other, const struct generation *g)
{
	if (other->born_ns == 0 && other->role == ROLE_ACTIVE)
		generation_open(other);
	return other->born_ns > 0 &&
	       (other->born_ns < copied_ns(g) ||
		(other->born_ns == copied_ns(g) && reader_is_archive(g->reader)));
}

/*
 * What of the list was written since that time, and was there before: the
 * youngest, for older files of the path may still be written to.  Of the same age it
 * is the last, which is what has the path's name.
 */
static struct generation *youngest_there(struct generation *list,
					 const struct generation *g, int64_t written_ns)
{
	struct generation *youngest = NULL;

	for (; list; list = list->next)
		if (list != g && reader_mtime_ns(list->reader) >= written_ns &&
		    was_there_before(list, g) &&
		    (!youngest || list->born_ns >= youngest->born_ns))
			youngest = list;
	return youngest;
}

/* The generation whose file `g` is a copy of, as it was before it was truncated. */
static struct generation *truncated_of(const struct generation *g)
{
	struct generation *read, *past;

	if (g->had_name || copied_ns(g) == 0)
		return NULL;
	read = youngest_there(g->next, g, INT64_MIN);
	/* That it was truncated was a change, too: earlier copies had none since. */
	past = youngest_there(g->stream->past, g, copied_ns(g));
	return past && (!read || past->born_ns > read->born_ns) ? past : read;
}

bool kin_is_of_truncated(const struct generation *g)
{
	return truncated_of(g) != NULL;
}

/* Of one that still seeks its copy it is not known when that was made. */
static bool is_copy_of(const struct generation *g, const struct generation *truncated)
{
	return (g->joins && g->role == ROLE_SEEKING) ||
	       (truncated && truncated_of(g) == truncated);
}

struct generation *kin_goes_on_in(const struct generation *g)
{
	struct generation *truncated = truncated_of(g), *next = g->next;

	if (g->born_ns == 0) /* the file system does not keep it */
		return next;
	while (next && next != truncated && !is_copy_of(next, truncated))
		next = next->next;
	return next ? next : truncated;
}

bool kin_awaits_truncated(const struct generation *g)
{
	return !g->had_name && copied_ns(g) != 0 &&
	       youngest_there(g->stream->candidates, g, copied_ns(g));
}
