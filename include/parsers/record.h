/*
 * record.h - one record on its way through the rules.
 *
 * A record is a line, or lines that belong together.  What rules ask of it
 * (the captures of `line`, its time) is worked out when it is first asked for.
 * Internal to the parsers: the engine fills it, fields read it.
 */
#ifndef PARSERS_RECORD_H
#define PARSERS_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "common/block.h"
#include "common/slice.h"
#include "parsers/envelope.h"
#include "parsers/format.h"
#include "parsers/malformed.h"
#include "parsers/regex.h"
#include "parsers/timestamp_cache.h"

struct source;
struct patterns_file;
struct field;

enum record_time {
	RECORD_TIME_UNKNOWN, /* not asked for yet */
	RECORD_TIME_PARSED,
	RECORD_TIME_NONE,     /* the file's rules have no time: read time stands in */
	RECORD_TIME_UNPARSED, /* it should have one, but it does not parse */
	RECORD_TIME_AHEAD     /* over 5 minutes in the future */
};

struct record {
	struct slice text;
	const struct source *source;
	const struct block *block; /* when it was read */
	uint64_t line;             /* its first one's number; 0: it lies in the block */
	/* What its envelope says; STREAM_NONE and ENVELOPE_NO_TIME where there is none.
	 */
	enum envelope_stream stream;
	int64_t envelope_time_ns;
	/* The patterns files that are to see it. */
	const struct patterns_file *const *files;
	size_t file_count;

	const struct patterns_file *file; /* whose rules look at it */
	struct timestamp_cache *times;    /* the engine's, for this file */

	/* Each regex kind has its own scratch, so that groups stay readable. */
	struct regex_scratch *line_scratch;
	struct regex_scratch *pattern_scratch;
	struct regex_scratch *other_scratch;

	struct format_fields *fields; /* the engine's */
	bool fields_read;             /* of this record, for this file */
	bool fields_malformed;
	unsigned malformed; /* a bit for each enum malformed, of any file */

	bool line_tried;
	bool line_matched;
	bool line_hit_limit; /* and no rule has counted it yet */
	size_t alternative;  /* of the rule's patterns: the one that matched */
	bool has_match;      /* pattern_scratch holds the present rule's groups */

	enum record_time time_state;
	int64_t time_ns;
	const struct field *time_field; /* of the present rule; NULL: none */
	char time_text[40];
};

/* True if the file's `line` matches; tries once. */
bool record_match_line(struct record *record);

/*
 * A field of the file's format by its number among those wanted; ptr NULL: missing.
 * Reads the record's fields once.  Borrowed until another file's rules look at it.
 */
struct slice record_field(struct record *record, size_t wanted);

/* The log time; never fails: see time_state for how it was found. */
int64_t record_time_ns(struct record *record);

/* The log time in seconds since 1970, exact; borrowed from the record. */
struct slice record_time_text(struct record *record);

#endif
