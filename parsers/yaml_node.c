#include <stdio.h>

#include "common/strbuf.h"
#include "common/suggest.h"
#include "parsers/yaml.h"
#include "parsers/yaml_source.h"

#define LONGEST_SUGGESTION 160 /* bytes; longer ones do not help */

struct yaml_node *yaml_get(const struct yaml_node *mapping, const char *key)
{
	for (size_t i = 0; mapping->keys && i < mapping->count; i++)
		if (slice_is(mapping->keys[i]->text, key))
			return mapping->items[i];
	return NULL;
}

struct position yaml_line_position(const struct yaml_node *node, size_t line)
{
	struct position at = node->at;

	if (node->indent == 0)
		return at;
	at.line += 1 + (int)line;
	at.column = 1 + node->indent;
	return at;
}

static void add_all(struct strbuf *out, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		strbuf_addf(out, "%s%s", i > 0 ? ", " : "", words[i]);
}

static void report_unknown(const struct yaml_node *key, const char *what,
			   const char *const *known, size_t known_count,
			   struct diag *diag)
{
	const char *closest = suggest_closest(key->text.ptr, known, known_count);
	struct strbuf instead = STRBUF_INIT;

	if (closest) {
		strbuf_addf(&instead, "did you mean `%s`?", closest);
	} else {
		strbuf_puts(&instead, "possible are ");
		add_all(&instead, known, known_count);
	}
	diag_error(diag, key->at, instead.ptr, "%s has no key `%s`", what,
		   key->text.ptr);
	strbuf_finish(&instead);
}

static bool is_known(struct slice key, const char *const *known, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (slice_is(key, known[i]))
			return true;
	return false;
}

bool yaml_has_unknown_key(const struct yaml_node *mapping, const char *const *known,
			  size_t known_count)
{
	for (size_t i = 0; mapping->keys && i < mapping->count; i++)
		if (!is_known(mapping->keys[i]->text, known, known_count))
			return true;
	return false;
}

void yaml_check_keys(const struct yaml_node *mapping, const char *what,
		     const char *const *known, size_t known_count, struct diag *diag)
{
	for (size_t i = 0; mapping->keys && i < mapping->count; i++)
		if (!is_known(mapping->keys[i]->text, known, known_count))
			report_unknown(mapping->keys[i], what, known, known_count,
				       diag);
}

static bool is_missing(const struct yaml_node *node)
{
	return node->kind == YAML_SCALAR && node->style == YAML_PLAIN &&
	       node->text.len == 0;
}

static const char *kind_name(enum yaml_kind kind)
{
	static const char *const names[] = {
		[YAML_SCALAR] = "text",
		[YAML_SEQUENCE] = "a list",
		[YAML_MAPPING] = "a mapping of keys to values",
	};

	return names[kind];
}

/* level:ERROR where `level: ERROR` was meant. */
static bool lacks_blank(const struct yaml_node *node, struct strbuf *instead)
{
	const char *colon = memchr(node->text.ptr, ':', node->text.len);
	size_t before = colon ? (size_t)(colon - node->text.ptr) : 0;

	if (node->style != YAML_PLAIN || before == 0 || before + 1 >= node->text.len ||
	    node->text.ptr[before + 1] == '/')
		return false;
	strbuf_addf(instead, "write %.*s: %s, with a space after the colon",
		    (int)before, node->text.ptr, colon + 1);
	return true;
}

static void add_advice(const struct yaml_node *node, enum yaml_kind kind,
		       struct strbuf *instead)
{
	bool is_text = node->kind == YAML_SCALAR && !is_missing(node);

	if (kind == YAML_MAPPING && is_text && lacks_blank(node, instead))
		return;
	if (kind == YAML_SEQUENCE && is_text && node->text.len < LONGEST_SUGGESTION) {
		strbuf_puts(instead, "write [");
		yaml_quote(instead, node->text);
		strbuf_putc(instead, ']');
	} else if (kind == YAML_SEQUENCE) {
		strbuf_puts(instead, "begin each entry with `- `");
	} else if (kind == YAML_MAPPING) {
		strbuf_puts(instead, "write `key: value`, each on its own line");
	} else if (!is_missing(node)) {
		strbuf_puts(instead, "if it is text, put it in single quotes");
	}
}

bool yaml_expect(const struct yaml_node *node, enum yaml_kind kind, const char *what,
		 struct diag *diag)
{
	struct strbuf instead = STRBUF_INIT;

	if (node->kind == kind)
		return true;
	add_advice(node, kind, &instead);
	diag_error(diag, node->at, instead.len > 0 ? instead.ptr : NULL,
		   is_missing(node) ? "%s must be %s, but nothing stands here"
				    : "%s must be %s, not %s",
		   what, kind_name(kind), kind_name(node->kind));
	strbuf_finish(&instead);
	return false;
}

/* What double quotes make of these escapes; regular expressions mean others. */
static const struct escape {
	const char *written;
	const char *becomes;
	const char *name;
} escapes[] = {
	{"\\a", "\a", "U+0007"},           {"\\b", "\b", "U+0008"},
	{"\\v", "\v", "U+000B"},           {"\\f", "\f", "U+000C"},
	{"\\e", "\x1b", "U+001B"},         {"\\N", "\xC2\x85", "U+0085"},
	{"\\L", "\xE2\x80\xA8", "U+2028"}, {"\\P", "\xE2\x80\xA9", "U+2029"},
};

static const struct escape *escape_at(struct slice text, size_t at)
{
	for (size_t i = 0; i < sizeof(escapes) / sizeof(escapes[0]); i++) {
		size_t len = strlen(escapes[i].becomes);

		if (text.len - at >= len &&
		    memcmp(text.ptr + at, escapes[i].becomes, len) == 0)
			return &escapes[i];
	}
	return NULL;
}

static bool is_control(char c)
{
	return ((unsigned char)c < 0x20 && !strchr("\t\n\r", c)) || c == 0 || c == 0x7f;
}

/* The text with its control characters written as escapes. */
static void add_meant(struct strbuf *out, struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		const struct escape *e = escape_at(text, i);

		if (e) {
			strbuf_puts(out, e->written);
			i += strlen(e->becomes) - 1;
		} else if (is_control(text.ptr[i])) {
			strbuf_addf(out, "\\x%02x", (unsigned char)text.ptr[i]);
		} else {
			strbuf_putc(out, text.ptr[i]);
		}
	}
}

static void report_control(const struct yaml_node *node, const char *what, size_t at,
			   struct diag *diag)
{
	const struct escape *e = escape_at(node->text, at);
	struct strbuf meant = STRBUF_INIT, instead = STRBUF_INIT;

	add_meant(&meant, node->text);
	strbuf_puts(&instead, "write ");
	yaml_quote(&instead, strbuf_slice(&meant));
	if (e)
		diag_error(diag, node->at, instead.ptr,
			   "%s holds a control character: %s in double quotes is %s",
			   what, e->written, e->name);
	else
		diag_error(diag, node->at, instead.ptr,
			   "%s holds a control character (U+%04X)", what,
			   (unsigned char)node->text.ptr[at]);
	strbuf_finish(&meant);
	strbuf_finish(&instead);
}

static bool check_control(const struct yaml_node *node, const char *what,
			  struct diag *diag)
{
	for (size_t i = 0; i < node->text.len; i++) {
		if (is_control(node->text.ptr[i]) || escape_at(node->text, i)) {
			report_control(node, what, i, diag);
			return false;
		}
	}
	return true;
}

static bool report_cut(const struct yaml_node *node, const char *what,
		       struct diag *diag)
{
	struct strbuf instead = STRBUF_INIT;

	strbuf_puts(&instead, "write ");
	yaml_quote(&instead, node->uncut);
	strbuf_puts(&instead, " or put the comment on a line of its own");
	diag_error(diag, node->at, instead.ptr,
		   "a comment begins at ` #` and cuts %s off", what);
	strbuf_finish(&instead);
	return false;
}

bool yaml_pattern_text(const struct yaml_node *node, const char *what,
		       struct slice *text, struct diag *diag)
{
	if (!yaml_expect(node, YAML_SCALAR, what, diag))
		return false;
	if (node->cut_by_comment)
		return report_cut(node, what, diag);
	if (is_missing(node)) {
		diag_error(diag, node->at, "write it in single quotes",
			   "%s must be text, but nothing stands here", what);
		return false;
	}
	if (!check_control(node, what, diag))
		return false;
	*text = node->text;
	if (node->style == YAML_BLOCK && text->len > 0 &&
	    text->ptr[text->len - 1] == '\n')
		text->len--;
	return true;
}
