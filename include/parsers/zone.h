/*
 * zone.h - how far local time is from UTC, and the calendar behind it.
 *
 * Zones come from the TZif files (RFC 8536) under $TZDIR or
 * /usr/share/zoneinfo, with the POSIX rules in their footers for later years.
 */
#ifndef PARSERS_ZONE_H
#define PARSERS_ZONE_H

#include <stdint.h>

#include "common/error.h"
#include "common/slice.h"

struct zone;

/*
 * "UTC", "local" (the process's zone), an offset such as "+02:00", or a name
 * such as "Europe/Berlin".  NULL with a text that says what is possible.
 */
struct zone *zone_load(const char *name, struct error *err);
void zone_destroy(struct zone *zone); /* NULL is accepted */

/*
 * Seconds east of UTC that hold for a local wall-clock time (seconds since 1970
 * as if it were UTC); in a gap the offset before it, in a fold the first.
 */
int zone_offset_at_local(const struct zone *zone, int64_t local_seconds);

/* The same; but in a fold the second, if that is what has this abbreviation. */
int zone_offset_at_local_named(const struct zone *zone, int64_t local_seconds,
			       struct slice name);

/* Days since 1970-01-01 of a date of the Gregorian calendar, and its year. */
int64_t days_from_civil(int64_t year, int month, int day);
int64_t year_of_days(int64_t days);

#endif
