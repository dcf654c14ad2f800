#include "exporter/life.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "common/xalloc.h"
#include "exporter/part.h"

/* All of a family's series are looked at with each cut if there are no more. */
#define FEW_SERIES 4096
#define SWEEP_NS 10000000000

struct hidden {
	uint32_t number;
	int64_t time_ns;
};

struct retired {
	struct past *past;
	uint64_t sequence; /* cuts before it may still read it */
};

struct life {
	int64_t swept_ns;
	uint32_t *young; /* born, and not seen with a value yet */
	size_t young_count;
	struct hidden *hidden;
	size_t hidden_count;
	struct retired *retired;
	size_t retired_count;
	/* Stores read what follows between a change of the round and the next. */
	enum { LIFE_STAYS, LIFE_FORGET, LIFE_CLEAR, LIFE_WAIT } step;
	uint32_t *leaving;
	size_t leaving_count;
	uint64_t cleared; /* sequence of the first cut without values */
	_Atomic uint64_t round;
};

/* What is being looked at. */
struct look {
	struct family *family;
	struct life *life;
	const struct layout *layout;
	const struct cut *cut;
	size_t metric;
	int64_t least_ns; /* what is older has expired */
	bool hides;
	bool is_base;
	union slot scratch[SLOTS_MAX];
};

struct past *past_create(uint64_t sequence, bool is_hidden, const union slot *slots,
			 const struct layout *layout)
{
	struct past *past = xmalloc(sizeof(*past) + layout->width * sizeof(*slots));

	past->sequence = sequence;
	past->is_hidden = is_hidden;
	slots_copy_sums(layout, past->slots, slots);
	return past;
}

struct life *life_create(void)
{
	return xcalloc(1, sizeof(struct life));
}

void life_destroy(struct life *life)
{
	if (!life)
		return;
	for (size_t i = 0; i < life->retired_count; i++)
		free(life->retired[i].past);
	free(life->young);
	free(life->hidden);
	free(life->retired);
	free(life->leaving);
	free(life);
}

void life_add(struct life *life, uint32_t series)
{
	life->young = xgrow(life->young, life->young_count, sizeof(*life->young));
	life->young[life->young_count++] = series;
}

static void add_hidden(struct life *life, struct hidden hidden)
{
	life->hidden = xgrow(life->hidden, life->hidden_count, sizeof(hidden));
	life->hidden[life->hidden_count++] = hidden;
}

void life_add_hidden(struct life *life, uint32_t series)
{
	add_hidden(life, (struct hidden){.number = series});
}

/* ---- what it was ---- */

static void retire(struct look *l, struct past *past)
{
	struct life *life = l->life;

	if (!past)
		return;
	life->retired =
		xgrow(life->retired, life->retired_count, sizeof(*life->retired));
	life->retired[life->retired_count++] =
		(struct retired){past, cut_sequence(l->cut)};
}

static void free_retired(struct life *life, uint64_t oldest_cut)
{
	size_t kept = 0;

	for (size_t i = 0; i < life->retired_count; i++) {
		if (life->retired[i].sequence <= oldest_cut)
			free(life->retired[i].past);
		else
			life->retired[kept++] = life->retired[i];
	}
	life->retired_count = kept;
}

static void set_past(struct look *l, uint32_t number, bool is_hidden,
		     const union slot *slots)
{
	struct past *past =
		past_create(cut_sequence(l->cut), is_hidden, slots, l->layout);

	retire(l, family_set_past(l->family, number, past));
}

/* NULL where nothing is shown when it comes back. */
static const struct past *hidden_past(const struct series_key *key)
{
	const struct past *past = atomic_load(&key->past);

	return past && past->is_hidden ? past : NULL;
}

/* ---- what has expired ---- */

static const union slot *slots_in(struct look *l, uint32_t number)
{
	return cut_slots(l->cut, l->metric, number, l->scratch);
}

static bool is_gauge(const struct look *l)
{
	return metric_is_gauge(l->layout->kind) && !l->is_base;
}

/* Without a log time it has not. */
static bool is_over(const struct look *l, const struct series_key *key,
		    const union slot *slots)
{
	int64_t time_ns = slots ? slots_time(l->layout, slots) : 0;

	if (time_ns == 0 || time_ns == METRIC_NO_TIME)
		return false;
	if (l->is_base)
		return true;
	if (!atomic_load_explicit(&key->limited, memory_order_relaxed) &&
	    !metric_is_gauge(l->layout->kind))
		return false;
	return time_ns < l->least_ns;
}

/* A gauge that comes back is shown as it is; a base is never shown. */
static bool comes_back_as_it_was(const struct look *l)
{
	return !metric_is_gauge(l->layout->kind);
}

static void hide(struct look *l, uint32_t number, const union slot *slots, bool is_new)
{
	static const union slot zeros[SLOTS_MAX];

	if (comes_back_as_it_was(l) && !l->hides)
		set_past(l, number, true, is_new ? zeros : slots);
	add_hidden(l->life, (struct hidden){number, slots_time(l->layout, slots)});
	family_set_expired(l->family, number, true);
}

static void look_at(struct look *l, uint32_t number, bool is_new)
{
	const struct series_key *key = family_key(l->family, number);
	const union slot *slots;

	if (key->gone || key->expired)
		return;
	slots = slots_in(l, number);
	if (is_over(l, key, slots))
		hide(l, number, slots, is_new);
}

/* Another worker may have been the first to know it: its value comes later. */
static void look_at_young(struct look *l)
{
	struct life *life = l->life;
	size_t kept = 0;

	for (size_t i = 0; i < life->young_count; i++) {
		uint32_t number = life->young[i];
		const union slot *slots = slots_in(l, number);

		if (!slots || slots_time(l->layout, slots) == 0)
			life->young[kept++] = number;
		else
			look_at(l, number,
				family_key(l->family, number)->born != BORN_OLD);
	}
	life->young_count = kept;
}

static bool sweep_is_due(const struct look *l, int64_t now_ns)
{
	const struct life *life = l->life;

	return cut_series(l->cut, l->metric) <= FEW_SERIES ||
	       family_take_pressure(l->family) || now_ns < life->swept_ns ||
	       now_ns - life->swept_ns >= SWEEP_NS;
}

static void sweep(struct look *l, int64_t now_ns)
{
	if (!sweep_is_due(l, now_ns))
		return;
	l->life->swept_ns = now_ns;
	for (uint32_t i = 0; i < cut_series(l->cut, l->metric); i++)
		look_at(l, i, false);
}

/* ---- what comes back ---- */

static void come_back(struct look *l, uint32_t number)
{
	const struct past *past = hidden_past(family_key(l->family, number));

	if (past)
		set_past(l, number, false, past->slots);
	family_set_expired(l->family, number, false);
}

static void look_at_base(struct look *l, struct hidden *h)
{
	const union slot *slots = slots_in(l, h->number);
	int64_t time_ns = slots ? slots_time(l->layout, slots) : 0;

	if (time_ns != h->time_ns && family_key(l->family, h->number)->leaving)
		family_stay(l->family, h->number);
	h->time_ns = time_ns;
}

/* False: it is no longer one of them. */
static bool stays_hidden(struct look *l, struct hidden *h)
{
	const struct series_key *key = family_key(l->family, h->number);
	const union slot *slots;

	if (key->gone)
		return false;
	if (l->is_base) {
		if (l->life->hidden_count > family_most_series(l->family))
			look_at_base(l, h);
		return true;
	}
	slots = slots_in(l, h->number);
	if (!is_over(l, key, slots)) {
		come_back(l, h->number);
		return false;
	}
	h->time_ns = slots_time(l->layout, slots);
	/* What is read of the backlog before anything is shown was always there. */
	if (comes_back_as_it_was(l) && !l->hides && !hidden_past(key))
		set_past(l, h->number, true, slots);
	return true;
}

static void look_at_hidden(struct look *l)
{
	struct life *life = l->life;
	size_t kept = 0;

	for (size_t i = 0; i < life->hidden_count; i++)
		if (stays_hidden(l, &life->hidden[i]))
			life->hidden[kept++] = life->hidden[i];
	life->hidden_count = kept;
}

/* ---- what goes ---- */

static int by_time(const void *a, const void *b)
{
	const struct hidden *x = a, *y = b;

	return x->time_ns != y->time_ns ? (x->time_ns < y->time_ns ? -1 : 1)
					: (x->number < y->number ? -1 : 1);
}

static size_t too_many(const struct look *l)
{
	size_t most = is_gauge(l) ? 0 : family_most_series(l->family);

	return l->life->hidden_count > most ? l->life->hidden_count - most : 0;
}

static void next_round(struct life *life, int step)
{
	life->step = step;
	atomic_fetch_add_explicit(&life->round, 1, memory_order_release);
}

static void choose(struct look *l)
{
	struct life *life = l->life;
	size_t count = too_many(l);

	if (count == 0)
		return;
	qsort(life->hidden, life->hidden_count, sizeof(*life->hidden), by_time);
	free(life->leaving);
	life->leaving = xcalloc(count, sizeof(*life->leaving));
	life->leaving_count = count;
	for (size_t i = 0; i < count; i++)
		life->leaving[i] = life->hidden[i].number;
	family_leave(l->family, life->leaving, count);
	next_round(life, LIFE_FORGET);
}

/* Whatever was written to one before the stores forgot it is in this cut. */
static void remove_leaving(struct look *l)
{
	struct life *life = l->life;
	size_t kept = 0;

	for (size_t i = 0; i < life->leaving_count; i++)
		if (family_remove(l->family, life->leaving[i]))
			life->leaving[kept++] = life->leaving[i];
	life->leaving_count = kept;
	if (!is_gauge(l))
		family_count_forgotten(l->family, kept);
	if (kept > 0)
		next_round(life, LIFE_CLEAR);
	else
		life->step = LIFE_STAYS;
}

/* All stores had done their part when theirs of the cut was taken. */
static bool round_is_over(const struct look *l)
{
	uint64_t round = life_round(l->life);

	for (size_t i = 0; i < cut_part_count(l->cut); i++) {
		const struct share *share = cut_share(l->cut, l->metric, i);

		if (!share || share->round != round)
			return false;
	}
	return true;
}

static void take_step(struct look *l, uint64_t oldest_cut)
{
	struct life *life = l->life;

	switch (life->step) {
	case LIFE_STAYS:
		choose(l);
		break;
	case LIFE_FORGET:
		if (round_is_over(l))
			remove_leaving(l);
		break;
	case LIFE_CLEAR:
		if (!round_is_over(l))
			break;
		life->cleared = cut_sequence(l->cut);
		life->step = LIFE_WAIT;
		break;
	case LIFE_WAIT:
		if (oldest_cut < life->cleared)
			break;
		family_free(l->family, life->leaving, life->leaving_count);
		life->step = LIFE_STAYS;
	}
}

/* ---- a cut ---- */

static bool is_used(const struct life *life)
{
	return life->hidden_count > 0 || life->retired_count > 0 ||
	       life->step != LIFE_STAYS;
}

void life_update(struct family *family, const struct cut *cut, size_t metric,
		 int64_t now_ns, bool hides)
{
	struct life *life = family_life(family);
	int64_t expire_ns = family_expire_ns(family);
	struct look l = {.family = family,
			 .life = life,
			 .layout = family_layout(family),
			 .cut = cut,
			 .metric = metric,
			 .least_ns = expire_ns > 0 ? now_ns - expire_ns : INT64_MIN,
			 .hides = hides,
			 .is_base = family_is_base(family)};
	uint64_t oldest_cut;

	if (expire_ns == 0 && !is_used(life))
		return;
	oldest_cut = cuts_oldest();
	look_at_hidden(&l);
	look_at_young(&l);
	if (expire_ns > 0)
		sweep(&l, now_ns);
	take_step(&l, oldest_cut);
	free_retired(life, oldest_cut);
}

/* ---- the stores ---- */

uint64_t life_round(const struct life *life)
{
	return atomic_load_explicit(&life->round, memory_order_acquire);
}

const uint32_t *life_to_clear(const struct life *life, size_t *count)
{
	*count = life->leaving_count;
	return life->step == LIFE_CLEAR ? life->leaving : NULL;
}
