/* Counts of different texts against how many there are. */
#include "exporter/distinct.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t hash_of(unsigned series, unsigned n)
{
	char text[64];
	int len = snprintf(text, sizeof(text), "participant-%u-%u", series, n);

	return distinct_hash((struct slice){text, (size_t)len});
}

static struct pane *pane_of(unsigned series, unsigned from, unsigned until)
{
	struct pane *pane = pane_create(0, 1);

	for (unsigned i = from; i < until; i++)
		pane = distinct_add(pane, hash_of(series, i));
	return pane;
}

static bool same(const struct pane *a, const struct pane *b)
{
	return a->count == b->count && a->is_dense == b->is_dense &&
	       memcmp(a->cells, b->cells, a->count * sizeof(a->cells[0])) == 0;
}

Test(distinct, up_to_512_texts_are_counted_exactly)
{
	struct pane *pane = pane_create(0, 1);

	for (unsigned i = 0; i < DISTINCT_EXACT; i++) {
		cr_expect_eq(distinct_count(pane), i);
		pane = distinct_add(pane, hash_of(0, i));
		pane = distinct_add(pane, hash_of(0, i / 2));
	}
	cr_expect_eq(distinct_count(pane), DISTINCT_EXACT);
	pane_unref(pane);
}

/* The standard error is 1.6%: over 4 of them would be met once in 16,000 tries. */
Test(distinct, more_are_counted_to_within_a_few_standard_errors)
{
	static const unsigned counts[] = {513,   600,   1000,  2000,  5000,
					  10000, 20000, 50000, 200000};

	for (size_t c = 0; c < sizeof(counts) / sizeof(counts[0]); c++) {
		double sum = 0, squares = 0;
		unsigned tries = counts[c] > 20000 ? 10 : 40;

		for (unsigned t = 0; t < tries; t++) {
			struct pane *pane = pane_of(t, 0, counts[c]);
			double error = distinct_count(pane) / counts[c] - 1;

			cr_expect_lt(fabs(error), 0.065, "%u counted as %g", counts[c],
				     distinct_count(pane));
			sum += error;
			squares += error * error;
			pane_unref(pane);
		}
		cr_expect_lt(fabs(sum / tries), 0.0163 * 4 / sqrt(tries),
			     "biased by %g at %u", sum / tries, counts[c]);
		cr_expect_lt(sqrt(squares / tries), 0.025, "at %u", counts[c]);
	}
}

Test(distinct, neither_order_nor_distribution_makes_a_difference)
{
	static const unsigned counts[] = {100, 512, 513, 700, 5000};

	for (size_t c = 0; c < sizeof(counts) / sizeof(counts[0]); c++) {
		unsigned n = counts[c];
		struct pane *whole = pane_of(1, 0, n), *merged = pane_create(0, 1);
		struct pane *first = pane_of(1, 0, n / 2 + 10);
		struct pane *second = pane_of(1, n / 2 - 10, n);

		merged = distinct_merge(distinct_merge(merged, second), first);
		cr_expect(same(whole, merged), "%u", n);
		merged = distinct_merge(merged, first);
		cr_expect(same(whole, merged), "what is there already adds nothing");
		cr_expect(distinct_is_valid(merged));
		pane_unref(whole);
		pane_unref(merged);
		pane_unref(first);
		pane_unref(second);
	}
}

Test(distinct, a_count_never_shrinks_while_texts_come)
{
	struct pane *pane = pane_create(0, 1);
	double before = 0;

	for (unsigned i = 0; i < 4000; i++) {
		pane = distinct_add(pane, hash_of(3, i));
		if (i == DISTINCT_EXACT)
			before = distinct_count(pane);
		cr_expect_geq(distinct_count(pane), before, "at %u", i);
		before = distinct_count(pane);
	}
	pane_unref(pane);
}

Test(distinct, texts_are_told_apart_by_every_byte)
{
	cr_expect_neq(distinct_hash(slice_of("a")), distinct_hash(slice_of("b")));
	cr_expect_neq(distinct_hash(slice_of("a")), distinct_hash(slice_of("a ")));
	/* It is saved: no version may hash otherwise. */
	cr_expect_eq(distinct_hash(slice_of("p017")), UINT64_C(0xf382e0dbdaf4f9f6));
}
