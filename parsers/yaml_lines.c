#include "parsers/yaml_lines.h"

#include <string.h>

static bool is_key_character(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	       (c >= 'A' && c <= 'Z') || (c && strchr("_.$-", c));
}

size_t yaml_skip_blanks(const struct yaml_source *s, size_t i)
{
	while (yaml_is_blank(yaml_text_at(s, i)))
		i++;
	return i;
}

size_t yaml_trim_end(const struct yaml_source *s, size_t from, size_t to)
{
	while (to > from && yaml_is_blank(yaml_text_at(s, to - 1)))
		to--;
	return to;
}

size_t yaml_value_end(const struct yaml_source *s, size_t from, size_t to)
{
	for (size_t i = from + 1; i < to; i++)
		if (yaml_text_at(s, i) == '#' && yaml_is_blank(yaml_text_at(s, i - 1)))
			return yaml_trim_end(s, from, i);
	return yaml_trim_end(s, from, to);
}

size_t yaml_key_end(const struct yaml_source *s, size_t from)
{
	size_t i = from;
	char mark = yaml_text_at(s, i);

	if (mark == '\'' || mark == '"') {
		for (i++;
		     yaml_text_at(s, i) != mark && !yaml_is_end(yaml_text_at(s, i));
		     i++)
			;
		return yaml_text_at(s, i) == mark ? i + 1 : from;
	}
	while (is_key_character(yaml_text_at(s, i)))
		i++;
	return i;
}

struct yaml_line yaml_line_at(const struct yaml_source *s, size_t offset)
{
	struct yaml_line l = {.from = offset < s->text.len ? offset : s->text.len};
	size_t key;

	while (l.from > 0 && !yaml_is_end(yaml_text_at(s, l.from - 1)))
		l.from--;
	for (l.to = l.from; !yaml_is_end(yaml_text_at(s, l.to)); l.to++)
		;
	l.text = yaml_skip_blanks(s, l.from);
	while (yaml_text_at(s, l.text) == '-' &&
	       yaml_is_blank(yaml_text_at(s, l.text + 1)))
		l.text = yaml_skip_blanks(s, l.text + 1);
	key = yaml_key_end(s, l.text);
	l.colon = yaml_skip_blanks(s, key);
	l.has_key =
		key > l.text && yaml_text_at(s, l.colon) == ':' &&
		(yaml_is_blank(yaml_text_at(s, l.colon + 1)) || l.colon + 1 == l.to);
	l.value = l.has_key ? yaml_skip_blanks(s, l.colon + 1) : l.text;
	l.value_to = yaml_value_end(s, l.value, l.to);
	return l;
}

bool yaml_line_above(const struct yaml_source *s, struct yaml_line *l)
{
	while (l->from > 0) {
		*l = yaml_line_at(s, l->from - 1);
		if (l->text < l->to && yaml_text_at(s, l->text) != '#')
			return true;
	}
	return false;
}

size_t yaml_flow_value_end(const struct yaml_source *s, size_t from)
{
	int depth = 0;
	size_t i;

	for (i = from; !yaml_is_end(yaml_text_at(s, i)); i++) {
		char c = yaml_text_at(s, i);

		if (c == '{' || c == '[')
			depth++;
		else if ((c == '}' || c == ']') && depth-- == 0)
			break;
		else if (c == ',' && depth == 0)
			break;
		else if (c == '#' && i > from && yaml_is_blank(yaml_text_at(s, i - 1)))
			break;
	}
	return yaml_trim_end(s, from, i);
}

size_t yaml_flow_value_start(const struct yaml_source *s, size_t offset)
{
	size_t i = offset;

	while (i > 0 && !yaml_is_end(yaml_text_at(s, i - 1)) &&
	       !strchr(",[{", yaml_text_at(s, i - 1)) &&
	       !(yaml_text_at(s, i - 1) == ':' && yaml_is_blank(yaml_text_at(s, i))))
		i--;
	return yaml_skip_blanks(s, i);
}

bool yaml_begins_flow_value(const struct yaml_source *s, size_t offset)
{
	while (offset > 0 && (yaml_is_blank(yaml_text_at(s, offset - 1)) ||
			      yaml_is_end(yaml_text_at(s, offset - 1))))
		offset--;
	return offset > 0 && strchr(",[{:", yaml_text_at(s, offset - 1));
}
