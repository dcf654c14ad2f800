/*
 * open_record.h - a record that may go on, as it is saved.
 */
#ifndef PARSERS_OPEN_RECORD_H
#define PARSERS_OPEN_RECORD_H

#include <stddef.h>
#include <stdint.h>

#include "common/slice.h"
#include "parsers/envelope.h"

struct open_record {
	/*
	 * The patterns file whose record it is, by its label; "": a line that its
	 * envelope cut up, of which more is to come.
	 */
	struct slice patterns;
	enum envelope_stream stream;
	unsigned state; /* see multiline.h */
	/* Of its first line; see records.h. */
	int64_t time_ns, read_time_ns, mtime_ns;
	struct slice text;
	/*
	 * One for each of its lines: twice the lines of the file that it was made
	 * from, plus 1 if a rule of another patterns file matched it.
	 */
	const uint32_t *lines;
	size_t line_count;
};

#endif
