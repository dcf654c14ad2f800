/*
 * records.h - a run of records that were put together from lines.
 *
 * Where a record is no verbatim slice of a block (it was unwrapped, joined), it lies
 * here: the texts one after the other with a newline between them, which is no
 * bound, since a record may hold newlines; `ends` are.
 * Internal to the parsers: assembly fills it, the engine scans it.
 */
#ifndef PARSERS_RECORDS_H
#define PARSERS_RECORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/slice.h"
#include "common/strbuf.h"
#include "parsers/envelope.h"

/* Where a record comes from; of several lines the first one says when. */
struct record_origin {
	enum envelope_stream stream;
	bool matched;        /* a rule did: set by who runs them */
	uint32_t line_count; /* of those that its stream has */
	uint64_t first_line; /* the number that it has among these */
	uint64_t line; /* of all that were read: the number of the first one, from 1 */
	int64_t time_ns;                /* the envelope's, or ENVELOPE_NO_TIME */
	int64_t read_time_ns, mtime_ns; /* as in struct block */
};

struct records {
	struct strbuf bytes;
	size_t *ends; /* in bytes: behind the last one of each */
	struct record_origin *origins;
	size_t count, capacity;
};

#define RECORDS_INIT                 \
	{                            \
		.bytes = STRBUF_INIT \
	}

void records_finish(struct records *records);

/* Keeps the memory. */
void records_clear(struct records *records);

/* Where the next record's text begins, which is appended to `bytes`. */
size_t records_start(const struct records *records);

/* Ends a record: what was appended to `bytes` behind the last one is its text. */
void records_add(struct records *records, const struct record_origin *origin);

struct slice records_text(const struct records *records, size_t index);

#endif
