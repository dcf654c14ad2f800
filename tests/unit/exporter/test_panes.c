/*
 * Windows of log time: what falls out, and that only times and values count.  A model
 * keeps everything and looks through it.
 */
#include "exporter/panes.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "exporter/distinct.h"
#include "exporter/pane.h"
#include "exporter/sketch.h"

#define SECOND 1000000000
#define WINDOW 60
#define KINDS 4

static const enum panes_kind kinds[KINDS] = {PANES_LEAST, PANES_GREATEST, PANES_SKETCH,
					     PANES_DISTINCT};

struct event {
	double value;
	int64_t time_ns;
};

static struct panes_shape shape_of(enum panes_kind kind)
{
	return panes_shape(kind, (int64_t)WINDOW * SECOND);
}

static union seen seen_of(enum panes_kind kind, double value)
{
	if (kind == PANES_DISTINCT)
		return (union seen){
			.hash = distinct_hash((struct slice){(const char *)&value, 8})};
	return (union seen){.value = value};
}

static struct panes *take(enum panes_kind kind, struct panes *panes,
			  const struct event *event)
{
	struct panes_shape shape = shape_of(kind);

	return panes_add(&shape, panes, seen_of(kind, event->value), event->time_ns);
}

static struct panes *take_all(enum panes_kind kind, const struct event *events,
			      size_t count)
{
	struct panes *panes = NULL;

	for (size_t i = 0; i < count; i++)
		panes = take(kind, panes, &events[i]);
	return panes;
}

static struct strbuf *encoded(enum panes_kind kind, const struct panes *panes,
			      struct strbuf *out)
{
	struct panes_shape shape = shape_of(kind);

	strbuf_clear(out);
	panes_encode(&shape, panes, out);
	return out;
}

static bool same(enum panes_kind kind, const struct panes *a, const struct panes *b)
{
	struct strbuf x = STRBUF_INIT, y = STRBUF_INIT;
	bool equal = slice_eq(strbuf_slice(encoded(kind, a, &x)),
			      strbuf_slice(encoded(kind, b, &y)));

	strbuf_finish(&x);
	strbuf_finish(&y);
	return equal;
}

static double number(enum panes_kind kind, const struct panes *panes)
{
	struct panes_shape shape = shape_of(kind);

	return panes_number(&shape, panes);
}

static double number_of(enum panes_kind kind, const struct event *events, size_t count)
{
	struct panes *panes = take_all(kind, events, count);
	double result = number(kind, panes);

	panes_unref(panes);
	return result;
}

static struct event at(int64_t seconds, double value)
{
	return (struct event){value, seconds * SECOND};
}

Test(panes, what_is_older_than_the_window_and_a_sixth_is_let_go)
{
	struct event events[] = {at(1000, 1), at(1005, 2), at(1060, 3), at(1069, 4),
				 at(1070, 5)};

	cr_expect_eq(number_of(PANES_LEAST, events, 3), 1, "60 s later");
	cr_expect_eq(number_of(PANES_LEAST, events, 4), 1, "the pane is not over");
	cr_expect_eq(number_of(PANES_LEAST, events, 5), 3, "the next one began");
	cr_expect_eq(number_of(PANES_DISTINCT, events, 4), 4);
	cr_expect_eq(number_of(PANES_DISTINCT, events, 5), 3);
}

Test(panes, the_window_ends_at_the_newest_time_whatever_comes_last)
{
	struct event events[] = {at(2000, 5), at(1000, 9), at(1950, 7)};

	cr_expect_eq(number_of(PANES_GREATEST, events, 3), 7, "9 is too old");
	cr_expect_eq(number_of(PANES_GREATEST, events + 1, 2), 7);
	cr_expect_eq(number_of(PANES_GREATEST, events + 1, 1), 9);
}

Test(panes, panes_before_1970_are_as_long)
{
	struct event events[] = {at(-65, 1), at(-5, 2), at(4, 3)};

	cr_expect_eq(number_of(PANES_LEAST, events, 2), 1, "60 s");
	cr_expect_eq(number_of(PANES_LEAST, events, 3), 2,
		     "69 s, but the pane is over");
}

Test(panes, a_zero_has_no_sign)
{
	struct event events[] = {at(0, -0.0), at(0, 0.0)},
		     turned[] = {at(0, 0.0), at(0, -0.0)};

	cr_expect_not(signbit(number_of(PANES_LEAST, events, 2)));
	cr_expect_not(signbit(number_of(PANES_LEAST, turned, 2)));
}

/* ---- against a model ---- */

#define EVENTS 400

static struct event events[EVENTS];

static void make_events(void)
{
	for (size_t i = 0; i < EVENTS; i++)
		events[i] =
			(struct event){(double)(rand() % 1000) - 300,
				       (int64_t)(rand() % 200000) * (SECOND / 1000)};
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* The values in the window, ascending. */
static size_t model(double *list)
{
	int64_t pane_ns = (int64_t)WINDOW * SECOND / PANES, newest = 0;
	size_t count = 0;

	for (size_t i = 0; i < EVENTS; i++)
		if (events[i].time_ns / pane_ns > newest)
			newest = events[i].time_ns / pane_ns;
	for (size_t i = 0; i < EVENTS; i++)
		if (events[i].time_ns / pane_ns >= newest - PANES)
			list[count++] = events[i].value;
	qsort(list, count, sizeof(*list), by_value);
	return count;
}

static double different(const double *list, size_t count)
{
	double n = 0;

	for (size_t i = 0; i < count; i++)
		n += i == 0 || list[i] != list[i - 1];
	return n;
}

Test(panes, they_hold_what_a_model_that_forgets_nothing_finds)
{
	double list[EVENTS];

	for (int round = 0; round < 50; round++) {
		struct panes_shape shape = shape_of(PANES_SKETCH);
		struct panes *panes;
		struct pane *whole;
		size_t count;

		srand((unsigned)round);
		make_events();
		count = model(list);
		cr_assert_gt(count, 0);
		cr_expect_lt(count, EVENTS);
		cr_expect_eq(number_of(PANES_LEAST, events, EVENTS), list[0]);
		cr_expect_eq(number_of(PANES_GREATEST, events, EVENTS),
			     list[count - 1]);
		cr_expect_eq(number_of(PANES_DISTINCT, events, EVENTS),
			     different(list, count));
		panes = take_all(PANES_SKETCH, events, EVENTS);
		whole = panes_whole(&shape, panes);
		for (double q = 0; q <= 1; q += 0.125) {
			size_t rank = (size_t)ceil(q * (double)count);
			double exact = list[rank > 0 ? rank - 1 : 0];

			cr_expect_leq(fabs(sketch_quantile(whole, q) - exact),
				      fabs(exact) * (SKETCH_ERROR + 1e-9));
		}
		pane_unref(whole);
		panes_unref(panes);
	}
}

/* Workers take what falls to them, are stopped, and started in another number. */
static struct panes *take_in_parts(enum panes_kind kind, size_t workers)
{
	struct panes_shape shape = shape_of(kind);
	struct panes *parts[4] = {NULL};
	struct strbuf bytes = STRBUF_INIT;

	for (size_t i = 0; i < EVENTS; i++) {
		size_t w = (size_t)rand() % workers;

		parts[w] = take(kind, parts[w], &events[i]);
		if (rand() % 20 == 0) {
			panes_encode(&shape, parts[w], &bytes);
			panes_unref(parts[w]);
			parts[w] = panes_decode(&shape, strbuf_slice(&bytes));
			cr_assert(parts[w]);
			strbuf_clear(&bytes);
		}
	}
	for (size_t w = workers; w-- > 1;) {
		struct panes *merged = panes_merge(&shape, parts[w], parts[0]);

		panes_unref(parts[w]);
		panes_unref(parts[0]);
		parts[0] = merged;
	}
	strbuf_finish(&bytes);
	return parts[0];
}

static void shuffle(void)
{
	for (size_t i = EVENTS; i > 1; i--) {
		size_t j = (size_t)rand() % i;
		struct event swap = events[j];

		events[j] = events[i - 1];
		events[i - 1] = swap;
	}
}

Test(panes, order_workers_and_restarts_make_no_difference)
{
	for (int round = 0; round < 30; round++) {
		srand((unsigned)round);
		make_events();
		for (size_t k = 0; k < KINDS; k++) {
			struct panes *alone = take_all(kinds[k], events, EVENTS);

			for (size_t workers = 1; workers <= 4; workers++) {
				struct panes *parts;

				shuffle();
				parts = take_in_parts(kinds[k], workers);
				cr_expect(same(kinds[k], alone, parts),
					  "round %d, kind %zu, %zu workers", round, k,
					  workers);
				panes_unref(parts);
			}
			panes_unref(alone);
		}
	}
}

Test(panes, what_is_shared_never_changes)
{
	for (size_t k = 0; k < KINDS; k++) {
		struct panes *mine = NULL, *cuts[20];
		struct strbuf texts[20];

		srand(1);
		make_events();
		for (size_t i = 0; i < 20; i++) {
			for (size_t j = 0; j < 20; j++)
				mine = take(kinds[k], mine, &events[20 * i + j]);
			cuts[i] = panes_ref(mine);
			texts[i] = (struct strbuf)STRBUF_INIT;
			encoded(kinds[k], cuts[i], &texts[i]);
		}
		panes_unref(mine);
		for (size_t i = 0; i < 20; i++) {
			struct strbuf now = STRBUF_INIT;

			cr_expect(slice_eq(
				strbuf_slice(&texts[i]),
				strbuf_slice(encoded(kinds[k], cuts[i], &now))));
			strbuf_finish(&now);
			strbuf_finish(&texts[i]);
			panes_unref(cuts[i]);
		}
	}
}

/* ---- bytes ---- */

static void expect_survives(enum panes_kind kind, const struct panes *panes)
{
	struct panes_shape shape = shape_of(kind);
	struct strbuf bytes = STRBUF_INIT;
	struct panes *back;

	panes_encode(&shape, panes, &bytes);
	back = panes_decode(&shape, strbuf_slice(&bytes));
	cr_assert(back);
	cr_expect(same(kind, panes, back));
	cr_expect_not(panes_decode(&shape, (struct slice){bytes.ptr, bytes.len - 1}));
	panes_unref(back);
	strbuf_putc(&bytes, '\0');
	cr_expect_not(panes_decode(&shape, strbuf_slice(&bytes)));
	strbuf_finish(&bytes);
}

Test(panes, bytes_become_the_same_panes)
{
	for (size_t k = 0; k < KINDS; k++) {
		struct panes *panes = NULL;

		for (int i = 0; i < 3000; i++) {
			struct event event = at(i / 60 - 20, i * 1.25 - 1000);

			panes = take(kinds[k], panes, &event);
		}
		expect_survives(kinds[k], panes);
		panes_unref(panes);
	}
}

Test(panes, other_bytes_are_refused_or_make_panes_that_work)
{
	size_t refused = 0;

	for (int round = 0; round < 20000; round++) {
		enum panes_kind kind = kinds[round % KINDS];
		struct panes_shape shape = shape_of(kind);
		struct strbuf bytes = STRBUF_INIT;
		struct event more = at(100, 3);
		struct panes *panes;

		srand((unsigned)round);
		make_events();
		panes = take_all(kind, events, 30);
		panes_encode(&shape, panes, &bytes);
		panes_unref(panes);
		for (int i = 0; i < 1 + round % 3; i++)
			bytes.ptr[(size_t)rand() % bytes.len] = (char)rand();
		panes = panes_decode(&shape, strbuf_slice(&bytes));
		refused += !panes;
		if (panes) {
			panes = take(kind, panes, &more);
			number(kind == PANES_SKETCH ? PANES_LEAST : kind, NULL);
			panes_unref(panes_merge(&shape, panes, panes));
			panes_unref(panes);
		}
		strbuf_finish(&bytes);
	}
	cr_expect_gt(refused, 1000);
}
