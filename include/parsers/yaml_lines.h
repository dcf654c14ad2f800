/*
 * yaml_lines.h - where keys and values stand in a text that YAML need not be able to
 * read.
 *
 * Goes by single lines and by brackets, as a person does who looks at one place.  All
 * offsets are in bytes; the end of the text is the end of a line.  Internal to yaml.
 */
#ifndef PARSERS_YAML_LINES_H
#define PARSERS_YAML_LINES_H

#include <stdbool.h>
#include <stddef.h>

#include "common/slice.h"
#include "parsers/yaml_source.h"

/* One line of a block: `key: value`, `- value` or a mixture. */
struct yaml_line {
	size_t from, to;        /* without the line break */
	size_t text;            /* behind indentation and `- ` */
	bool has_key;           /* `key:` with a blank or the end behind it */
	size_t colon;           /* of the key */
	size_t value, value_to; /* without blanks and a trailing comment */
};

static inline char yaml_text_at(const struct yaml_source *s, size_t offset)
{
	return offset < s->text.len ? s->text.ptr[offset] : '\n';
}

static inline bool yaml_is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static inline bool yaml_is_end(char c)
{
	return c == '\n' || c == '\r';
}

static inline struct slice yaml_text(const struct yaml_source *s, size_t from,
				     size_t to)
{
	return (struct slice){s->text.ptr + from, to - from};
}

size_t yaml_skip_blanks(const struct yaml_source *s, size_t i);

/* `to`, or before it where blanks are. */
size_t yaml_trim_end(const struct yaml_source *s, size_t from, size_t to);

/* The end of a block value: before the line's end at `to`, or a comment. */
size_t yaml_value_end(const struct yaml_source *s, size_t from, size_t to);

/* Where the key at `from` ends; `from` if there is none. */
size_t yaml_key_end(const struct yaml_source *s, size_t from);

struct yaml_line yaml_line_at(const struct yaml_source *s, size_t offset);

/* The line above that has something on it; false at the top. */
bool yaml_line_above(const struct yaml_source *s, struct yaml_line *l);

/* The end of a value within [...] or {...}: brackets of its own are part of it. */
size_t yaml_flow_value_end(const struct yaml_source *s, size_t from);

/* Where the value within [...] or {...} that holds `offset` begins. */
size_t yaml_flow_value_start(const struct yaml_source *s, size_t offset);

/* False where a plain value goes on from the line above. */
bool yaml_begins_flow_value(const struct yaml_source *s, size_t offset);

#endif
