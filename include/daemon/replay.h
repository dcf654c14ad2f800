/*
 * replay.h - inputs through a setup's rules, on several threads, to one cut.
 *
 * What comes out does not depend on the number of threads: the inputs are dealt
 * out in lanes, which follow from the inputs alone; a lane is read by one thread, in
 * the order of its inputs, into values of its own; and lanes are merged in their
 * order.  So sums are rounded alike, and of gauges that were set at the same
 * log time the one that is last in the order of the inputs is shown, as if one
 * thread had read them all.  All files of one path are in one lane.
 *
 * (But for the limits of series: which label sets are over a limit depends on
 * who came first.)
 */
#ifndef DAEMON_REPLAY_H
#define DAEMON_REPLAY_H

#include "daemon/inputs.h"
#include "daemon/setup.h"
#include "exporter/cut.h"

/* What became of one input. */
struct replay_result {
	uint64_t lines, unmatched_lines, oversized_lines;
	bool failed;
	struct error err; /* of one that failed */
};

struct replay_options {
	const struct setup *setup; /* bound in the registry */
	struct registry *registry;
	const struct inputs *inputs; /* resolved */
	unsigned workers;
	/* From the calling thread, several times a second. */
	void (*progress)(void *ctx, uint64_t done_bytes);
	void *ctx;
};

/*
 * Reads everything; results[i] is that of the i-th input.  NULL if no thread could
 * be started.  The cut is the caller's.
 */
struct cut *replay_read(const struct replay_options *options,
			struct replay_result *results, struct error *err);

#endif
