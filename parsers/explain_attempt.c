#include "parsers/explain_attempt.h"

#include <stdlib.h>

#include "common/hashmap.h"
#include "common/xalloc.h"
#include "parsers/regex_progress.h"

/* -- what was reached, in what was written -------------------------------- */

/* What was left out on the way, as in (?:optional )?, was not in the text. */
static double closeness(const struct regex_progress *p)
{
	size_t bytes = p->passed_bytes < p->consumed_bytes ? p->passed_bytes
							   : p->consumed_bytes;

	return (double)bytes + (double)p->rank / 100;
}

static void place(struct explained_attempt *a, const struct grok_map *map,
		  const struct regex_progress *p)
{
	struct slice pattern = regex_pattern(a->regex);

	a->known = p->known;
	a->hit_limit = p->hit_limit;
	a->anywhere = p->anywhere;
	a->subject_at = p->subject_at;
	a->closeness = closeness(p);
	if (!p->known)
		return;
	a->wanted = (struct slice){pattern.ptr + p->pattern_at, p->pattern_len};
	if (p->unit < map->count) {
		const struct grok_span *span = &map->spans[p->unit];

		a->written_at = span->from;
		a->reference = (struct slice){a->written.ptr + span->from,
					      span->to - span->from};
		if (p->subject_at == p->unit_subject_at || p->anywhere)
			a->wanted = a->reference;
	} else {
		a->written_at = grok_map_back(map, p->pattern_at);
	}
}

/* -- rulers, kept ---------------------------------------------------------- */

/* With where each %{NAME} went, which it was made with. */
struct ruler {
	struct regex_ruler *measure; /* NULL: the pattern does not compile so */
	struct grok_map map;
};

struct rulers {
	struct hashmap *by_regex;
};

static struct slice key_of(const struct regex *const *regex)
{
	return (struct slice){(const char *)regex, sizeof(*regex)};
}

static struct ruler *ruler_create(const struct attempt_context *context,
				  const struct regex *regex)
{
	struct ruler *ruler = xcalloc(1, sizeof(*ruler));
	struct regex_unit *units;

	ruler->map = grok_map(regex_written(regex), context->definitions,
			      context->definition_count);
	units = xcalloc(ruler->map.count, sizeof(*units));
	for (size_t i = 0; i < ruler->map.count; i++)
		units[i] = (struct regex_unit){ruler->map.spans[i].start,
					       ruler->map.spans[i].end};
	ruler->measure =
		regex_ruler_create(regex_pattern(regex), units, ruler->map.count);
	free(units);
	return ruler;
}

static void ruler_destroy(struct ruler *ruler)
{
	regex_ruler_destroy(ruler->measure);
	free(ruler->map.spans);
	free(ruler);
}

struct rulers *rulers_create(void)
{
	struct rulers *rulers = xcalloc(1, sizeof(*rulers));

	rulers->by_regex = hashmap_create();
	return rulers;
}

void rulers_destroy(struct rulers *rulers)
{
	struct slice key;
	size_t cursor = 0;
	void *ruler;

	if (!rulers)
		return;
	while (hashmap_next(rulers->by_regex, &cursor, &key, &ruler))
		ruler_destroy(ruler);
	hashmap_destroy(rulers->by_regex);
	free(rulers);
}

static struct ruler *ruler_of(const struct attempt_context *context,
			      const struct regex *regex)
{
	struct rulers *rulers = context->rulers;
	struct ruler *ruler =
		rulers ? hashmap_get(rulers->by_regex, key_of(&regex)) : NULL;

	if (ruler)
		return ruler;
	ruler = ruler_create(context, regex);
	if (rulers)
		hashmap_put(rulers->by_regex, key_of(&regex), ruler);
	return ruler;
}

/* -- what may be the reason ----------------------------------------------- */

/* Does the pattern, with that put before it, match? */
static bool would_match(const struct attempt_context *context, const char *before,
			struct slice pattern, struct slice subject)
{
	struct diag *ignored = diag_create();
	struct strbuf text = STRBUF_INIT;
	struct regex *regex;
	bool matches;

	strbuf_puts(&text, before);
	strbuf_add_slice(&text, pattern);
	regex = regex_compile(strbuf_slice(&text), (struct position){.file = ""},
			      ignored);
	matches = regex && regex_match(regex, context->scratch, subject) == REGEX_MATCH;
	regex_destroy(regex);
	strbuf_finish(&text);
	diag_destroy(ignored);
	return matches;
}

static const char *hint_at_stop(const struct explained_attempt *a)
{
	struct slice rest = {a->subject.ptr + a->subject_at,
			     a->subject.len - a->subject_at};

	if (!a->known || a->anywhere)
		return NULL;
	if (slice_is(a->wanted, "$") && rest.len > 0 && slice_trim(rest).len == 0)
		return slice_starts(rest, "\r")
			       ? "a carriage return stands before the end: write \\s*$"
			       : "blanks stand before the end: write \\s*$";
	if (slice_starts(a->wanted, " ") && slice_starts(rest, "\t"))
		return "a tab stands where the pattern has a space: write \\s";
	if (slice_starts(a->wanted, " ") && slice_starts(rest, "\xc2\xa0"))
		return "a no-break space stands where the pattern has a space";
	if (a->subject_at > 0 && slice_starts(rest, " ") &&
	    a->subject.ptr[a->subject_at - 1] == ' ' && !slice_starts(a->wanted, " "))
		return "several spaces stand where the pattern has one: write ' +'";
	return NULL;
}

const char *explain_hint(const struct explained_attempt *a)
{
	const struct attempt_context *context = &a->context;
	struct slice pattern = regex_pattern(a->regex);
	const char *at_stop = hint_at_stop(a);

	if (at_stop)
		return at_stop;
	if (would_match(context, "(?i)", pattern, a->subject))
		return "only the case of letters differs: (?i) at the start ignores it";
	if (pattern.len > 1 && pattern.ptr[0] == '^' &&
	    would_match(context, "", (struct slice){pattern.ptr + 1, pattern.len - 1},
			a->subject))
		return "it matches without ^: something stands before it";
	if (context->line.ptr && would_match(context, "", pattern, context->line))
		return arena_printf(context->arena,
				    "it matches the whole line, but looks at %s: "
				    "write in: _line",
				    context->field);
	return NULL;
}

struct explained_attempt explain_attempt(const struct attempt_context *context,
					 const struct regex *regex,
					 struct slice subject)
{
	struct explained_attempt a = {.context = *context,
				      .regex = regex,
				      .written = regex_written(regex),
				      .subject = subject};
	struct ruler *ruler = ruler_of(context, regex);
	struct regex_progress progress = {.unit = ruler->map.count};

	if (ruler->measure)
		progress = regex_ruler_measure(ruler->measure, subject,
					       context->match_steps);
	place(&a, &ruler->map, &progress);
	if (!context->rulers)
		ruler_destroy(ruler);
	return a;
}
