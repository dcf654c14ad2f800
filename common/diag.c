#include "common/diag.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/arena.h"
#include "common/utf8.h"
#include "common/xalloc.h"

struct entry {
	struct position at;
	bool is_warning;
	const char *text;
	const char *excerpt; /* NULL, or whole lines */
	size_t order;
};

struct diag {
	struct arena *arena;
	struct entry *entries;
	size_t count;
	size_t errors;
};

struct diag *diag_create(void)
{
	struct diag *diag = xcalloc(1, sizeof(*diag));

	diag->arena = arena_create();
	return diag;
}

void diag_destroy(struct diag *diag)
{
	if (!diag)
		return;
	arena_destroy(diag->arena);
	free(diag->entries);
	free(diag);
}

__attribute__((format(printf, 5, 0))) static void
add(struct diag *diag, struct position at, bool is_warning, const char *instead,
    const char *what, va_list ap)
{
	struct strbuf text = STRBUF_INIT;
	char *formatted;

	if (vasprintf(&formatted, what, ap) == -1)
		formatted = xstrdup(what);
	strbuf_puts(&text, formatted);
	if (instead)
		strbuf_addf(&text, ": %s", instead);
	free(formatted);

	diag->entries = xgrow(diag->entries, diag->count, sizeof(*diag->entries));
	diag->entries[diag->count] = (struct entry){
		.at = at,
		.is_warning = is_warning,
		.text = arena_strdup(diag->arena, text.ptr),
		.order = diag->count,
	};
	diag->entries[diag->count].at.file = arena_strdup(diag->arena, at.file);
	diag->count++;
	if (!is_warning)
		diag->errors++;
	strbuf_finish(&text);
}

void diag_error(struct diag *diag, struct position at, const char *instead,
		const char *what, ...)
{
	va_list ap;

	va_start(ap, what);
	add(diag, at, false, instead, what, ap);
	va_end(ap);
}

void diag_warning(struct diag *diag, struct position at, const char *instead,
		  const char *what, ...)
{
	va_list ap;

	va_start(ap, what);
	add(diag, at, true, instead, what, ap);
	va_end(ap);
}

void diag_excerpt(struct diag *diag, struct slice text, size_t offset_bytes)
{
	struct strbuf out = STRBUF_INIT;

	if (diag->count == 0)
		return;
	strbuf_puts(&out, "    ");
	for (size_t i = 0; i < text.len; i++)
		strbuf_putc(&out,
			    (unsigned char)text.ptr[i] < 0x20 ? ' ' : text.ptr[i]);
	strbuf_puts(&out, "\n    ");
	for (size_t i = 0; i < offset_bytes && i < text.len; i++)
		if (!utf8_is_continuation(text.ptr[i]))
			strbuf_putc(&out, ' ');
	strbuf_puts(&out, "^\n");
	diag->entries[diag->count - 1].excerpt = arena_strdup(diag->arena, out.ptr);
	strbuf_finish(&out);
}

size_t diag_errors(const struct diag *diag)
{
	return diag->errors;
}

size_t diag_warnings(const struct diag *diag)
{
	return diag->count - diag->errors;
}

static int compare(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int by_file = strcmp(x->at.file, y->at.file);

	if (by_file != 0)
		return by_file;
	if (x->at.line != y->at.line)
		return x->at.line < y->at.line ? -1 : 1;
	if (x->at.column != y->at.column)
		return x->at.column < y->at.column ? -1 : 1;
	return x->order < y->order ? -1 : 1;
}

static void render_entry(const struct entry *e, struct strbuf *out)
{
	strbuf_puts(out, e->at.file);
	if (e->at.line > 0)
		strbuf_addf(out, ":%d:%d", e->at.line, e->at.column);
	strbuf_addf(out, ": %s%s\n", e->is_warning ? "warning: " : "", e->text);
	if (e->excerpt)
		strbuf_puts(out, e->excerpt);
}

void diag_render(const struct diag *diag, struct strbuf *out)
{
	struct entry *sorted = xcalloc(diag->count, sizeof(*sorted));

	if (diag->count > 0)
		memcpy(sorted, diag->entries, diag->count * sizeof(*sorted));
	qsort(sorted, diag->count, sizeof(*sorted), compare);
	for (size_t i = 0; i < diag->count; i++)
		render_entry(&sorted[i], out);
	free(sorted);
}
