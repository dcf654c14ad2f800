#include "parsers/grok.h"

#include <stdlib.h>

#include "common/suggest.h"
#include "common/xalloc.h"
#include "parsers/grok_patterns.h"

#define MAX_EXPANDED_BYTES ((size_t)256 * 1024)
#define MAX_DEPTH 100
#define MAX_CAPTURE_BYTES 32 /* PCRE2's limit */

/* The definition being expanded, and the one that uses it. */
struct frame {
	const char *name; /* NULL: the pattern itself */
	const struct frame *above;
	int depth;
};

struct expansion {
	const struct grok_definition *definitions;
	size_t count;
	struct strbuf *out;
	size_t start; /* of what is being appended */
	struct diag *diag;
	struct grok_map *map; /* NULL: not wanted */
	bool failed;
};

/* %{name:capture:type} in a pattern. */
struct reference {
	struct slice whole;
	struct slice name;
	struct slice capture; /* len 0: none */
};

const char *grok_builtin_name(size_t index)
{
	return grok_patterns[index].name;
}

const char *grok_builtin_pattern(size_t index)
{
	return grok_patterns[index].pattern;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_word(char c)
{
	return is_digit(c) || c == '_' || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

static bool is_name(struct slice text)
{
	for (size_t i = 0; i < text.len; i++)
		if (!is_word(text.ptr[i]))
			return false;
	return text.len > 0;
}

static bool is_capture_name(struct slice text)
{
	return is_name(text) && !is_digit(text.ptr[0]) && text.len <= MAX_CAPTURE_BYTES;
}

/* Takes the text up to the next colon off `rest`. */
static struct slice take_part(struct slice *rest)
{
	const char *colon = rest->len > 0 ? memchr(rest->ptr, ':', rest->len) : NULL;
	size_t len = colon ? (size_t)(colon - rest->ptr) : rest->len;
	struct slice part = {rest->ptr, len};

	rest->ptr += colon ? len + 1 : len;
	rest->len -= colon ? len + 1 : len;
	return part;
}

/* Puts the pattern, with a caret at byte `at` of it, under an error. */
static void show(const struct expansion *e, struct slice pattern, size_t at)
{
	diag_excerpt(e->diag, pattern, at);
}

static void report_syntax(struct expansion *e, struct position at, struct slice pattern,
			  size_t offset)
{
	diag_error(
		e->diag, at,
		"write %{NAME} or %{NAME:capture}; the characters themselves are \\%{",
		"this is not a grok reference");
	show(e, pattern, offset);
	e->failed = true;
}

static void report_unknown(struct expansion *e, struct position at,
			   struct slice pattern, const struct reference *ref)
{
	const char **names = NULL;
	size_t count = 0;
	char *typed = xstrndup(ref->name.ptr, ref->name.len);
	char *instead = NULL;
	const char *closest;

	for (; count < e->count; count++) {
		names = xgrow(names, count, sizeof(const char *));
		names[count] = e->definitions[count].name;
	}
	for (size_t i = 0; grok_patterns[i].name; i++, count++) {
		names = xgrow(names, count, sizeof(const char *));
		names[count] = grok_patterns[i].name;
	}
	closest = suggest_closest(typed, names, count);
	if (closest)
		instead = xasprintf("did you mean %%{%s}?", closest);
	diag_error(e->diag, at, instead ? instead : "define it under `definitions`",
		   "no pattern has the name %s", typed);
	show(e, pattern, (size_t)(ref->name.ptr - pattern.ptr));
	free(instead);
	free(typed);
	free(names);
	e->failed = true;
}

static void report_capture(struct expansion *e, struct position at,
			   struct slice pattern, const struct reference *ref)
{
	struct strbuf instead = STRBUF_INIT;

	strbuf_addf(&instead, "write %%{%.*s:%s", SLICE_ARG(ref->name),
		    is_digit(ref->capture.ptr[0]) ? "_" : "");
	for (size_t i = 0; i < ref->capture.len && i < MAX_CAPTURE_BYTES; i++) {
		bool word = is_word(ref->capture.ptr[i]);
		bool is_edge = i == 0 || i + 1 == ref->capture.len;
		bool doubled = instead.ptr[instead.len - 1] == '_';

		if (word || (!is_edge && !doubled))
			strbuf_putc(&instead, word ? ref->capture.ptr[i] : '_');
	}
	strbuf_putc(&instead, '}');
	diag_error(
		e->diag, at, instead.ptr,
		"a capture's name has up to %d letters, digits and _, no digit first",
		MAX_CAPTURE_BYTES);
	show(e, pattern, (size_t)(ref->capture.ptr - pattern.ptr));
	strbuf_finish(&instead);
	e->failed = true;
}

static void add_chain(struct strbuf *out, const struct frame *frame)
{
	if (frame->above && frame->above->name)
		add_chain(out, frame->above);
	strbuf_addf(out, "%s -> ", frame->name);
}

static void report_cycle(struct expansion *e, struct position at,
			 const struct frame *frame, const char *name)
{
	struct strbuf chain = STRBUF_INIT;

	add_chain(&chain, frame);
	diag_error(e->diag, at, NULL, "the definition %s uses itself: %s%s", name,
		   chain.ptr, name);
	strbuf_finish(&chain);
	e->failed = true;
}

static bool is_open(const struct frame *frame, const char *name)
{
	for (; frame && frame->name; frame = frame->above)
		if (strcmp(frame->name, name) == 0)
			return true;
	return false;
}

static const struct grok_definition *find_definition(const struct expansion *e,
						     struct slice name)
{
	for (size_t i = 0; i < e->count; i++)
		if (slice_is(name, e->definitions[i].name))
			return &e->definitions[i];
	return NULL;
}

static const struct grok_pattern *find_builtin(struct slice name)
{
	for (size_t i = 0; grok_patterns[i].name; i++)
		if (slice_is(name, grok_patterns[i].name))
			return &grok_patterns[i];
	return NULL;
}

static void expand(struct expansion *e, struct slice pattern, struct position at,
		   const struct frame *frame);

static void expand_definition(struct expansion *e, const char *name,
			      struct slice pattern, struct position at,
			      const struct frame *frame)
{
	struct frame inner = {name, frame, frame->depth + 1};

	if (is_open(frame, name)) {
		report_cycle(e, at, frame, name);
	} else if (inner.depth > MAX_DEPTH) {
		diag_error(e->diag, at, NULL, "definitions nest deeper than %d levels",
			   MAX_DEPTH);
		e->failed = true;
	} else {
		expand(e, pattern, at, &inner);
	}
}

/* What stands in a definition is wrong where the definition stands. */
static void add_reference(struct expansion *e, struct slice pattern, struct position at,
			  const struct reference *ref, const struct frame *frame)
{
	const struct grok_definition *own = find_definition(e, ref->name);
	const struct grok_pattern *builtin = own ? NULL : find_builtin(ref->name);

	if (!own && !builtin) {
		report_unknown(e, at, pattern, ref);
		return;
	}
	if (ref->capture.len > 0 && !is_capture_name(ref->capture)) {
		report_capture(e, at, pattern, ref);
		return;
	}
	if (ref->capture.len > 0)
		strbuf_addf(e->out, "(?<%.*s>", SLICE_ARG(ref->capture));
	else
		strbuf_puts(e->out, "(?:");
	if (own)
		expand_definition(e, own->name, own->pattern, own->at, frame);
	else
		expand_definition(e, builtin->name, slice_of(builtin->pattern), at,
				  frame);
	strbuf_putc(e->out, ')');
}

/* %{2} and %{1,3}: a percent sign that is repeated. */
static bool is_quantifier(struct slice inner)
{
	for (size_t i = 0; i < inner.len; i++)
		if (!is_digit(inner.ptr[i]) && inner.ptr[i] != ',')
			return false;
	return inner.len > 0 && is_digit(inner.ptr[0]);
}

/* The %{...} at byte `i`; returns where the pattern goes on. */
static size_t expand_reference(struct expansion *e, struct slice pattern, size_t i,
			       struct position at, const struct frame *frame)
{
	const char *open = pattern.ptr + i + 2;
	const char *close = memchr(open, '}', pattern.len - i - 2);
	struct slice inner = {open, close ? (size_t)(close - open) : 0}, rest = inner;
	struct reference ref;

	if (!close) {
		diag_error(
			e->diag, at,
			"write } behind the name; the characters themselves are \\%{",
			"a %%{ is never closed");
		show(e, pattern, i);
		e->failed = true;
		return pattern.len;
	}
	ref.whole = (struct slice){pattern.ptr + i, inner.len + 3};
	ref.name = take_part(&rest);
	ref.capture = take_part(&rest);
	if (is_quantifier(inner))
		strbuf_add_slice(e->out, ref.whole);
	else if (!is_name(ref.name))
		report_syntax(e, at, pattern, i);
	else
		add_reference(e, pattern, at, &ref, frame);
	return i + ref.whole.len;
}

static void note_span(struct expansion *e, size_t from, size_t to, size_t start)
{
	struct grok_map *map = e->map;

	map->spans = xgrow(map->spans, map->count, sizeof(*map->spans));
	map->spans[map->count++] =
		(struct grok_span){from, to, start - e->start, e->out->len - e->start};
}

static void expand(struct expansion *e, struct slice pattern, struct position at,
		   const struct frame *frame)
{
	for (size_t i = 0; i < pattern.len;) {
		if (e->out->len - e->start > MAX_EXPANDED_BYTES ||
		    (e->failed && frame->name))
			return;
		if (pattern.ptr[i] == '%' && i + 1 < pattern.len &&
		    pattern.ptr[i + 1] == '{') {
			size_t from = i, start = e->out->len;

			i = expand_reference(e, pattern, i, at, frame);
			if (e->map && !frame->name)
				note_span(e, from, i, start);
			continue;
		}
		strbuf_putc(e->out, pattern.ptr[i]);
		if (pattern.ptr[i++] == '\\' && i < pattern.len)
			strbuf_putc(e->out, pattern.ptr[i++]);
	}
}

bool grok_expand(struct slice pattern, struct position at,
		 const struct grok_definition *definitions, size_t count,
		 struct strbuf *out, struct diag *diag)
{
	struct frame top = {NULL, NULL, 0};
	struct expansion e = {
		.definitions = definitions,
		.count = count,
		.out = out,
		.start = out->len,
		.diag = diag,
	};

	expand(&e, pattern, at, &top);
	if (out->len - e.start > MAX_EXPANDED_BYTES && !e.failed) {
		diag_error(diag, at, "use fewer definitions within definitions",
			   "the pattern has more than %zu bytes with its definitions",
			   MAX_EXPANDED_BYTES);
		return false;
	}
	return !e.failed;
}

struct grok_map grok_map(struct slice pattern,
			 const struct grok_definition *definitions, size_t count)
{
	struct frame top = {NULL, NULL, 0};
	struct strbuf out = STRBUF_INIT;
	struct diag *ignored = diag_create();
	struct grok_map map = {NULL, 0};
	struct expansion e = {
		.definitions = definitions,
		.count = count,
		.out = &out,
		.diag = ignored,
		.map = &map,
	};

	expand(&e, pattern, (struct position){.file = ""}, &top);
	diag_destroy(ignored);
	strbuf_finish(&out);
	return map;
}

size_t grok_map_back(const struct grok_map *map, size_t at)
{
	size_t offset = at;

	for (size_t i = 0; i < map->count && map->spans[i].start <= at; i++) {
		const struct grok_span *span = &map->spans[i];

		offset = at < span->end ? span->from : span->to + (at - span->end);
	}
	return offset;
}
