/*
 * life.h - which series of a family have expired, come back, and go for good.
 *
 * For the exporter's own modules.  A series expires when its latest log time is
 * older than the wall clock minus `expire`; those that the patterns declare, those
 * without labels and `other` do not, unless they are gauges.  It is looked for
 * when a cut is made, so a line costs nothing, and what was found is a mark in the
 * series' key: what is shown and what a scraper is told agree.
 *
 * An expired counter, histogram or summary is hidden and does not count against the
 * limits; at most as many are hidden as may be shown, the oldest go.  An expired gauge
 * goes. What goes frees its number, in three steps, since nobody waits for anybody:
 *
 *   1. every store forgets which labels lead to the number; who asks for the label
 *      set by name meanwhile keeps it;
 *   2. the text leads nowhere any more; every store clears the values;
 *   3. when no cut is alive that holds a value, the number is free.
 */
#ifndef EXPORTER_LIFE_H
#define EXPORTER_LIFE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "exporter/cut.h"
#include "exporter/family.h"
#include "exporter/slots.h"

/*
 * What a series showed when it was hidden, without panes.  Never changes: when it comes
 * back, another takes its place.
 */
struct past {
	uint64_t sequence; /* of the cut with which it was hidden, or came back */
	bool is_hidden;    /* it is hidden still */
	union slot slots[];
};

struct past *past_create(uint64_t sequence, bool is_hidden, const union slot *slots,
			 const struct layout *layout);

struct life *life_create(void);
void life_destroy(struct life *life); /* NULL is accepted */

/* The series was hidden when an earlier process ended.  Before the first cut. */
void life_add_hidden(struct life *life, uint32_t series);

/* -- by the thread that makes cuts ------------------------------------------ */

/* The cut is the first that holds the series, which is to be looked at. */
void life_add(struct life *life, uint32_t series);

/*
 * Looks at the series of `cut`, of which all is known but that nobody has it yet.
 * `hides`: it does not show the family, and what it holds is old.
 */
void life_update(struct family *family, const struct cut *cut, size_t metric,
		 int64_t now_ns, bool hides);

/* -- by the stores ---------------------------------------------------------- */

/* A store is asked for something each time that this has changed. */
uint64_t life_round(const struct life *life);

/*
 * The numbers that go; NULL in step 1, which is about all whose key says `leaving`.
 * Valid until a part says that the store has done it (part.h).
 */
const uint32_t *life_to_clear(const struct life *life, size_t *count);

#endif
