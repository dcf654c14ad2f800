#include "parsers/regex_shape.h"

#include <stdint.h>
#include <stdlib.h>

#include "common/strbuf.h"
#include "common/xalloc.h"
#include "parsers/regex_code.h"
#include "parsers/regex_items.h"

/* ASCII, a letter that is not, and a character that is none. */
#define CHARACTERS 130
#define WIDE 64 /* characters of a class that takes almost anything */
#define MOST_LOOPS 64

struct charset {
	uint64_t bits[3];
};

struct quantifier {
	bool optional, unbounded, possessive;
};

/* Something repeated without bound that may still take what comes. */
struct loop {
	struct charset takes;
	size_t at;
	bool is_last; /* all behind it may be empty */
};

/* A run of items, or alternatives of such. */
struct run {
	struct charset first; /* characters that it can begin with */
	bool nullable;
	struct loop loops[MOST_LOOPS];
	size_t loop_count;
};

struct frame {
	struct run now, all; /* the alternative; those before it */
	bool atomic, aside;  /* (?>; what it takes is not taken here */
	bool any_before;
};

struct fold {
	struct slice pattern;
	struct frame *frames;
	size_t depth;
	void (*found)(void *ctx, enum shape_flaw flaw, size_t at);
	void *ctx;
};

/* -- sets of characters --------------------------------------------------- */

static const char *character(unsigned i, char *one)
{
	one[0] = (char)i;
	one[1] = '\0';
	return i < 128 ? one : i == 128 ? "\xc3\xa9" : "\xe6\x97\xa5";
}

static void add_character(struct charset *set, unsigned i)
{
	set->bits[i / 64] |= UINT64_C(1) << i % 64;
}

static struct charset both(struct charset a, struct charset b)
{
	for (int i = 0; i < 3; i++)
		a.bits[i] |= b.bits[i];
	return a;
}

static bool overlap(struct charset a, struct charset b)
{
	return (a.bits[0] & b.bits[0]) || (a.bits[1] & b.bits[1]) ||
	       (a.bits[2] & b.bits[2]);
}

static bool same(struct charset a, struct charset b)
{
	return memcmp(&a, &b, sizeof(a)) == 0;
}

static bool is_empty(struct charset a)
{
	return !overlap(a, a);
}

static int size_of(struct charset a)
{
	return __builtin_popcountll(a.bits[0]) + __builtin_popcountll(a.bits[1]) +
	       __builtin_popcountll(a.bits[2]);
}

static bool matches(const pcre2_code *code, pcre2_match_data *data, const char *text,
		    size_t len)
{
	return pcre2_match(code, (PCRE2_SPTR)text, len, 0, 0, data, NULL) >= 0;
}

/* The single characters that the piece of a pattern matches; none if it is no piece. */
static struct charset takes(struct slice piece)
{
	struct strbuf text = STRBUF_INIT;
	struct charset set = {{0}};
	pcre2_match_data *data = pcre2_match_data_create(4, NULL);
	pcre2_code *code;
	size_t offset;
	int error;

	strbuf_puts(&text, "\\A(?:");
	strbuf_add_slice(&text, piece);
	strbuf_puts(&text, ")\\z");
	code = regex_code(strbuf_slice(&text), 0, &error, &offset);
	for (unsigned i = 0; code && data && i < CHARACTERS; i++) {
		char one[2];
		const char *subject = character(i, one);

		if (matches(code, data, subject, i == 0 ? 1 : strlen(subject)))
			add_character(&set, i);
	}
	pcre2_code_free(code);
	pcre2_match_data_free(data);
	strbuf_finish(&text);
	return set;
}

/* -- quantifiers ---------------------------------------------------------- */

static bool compiles(struct slice piece)
{
	int error;
	size_t offset;
	pcre2_code *code = regex_code(piece, 0, &error, &offset);

	pcre2_code_free(code);
	return code != NULL;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Length of the {n}, {n,} or {n,m} at the end of the text; 0: none is there. */
static size_t braces_len(struct slice text, struct quantifier *q)
{
	size_t i = text.len;
	bool open_ended = false, zero = true;

	if (i == 0 || text.ptr[--i] != '}')
		return 0;
	for (size_t digits = 0; i > 0; i--) {
		char c = text.ptr[i - 1];

		if (c == '{' && digits > 0)
			break;
		if (c == ',' && digits == 0)
			open_ended = true;
		else if (c == ',')
			zero = true;
		else if (!is_digit(c))
			return 0;
		zero = c == ',' ? true : zero && c == '0';
		digits += c != ',' || digits > 0;
	}
	if (i == 0)
		return 0;
	q->unbounded = open_ended;
	q->optional = zero;
	return text.len - i + 1;
}

static size_t quantifier_len(struct slice text, struct quantifier *q)
{
	char last = text.len > 0 ? text.ptr[text.len - 1] : '\0';

	*q = (struct quantifier){false, false, false};
	if (last == '*' || last == '+') {
		q->unbounded = true;
		q->optional = last == '*';
		return 1;
	}
	if (last == '?') {
		q->optional = true;
		return 1;
	}
	return braces_len(text, q);
}

/*
 * Takes the quantifier off the end of an item.  PCRE2 says whether what is left is
 * whole: \+ ends in a plus sign that is none.
 */
static struct quantifier take_quantifier(struct slice *item)
{
	struct quantifier q, inner;
	char last = item->len > 0 ? item->ptr[item->len - 1] : '\0';
	struct slice rest = *item;
	size_t len;

	if (last == '?' || last == '+') {
		rest.len--;
		len = quantifier_len(rest, &inner);
		rest.len -= len;
		if (len > 0 && rest.len > 0 && compiles(rest)) {
			inner.possessive = last == '+';
			*item = rest;
			return inner;
		}
	}
	rest = *item;
	len = quantifier_len(rest, &q);
	rest.len -= len;
	if (len > 0 && rest.len > 0 && compiles(rest)) {
		*item = rest;
		return q;
	}
	return (struct quantifier){false, false, false};
}

/* Of a group, whose last item is its `)`. */
static struct quantifier close_quantifier(struct slice source)
{
	struct strbuf text = STRBUF_INIT;
	struct slice group;
	struct quantifier q;

	strbuf_puts(&text, "(a");
	strbuf_add_slice(&text, source);
	group = strbuf_slice(&text);
	q = take_quantifier(&group);
	strbuf_finish(&text);
	return q;
}

/* -- runs ----------------------------------------------------------------- */

static void start_run(struct run *run)
{
	run->first = (struct charset){{0}};
	run->nullable = true;
	run->loop_count = 0;
}

static void add_loop(struct run *run, struct loop loop)
{
	if (run->loop_count < MOST_LOOPS)
		run->loops[run->loop_count++] = loop;
}

/* What must come now takes part of what a loop could, or ends it. */
static void pass_loops(struct run *run, struct charset first)
{
	size_t kept = 0;

	for (size_t i = 0; i < run->loop_count; i++) {
		run->loops[i].is_last = false;
		if (overlap(run->loops[i].takes, first))
			run->loops[kept++] = run->loops[i];
	}
	run->loop_count = kept;
}

static void begin_with(struct run *run, struct charset first, bool nullable)
{
	if (run->nullable)
		run->first = both(run->first, first);
	run->nullable &= nullable;
}

static void append_item(struct fold *f, struct run *run, struct charset set,
			struct quantifier q, size_t at)
{
	bool loops = q.unbounded && !q.possessive && !is_empty(set);

	for (size_t i = 0; loops && i < run->loop_count; i++) {
		if (run->loops[i].is_last && same(run->loops[i].takes, set)) {
			f->found(f->ctx, SHAPE_ADJACENT, at);
			break;
		}
	}
	if (!q.optional)
		pass_loops(run, set);
	begin_with(run, set, q.optional);
	if (loops)
		add_loop(run, (struct loop){set, at, true});
}

static void append_run(struct run *run, const struct run *inner, bool nullable)
{
	if (!nullable)
		pass_loops(run, inner->first);
	begin_with(run, inner->first, nullable);
	for (size_t i = 0; i < inner->loop_count; i++)
		add_loop(run, inner->loops[i]);
}

/* Something that is not understood, or stands between characters, ends all loops. */
static void append_wall(struct run *run)
{
	run->loop_count = 0;
}

/* -- groups --------------------------------------------------------------- */

static void open_group(struct fold *f, const struct regex_item *item)
{
	struct frame *frame;

	f->frames = xgrow(f->frames, f->depth, sizeof(*f->frames));
	frame = &f->frames[f->depth++];
	frame->atomic = slice_is(item->source, "(?>");
	frame->aside = item->kind != ITEM_OPEN;
	frame->any_before = false;
	start_run(&frame->now);
}

static void end_alternative(struct frame *frame)
{
	if (!frame->any_before) {
		frame->all = frame->now;
	} else {
		frame->all.first = both(frame->all.first, frame->now.first);
		frame->all.nullable |= frame->now.nullable;
		for (size_t i = 0; i < frame->now.loop_count; i++)
			add_loop(&frame->all, frame->now.loops[i]);
	}
	frame->any_before = true;
	start_run(&frame->now);
}

/* Each repetition can begin with what one within the last could go on with. */
static void check_nested(struct fold *f, const struct run *body)
{
	for (size_t i = 0; i < body->loop_count; i++) {
		if (overlap(body->loops[i].takes, body->first)) {
			f->found(f->ctx, SHAPE_NESTED, body->loops[i].at);
			return;
		}
	}
}

static void close_group(struct fold *f, const struct regex_item *item)
{
	struct frame *frame = &f->frames[f->depth - 1];
	struct run *outer = &f->frames[f->depth - 2].now, *body = &frame->all;
	struct quantifier q = close_quantifier(item->source);
	size_t at = (size_t)(item->source.ptr - f->pattern.ptr);

	end_alternative(frame);
	f->depth--;
	if (frame->aside) {
		append_wall(outer);
		return;
	}
	if (frame->atomic)
		body->loop_count = 0;
	if (q.unbounded && !q.possessive)
		check_nested(f, body);
	if (q.possessive)
		body->loop_count = 0;
	else if (q.unbounded)
		add_loop(body, (struct loop){body->first, at, false});
	append_run(outer, body, body->nullable || q.optional);
}

static void on_item(void *ctx, const struct regex_item *item)
{
	struct fold *f = ctx;
	struct run *run = &f->frames[f->depth - 1].now;
	size_t at = (size_t)(item->source.ptr - f->pattern.ptr);
	struct slice source = item->source;
	struct quantifier q;
	struct charset set;

	switch (item->kind) {
	case ITEM_OPEN:
	case ITEM_OPEN_LOOK:
	case ITEM_OPEN_DARK:
		open_group(f, item);
		break;
	case ITEM_CLOSE:
		if (f->depth > 1)
			close_group(f, item);
		break;
	case ITEM_BAR:
		end_alternative(&f->frames[f->depth - 1]);
		break;
	case ITEM_OPTIONS:
		break;
	case ITEM_NOTHING:
		append_wall(run);
		break;
	default:
		q = take_quantifier(&source);
		set = takes(source);
		if (is_empty(set))
			append_wall(run);
		append_item(f, run, set, q, at);
	}
}

void regex_flaws(struct slice pattern,
		 void (*found)(void *ctx, enum shape_flaw flaw, size_t at), void *ctx)
{
	struct fold fold = {.pattern = pattern, .found = found, .ctx = ctx};
	const struct regex_item whole = {.kind = ITEM_OPEN, .source = {"(", 1}};

	open_group(&fold, &whole);
	regex_items(pattern, on_item, &fold);
	free(fold.frames);
}

/* -- captures ------------------------------------------------------------- */

struct search {
	const char *name;
	size_t depth; /* within the group; 0: outside of it */
	bool found;
};

static bool opens(struct slice source, const char *name)
{
	struct slice rest = source;

	if (!slice_starts(rest, "(?"))
		return false;
	rest = (struct slice){rest.ptr + 2, rest.len - 2};
	if (slice_starts(rest, "P"))
		rest = (struct slice){rest.ptr + 1, rest.len - 1};
	return rest.len == strlen(name) + 2 &&
	       (rest.ptr[0] == '<' || rest.ptr[0] == '\'') &&
	       memcmp(rest.ptr + 1, name, rest.len - 2) == 0;
}

static void look_into(void *ctx, const struct regex_item *item)
{
	struct search *s = ctx;
	struct slice source = item->source;
	bool opening = item->kind == ITEM_OPEN || item->kind == ITEM_OPEN_LOOK ||
		       item->kind == ITEM_OPEN_DARK;

	if (opening && (s->depth > 0 || opens(source, s->name)))
		s->depth++;
	else if (item->kind == ITEM_CLOSE && s->depth > 0)
		s->depth--;
	else if (s->depth == 1 && item->kind == ITEM_OTHER &&
		 take_quantifier(&source).unbounded)
		s->found |= size_of(takes(source)) > WIDE;
}

bool regex_group_is_unbounded(struct slice pattern, const char *name)
{
	struct search search = {.name = name};

	return regex_items(pattern, look_into, &search) && search.found;
}
