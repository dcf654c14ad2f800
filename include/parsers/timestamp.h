/*
 * timestamp.h - text from a log as a point in time.
 *
 * A layout has strptime's letters but those for weeks, %f (a fraction of a second, 1 to
 * 9 digits or more), %z (Z, +hh, +hhmm, +hh:mm), %Z (a zone's abbreviation: read over
 * unless UTC, GMT, Z or an offset, but it tells apart an hour that comes twice), %s
 * (epoch seconds, with a fraction if there is one); or it is a word: epoch, epoch_ms,
 * epoch_us, epoch_ns.  English names, no locale.  No layout: ISO 8601 / RFC 3339, with
 * T or space, comma or point.
 */
#ifndef PARSERS_TIMESTAMP_H
#define PARSERS_TIMESTAMP_H

#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"
#include "common/slice.h"
#include "parsers/zone.h"

struct timestamp_layout;

/*
 * `layout` NULL: ISO 8601.  The zone holds where the text names none; borrowed.
 * NULL with a text that quotes the part of the layout in question.
 */
struct timestamp_layout *timestamp_compile(const char *layout, const struct zone *zone,
					   struct error *err);
void timestamp_destroy(struct timestamp_layout *layout); /* NULL is accepted */

/*
 * `layout` NULL: ISO 8601 in UTC.  All of `text` must fit.  A date without a year gets
 * the latest in which it is at most a day ahead of `now_ns`; a time without a date the
 * latest day on which it is at most an hour ahead.
 * Nanoseconds since 1970.
 */
bool timestamp_parse(const struct timestamp_layout *layout, struct slice text,
		     int64_t now_ns, int64_t *ns);

/* Where a fraction of a second may stand in a text that fits the layout. */
enum timestamp_fraction {
	TIMESTAMP_FRACTION_UNKNOWN,
	TIMESTAMP_FRACTION_LAST,   /* behind a point or comma, at the end */
	TIMESTAMP_FRACTION_OR_ZONE /* the same, or before a zone */
};

enum timestamp_fraction timestamp_fraction(const struct timestamp_layout *layout);

/* True if the same text may mean another time at another moment. */
bool timestamp_needs_now(const struct timestamp_layout *layout);

#endif
