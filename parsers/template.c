#include "parsers/template.h"

#include <stdlib.h>

#include "common/xalloc.h"

struct template_parser {
	struct template *t;
	struct slice text;
	struct position at;
	struct arena *arena;
	const struct field_scope *scope;
	struct diag *diag;
	struct strbuf literal;
	struct template_part *parts;
	size_t count;
};

static void add_part(struct template_parser *p, struct template_part part)
{
	p->parts = xgrow(p->parts, p->count, sizeof(*p->parts));
	p->parts[p->count++] = part;
}

static void end_literal(struct template_parser *p)
{
	if (p->literal.len == 0)
		return;
	add_part(p, (struct template_part){
			    .text = {arena_copy(p->arena, strbuf_slice(&p->literal)),
				     p->literal.len}});
	strbuf_clear(&p->literal);
}

static bool bad_name(struct template_parser *p, struct slice name, size_t offset)
{
	char *typed, *instead;
	const char *closest;

	if (p->scope->unsure)
		return false;
	typed = xstrndup(name.ptr, name.len);
	closest = field_closest(p->scope, typed);
	instead =
		closest ? xasprintf("did you mean $%s?", closest)
			: xasprintf(
				  "name a capture of the rule's pattern, of `line` or "
				  "of path_pattern, or _file, _path, _time, _line");
	diag_error(p->diag, p->at, instead, "nothing supplies $%s", typed);
	diag_excerpt(p->diag, p->text, offset);
	free(instead);
	free(typed);
	return false;
}

static bool add_field(struct template_parser *p, struct slice name, size_t offset)
{
	struct field *field = field_resolve(p->arena, p->scope, name);

	if (!field)
		return bad_name(p, name, offset);
	end_literal(p);
	add_part(p, (struct template_part){.field = field});
	return true;
}

static bool syntax_error(struct template_parser *p, size_t offset, const char *what)
{
	diag_error(p->diag, p->at, "write $name or ${name}, and $$ for a dollar sign",
		   "%s", what);
	diag_excerpt(p->diag, p->text, offset);
	return false;
}

static bool is_name_at(const struct template_parser *p, size_t i)
{
	return i < p->text.len &&
	       field_is_plain_name((struct slice){p->text.ptr + i, 1});
}

/* Where values are nested, dots between parts of a name are part of it. */
static size_t end_of_name(const struct template_parser *p, size_t i)
{
	bool dotted = p->scope->wanted && wanted_is_nested(p->scope->wanted);

	for (; is_name_at(p, i); i++)
		if (dotted && i + 1 < p->text.len && p->text.ptr[i + 1] == '.' &&
		    is_name_at(p, i + 2))
			i++;
	return i;
}

/* What follows a `$` at `*i`; moves *i behind it. */
static bool parse_reference(struct template_parser *p, size_t *i)
{
	size_t dollar = (*i)++;
	size_t start = *i, end;

	if (start < p->text.len && p->text.ptr[start] == '$') {
		strbuf_putc(&p->literal, '$');
		(*i)++;
		return true;
	}
	if (start < p->text.len && p->text.ptr[start] == '{') {
		const char *close =
			memchr(p->text.ptr + start, '}', p->text.len - start);

		if (!close)
			return syntax_error(p, dollar, "a ${ that no } closes");
		end = (size_t)(close - p->text.ptr);
		*i = end + 1;
		return add_field(
			p, (struct slice){p->text.ptr + start + 1, end - start - 1},
			dollar);
	}
	end = end_of_name(p, start);
	if (end == start)
		return syntax_error(p, dollar, "a $ without a name");
	*i = end;
	return add_field(p, (struct slice){p->text.ptr + start, end - start}, dollar);
}

bool template_parse(struct template *t, struct slice text, struct position at,
		    struct arena *arena, const struct field_scope *scope,
		    struct diag *diag)
{
	struct template_parser p = {.t = t,
				    .text = text,
				    .at = at,
				    .arena = arena,
				    .scope = scope,
				    .diag = diag,
				    .literal = STRBUF_INIT};
	bool ok = true;

	for (size_t i = 0; i < text.len;) {
		if (text.ptr[i] == '$')
			ok &= parse_reference(&p, &i);
		else
			strbuf_putc(&p.literal, text.ptr[i++]);
	}
	end_literal(&p);
	t->parts = arena_alloc(arena, p.count * sizeof(*t->parts));
	t->count = p.count;
	if (p.count > 0)
		memcpy(t->parts, p.parts, p.count * sizeof(*t->parts));
	free(p.parts);
	strbuf_finish(&p.literal);
	return ok;
}

bool template_is_constant(const struct template *t)
{
	for (size_t i = 0; i < t->count; i++)
		if (t->parts[i].field)
			return false;
	return true;
}

static struct slice part_text(const struct template_part *part, struct record *record)
{
	return part->field ? field_text(part->field, record) : part->text;
}

struct slice template_text(const struct template *t, struct record *record,
			   struct strbuf *scratch)
{
	size_t start = scratch->len;

	if (t->count == 1)
		return part_text(&t->parts[0], record);
	for (size_t i = 0; i < t->count; i++)
		strbuf_add_slice(scratch, part_text(&t->parts[i], record));
	return (struct slice){scratch->ptr + start, scratch->len - start};
}
