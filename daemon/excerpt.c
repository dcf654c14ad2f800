#include "daemon/excerpt.h"

#include <locale.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "common/utf8.h"
#include "common/xalloc.h"

#define DOTS "..."

/* A character, or a byte that is none, as it is shown. */
struct cell {
	size_t at; /* in the text */
	char shown[16];
	size_t columns;
};

struct cells {
	struct cell *list;
	size_t count;
	size_t columns;
	size_t end; /* in the text */
};

/* -- one character -------------------------------------------------------- */

static size_t sequence_len(unsigned char first)
{
	return first < 0x80             ? 1
	       : (first & 0xE0) == 0xC0 ? 2
	       : (first & 0xF0) == 0xE0 ? 3
	       : (first & 0xF8) == 0xF0 ? 4
					: 1;
}

/* Bytes of the character at the start of the text; 0: it begins with none. */
static size_t character_len(struct slice text)
{
	size_t len = sequence_len((unsigned char)text.ptr[0]);

	if (len > text.len || !utf8_is_valid((struct slice){text.ptr, len}))
		return 0;
	return len;
}

static wchar_t code_point(struct slice text)
{
	static const unsigned char masks[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
	unsigned code = (unsigned char)text.ptr[0] & masks[text.len];

	for (size_t i = 1; i < text.len; i++)
		code = code << 6 | ((unsigned char)text.ptr[i] & 0x3F);
	return (wchar_t)code;
}

/* The width of what is no control character, by the C library's table; -1: not shown.
 */
static int columns_of(struct slice character)
{
	static locale_t utf8;
	locale_t before;
	int columns;

	if (character.len == 1)
		return character.ptr[0] >= ' ' && character.ptr[0] != 0x7F ? 1 : -1;
	if (!utf8)
		utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	if (!utf8)
		return 1;
	before = uselocale(utf8);
	columns = wcwidth(code_point(character));
	uselocale(before);
	return columns;
}

static void escape(struct cell *cell, struct slice bytes)
{
	static const char named[] = "\t\n\r";
	const char *name =
		bytes.len == 1 && bytes.ptr[0] ? strchr(named, bytes.ptr[0]) : NULL;

	if (name)
		snprintf(cell->shown, sizeof(cell->shown), "\\%c", "tnr"[name - named]);
	else if (bytes.len > 1)
		snprintf(cell->shown, sizeof(cell->shown), "\\x{%x}",
			 (unsigned)code_point(bytes));
	else
		snprintf(cell->shown, sizeof(cell->shown), "\\x%02x",
			 (unsigned char)bytes.ptr[0]);
	cell->columns = strlen(cell->shown);
}

static size_t show(struct slice text, struct cell *cell)
{
	size_t len = character_len(text);
	struct slice bytes = {text.ptr, len > 0 ? len : 1};
	int columns = len > 0 ? columns_of(bytes) : -1;

	if (columns < 0) {
		escape(cell, bytes);
	} else {
		memcpy(cell->shown, bytes.ptr, bytes.len);
		cell->shown[bytes.len] = '\0';
		cell->columns = (size_t)columns;
	}
	return bytes.len;
}

/* -- a text --------------------------------------------------------------- */

/* From byte `from` on, as long as it has fewer columns than `most`. */
static struct cells cells_of(struct slice text, size_t from, size_t most)
{
	struct cells cells = {.end = from};

	while (from < text.len && cells.columns < most) {
		struct cell cell = {.at = from};

		from += show((struct slice){text.ptr + from, text.len - from}, &cell);
		cells.list = xgrow(cells.list, cells.count, sizeof(*cells.list));
		cells.list[cells.count++] = cell;
		cells.columns += cell.columns;
		cells.end = from;
	}
	return cells;
}

/* Two thirds of the room are for what stands before the caret. */
static size_t window_start(struct slice text, size_t at, size_t columns)
{
	size_t before = columns * 2 / 3, used = 0, start = at;

	while (start > 0) {
		struct cell cell;
		size_t from = start - 1;

		while (from > 0 && start - from < 4 &&
		       utf8_is_continuation(text.ptr[from]))
			from--;
		if (show((struct slice){text.ptr + from, text.len - from}, &cell) !=
		    start - from) {
			from = start - 1;
			show((struct slice){text.ptr + from, 1}, &cell);
		}
		used += cell.columns;
		if (used > before)
			return start;
		start = from;
	}
	return 0;
}

static bool fits(struct slice text, size_t columns)
{
	struct cells cells = cells_of(text, 0, columns + 1);
	bool all = cells.columns <= columns;

	free(cells.list);
	return all;
}

/* Returns the column of the caret. */
static size_t add_cells(struct strbuf *out, const struct cells *cells, size_t used,
			size_t at)
{
	size_t caret = 0;
	bool found = false;

	for (size_t i = 0; i < cells->count; i++) {
		if (!found && cells->list[i].at >= at) {
			found = true;
			caret = used;
		}
		strbuf_puts(out, cells->list[i].shown);
		used += cells->list[i].columns;
	}
	return found ? caret : used;
}

void excerpt_add(struct strbuf *out, const struct excerpt *how, struct slice text,
		 size_t at)
{
	bool has_caret = at != EXCERPT_NO_CARET, all = fits(text, how->columns);
	size_t room = how->columns - 2 * strlen(DOTS);
	size_t start = all || !has_caret ? 0 : window_start(text, at, room);
	struct cells cells = cells_of(text, start, all ? how->columns + 1 : room);
	size_t caret;

	if (start > 0)
		strbuf_puts(out, DOTS);
	caret = add_cells(out, &cells, start > 0 ? strlen(DOTS) : 0, at);
	strbuf_puts(out, cells.end < text.len ? DOTS "\n" : "\n");
	free(cells.list);
	if (!has_caret)
		return;
	for (size_t i = 0; i < how->indent + caret; i++)
		strbuf_putc(out, ' ');
	strbuf_puts(out, how->mark);
	strbuf_putc(out, '\n');
}

void excerpt_add_plain(struct strbuf *out, struct slice text)
{
	for (size_t from = 0; from < text.len;) {
		struct cell cell;

		from += show((struct slice){text.ptr + from, text.len - from}, &cell);
		strbuf_puts(out, cell.shown);
	}
}
