/* Quantiles of many values against those of the values themselves. */
#include "exporter/sketch.h"

#include <criterion/criterion.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define VALUES 20000

static double values[VALUES], sorted[VALUES];

/* 0 to 1, neither included. */
static double chance(void)
{
	return (rand() + 0.5) / ((double)RAND_MAX + 1);
}

static double uniform(void)
{
	return chance() * 1000;
}

static double lognormal(void)
{
	return exp(sqrt(-2 * log(chance())) * cos(2 * M_PI * chance()) * 3);
}

static double pareto(void)
{
	return 1 / chance();
}

static double of_both_signs(void)
{
	double value = lognormal();

	return chance() < 0.1 ? 0 : chance() < 0.5 ? -value : value;
}

static double few_values(void)
{
	return floor(chance() * 5) / 10;
}

static double below_zero(void)
{
	return -pareto();
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static struct pane *sketch_of(const double *list, size_t count)
{
	struct pane *pane = pane_create(0, 1);

	for (size_t i = 0; i < count; i++)
		pane = sketch_add(pane, list[i]);
	return pane;
}

static bool same(const struct pane *a, const struct pane *b)
{
	return a->count == b->count &&
	       memcmp(a->cells, b->cells, a->count * sizeof(a->cells[0])) == 0;
}

/* In whole thousandths, so that nothing is rounded. */
static size_t nearest_rank(double q, size_t count)
{
	size_t part = (size_t)(q * 1000 + 0.5) * count;
	size_t rank = (part + 999) / 1000;

	return rank > 0 ? rank - 1 : 0;
}

static void expect_quantiles(const struct pane *pane, size_t count, const char *of)
{
	static const double quantiles[] = {0,    0.001, 0.01, 0.1,   0.25, 0.5,
					   0.75, 0.9,   0.99, 0.999, 1};

	for (size_t i = 0; i < sizeof(quantiles) / sizeof(quantiles[0]); i++) {
		double exact = sorted[nearest_rank(quantiles[i], count)];
		double told = sketch_quantile(pane, quantiles[i]);

		cr_expect(fabs(told - exact) <= (SKETCH_ERROR + 1e-9) * fabs(exact),
			  "%s: quantile %g is %g, told %g", of, quantiles[i], exact,
			  told);
	}
}

Test(sketch, a_quantile_is_within_one_percent_of_the_exact_one)
{
	static double (*const draw[])(void) = {uniform,       lognormal,  pareto,
					       of_both_signs, few_values, below_zero};
	static const char *const names[] = {"uniform",    "lognormal",  "pareto",
					    "both signs", "few values", "below zero"};
	static const size_t counts[] = {1, 2, 3, 10, 1000, VALUES};

	for (size_t d = 0; d < sizeof(draw) / sizeof(draw[0]); d++) {
		for (size_t c = 0; c < sizeof(counts) / sizeof(counts[0]); c++) {
			struct pane *pane;

			for (size_t i = 0; i < counts[c]; i++)
				values[i] = sorted[i] = draw[d]();
			qsort(sorted, counts[c], sizeof(sorted[0]), by_size);
			pane = sketch_of(values, counts[c]);
			expect_quantiles(pane, counts[c], names[d]);
			cr_expect(sketch_is_valid(pane));
			pane_unref(pane);
		}
	}
}

Test(sketch, neither_order_nor_distribution_makes_a_difference)
{
	struct pane *whole, *merged = pane_create(0, 1);
	struct pane *thirds[3];

	for (size_t i = 0; i < 3000; i++)
		values[i] = of_both_signs() * pow(10, floor(chance() * 60) - 30);
	whole = sketch_of(values, 3000);
	for (size_t i = 0; i < 3; i++)
		thirds[i] = sketch_of(values + 1000 * i, 1000);
	for (size_t i = 3; i-- > 0;)
		merged = sketch_merge(merged, thirds[i]);
	cr_expect_gt(whole->count, 500);
	cr_expect(same(whole, merged));
	for (size_t i = 0; i < 1500; i++) {
		double swap = values[i];

		values[i] = values[2999 - i];
		values[2999 - i] = swap;
	}
	pane_unref(merged);
	merged = sketch_of(values, 3000);
	cr_expect(same(whole, merged));
	pane_unref(whole);
	pane_unref(merged);
	for (size_t i = 0; i < 3; i++)
		pane_unref(thirds[i]);
}

Test(sketch, memory_is_bounded_and_the_large_stay_exact)
{
	struct pane *pane = pane_create(0, 1), *reversed = pane_create(0, 1);

	for (int exponent = -290; exponent <= 290; exponent++)
		for (int digit = 1; digit < 10; digit++) {
			double v = digit * pow(10, exponent);
			double back = digit * pow(10, -exponent);

			pane = sketch_add(sketch_add(pane, v), -v);
			reversed = sketch_add(sketch_add(reversed, back), -back);
		}
	cr_expect_leq(pane->count, SKETCH_MAX_CELLS);
	cr_expect(same(pane, reversed));
	cr_expect(sketch_is_valid(pane));
	cr_expect_float_eq(sketch_quantile(pane, 1) / 9e290, 1, SKETCH_ERROR + 1e-9);
	cr_expect_float_eq(sketch_quantile(pane, 0) / -9e290, 1, SKETCH_ERROR + 1e-9);
	/* The middle of the positive ones is far below what is kept apart. */
	cr_expect_lt(sketch_quantile(pane, 0.75), 9e290 / 6e17);
	cr_expect_gt(sketch_quantile(pane, 0.75), 9e290 / 7e17);
	pane_unref(pane);
	pane_unref(reversed);
}

Test(sketch, the_ends_of_what_doubles_can_be_are_values_too)
{
	static const double ends[] = {DBL_MAX, -DBL_MAX, DBL_MIN, -DBL_MIN, 1, -1};

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		struct pane *pane = sketch_of(&ends[i], 1);
		double told = sketch_quantile(pane, 0.5);

		cr_expect_float_eq(told / ends[i], 1, SKETCH_ERROR + 1e-9);
		cr_expect(isfinite(told));
		pane_unref(pane);
	}
}

Test(sketch, zeros_are_told_exactly)
{
	static const double zeros[] = {0, -0.0, 4.9e-324, -1e-310};
	struct pane *pane = sketch_of(zeros, 4);

	cr_expect_eq(pane->count, 1);
	cr_expect_eq(sketch_quantile(pane, 0.5), 0);
	pane_unref(pane);
}

Test(sketch, a_high_quantile_of_few_values_is_the_greatest)
{
	static const double few[] = {0.1, 0.2, 5};
	struct pane *pane = sketch_of(few, 3);

	cr_expect_float_eq(sketch_quantile(pane, 0.99), 5, 5 * SKETCH_ERROR);
	cr_expect_float_eq(sketch_quantile(pane, 0.9), 5, 5 * SKETCH_ERROR);
	cr_expect_float_eq(sketch_quantile(pane, 0.5), 0.2, 0.2 * SKETCH_ERROR);
	cr_expect_float_eq(sketch_quantile(pane, 0.33), 0.1, 0.1 * SKETCH_ERROR);
	pane_unref(pane);
}

Test(sketch, of_nothing_a_quantile_is_nan)
{
	struct pane *pane = pane_create(0, 1);

	cr_expect(isnan(sketch_quantile(pane, 0.5)));
	pane_unref(pane);
}
