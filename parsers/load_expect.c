#include <stdlib.h>

#include "common/hashmap.h"
#include "common/suggest.h"
#include "common/utf8.h"
#include "common/xalloc.h"
#include "parsers/loader.h"
#include "parsers/sample.h"

/* -- the names that can come out ------------------------------------------ */

/* Of the series that the rules of one file can make. */
struct expected_names {
	struct hashmap *known;
	const char **list;
	size_t count;
};

static void add_name(struct loader *l, struct expected_names *names, const char *name,
		     const char *suffix)
{
	char *whole = arena_printf(l->arena, "%s%s", name, suffix);

	if (hashmap_put(names->known, slice_of(whole), whole))
		return;
	names->list = xgrow(names->list, names->count, sizeof(char *));
	names->list[names->count++] = whole;
}

static void add_names(struct loader *l, struct expected_names *names,
		      const struct metric_def *def)
{
	const char *suffixes[LOAD_MAX_SUFFIXES];
	size_t count = load_series_suffixes(def, suffixes);

	for (size_t i = 0; i < count; i++)
		add_name(l, names, def->name, suffixes[i]);
}

struct expected_names *load_expected_names(struct loader *l)
{
	struct expected_names *names = xcalloc(1, sizeof(*names));

	names->known = hashmap_create();
	for (size_t i = 0; i < l->file->rule_count; i++) {
		const struct rule *rule = &l->file->rules[i];

		for (size_t j = 0; j < rule->metric_count; j++)
			add_names(l, names, &l->metrics[rule->metrics[j].metric]->def);
	}
	return names;
}

void expected_names_destroy(struct expected_names *names)
{
	if (!names)
		return;
	hashmap_destroy(names->known);
	free(names->list);
	free(names);
}

static void check_name(struct loader *l, struct slice name, struct position at,
		       const struct expected_names *names)
{
	const char *closest;
	char *typed, *instead;

	if (hashmap_get(names->known, name))
		return;
	typed = xstrndup(name.ptr, name.len);
	closest = suggest_closest(typed, names->list, names->count);
	instead = closest ? xasprintf("did you mean %s?", closest)
			  : xasprintf("name a metric of this file's rules");
	diag_error(l->diag, at, instead, "expect: no rule of this file makes %s",
		   typed);
	free(instead);
	free(typed);
}

/* -- line by line --------------------------------------------------------- */

static int characters(struct slice text)
{
	int count = 0;

	for (size_t i = 0; i < text.len; i++)
		count += utf8_is_continuation(text.ptr[i]) ? 0 : 1;
	return count;
}

/* In a block, behind `before` on line `i`; otherwise where the scalar begins. */
static struct position place_of(const struct yaml_node *expect, size_t i,
				struct slice before)
{
	struct position at = yaml_line_position(expect, i);

	if (expect->indent > 0)
		at.column += characters(before);
	return at;
}

static void check_line(struct loader *l, const struct yaml_node *expect, size_t i,
		       struct slice whole, const struct expected_names *names)
{
	struct slice line = slice_trim(whole);
	struct sample_line sample;
	struct sample_fault fault;
	size_t indent = (size_t)(line.ptr - whole.ptr);

	if (line.len == 0 || *line.ptr == '#')
		return;
	if (!sample_read(line, &sample, &fault)) {
		diag_error(l->diag,
			   place_of(expect, i,
				    (struct slice){whole.ptr, indent + fault.at_bytes}),
			   fault.instead, "expect: %s", fault.what);
		diag_excerpt(l->diag, line, fault.at_bytes);
	} else if (names) {
		check_name(l, sample.name,
			   place_of(expect, i, (struct slice){whole.ptr, indent}),
			   names);
	}
}

void load_check_expect(struct loader *l, const struct yaml_node *expect,
		       const struct expected_names *names)
{
	struct slice text = expect->text;

	for (size_t i = 0; text.len > 0; i++) {
		const char *newline = memchr(text.ptr, '\n', text.len);
		size_t len = newline ? (size_t)(newline - text.ptr) : text.len;

		check_line(l, expect, i, (struct slice){text.ptr, len}, names);
		text.ptr += len + (newline ? 1 : 0);
		text.len -= len + (newline ? 1 : 0);
	}
}
