#include "exporter/base.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "common/xalloc.h"
#include "exporter/life.h"

/*
 * Stands where others keep what a series was before it came back (struct past), which a
 * base never does: so it begins as one that says so.  A path changes hands through a
 * mailbox, so the two numbers go together; they are atomic for the sake of who looks
 * at the wrong time.
 */
struct base {
	uint64_t sequence;           /* of struct past: 0 */
	_Atomic uint64_t total_bits; /* of a double */
	_Atomic int64_t order;
};

_Static_assert(offsetof(struct base, sequence) == offsetof(struct past, sequence),
	       "it begins as a struct past");

struct base *base_of(struct family *family, uint32_t series)
{
	struct series_key *key = family_key_to_write(family, series);
	struct past *there = atomic_load_explicit(&key->past, memory_order_acquire);
	struct base *mine;

	if (there)
		return (struct base *)there;
	mine = xcalloc(1, sizeof(*mine));
	if (atomic_compare_exchange_strong(&key->past, &there, (struct past *)mine))
		return mine;
	free(mine);
	return (struct base *)there;
}

int64_t base_get(const struct base *base, double *total)
{
	uint64_t bits = atomic_load_explicit(&base->total_bits, memory_order_relaxed);

	memcpy(total, &bits, sizeof(*total));
	return atomic_load_explicit(&base->order, memory_order_relaxed);
}

void base_set(struct base *base, double total, int64_t order)
{
	uint64_t bits;

	memcpy(&bits, &total, sizeof(bits));
	atomic_store_explicit(&base->total_bits, bits, memory_order_relaxed);
	atomic_store_explicit(&base->order, order, memory_order_relaxed);
}
