#include "parsers/yaml_source.h"

#include <string.h>

#include "common/utf8.h"

#define BOM "\xEF\xBB\xBF"
#define REPLACEMENT "\xEF\xBF\xBD" /* means nothing to YAML, unlike `?` */

static size_t character_bytes(struct slice text, size_t at)
{
	size_t end = at + 1;

	while (end < text.len && utf8_is_continuation(text.ptr[end]))
		end++;
	return end - at;
}

static bool is_utf16(struct slice text)
{
	return text.len >= 2 && (memcmp(text.ptr, "\xFF\xFE", 2) == 0 ||
				 memcmp(text.ptr, "\xFE\xFF", 2) == 0);
}

/* The characters below U+0100 that YAML does not allow, and U+FFFE, U+FFFF. */
static bool is_forbidden(struct slice character)
{
	const unsigned char *c = (const unsigned char *)character.ptr;

	if (character.len == 1)
		return (c[0] < 0x20 && c[0] != '\t' && c[0] != '\n' && c[0] != '\r') ||
		       c[0] == 0x7f;
	if (character.len == 2)
		return c[0] == 0xC2 && c[1] < 0xA0 && c[1] != 0x85;
	return character.len == 3 && c[0] == 0xEF && c[1] == 0xBF && c[2] >= 0xBE;
}

static void add_character(struct yaml_source *source, struct slice character)
{
	strbuf_add_slice(&source->text, character);
	strbuf_putc(&source->widths, 1);
	for (size_t i = 1; i < character.len; i++)
		strbuf_putc(&source->widths, 0);
}

static void report_control(struct yaml_source *source, struct slice character,
			   struct diag *diag)
{
	const unsigned char *c = (const unsigned char *)character.ptr;
	unsigned code = character.len == 1   ? c[0]
			: character.len == 2 ? (c[0] & 0x1Fu) << 6 | (c[1] & 0x3Fu)
					     : 0xFFC0u | (c[2] & 0x3Fu);

	diag_error(diag, yaml_source_position(source, source->text.len),
		   "in a regular expression write \\x{...}",
		   "a control character (U+%04X) cannot stand in YAML", code);
}

/* A Latin-1 file has such bytes everywhere: the first one says it all. */
static void copy_checked(struct yaml_source *source, struct slice text,
			 struct diag *diag)
{
	bool said = false;

	for (size_t i = 0; i < text.len;) {
		struct slice c = {text.ptr + i, character_bytes(text, i)};
		bool valid = utf8_is_valid(c);

		i += c.len;
		if (valid && !is_forbidden(c)) {
			add_character(source, c);
			continue;
		}
		if (valid)
			report_control(source, c, diag);
		else if (!said)
			diag_error(diag, yaml_source_position(source, source->text.len),
				   "save the file as UTF-8", "this is not UTF-8 text");
		said = said || !valid;
		add_character(source, slice_of(REPLACEMENT));
	}
}

bool yaml_source_init(struct yaml_source *source, const char *file, struct slice text,
		      struct diag *diag)
{
	*source = (struct yaml_source){
		.file = file,
		.text = STRBUF_INIT,
		.widths = STRBUF_INIT,
		.last = {.line = 1, .column = 1},
	};
	if (is_utf16(text)) {
		diag_error(diag, (struct position){file, 0, 0},
			   "save the file as UTF-8", "the file is UTF-16 text");
		return false;
	}
	if (text.len >= strlen(BOM) && memcmp(text.ptr, BOM, strlen(BOM)) == 0)
		text = (struct slice){text.ptr + strlen(BOM), text.len - strlen(BOM)};
	copy_checked(source, text, diag);
	return true;
}

void yaml_source_finish(struct yaml_source *source)
{
	strbuf_finish(&source->text);
	strbuf_finish(&source->widths);
}

static void rewind_place(struct yaml_source *source)
{
	source->last = (struct yaml_place){.line = 1, .column = 1};
}

/* One character on. */
static void step(struct yaml_source *source)
{
	struct yaml_place *at = &source->last;
	struct slice text = strbuf_slice(&source->text);
	char c = text.ptr[at->offset_bytes];

	at->column += (unsigned char)source->widths.ptr[at->offset_bytes];
	at->offset_bytes += character_bytes(text, at->offset_bytes);
	at->index++;
	if (c == '\n' || (c == '\r' && text.ptr[at->offset_bytes] != '\n')) {
		at->line++;
		at->column = 1;
	}
}

struct yaml_place yaml_source_place(struct yaml_source *source, size_t index)
{
	if (index < source->last.index)
		rewind_place(source);
	while (source->last.index < index &&
	       source->last.offset_bytes < source->text.len)
		step(source);
	return source->last;
}

struct position yaml_source_position(struct yaml_source *source, size_t offset_bytes)
{
	if (offset_bytes < source->last.offset_bytes)
		rewind_place(source);
	while (source->last.offset_bytes < offset_bytes &&
	       source->last.offset_bytes < source->text.len)
		step(source);
	return (struct position){source->file, source->last.line, source->last.column};
}

static size_t columns(const struct yaml_source *source, size_t from, size_t to)
{
	size_t sum = 0;

	for (size_t i = from; i < to; i++)
		sum += (unsigned char)source->widths.ptr[i];
	return sum;
}

/* Replaces part of a buffer; the rest moves. */
static void replace(struct strbuf *buf, size_t from, size_t to, struct slice with)
{
	struct strbuf out = STRBUF_INIT;

	strbuf_add(&out, buf->ptr, from);
	strbuf_add_slice(&out, with);
	strbuf_add(&out, buf->ptr + to, buf->len - to);
	strbuf_finish(buf);
	*buf = out;
}

/* The columns of what was replaced go to the first characters of what is new. */
void yaml_source_splice(struct yaml_source *source, size_t from, size_t to,
			struct slice with)
{
	size_t left = columns(source, from, to);
	struct strbuf widths = STRBUF_INIT;

	for (size_t i = 0; i < with.len; i++) {
		bool counts = left > 0 && !utf8_is_continuation(with.ptr[i]);

		strbuf_putc(&widths, counts ? 1 : 0);
		left -= counts ? 1 : 0;
	}
	if (widths.len > 0 && left < 250)
		widths.ptr[widths.len - 1] = (char)(widths.ptr[widths.len - 1] + left);
	replace(&source->text, from, to, with);
	replace(&source->widths, from, to, strbuf_slice(&widths));
	strbuf_finish(&widths);
	rewind_place(source);
}

void yaml_quote(struct strbuf *out, struct slice text)
{
	strbuf_putc(out, '\'');
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] == '\'')
			strbuf_putc(out, '\'');
		strbuf_putc(out, text.ptr[i]);
	}
	strbuf_putc(out, '\'');
}
