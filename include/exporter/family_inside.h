/*
 * family_inside.h - the inside of struct family.
 *
 * For family.c (what it is), family_births.c (who is given a series, and the limits)
 * and family_ends.c (who loses it, and what scrapers are told).
 */
#ifndef EXPORTER_FAMILY_INSIDE_H
#define EXPORTER_FAMILY_INSIDE_H

#include <pthread.h>

#include "common/strbuf.h"
#include "exporter/family.h"
#include "exporter/keys.h"
#include "exporter/saved.h"
#include "exporter/shape.h"

struct family {
	atomic_uint refs;
	bool own;
	bool is_base;
	struct shape shape;
	struct strbuf signature;
	struct family_saved saved; /* of the one who saves */
	struct family_limits *limits;

	struct keys keys; /* adding takes the lock */
	_Atomic uint64_t overflows;
	_Atomic uint64_t forgotten; /* expired series that had to go */
	_Atomic int64_t expire_ns;  /* 0: never */
	atomic_size_t unshown;      /* keys that are expired or gone */
	atomic_bool pressure;       /* the limit was met */
	atomic_bool marks;          /* family_mark_begin() was called */
	/* Only the thread that makes cuts, or as life.h says. */
	uint32_t stamped;
	bool gives; /* free numbers, now or earlier */
	struct life *life;

	pthread_mutex_t lock; /* for what follows, and for births */
	size_t max_series;
	size_t limited_series;  /* that count against the limits */
	size_t occupied_series; /* and the expired ones, until their number is free */
	struct family_values values; /* that no store has taken yet */
	uint32_t *changed_pasts;     /* series whose past is not saved */
	size_t changed_past_count;
};

/* The most series that count against its limit; and one more or less. With the lock. */
size_t family_limit(const struct family *family);
void family_count_limited(struct family *family, bool one_more);

#endif
