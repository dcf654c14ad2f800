#include "exporter/sketch.h"

#include <float.h>
#include <math.h>

/* Keys: zero in the middle, the smallest positive bucket OFFSET above or less. */
#define ZERO ((int64_t)1 << 19)
#define OFFSET 40000
#define MOST_COUNT (((uint64_t)1 << SKETCH_COUNT_BITS) - 1)

static double log_gamma(void)
{
	return log1p(2 * SKETCH_ERROR / (1 - SKETCH_ERROR));
}

static int64_t key_of(double value)
{
	double magnitude = fabs(value);
	int64_t bucket;

	if (magnitude < DBL_MIN)
		return ZERO;
	bucket = OFFSET + (int64_t)ceil(log(magnitude) / log_gamma());
	return value > 0 ? ZERO + bucket : ZERO - bucket;
}

/* The middle, in the sense that both ends are as far from it by ratio to themselves. */
static double value_of(int64_t key)
{
	int64_t bucket = (key > ZERO ? key - ZERO : ZERO - key) - OFFSET;
	double magnitude;

	if (key == ZERO)
		return 0;
	magnitude = exp((double)bucket * log_gamma()) * (1 - SKETCH_ERROR);
	magnitude = fmin(magnitude, DBL_MAX);
	return key > ZERO ? magnitude : -magnitude;
}

static int64_t cell_key(uint64_t cell)
{
	return (int64_t)sketch_key(cell);
}

/* Beyond what any log can hold it stays. */
static uint64_t sum_of(uint64_t a, uint64_t b)
{
	return a + b < MOST_COUNT ? a + b : MOST_COUNT;
}

/* ---- at most so many buckets in a row ---- */

static int64_t lowest_key(const struct pane *pane)
{
	int64_t largest = pane->count > 0 ? cell_key(pane->cells[pane->count - 1]) : 0;

	return largest > ZERO ? largest - SKETCH_BUCKETS + 1 : INT64_MIN;
}

static int64_t highest_key(const struct pane *pane)
{
	int64_t largest = pane->count > 0 ? cell_key(pane->cells[0]) : ZERO;

	return largest < ZERO ? largest + SKETCH_BUCKETS - 1 : INT64_MAX;
}

static int64_t bounded(const struct pane *pane, int64_t key)
{
	int64_t lowest = lowest_key(pane), highest = highest_key(pane);

	if (key > ZERO && key < lowest)
		return lowest;
	return key < ZERO && key > highest ? highest : key;
}

static struct pane *count(struct pane *pane, int64_t key, uint64_t more)
{
	uint32_t at = pane_find(pane, sketch_cell((uint64_t)key, 0));

	if (at < pane->count && cell_key(pane->cells[at]) == key) {
		pane->cells[at] = sketch_cell(
			(uint64_t)key, sum_of(sketch_count(pane->cells[at]), more));
		return pane;
	}
	return pane_insert(pane, at, sketch_cell((uint64_t)key, more));
}

static uint64_t remove_at(struct pane *pane, uint32_t at)
{
	uint64_t removed = sketch_count(pane->cells[at]);

	for (uint32_t i = at + 1; i < pane->count; i++)
		pane->cells[i - 1] = pane->cells[i];
	pane->count--;
	return removed;
}

/* After a new largest magnitude: what it leaves too far behind moves up. */
static struct pane *collapse(struct pane *pane)
{
	int64_t lowest = lowest_key(pane), highest = highest_key(pane);

	for (uint32_t i = 0; i < pane->count;) {
		int64_t key = cell_key(pane->cells[i]);
		bool is_low = key > ZERO && key < lowest;
		bool is_high = key < ZERO && key > highest;

		if (is_low || is_high)
			pane = count(pane, is_low ? lowest : highest,
				     remove_at(pane, i));
		else
			i++;
	}
	return pane;
}

static struct pane *add(struct pane *pane, int64_t key, uint64_t more)
{
	bool is_outermost = pane->count == 0 ||
			    key > cell_key(pane->cells[pane->count - 1]) ||
			    key < cell_key(pane->cells[0]);

	pane = count(pane, bounded(pane, key), more);
	return is_outermost ? collapse(pane) : pane;
}

struct pane *sketch_add(struct pane *pane, double value)
{
	return add(pane, key_of(value), 1);
}

struct pane *sketch_merge(struct pane *into, const struct pane *from)
{
	for (uint32_t i = 0; i < from->count; i++)
		into = add(into, cell_key(from->cells[i]),
			   sketch_count(from->cells[i]));
	return into;
}

/* 0.07 * 100 is a little over 7. */
#define SLACK 1e-14

double sketch_quantile(const struct pane *pane, double q)
{
	uint64_t total = 0, seen = 0, rank;
	uint32_t i = 0;

	for (uint32_t j = 0; j < pane->count; j++)
		total += sketch_count(pane->cells[j]);
	if (total == 0)
		return NAN;
	rank = (uint64_t)ceil(q * (double)total * (1 - SLACK));
	rank = rank > 0 ? rank - 1 : 0;
	for (; i + 1 < pane->count; i++) {
		seen += sketch_count(pane->cells[i]);
		if (seen > rank)
			break;
	}
	return value_of(cell_key(pane->cells[i]));
}

bool sketch_is_valid(const struct pane *pane)
{
	int64_t lowest = lowest_key(pane), highest = highest_key(pane);

	for (uint32_t i = 0; i < pane->count; i++) {
		int64_t key = cell_key(pane->cells[i]);

		if (sketch_count(pane->cells[i]) == 0 || (key > ZERO && key < lowest) ||
		    (key < ZERO && key > highest) ||
		    (i > 0 && cell_key(pane->cells[i - 1]) >= key))
			return false;
	}
	return true;
}
