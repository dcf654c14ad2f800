#include "parsers/yaml.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <yaml.h>

#include "common/hashmap.h"
#include "common/strbuf.h"
#include "common/xalloc.h"
#include "parsers/yaml_repair.h"
#include "parsers/yaml_source.h"

#define MAX_DEPTH 64
#define MAX_FILE_BYTES (16 * 1024 * 1024)

/* A tree on its way from libyaml's events. */
struct builder {
	yaml_parser_t parser;
	struct yaml_source *source;
	struct arena *arena;
	struct diag *diag;
	int depth;
	bool stopped; /* no further event can be had */
	bool too_deep;
};

static bool next_event(struct builder *b, yaml_event_t *event)
{
	if (!b->stopped && yaml_parser_parse(&b->parser, event))
		return true;
	b->stopped = true;
	return false;
}

static size_t offset_of(struct builder *b, yaml_mark_t mark)
{
	return yaml_source_place(b->source, mark.index).offset_bytes;
}

static struct position position_of(struct builder *b, yaml_mark_t mark)
{
	struct yaml_place place = yaml_source_place(b->source, mark.index);

	return (struct position){b->source->file, place.line, place.column};
}

static struct yaml_node *new_node(struct builder *b, enum yaml_kind kind,
				  const yaml_event_t *event)
{
	struct yaml_node *node = arena_alloc(b->arena, sizeof(*node));

	node->kind = kind;
	node->at = position_of(b, event->start_mark);
	node->text = slice_of("");
	return node;
}

static void set_text(struct builder *b, struct yaml_node *node, struct slice text)
{
	node->text = (struct slice){arena_copy(b->arena, text), text.len};
}

/* An anchor, alias or tag swallows text that was meant: take it as it stands. */
static void take_source_text(struct builder *b, struct yaml_node *node,
			     const yaml_event_t *event, const char *what)
{
	size_t from = offset_of(b, event->start_mark);
	size_t to = offset_of(b, event->end_mark);
	struct strbuf instead = STRBUF_INIT;

	set_text(b, node, (struct slice){b->source->text.ptr + from, to - from});
	node->style = YAML_SINGLE_QUOTED;
	strbuf_puts(&instead, "write ");
	yaml_quote(&instead, node->text);
	diag_error(b->diag, node->at, instead.ptr,
		   "`%.*s` is %s in YAML, not text: it must stand in quotes",
		   SLICE_ARG(node->text), what);
	strbuf_finish(&instead);
}

/* NULL, or what the property before a node is called. */
static const char *property_at(struct builder *b, const yaml_event_t *event)
{
	size_t from = offset_of(b, event->start_mark);

	switch (b->source->text.ptr[from]) {
	case '!':
		return "a tag";
	case '&':
		return "an anchor";
	default:
		return NULL;
	}
}

/* An ordinary comment behind a value, or the rest of a regular expression. */
static void note_comment(struct builder *b, struct yaml_node *node,
			 const yaml_event_t *event)
{
	const char *text = b->source->text.ptr;
	size_t from = offset_of(b, event->start_mark);
	size_t to = offset_of(b, event->end_mark), i = to;

	while (text[i] == ' ' || text[i] == '\t')
		i++;
	if (text[i] != '#' || i == to)
		return;
	from = node->text.len > 0 ? from : i;
	while (text[i] && text[i] != '\n' && text[i] != '\r')
		i++;
	node->cut_by_comment = true;
	node->uncut.len = i - from;
	node->uncut.ptr = arena_copy(b->arena, (struct slice){text + from, i - from});
}

static enum yaml_style style_of(yaml_scalar_style_t style)
{
	switch (style) {
	case YAML_SINGLE_QUOTED_SCALAR_STYLE:
		return YAML_SINGLE_QUOTED;
	case YAML_DOUBLE_QUOTED_SCALAR_STYLE:
		return YAML_DOUBLE_QUOTED;
	case YAML_LITERAL_SCALAR_STYLE:
	case YAML_FOLDED_SCALAR_STYLE:
		return YAML_BLOCK;
	default:
		return YAML_PLAIN;
	}
}

/* Of the first line that has one. */
static size_t indentation(const char *text)
{
	size_t blanks = strspn(text, " ");

	while (text[blanks] == '\n' || text[blanks] == '\r') {
		text += blanks + 1;
		blanks = strspn(text, " ");
	}
	return blanks;
}

/* How much of the file's indentation is not the text's own. */
static int block_indent(struct builder *b, const struct yaml_node *node,
			const yaml_event_t *event)
{
	const char *header = b->source->text.ptr + offset_of(b, event->start_mark);

	return (int)(indentation(header + strcspn(header, "\r\n")) -
		     indentation(node->text.ptr));
}

static struct yaml_node *build_scalar(struct builder *b, const yaml_event_t *event)
{
	struct yaml_node *node = new_node(b, YAML_SCALAR, event);
	const char *property = property_at(b, event);

	node->style = style_of(event->data.scalar.style);
	if (node->style == YAML_PLAIN && property) {
		take_source_text(b, node, event, property);
		return node;
	}
	if (property)
		diag_error(b->diag, node->at, "leave it out",
			   "%s before a value means nothing here", property);
	set_text(b, node,
		 (struct slice){(const char *)event->data.scalar.value,
				event->data.scalar.length});
	if (node->style == YAML_PLAIN)
		note_comment(b, node, event);
	if (event->data.scalar.style == YAML_LITERAL_SCALAR_STYLE && node->text.len > 0)
		node->indent = block_indent(b, node, event);
	return node;
}

static struct yaml_node *build_alias(struct builder *b, const yaml_event_t *event)
{
	struct yaml_node *node = new_node(b, YAML_SCALAR, event);

	take_source_text(b, node, event, "an alias");
	return node;
}

static struct yaml_node *build(struct builder *b, yaml_event_t *event);

/* The next node; NULL at the end of the collection or of what can be read. */
static struct yaml_node *build_next(struct builder *b, yaml_event_type_t end)
{
	yaml_event_t event;

	if (!next_event(b, &event))
		return NULL;
	if (event.type == end) {
		yaml_event_delete(&event);
		return NULL;
	}
	return build(b, &event);
}

/* Copies a growing array into the arena. */
static struct yaml_node **keep(struct builder *b, struct yaml_node **nodes,
			       size_t count)
{
	struct yaml_node **kept = arena_alloc(b->arena, (count + 1) * sizeof(*nodes));

	if (nodes)
		memcpy(kept, nodes, count * sizeof(*nodes));
	free(nodes);
	return kept;
}

static struct yaml_node *build_sequence(struct builder *b, const yaml_event_t *event)
{
	struct yaml_node *node = new_node(b, YAML_SEQUENCE, event), *item;
	struct yaml_node **items = NULL;

	while ((item = build_next(b, YAML_SEQUENCE_END_EVENT))) {
		items = xgrow(items, node->count, sizeof(struct yaml_node *));
		items[node->count++] = item;
	}
	node->items = keep(b, items, node->count);
	return node;
}

/* {a:b}: a key `a:b` without a value. */
static void split_key(struct builder *b, struct yaml_node *key, struct yaml_node *value)
{
	const char *colon = memchr(key->text.ptr, ':', key->text.len);
	struct slice before, behind;
	struct strbuf instead = STRBUF_INIT;

	if (key->style != YAML_PLAIN || value->kind != YAML_SCALAR ||
	    value->style != YAML_PLAIN || value->text.len > 0 || !colon)
		return;
	before = (struct slice){key->text.ptr, (size_t)(colon - key->text.ptr)};
	behind = (struct slice){colon + 1, key->text.len - before.len - 1};
	if (before.len == 0 || behind.len == 0)
		return;
	strbuf_addf(&instead, "write %.*s: %.*s", SLICE_ARG(before), SLICE_ARG(behind));
	diag_error(b->diag, key->at, instead.ptr,
		   "a space must follow the colon of a key");
	strbuf_finish(&instead);
	set_text(b, value, behind);
	set_text(b, key, before);
}

/* False, after an error, if the key cannot stand in the mapping. */
static bool check_key(struct builder *b, const struct yaml_node *key,
		      struct hashmap *seen)
{
	const struct yaml_node *first;

	if (key->kind != YAML_SCALAR || (key->style == YAML_PLAIN && !key->text.len)) {
		diag_error(b->diag, key->at, NULL,
			   key->kind == YAML_SCALAR ? "no key stands before the colon"
						    : "a key must be text");
		return false;
	}
	first = hashmap_get(seen, key->text);
	if (first) {
		diag_error(b->diag, key->at, "remove one of the two",
			   "the key `%s` stands twice: first in line %d, column %d",
			   key->text.ptr, first->at.line, first->at.column);
		return false;
	}
	hashmap_put(seen, key->text, (void *)key);
	return true;
}

static struct yaml_node *build_mapping(struct builder *b, const yaml_event_t *event)
{
	struct yaml_node *node = new_node(b, YAML_MAPPING, event), *key, *value;
	struct yaml_node **keys = NULL, **items = NULL;
	struct hashmap *seen = hashmap_create();

	while ((key = build_next(b, YAML_MAPPING_END_EVENT)) &&
	       (value = build_next(b, YAML_NO_EVENT))) {
		if (key->kind == YAML_SCALAR)
			split_key(b, key, value);
		if (!check_key(b, key, seen))
			continue;
		keys = xgrow(keys, node->count, sizeof(struct yaml_node *));
		items = xgrow(items, node->count, sizeof(struct yaml_node *));
		keys[node->count] = key;
		items[node->count++] = value;
	}
	hashmap_destroy(seen);
	node->keys = keep(b, keys, node->count);
	node->items = keep(b, items, node->count);
	return node;
}

static struct yaml_node *build_collection(struct builder *b, const yaml_event_t *event)
{
	const char *property = property_at(b, event);
	struct yaml_node *node;

	if (b->depth == MAX_DEPTH) {
		diag_error(b->diag, position_of(b, event->start_mark), NULL,
			   "nested deeper than %d levels", MAX_DEPTH);
		b->stopped = b->too_deep = true;
		return NULL;
	}
	if (property)
		diag_error(b->diag, position_of(b, event->start_mark), "leave it out",
			   "%s before a list or mapping means nothing here", property);
	b->depth++;
	node = event->type == YAML_SEQUENCE_START_EVENT ? build_sequence(b, event)
							: build_mapping(b, event);
	b->depth--;
	return node;
}

/* The node that begins with the event, which is used up. */
static struct yaml_node *build(struct builder *b, yaml_event_t *event)
{
	struct yaml_node *node = NULL;

	switch (event->type) {
	case YAML_SCALAR_EVENT:
		node = build_scalar(b, event);
		break;
	case YAML_ALIAS_EVENT:
		node = build_alias(b, event);
		break;
	case YAML_SEQUENCE_START_EVENT:
	case YAML_MAPPING_START_EVENT:
		node = build_collection(b, event);
		break;
	default:
		b->stopped = true;
		break;
	}
	yaml_event_delete(event);
	return node;
}

/* Reads on to the start of a document; false at the end. */
static bool start_document(struct builder *b, struct position *at)
{
	yaml_event_t event;
	bool started = false;

	while (!started && next_event(b, &event)) {
		started = event.type == YAML_DOCUMENT_START_EVENT;
		b->stopped = event.type == YAML_STREAM_END_EVENT;
		*at = position_of(b, event.start_mark);
		yaml_event_delete(&event);
	}
	return started;
}

static struct yaml_node *empty_mapping(struct builder *b)
{
	struct yaml_node *node = arena_alloc(b->arena, sizeof(*node));

	node->kind = YAML_MAPPING;
	node->at = (struct position){b->source->file, 1, 1};
	node->text = slice_of("");
	return node;
}

static struct yaml_node *build_root(struct builder *b)
{
	struct position at = {b->source->file, 1, 1};
	struct yaml_node *root = NULL;

	if (start_document(b, &at)) {
		root = build_next(b, YAML_NO_EVENT);
		if (start_document(b, &at))
			diag_error(b->diag, at, "put it into a file of its own",
				   "a second document begins here");
	}
	if (!root || (root->kind == YAML_SCALAR && root->text.len == 0))
		return empty_mapping(b);
	return root;
}

static struct yaml_node *parse_source(struct yaml_source *source, struct arena *arena,
				      struct diag *diag)
{
	bool readable = yaml_repair(source, diag);
	struct builder b = {.source = source, .arena = arena, .diag = diag};
	struct yaml_node *root;

	if (!yaml_parser_initialize(&b.parser)) {
		fputs("logtally: out of memory\n", stderr);
		exit(1);
	}
	yaml_parser_set_encoding(&b.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&b.parser, (const unsigned char *)source->text.ptr,
				     source->text.len);
	root = build_root(&b);
	if (b.parser.error != YAML_NO_ERROR || b.too_deep)
		readable = false;
	yaml_parser_delete(&b.parser);
	return readable ? root : NULL;
}

struct yaml_node *yaml_parse(const char *file, struct slice text, struct arena *arena,
			     struct diag *diag)
{
	struct yaml_source source;
	struct yaml_node *root = NULL;

	if (yaml_source_init(&source, file, text, diag))
		root = parse_source(&source, arena, diag);
	yaml_source_finish(&source);
	return root;
}

/* False with errno set; a file over the limit counts as too large. */
static bool read_all(int fd, struct strbuf *out)
{
	for (;;) {
		ssize_t n = read(fd, strbuf_room(out, 64 * 1024), 64 * 1024);

		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			return n == 0;
		out->len += (size_t)n;
		out->ptr[out->len] = '\0';
		if (out->len > MAX_FILE_BYTES) {
			errno = EFBIG;
			return false;
		}
	}
}

static bool read_file(const char *path, struct strbuf *out, struct diag *diag)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool ok = fd != -1 && read_all(fd, out);

	if (!ok)
		diag_error(diag, (struct position){path, 0, 0}, NULL,
			   "cannot be read: %s", strerror(errno));
	if (fd != -1)
		close(fd);
	return ok;
}

struct yaml_node *yaml_load(const char *path, struct arena *arena, struct diag *diag)
{
	struct strbuf text = STRBUF_INIT;
	struct yaml_node *root = NULL;

	if (read_file(path, &text, diag))
		root = yaml_parse(path, strbuf_slice(&text), arena, diag);
	strbuf_finish(&text);
	return root;
}
