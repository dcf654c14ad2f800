/*
 * family.h - one metric: what it is, and the keys of its series.
 *
 * For the exporter's own modules; other rooms see registry.h.  A family hands
 * out series numbers, from 0 upwards; a series keeps number and label text as
 * long as the family lives.  Births take the family's lock.  Readers take none:
 * a key never moves, and one below family_series() is complete.
 */
#ifndef EXPORTER_FAMILY_H
#define EXPORTER_FAMILY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/metric.h"
#include "common/slice.h"
#include "common/strbuf.h"
#include "exporter/keys.h"
#include "exporter/registry.h"
#include "exporter/slots.h"

#define FAMILY_NO_SERIES KEYS_NONE

/* Values of series_key.born beside the sequences of cuts. */
#define BORN_OLD 0             /* shown at its value at once */
#define BORN_UNSEEN UINT64_MAX /* no cut has held it yet */

/* Values from before the start, until a store takes them. */
struct family_values {
	struct chunk **chunks;
	size_t chunk_count;
};

/* Shared by all families of a registry. */
struct family_limits {
	atomic_size_t series;
	atomic_size_t series_per_metric;
	atomic_size_t label_value_bytes;
	atomic_size_t limited_series; /* of all families */
	bool expires;                 /* what definitions say of it counts */
};

/*
 * Copies the definition but not the help.  `own`: a metric of the daemon:
 * without const labels and limits.  A const label whose name the definition
 * has too is left out.  `limits` outlives the family.
 */
struct family *family_create(const struct metric_def *def, bool own,
			     const struct const_label *labels, size_t label_count,
			     struct slice signature, struct family_limits *limits,
			     uint64_t seed);

/* Any thread. */
struct family *family_ref(struct family *family);
void family_unref(struct family *family); /* NULL is accepted */

/*
 * Takes over max_series and gives birth to the declared sets.  An unlabelled
 * counter, histogram or summary is declared by itself.
 */
void family_take_over(struct family *family, const struct metric_def *def);

const struct layout *family_layout(const struct family *family);
size_t family_label_count(const struct family *family);

/* Histograms: the label le="..." of a bucket; the last one is +Inf. */
struct slice family_le(const struct family *family, size_t bucket);

/* States: the label NAME="..." of one. */
size_t family_states(const struct family *family);
struct slice family_state(const struct family *family, size_t state);

/* `series` is below family_series().  Any thread. */
const struct series_key *family_key(const struct family *family, uint32_t series);

/*
 * Renders the labels of a series: `values` in the definition's order are made
 * valid UTF-8.  False if one is too long then.  *exact: they were valid.
 * `scratch` is for the family's use.
 */
bool family_render(const struct family *family, const struct slice *values,
		   struct strbuf *text, struct strbuf *scratch, bool *exact);

/*
 * The series with this label text, born if need be, with `born` BORN_OLD or
 * BORN_UNSEEN.  Over the limits *overflowed is set and counted, and the result
 * is the series whose labels are all `other`, for gauges FAMILY_NO_SERIES.
 * Any thread.
 */
uint32_t family_ask(struct family *family, struct slice text, uint64_t born,
		    bool *overflowed);

/*
 * The next series, from before the start; false if its text is there already.
 * It counts against the limits as one that was asked for, and is kept where they
 * are exceeded.  Before any other series is born.
 */
bool family_adopt(struct family *family, struct slice text, uint64_t born);

/* The same for a number that is free; and the past of one that was adopted (life.h). */
void family_adopt_free(struct family *family);
void family_adopt_past(struct family *family, uint32_t series, struct past *past);

/* The restored values: a store that takes them owns them. */
struct family_values *family_values(struct family *family);
struct family_values family_take_values(struct family *family);

/*
 * Every update that asks by labels tells so, for the marks; cheap for families
 * that are never marked.  Any thread.
 */
void family_touch(struct family *family, uint32_t series);

/* -- for life.h ------------------------------------------------------------- */

struct life *family_life(struct family *family);
int64_t family_expire_ns(const struct family *family); /* 0: they never do */
struct series_key *family_key_to_write(struct family *family, uint32_t series);
size_t family_most_series(struct family *family);

/*
 * Takes over what the series is or was when hidden, to be saved; returns the one
 * before, which readers may still have.
 */
struct past *family_set_past(struct family *family, uint32_t series, struct past *past);

/* True if the limits refused a series since the last call. */
bool family_take_pressure(struct family *family);

/* An expired one does not count against the limits; one that comes back does. */
void family_set_expired(struct family *family, uint32_t series, bool expired);

/*
 * From here on asking for one of them by its labels, or family_stay(), prevents its
 * removal; so does that it is not expired any more, or declared.  False: it stays.
 */
void family_leave(struct family *family, const uint32_t *series, size_t count);
void family_stay(struct family *family, uint32_t series);
bool family_remove(struct family *family, uint32_t series);
void family_count_forgotten(struct family *family, size_t count);
/* Nobody reads text or values of these, which were removed. */
void family_free(struct family *family, const uint32_t *series, size_t count);

/* -- for saved.h ------------------------------------------------------------ */

/* The series whose past was set and not saved; the caller frees the list. */
uint32_t *family_changed_pasts(struct family *family, size_t *count);
/* Those that were set until the cut `sequence` was made are. */
void family_note_pasts_saved(struct family *family, uint64_t sequence);

/* -- for cut.h -------------------------------------------------------------- */

/*
 * The series below `count` that no cut held before are born with cut
 * `sequence` (or BORN_OLD).  Only the thread that makes cuts.
 */
void family_stamp(struct family *family, size_t count, uint64_t sequence);

#endif
