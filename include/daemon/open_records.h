/*
 * open_records.h - records that may go on, of several paths, on their way between
 * sources and the database.
 *
 * Copies, packed.  Tells of each path all that is open there: what was saved of it
 * before is to go.
 */
#ifndef DAEMON_OPEN_RECORDS_H
#define DAEMON_OPEN_RECORDS_H

#include "common/strbuf.h"
#include "parsers/open_record.h"

struct open_records {
	struct strbuf packed;
};

#define OPEN_RECORDS_INIT             \
	{                             \
		.packed = STRBUF_INIT \
	}

void open_records_finish(struct open_records *records);

/* What is added from now on is of this path; if nothing is, nothing is open there. */
void open_records_path(struct open_records *records, const char *path);
void open_records_add(struct open_records *records, const struct open_record *open);

/* In the order in which they were added; borrowed until the visit returns. */
struct open_records_visitor {
	void (*path)(void *ctx, const char *path);
	void (*record)(void *ctx, const char *path, const struct open_record *open);
};

void open_records_each(const struct open_records *records,
		       const struct open_records_visitor *visitor, void *ctx);

#endif
