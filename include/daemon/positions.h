/*
 * positions.h - checkpoints on their way from a worker to a commit, and the records
 * that were open there.
 *
 * Copies, packed: at the start there may be one for each of 10,000 files.
 */
#ifndef DAEMON_POSITIONS_H
#define DAEMON_POSITIONS_H

#include <stdbool.h>

#include "common/strbuf.h"
#include "daemon/open_records.h"
#include "tailer/checkpoint.h"

struct positions {
	struct strbuf packed;
	struct open_records open;
};

#define POSITIONS_INIT                                           \
	{                                                        \
		.packed = STRBUF_INIT, .open = OPEN_RECORDS_INIT \
	}

/* `dropped`: it is to be forgotten; only its id counts. */
void positions_add(struct positions *positions, const struct checkpoint *checkpoint,
		   bool dropped);

/* In the order in which they were added; each is borrowed until the visit returns. */
void positions_each(const struct positions *positions,
		    void (*visit)(void *ctx, const struct checkpoint *checkpoint,
				  bool dropped),
		    void *ctx);

static inline bool positions_is_empty(const struct positions *positions)
{
	return positions->packed.len == 0 && positions->open.packed.len == 0;
}

void positions_finish(struct positions *positions);

#endif
