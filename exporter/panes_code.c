/*
 * A list of panes: how many; of each its index, by how much it is above the one
 * before, its form and how many cells it has; then the cells.  Numbers are LEB128
 * (DWARF 5, 7.6), doubles, hashes and registers as they are, the lowest byte first.
 */
#include <assert.h>
#include <endian.h>
#include <string.h>

#include "exporter/distinct.h"
#include "exporter/panes.h"
#include "exporter/panes_list.h"
#include "exporter/sketch.h"

/* Further away than any time is. */
#define MOST_INDEX (INT64_MAX / 2)

static void put_number(struct strbuf *out, uint64_t number)
{
	while (number >= 0x80) {
		strbuf_putc(out, (char)(number | 0x80));
		number >>= 7;
	}
	strbuf_putc(out, (char)number);
}

static uint64_t zigzag(int64_t number)
{
	return (uint64_t)number << 1 ^ (number < 0 ? UINT64_MAX : 0);
}

static void put_fixed(struct strbuf *out, uint64_t cell)
{
	cell = htole64(cell);
	strbuf_add(out, (const char *)&cell, sizeof(cell));
}

/* Keys by how much they are above the one before. */
static void put_cells(struct strbuf *out, enum panes_kind kind, const struct pane *pane)
{
	uint64_t key = 0;

	if (pane->is_dense) {
		strbuf_add(out, (const char *)pane->cells, DISTINCT_REGISTERS);
		return;
	}
	for (uint32_t i = 0; i < pane->count; i++) {
		if (kind != PANES_SKETCH) {
			put_fixed(out, pane->cells[i]);
			continue;
		}
		put_number(out, sketch_key(pane->cells[i]) - key);
		put_number(out, sketch_count(pane->cells[i]));
		key = sketch_key(pane->cells[i]);
	}
}

void panes_encode(const struct panes_shape *shape, const struct panes *panes,
		  struct strbuf *out)
{
	int64_t index = 0;

	put_number(out, panes->count);
	for (size_t i = 0; i < panes->count; i++) {
		const struct pane *pane = panes->list[i];

		put_number(out, zigzag(pane->index - index));
		put_number(out, (uint64_t)pane->count << 1 | pane->is_dense);
		put_cells(out, shape->kind, pane);
		index = pane->index;
	}
}

/* ---- reading ---- */

static bool get_number(struct slice *in, uint64_t *number)
{
	*number = 0;
	for (unsigned shift = 0; in->len > 0 && shift < 64; shift += 7) {
		unsigned char byte = (unsigned char)*in->ptr;

		in->ptr++;
		in->len--;
		*number |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80)
			return true;
	}
	return false;
}

static bool get_bytes(struct slice *in, void *to, size_t bytes)
{
	if (in->len < bytes)
		return false;
	memcpy(to, in->ptr, bytes);
	in->ptr += bytes;
	in->len -= bytes;
	return true;
}

static bool get_cell(struct slice *in, enum panes_kind kind, uint64_t *key,
		     uint64_t *cell)
{
	uint64_t above, count;

	if (kind != PANES_SKETCH) {
		if (!get_bytes(in, cell, sizeof(*cell)))
			return false;
		*cell = le64toh(*cell);
		return true;
	}
	if (!get_number(in, &above) || !get_number(in, &count) ||
	    above >= (uint64_t)1 << 20 || *key + above >= (uint64_t)1 << 20 ||
	    count >= (uint64_t)1 << SKETCH_COUNT_BITS)
		return false;
	*key += above;
	*cell = sketch_cell(*key, count);
	return true;
}

static bool get_cells(struct slice *in, enum panes_kind kind, struct pane *pane)
{
	uint64_t key = 0;

	if (pane->is_dense)
		return get_bytes(in, pane->cells, DISTINCT_REGISTERS);
	for (uint32_t i = 0; i < pane->count; i++)
		if (!get_cell(in, kind, &key, &pane->cells[i]))
			return false;
	return true;
}

static bool is_valid(enum panes_kind kind, const struct pane *pane)
{
	double value;

	if (kind == PANES_SKETCH)
		return sketch_is_valid(pane);
	if (kind == PANES_DISTINCT)
		return distinct_is_valid(pane);
	memcpy(&value, &pane->cells[0], sizeof(value));
	return pane->count == 1 && value == value;
}

static bool is_possible(enum panes_kind kind, uint64_t count, bool is_dense)
{
	if (is_dense)
		return kind == PANES_DISTINCT && count == DISTINCT_EXACT;
	return count > 0 && count <= SKETCH_MAX_CELLS;
}

static struct pane *get_pane(struct slice *in, enum panes_kind kind, int64_t *index)
{
	uint64_t above, form;
	struct pane *pane;

	if (!get_number(in, &above) || !get_number(in, &form) ||
	    __builtin_add_overflow(
		    *index, (int64_t)(above >> 1) ^ -(int64_t)(above & 1), index) ||
	    *index > MOST_INDEX || *index < -MOST_INDEX ||
	    !is_possible(kind, form >> 1, form & 1))
		return NULL;
	pane = pane_create(*index, (uint32_t)(form >> 1));
	pane->count = (uint32_t)(form >> 1);
	pane->is_dense = form & 1;
	if (get_cells(in, kind, pane) && is_valid(kind, pane))
		return pane;
	pane_unref(pane);
	return NULL;
}

/* In order, and not further apart than a window is long. */
static bool follows(const struct panes *panes, const struct pane *pane)
{
	return panes->count == 0 ||
	       (pane->index > panes->list[panes->count - 1]->index &&
		(uint64_t)pane->index - (uint64_t)panes->list[0]->index <= PANES);
}

struct panes *panes_decode(const struct panes_shape *shape, struct slice bytes)
{
	struct panes *panes = panes_create();
	int64_t index = 0;
	uint64_t count;
	bool ok = get_number(&bytes, &count) && count > 0 && count <= PANES + 1;

	for (uint64_t i = 0; ok && i < count; i++) {
		struct pane *pane = get_pane(&bytes, shape->kind, &index);

		ok = pane && follows(panes, pane);
		if (ok)
			panes->list[panes->count++] = pane;
		else
			pane_unref(pane);
	}
	if (ok && bytes.len == 0)
		return panes;
	panes_unref(panes);
	return NULL;
}
