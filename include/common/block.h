/*
 * block.h - a run of whole lines, as the tailer hands them up.
 */
#ifndef COMMON_BLOCK_H
#define COMMON_BLOCK_H

#include <stdint.h>

#include "common/slice.h"

struct block {
	/*
	 * One or more whole lines, none longer in the file than the limit; the
	 * last one ends in '\n' unless it is the unterminated end of a finished
	 * file.  UTF-16 is UTF-8 here, which may be half as long again.
	 */
	struct slice bytes;
	uint64_t offset_bytes; /* of the first byte in the file */
	struct slice head;     /* how the file begins; may be empty: not known */
	int64_t read_time_ns;  /* wall clock */
	int64_t mtime_ns;      /* of the file, at the time of reading */
};

#endif
