#include "exporter/distinct.h"

#include <math.h>
#include <string.h>
#include <xxhash.h>

#define INDEX_BITS 12
#define RANK_BITS (64 - INDEX_BITS)
#define MOST_RANK (RANK_BITS + 1)

_Static_assert(DISTINCT_REGISTERS == 1 << INDEX_BITS, "an index chooses a register");
_Static_assert(DISTINCT_REGISTERS == DISTINCT_EXACT * sizeof(uint64_t),
	       "both forms take the same room");

uint64_t distinct_hash(struct slice text)
{
	return XXH64(text.ptr, text.len, 0);
}

/* ---- registers ---- */

static unsigned char *registers_of(struct pane *pane)
{
	return (unsigned char *)pane->cells;
}

/* The upper bits choose the register; it keeps the latest first 1 in the others. */
static void note(struct pane *pane, uint64_t hash)
{
	unsigned char *r = &registers_of(pane)[hash >> RANK_BITS];
	uint64_t rest = hash << INDEX_BITS | (uint64_t)1 << (INDEX_BITS - 1);
	unsigned char rank = (unsigned char)(__builtin_clzll(rest) + 1);

	if (rank > *r)
		*r = rank;
}

static struct pane *make_dense(struct pane *pane)
{
	struct pane *dense = pane_create(pane->index, DISTINCT_EXACT);

	dense->count = DISTINCT_EXACT;
	dense->is_dense = true;
	memset(dense->cells, 0, DISTINCT_REGISTERS);
	for (uint32_t i = 0; i < pane->count; i++)
		note(dense, pane->cells[i]);
	pane_unref(pane);
	return dense;
}

/* ---- both forms ---- */

struct pane *distinct_add(struct pane *pane, uint64_t hash)
{
	uint32_t at;

	if (pane->is_dense) {
		note(pane, hash);
		return pane;
	}
	at = pane_find(pane, hash);
	if (at < pane->count && pane->cells[at] == hash)
		return pane;
	if (pane->count < DISTINCT_EXACT)
		return pane_insert(pane, at, hash);
	pane = make_dense(pane);
	note(pane, hash);
	return pane;
}

static void merge_registers(struct pane *into, const struct pane *from)
{
	const unsigned char *theirs = (const unsigned char *)from->cells;
	unsigned char *ours = registers_of(into);

	for (size_t i = 0; i < DISTINCT_REGISTERS; i++)
		if (theirs[i] > ours[i])
			ours[i] = theirs[i];
}

struct pane *distinct_merge(struct pane *into, const struct pane *from)
{
	if (from->is_dense) {
		into = into->is_dense ? into : make_dense(into);
		merge_registers(into, from);
		return into;
	}
	for (uint32_t i = 0; i < from->count; i++)
		into = distinct_add(into, from->cells[i]);
	return into;
}

/* ---- the estimate: Ertl's algorithm 6, with its sigma and tau ---- */

static double sigma(double x)
{
	double y = 1, z = x, before;

	if (x == 1)
		return INFINITY;
	do {
		x *= x;
		before = z;
		z += x * y;
		y += y;
	} while (z != before);
	return z;
}

static double tau(double x)
{
	double y = 1, z = 1 - x, before;

	if (x == 0 || x == 1)
		return 0;
	do {
		x = sqrt(x);
		before = z;
		y *= 0.5;
		z -= (1 - x) * (1 - x) * y;
	} while (z != before);
	return z / 3;
}

double distinct_count(const struct pane *pane)
{
	const unsigned char *registers = (const unsigned char *)pane->cells;
	const double m = DISTINCT_REGISTERS;
	double of_rank[MOST_RANK + 1] = {0}, z;

	if (!pane->is_dense)
		return pane->count;
	for (size_t i = 0; i < DISTINCT_REGISTERS; i++)
		of_rank[registers[i]]++;
	z = m * tau(1 - of_rank[MOST_RANK] / m);
	for (int rank = MOST_RANK - 1; rank > 0; rank--)
		z = 0.5 * (z + of_rank[rank]);
	z += m * sigma(of_rank[0] / m);
	return round(m * m / (2 * log(2) * z));
}

bool distinct_is_valid(const struct pane *pane)
{
	const unsigned char *registers = (const unsigned char *)pane->cells;

	if (!pane->is_dense) {
		for (uint32_t i = 1; i < pane->count; i++)
			if (pane->cells[i - 1] >= pane->cells[i])
				return false;
		return pane->count <= DISTINCT_EXACT;
	}
	for (size_t i = 0; i < DISTINCT_REGISTERS; i++)
		if (registers[i] > MOST_RANK)
			return false;
	return pane->count == DISTINCT_EXACT;
}
