#include "parsers/yaml_repair.h"

#include <stdio.h>
#include <string.h>
#include <yaml.h>

#include "parsers/yaml_lines.h"

#define MAX_REPAIRS 200
#define MAX_SCAN_DEPTH 200     /* the tree's limit, which is reported, is lower */
#define LONGEST_SUGGESTION 160 /* bytes; longer ones do not help */

/* Why and where libyaml stopped; offsets in bytes. */
struct failure {
	const char *problem;
	const char *context;
	size_t at;
	size_t context_at;
	bool in_flow;
	/* The scalar before it; quote is 0 if it was not quoted. */
	char quote;
	size_t scalar_from, scalar_to;
};

/* Says that text[from, to) should read `meant` in single quotes, and makes it so. */
static bool quote(struct yaml_source *s, size_t from, size_t to, struct slice meant,
		  struct diag *diag, const char *what)
{
	struct strbuf quoted = STRBUF_INIT, instead = STRBUF_INIT;

	yaml_quote(&quoted, meant);
	if (quoted.len <= LONGEST_SUGGESTION)
		strbuf_addf(&instead, "write %s", quoted.ptr);
	else
		strbuf_puts(&instead, "put it in single quotes");
	diag_error(diag, yaml_source_position(s, from), instead.ptr, "%s", what);
	yaml_source_splice(s, from, to, strbuf_slice(&quoted));
	strbuf_finish(&quoted);
	strbuf_finish(&instead);
	return true;
}

static bool quote_as_is(struct yaml_source *s, size_t from, size_t to,
			struct diag *diag, const char *what)
{
	return quote(s, from, to, yaml_text(s, from, to), diag, what);
}

/* In libyaml's own words: nothing is known that would mend it. */
static bool explain_other(struct yaml_source *s, const struct failure *f,
			  struct diag *diag)
{
	diag_error(diag, yaml_source_position(s, f->at), NULL, "not valid YAML: %s%s%s",
		   f->problem, f->context ? " " : "", f->context ? f->context : "");
	return false;
}

static bool explain_tab(struct yaml_source *s, const struct failure *f,
			struct diag *diag)
{
	size_t offset = f->at;
	struct yaml_line l = yaml_line_at(s, offset);
	size_t tab = l.from;

	while (yaml_text_at(s, tab) == ' ')
		tab++;
	if (yaml_text_at(s, tab) == '\t')
		offset = tab;
	diag_error(diag, yaml_source_position(s, offset), "indent with spaces",
		   "a tab stands where YAML allows only spaces");
	return false;
}

/* A value at `offset` begins with a character that YAML keeps for itself. */
static bool quote_start(struct yaml_source *s, const struct failure *f, size_t offset,
			struct diag *diag)
{
	struct yaml_line l = yaml_line_at(s, offset);
	char what[80];

	snprintf(what, sizeof(what), "a value that begins with %c must stand in quotes",
		 yaml_text_at(s, offset));
	if (f->in_flow)
		return quote_as_is(s, offset, yaml_flow_value_end(s, offset), diag,
				   what);
	if (l.value == offset && l.value_to > offset)
		return quote_as_is(s, offset, l.value_to, diag, what);
	return explain_other(s, f, diag);
}

static bool explain_start(struct yaml_source *s, const struct failure *f,
			  struct diag *diag)
{
	if (yaml_text_at(s, f->at) == '\t')
		return explain_tab(s, f, diag);
	return quote_start(s, f, f->at, diag);
}

/* An alias, an anchor, a tag or a block scalar that is none: it began earlier. */
static bool explain_context_start(struct yaml_source *s, const struct failure *f,
				  struct diag *diag)
{
	return quote_start(s, f, f->context_at, diag);
}

/* Behind the closing quote on this line; 0 if there is none. */
static size_t behind_double_quoted(const struct yaml_source *s, size_t from)
{
	for (size_t i = from + 1; !yaml_is_end(yaml_text_at(s, i)); i++) {
		if (yaml_text_at(s, i) == '"')
			return i + 1;
		if (yaml_text_at(s, i) == '\\' && !yaml_is_end(yaml_text_at(s, i + 1)))
			i++;
	}
	return 0;
}

/* What was meant by double-quoted text: only \" and \\ lose their backslash. */
static void unescape(struct strbuf *out, struct slice inner)
{
	for (size_t i = 0; i < inner.len; i++) {
		bool escape = inner.ptr[i] == '\\' && i + 1 < inner.len &&
			      strchr("\"\\", inner.ptr[i + 1]);

		strbuf_putc(out, inner.ptr[escape ? ++i : i]);
	}
}

static bool explain_escape(struct yaml_source *s, const struct failure *f,
			   struct diag *diag)
{
	size_t from = f->context_at, to = behind_double_quoted(s, from);
	size_t escape = f->at;
	struct strbuf meant = STRBUF_INIT;
	char what[80];

	while (escape > from && yaml_text_at(s, escape) != '\\')
		escape--;
	snprintf(what, sizeof(what), "%.*s is not an escape that double quotes know",
		 SLICE_ARG(yaml_text(s, escape, escape + 2)));
	if (to == 0) {
		diag_error(diag, yaml_source_position(s, from),
			   "put the value in single quotes", "%s", what);
		return false;
	}
	unescape(&meant, yaml_text(s, from + 1, to - 1));
	quote(s, from, to, strbuf_slice(&meant), diag, what);
	strbuf_finish(&meant);
	return true;
}

/* The quote at `from` closes on another line or never: close it on its own. */
static bool close_quote(struct yaml_source *s, size_t from, bool in_flow,
			struct diag *diag)
{
	struct yaml_line l = yaml_line_at(s, from);
	size_t to = yaml_trim_end(s, from, l.to);
	struct strbuf instead = STRBUF_INIT;
	char quote_mark[2] = {yaml_text_at(s, from), '\0'};
	bool known = !in_flow && l.value == from && to > from + 1;

	if (known && to - from < LONGEST_SUGGESTION)
		strbuf_addf(&instead, "write %.*s%s", SLICE_ARG(yaml_text(s, from, to)),
			    quote_mark);
	else
		strbuf_addf(&instead, "write %s at the end of the value", quote_mark);
	diag_error(diag, yaml_source_position(s, from), instead.ptr,
		   "the quote that opens here is not closed on this line");
	if (known)
		yaml_source_splice(s, to, to, slice_of(quote_mark));
	strbuf_finish(&instead);
	return known;
}

static bool explain_open_quote(struct yaml_source *s, const struct failure *f,
			       struct diag *diag)
{
	return close_quote(s, f->context_at, f->in_flow, diag);
}

/* `key:value`: no blank behind the colon. */
static bool lacks_blank(const struct yaml_source *s, const struct yaml_line *l)
{
	size_t key = yaml_key_end(s, l->text);

	return !l->has_key && key > l->text && yaml_text_at(s, key) == ':' &&
	       key + 1 < l->to;
}

static bool add_blank(struct yaml_source *s, const struct yaml_line *l,
		      struct diag *diag)
{
	size_t colon = yaml_key_end(s, l->text);
	struct strbuf instead = STRBUF_INIT;

	strbuf_addf(
		&instead, "write %.*s: %.*s", SLICE_ARG(yaml_text(s, l->text, colon)),
		SLICE_ARG(yaml_text(s, colon + 1, yaml_value_end(s, l->text, l->to))));
	diag_error(diag, yaml_source_position(s, colon),
		   instead.len <= LONGEST_SUGGESTION ? instead.ptr
						     : "write a space there",
		   "a space must follow the colon of a key");
	yaml_source_splice(s, colon + 1, colon + 1, slice_of(" "));
	strbuf_finish(&instead);
	return true;
}

/* Text that is no `key: value` where only that can stand. */
static bool report_no_key(struct yaml_source *s, const struct yaml_line *l,
			  struct diag *diag)
{
	struct slice text = yaml_text(s, l->text, yaml_trim_end(s, l->text, l->to));

	diag_error(diag, yaml_source_position(s, l->text),
		   "write a key and its value as `key: value`",
		   "`%.*s` is neither a key nor the value of one",
		   (int)(text.len < LONGEST_SUGGESTION ? text.len : LONGEST_SUGGESTION),
		   text.ptr);
	return false;
}

/* A colon and a blank within a plain value, or a line that is out of place. */
static bool explain_colon(struct yaml_source *s, const struct failure *f,
			  struct diag *diag)
{
	struct yaml_line l = yaml_line_at(s, f->at), above = l;

	if (l.has_key && f->at > l.colon && !strchr("'\"", yaml_text_at(s, l.value)))
		return quote_as_is(s, l.value, l.value_to, diag,
				   "a value that holds a colon and a space must stand "
				   "in quotes");
	if (!yaml_line_above(s, &above) || !l.has_key || f->at != l.colon)
		return explain_other(s, f, diag);
	if (lacks_blank(s, &above))
		return add_blank(s, &above, diag);
	if (!above.has_key)
		return report_no_key(s, &above, diag);
	diag_error(diag, yaml_source_position(s, l.text),
		   "give both lines the same indentation",
		   "this line is indented deeper than the one above, which already has "
		   "a value");
	return false;
}

static bool explain_no_colon(struct yaml_source *s, const struct failure *f,
			     struct diag *diag)
{
	struct yaml_line l = yaml_line_at(s, f->context_at);
	char mark = yaml_text_at(s, f->context_at);

	if (f->in_flow)
		return explain_other(s, f, diag);
	if (lacks_blank(s, &l))
		return add_blank(s, &l, diag);
	if (mark == '\'' || mark == '"')
		return close_quote(s, f->context_at, false, diag);
	return report_no_key(s, &l, diag);
}

/* It's: a quote ended the text in the middle of a word. */
static bool double_apostrophe(struct yaml_source *s, const struct failure *f,
			      size_t last_quote, struct diag *diag)
{
	struct slice inner = yaml_text(s, f->scalar_from + 1, last_quote);
	struct strbuf meant = STRBUF_INIT;

	for (size_t i = 0; i < inner.len; i++) {
		strbuf_putc(&meant, inner.ptr[i]);
		if (inner.ptr[i] == '\'' && i + 1 < inner.len &&
		    inner.ptr[i + 1] == '\'')
			i++;
	}
	quote(s, f->scalar_from, last_quote + 1, strbuf_slice(&meant), diag,
	      f->quote == '\'' ? "a ' within single quotes is written twice"
			       : "a \" within double quotes ends them");
	strbuf_finish(&meant);
	return true;
}

static bool explain_after_quote(struct yaml_source *s, const struct failure *f,
				struct diag *diag)
{
	struct yaml_line l = yaml_line_at(s, f->at);
	size_t last = yaml_trim_end(s, f->at, l.to);

	while (last > f->at && yaml_text_at(s, last - 1) != f->quote)
		last--;
	if (f->at == f->scalar_to && last > f->at)
		return double_apostrophe(s, f, last - 1, diag);
	diag_error(diag, yaml_source_position(s, f->at),
		   "put all of the value between one pair of quotes",
		   "text follows the quote that ends the value");
	return false;
}

/* The scalar that was read last stands behind the failure, or reaches into its line. */
static bool is_behind_quoted(const struct yaml_source *s, const struct failure *f)
{
	return f->quote && f->scalar_to >= yaml_line_at(s, f->at).from &&
	       yaml_skip_blanks(s, f->scalar_to) == f->at;
}

static bool explain_quoted(struct yaml_source *s, const struct failure *f,
			   struct diag *diag)
{
	if (f->scalar_from < yaml_line_at(s, f->at).from)
		return close_quote(s, f->scalar_from, f->in_flow, diag);
	return explain_after_quote(s, f, diag);
}

/* In a block something stands where a key or `- ` should. */
static bool explain_no_key(struct yaml_source *s, const struct failure *f,
			   struct diag *diag)
{
	struct yaml_line l = yaml_line_at(s, f->at);

	if (is_behind_quoted(s, f))
		return explain_quoted(s, f, diag);
	if (l.value < f->at && strchr("[{*&!", yaml_text_at(s, l.value))) {
		struct failure in_block = *f;

		in_block.in_flow = false;
		return quote_start(s, &in_block, l.value, diag);
	}
	diag_error(diag, yaml_source_position(s, f->at),
		   "look at the indentation of this line and of those above",
		   "this fits neither the keys nor the list above");
	return false;
}

/* Within [...] or {...} something stands where a comma should. */
static bool explain_no_comma(struct yaml_source *s, const struct failure *f,
			     struct diag *diag)
{
	char open = yaml_text_at(s, f->context_at), c = yaml_text_at(s, f->at);
	size_t from = yaml_flow_value_start(s, f->at);
	char what[96];

	if (is_behind_quoted(s, f))
		return explain_quoted(s, f, diag);
	if (from < f->at && strchr("{[:", c) &&
	    !yaml_is_blank(yaml_text_at(s, f->at - 1)) &&
	    yaml_begins_flow_value(s, from)) {
		snprintf(what, sizeof(what),
			 "a value that holds %c must stand in quotes within %s", c,
			 open == '{' ? "{...}" : "[...]");
		return quote_as_is(s, from, yaml_flow_value_end(s, from), diag, what);
	}
	if (yaml_line_at(s, f->at).from == yaml_line_at(s, f->context_at).from)
		return explain_other(s, f, diag);
	diag_error(diag, yaml_source_position(s, f->context_at),
		   open == '{' ? "write } at its end; text goes in single quotes"
			       : "write ] at its end; text goes in single quotes",
		   "the %c that opens here is not closed", open);
	return false;
}

/* By the words in libyaml's message; the first row that fits counts. */
static const struct trap {
	const char *words;
	bool (*explain)(struct yaml_source *s, const struct failure *f,
			struct diag *diag);
} traps[] = {
	{"found a tab character", explain_tab},
	{"cannot start any token", explain_start},
	{"unknown escape character", explain_escape},
	{"expected hexdecimal number", explain_escape},
	{"invalid Unicode character escape", explain_escape},
	{"unexpected end of stream", explain_open_quote},
	{"unexpected document indicator", explain_open_quote},
	{"mapping values are not allowed", explain_colon},
	{"could not find expected ':'", explain_no_colon},
	{"expected alphabetic or numeric character", explain_context_start},
	{"expected comment or line break", explain_context_start},
	{"expected whitespace or line break", explain_context_start},
	{"indentation indicator equal to 0", explain_context_start},
	{"expected tag URI", explain_context_start},
	{"expected '!'", explain_context_start},
	{"undefined tag handle", explain_start},
	{"block sequence entries are not allowed", explain_start},
	{"mapping keys are not allowed", explain_start},
	{"expected node content", explain_start},
	{"expected ',' or", explain_no_comma},
	{"did not find expected key", explain_no_key},
	{"did not find expected '-' indicator", explain_no_key},
	{"expected <document start>", explain_no_key},
};

static bool explain(struct yaml_source *s, const struct failure *f, struct diag *diag)
{
	for (size_t i = 0; i < sizeof(traps) / sizeof(traps[0]); i++)
		if (strstr(f->problem, traps[i].words))
			return traps[i].explain(s, f, diag);
	return explain_other(s, f, diag);
}

static void note_scalar(struct yaml_source *s, struct failure *f,
			const yaml_event_t *event)
{
	yaml_scalar_style_t style = event->data.scalar.style;

	f->quote = style == YAML_SINGLE_QUOTED_SCALAR_STYLE   ? '\''
		   : style == YAML_DOUBLE_QUOTED_SCALAR_STYLE ? '"'
							      : '\0';
	f->scalar_from = yaml_source_place(s, event->start_mark.index).offset_bytes;
	f->scalar_to = yaml_source_place(s, event->end_mark.index).offset_bytes;
}

static void note_failure(struct yaml_source *s, struct failure *f,
			 const yaml_parser_t *parser)
{
	f->problem = parser->problem ? parser->problem : "it cannot be read";
	f->context = parser->context;
	f->at = yaml_source_place(s, parser->problem_mark.index).offset_bytes;
	f->context_at = yaml_source_place(s, parser->context_mark.index).offset_bytes;
	f->in_flow = parser->flow_level > 0;
}

/* How the event changes the nesting. */
static int nesting(yaml_event_type_t type)
{
	switch (type) {
	case YAML_SEQUENCE_START_EVENT:
	case YAML_MAPPING_START_EVENT:
		return 1;
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		return -1;
	default:
		return 0;
	}
}

/* Reads the text to its end; false where libyaml stopped. */
static bool scan(struct yaml_source *s, struct failure *f)
{
	yaml_parser_t parser;
	yaml_event_t event;
	bool ok = true, done = false;
	int depth = 0;

	if (!yaml_parser_initialize(&parser))
		return true;
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&parser, (const unsigned char *)s->text.ptr,
				     s->text.len);
	*f = (struct failure){0};
	while (ok && !done) {
		ok = yaml_parser_parse(&parser, &event);
		if (!ok) {
			note_failure(s, f, &parser);
			break;
		}
		if (event.type == YAML_SCALAR_EVENT)
			note_scalar(s, f, &event);
		depth += nesting(event.type);
		done = event.type == YAML_STREAM_END_EVENT || depth > MAX_SCAN_DEPTH;
		yaml_event_delete(&event);
	}
	yaml_parser_delete(&parser);
	return ok;
}

bool yaml_repair(struct yaml_source *source, struct diag *diag)
{
	size_t most_bytes = 2 * source->text.len + 4096;

	for (int i = 0; i < MAX_REPAIRS && source->text.len <= most_bytes; i++) {
		struct failure failure;

		if (scan(source, &failure))
			return true;
		if (!explain(source, &failure, diag))
			return false;
	}
	return false;
}
