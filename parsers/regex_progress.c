#include "parsers/regex_progress.h"

#include <stdlib.h>

#include "common/xalloc.h"
#include "parsers/regex_code.h"
#include "parsers/regex_items.h"

#define LEAST_BEGUN 3 /* characters of a text that may stand anywhere */
#define HEAP_LIMIT_KIB (32 * 1024)

/* What is known of a place of the pattern, where an item begins. */
struct spot {
	bool counts;    /* something is matched here */
	bool floats;    /* it may stand anywhere */
	unsigned rank;  /* items before it, on the longest way */
	size_t len;     /* of the item */
	size_t run;     /* where the text begins that it belongs to */
	size_t run_at;  /* characters of that text before it */
	size_t run_len; /* of all of it, in characters; only where it begins */
	size_t run_end; /* likewise: where it ends */
	size_t passed;  /* bytes of texts that every way to it has */
	size_t reached; /* where in the subject it was last tried */
};

/* A group while its items go by. */
struct group {
	size_t at; /* of its opening */
	bool dark;
	unsigned rank, most_rank;
	size_t passed, least_passed;
	bool floats, any_floats;
};

struct fold {
	struct slice pattern;
	struct spot *spots; /* one for each byte, and one for the end */
	struct group *groups;
	size_t depth;
	unsigned rank;
	size_t passed;
	bool floats;
	size_t last_text; /* behind the last character of a text; 0: it is over */
	size_t run;
};

/* The unit that byte `at` of the pattern is in; `count`: none. */
static size_t unit_at(const struct regex_unit *units, size_t count, size_t at)
{
	for (size_t i = 0; i < count; i++)
		if (units[i].start <= at && at < units[i].end)
			return i;
	return count;
}

/* -- what the pattern's places mean --------------------------------------- */

static bool is_dark(const struct fold *f)
{
	return f->depth > 0 && f->groups[f->depth - 1].dark;
}

static void open_group(struct fold *f, size_t at, bool dark)
{
	f->groups = xgrow(f->groups, f->depth, sizeof(*f->groups));
	f->groups[f->depth] = (struct group){.at = at,
					     .dark = dark || is_dark(f),
					     .rank = f->rank,
					     .most_rank = f->rank,
					     .passed = f->passed,
					     .least_passed = SIZE_MAX,
					     .floats = f->floats};
	f->depth++;
}

static void end_alternative(struct fold *f, struct group *g)
{
	g->most_rank = f->rank > g->most_rank ? f->rank : g->most_rank;
	g->least_passed = f->passed < g->least_passed ? f->passed : g->least_passed;
	g->any_floats |= f->floats;
	f->rank = g->rank;
	f->passed = g->passed;
	f->floats = g->floats;
}

static void close_group(struct fold *f, size_t end, bool optional)
{
	struct group *g;

	if (f->depth == 0)
		return;
	g = &f->groups[--f->depth];
	end_alternative(f, g);
	if (g->dark) {
		f->spots[g->at].len = end - g->at;
		f->rank += f->spots[g->at].counts;
		return;
	}
	f->rank = g->most_rank;
	f->passed = optional ? g->passed : g->least_passed;
	f->floats = g->any_floats;
}

static void add_text(struct fold *f, struct spot *spot, size_t at,
		     const struct regex_item *item)
{
	bool goes_on = f->last_text == at && at > 0 && !is_dark(f);
	bool once = !item->optional && !item->repeated;

	if (!goes_on)
		f->run = at;
	spot->run = f->run;
	spot->run_at = f->spots[f->run].run_len;
	spot->floats = f->spots[f->run].floats;
	f->spots[f->run].run_len++;
	f->spots[f->run].run_end = at + item->source.len;
	f->last_text = once ? at + item->source.len : 0;
	f->passed += item->optional ? 0 : item->text.len;
	f->floats = false;
}

/* Any text of any length. */
static bool matches_any(struct slice source)
{
	return (slice_starts(source, ".") || slice_starts(source, "[\\s\\S]")) &&
	       (memchr(source.ptr, '*', source.len) ||
		memchr(source.ptr, '+', source.len) ||
		memmem(source.ptr, source.len, ",}", 2));
}

static bool is_anchor(struct slice source)
{
	return slice_is(source, "^") || slice_is(source, "\\A") ||
	       slice_is(source, "\\G");
}

static void add_item(struct fold *f, struct spot *spot, size_t at,
		     const struct regex_item *item)
{
	spot->counts = !is_dark(f);
	spot->floats = f->floats;
	spot->run = at;
	spot->run_len = 0;
	if (item->kind == ITEM_TEXT)
		add_text(f, spot, at, item);
	else if (item->kind == ITEM_NOTHING)
		f->floats = f->floats && !is_anchor(item->source);
	else
		f->floats = matches_any(item->source);
	f->rank += spot->counts;
}

static void on_item(void *ctx, const struct regex_item *item)
{
	struct fold *f = ctx;
	size_t at = (size_t)(item->source.ptr - f->pattern.ptr);
	struct spot *spot = &f->spots[at];

	*spot = (struct spot){.rank = f->rank,
			      .len = item->source.len,
			      .run = at,
			      .passed = f->passed};
	if (item->kind != ITEM_TEXT)
		f->last_text = 0;
	switch (item->kind) {
	case ITEM_OPTIONS:
		break;
	case ITEM_BAR:
		if (f->depth > 0)
			end_alternative(f, &f->groups[f->depth - 1]);
		break;
	case ITEM_OPEN_DARK:
		spot->counts = !is_dark(f);
		open_group(f, at, true);
		break;
	case ITEM_OPEN:
	case ITEM_OPEN_LOOK:
		open_group(f, at, false);
		break;
	case ITEM_CLOSE:
		close_group(f, at + item->source.len, item->optional);
		break;
	default:
		add_item(f, spot, at, item);
	}
}

/* Nothing is known but the order of what stands there. */
static void rank_by_place(struct fold *f)
{
	for (size_t i = 0; i <= f->pattern.len; i++)
		f->spots[i] = (struct spot){
			.counts = true, .rank = (unsigned)i, .passed = i, .run = i};
}

static void read_pattern(struct fold *f)
{
	f->floats = true;
	open_group(f, 0, false); /* the whole pattern: its alternatives, too */
	if (!regex_items(f->pattern, on_item, f)) {
		rank_by_place(f);
		return;
	}
	if (f->depth == 1)
		close_group(f, 0, false);
	f->spots[f->pattern.len] = (struct spot){.rank = f->rank, .passed = f->passed};
}

/* -- the match ------------------------------------------------------------ */

struct watch {
	struct slice pattern;
	struct spot *spots;
	const struct regex_unit *units;
	size_t unit_count;
	struct slice subject;
	struct regex_progress *best;
	size_t furthest; /* in the subject; best->subject_at is the first */
	size_t start;    /* of the present match */
};

static void take(struct watch *w, size_t at, size_t subject_at, size_t item_len)
{
	const struct spot *spot = &w->spots[at];
	struct regex_progress *best = w->best;

	best->known = true;
	best->pattern_at = at;
	best->pattern_len = spot->len > 0 ? spot->len : item_len;
	/* PCRE2 gives an option before the end a length there, too. */
	if (best->pattern_len > w->pattern.len - at)
		best->pattern_len = w->pattern.len - at;
	if (w->spots[spot->run].run_end > 0)
		best->pattern_len = w->spots[spot->run].run_end - at;
	best->subject_at = w->furthest = subject_at;
	best->anywhere = spot->floats && spot->run == at;
	best->rank = spot->rank;
	best->passed_bytes = spot->passed;
	best->consumed_bytes = subject_at > w->start ? subject_at - w->start : 0;
	best->unit = unit_at(w->units, w->unit_count, at);
	if (best->unit < w->unit_count)
		best->unit_subject_at = w->spots[w->units[best->unit].start].reached;
}

/* A text that may stand anywhere and has hardly begun has not begun. */
static bool has_begun(const struct spot *spot, const struct spot *run)
{
	size_t begun = (run->run_len + 1) / 2;

	if (!spot->floats || spot->run_at == 0)
		return true;
	return spot->run_at >= (begun < LEAST_BEGUN ? LEAST_BEGUN : begun);
}

static void consider(struct watch *w, size_t at, size_t subject_at, size_t item_len)
{
	const struct spot *spot = &w->spots[at];
	struct regex_progress *best = w->best;
	size_t first = best->subject_at;
	bool looks_on;

	if (!has_begun(spot, &w->spots[spot->run])) {
		at = spot->run;
		spot = &w->spots[at];
		subject_at = spot->reached;
	}
	looks_on = best->known && best->anywhere && best->pattern_at == at;
	if (!best->known || spot->rank > best->rank ||
	    (spot->rank == best->rank && subject_at > w->furthest)) {
		take(w, at, subject_at, item_len);
		if (looks_on)
			best->subject_at = first;
	} else if (looks_on && subject_at < first) {
		best->subject_at = subject_at;
	}
}

static int on_callout(pcre2_callout_block *block, void *ctx)
{
	struct watch *w = ctx;
	size_t at = block->pattern_position;
	size_t origin = (size_t)((const char *)block->subject - w->subject.ptr);
	size_t subject_at = origin + block->current_position;

	if (block->callout_number != 255 || at > w->pattern.len ||
	    subject_at > w->subject.len)
		return 0;
	w->spots[at].reached = subject_at;
	w->start = origin + block->start_match;
	if (w->spots[at].counts)
		consider(w, at, subject_at, block->next_item_length);
	return 0;
}

static void match(struct watch *w, const pcre2_code *code, uint32_t match_steps)
{
	pcre2_match_context *context = pcre2_match_context_create(NULL);
	pcre2_match_data *data = pcre2_match_data_create_from_pattern(code, NULL);
	int rc;

	if (context && data) {
		pcre2_set_match_limit(context, match_steps);
		pcre2_set_depth_limit(context, match_steps);
		pcre2_set_heap_limit(context, HEAP_LIMIT_KIB);
		pcre2_set_callout(context, on_callout, w);
		rc = pcre2_match(code, (PCRE2_SPTR)w->subject.ptr, w->subject.len, 0, 0,
				 data, context);
		w->best->matched = rc >= 0;
		w->best->hit_limit = rc < 0 && rc != PCRE2_ERROR_NOMATCH;
	}
	pcre2_match_data_free(data);
	pcre2_match_context_free(context);
}

/* -- one pattern, many texts ---------------------------------------------- */

struct regex_ruler {
	pcre2_code *code;
	char *pattern; /* its own, and so are the places that lead into it */
	size_t pattern_len;
	struct spot *spots;
	struct regex_unit *units;
	size_t unit_count;
};

struct regex_ruler *regex_ruler_create(struct slice pattern,
				       const struct regex_unit *units,
				       size_t unit_count)
{
	int error;
	size_t offset;
	pcre2_code *code = regex_code(pattern,
				      PCRE2_AUTO_CALLOUT | PCRE2_NO_START_OPTIMIZE |
					      PCRE2_MATCH_INVALID_UTF,
				      &error, &offset);
	struct fold fold = {.pattern = pattern};
	struct regex_ruler *ruler;

	if (!code)
		return NULL;
	ruler = xcalloc(1, sizeof(*ruler));
	ruler->code = code;
	ruler->pattern = xstrndup(pattern.len > 0 ? pattern.ptr : "", pattern.len);
	ruler->pattern_len = pattern.len;
	ruler->spots = fold.spots = xcalloc(pattern.len + 1, sizeof(*fold.spots));
	ruler->units = xcalloc(unit_count, sizeof(*units));
	ruler->unit_count = unit_count;
	if (unit_count > 0)
		memcpy(ruler->units, units, unit_count * sizeof(*units));
	read_pattern(&fold);
	free(fold.groups);
	return ruler;
}

void regex_ruler_destroy(struct regex_ruler *ruler)
{
	if (!ruler)
		return;
	pcre2_code_free(ruler->code);
	free(ruler->pattern);
	free(ruler->spots);
	free(ruler->units);
	free(ruler);
}

struct regex_progress regex_ruler_measure(struct regex_ruler *ruler,
					  struct slice subject, uint32_t match_steps)
{
	struct regex_progress progress = {.unit = ruler->unit_count};
	struct watch watch = {.pattern = {ruler->pattern, ruler->pattern_len},
			      .spots = ruler->spots,
			      .units = ruler->units,
			      .unit_count = ruler->unit_count,
			      .subject = subject,
			      .best = &progress};

	watch.subject.ptr = subject.ptr ? subject.ptr : "";
	match(&watch, ruler->code, match_steps);
	return progress;
}

struct regex_progress regex_progress(struct slice pattern, struct slice subject,
				     const struct regex_unit *units, size_t unit_count,
				     uint32_t match_steps)
{
	struct regex_ruler *ruler = regex_ruler_create(pattern, units, unit_count);
	struct regex_progress progress = {.unit = unit_count};

	if (ruler)
		progress = regex_ruler_measure(ruler, subject, match_steps);
	regex_ruler_destroy(ruler);
	return progress;
}
