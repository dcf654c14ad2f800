/*
 * timestamp_read.h - the parts of a time, read one after the other.
 * Internal to timestamp.
 */
#ifndef PARSERS_TIMESTAMP_READ_H
#define PARSERS_TIMESTAMP_READ_H

#include <stdbool.h>
#include <stdint.h>

#include "common/slice.h"

/* What has been read so far. */
struct time_reading {
	struct slice rest;
	int64_t year;
	int month, day, year_day;
	int hour, minute, second;
	int64_t fraction_ns;
	int64_t epoch_seconds;
	int offset;
	struct slice zone_name; /* an abbreviation that says nothing by itself */
	bool has_year, has_date, has_offset, has_epoch, has_hour12, pm;
};

/* Takes its part off r->rest; false if something else stands there. */
typedef bool (*time_reader)(struct time_reading *r);

/* A letter of a layout has a reader, or is short for a layout. */
struct time_letter {
	char letter;
	time_reader read;
	const char *same_as;
};

/* NULL if there is no such letter. */
const struct time_letter *time_letter(char letter);

/* What reads all of a layout that is a word, epoch_ms for instance; NULL: none. */
time_reader time_epoch(const char *layout);

/* ISO 8601 and RFC 3339: date, T or space, time, offset or UTC behind it. */
bool time_read_iso(struct time_reading *r);

/* Spaces and tabs. */
void time_skip_spaces(struct time_reading *r);
bool time_take_char(struct time_reading *r, char c);

#endif
