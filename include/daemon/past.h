/*
 * past.h - what an earlier run left, but for the series (commit.h).
 */
#ifndef DAEMON_PAST_H
#define DAEMON_PAST_H

#include <stdbool.h>

#include "common/arena.h"
#include "common/error.h"
#include "daemon/leftovers.h"
#include "daemon/state.h"
#include "exporter/scrapers.h"
#include "tailer/discovery.h"

struct past {
	struct arena *arena; /* all texts below */
	struct checkpoint *checkpoints;
	struct discovery_past discovery;
	struct leftovers *leftovers; /* records that may go on */
	bool caught_up;              /* it had read its first backlog */
};

/* Into the scrapers too.  False: it cannot be read; finish it all the same. */
bool past_load(struct past *past, struct state *state, struct scrapers *scrapers,
	       struct error *err);
void past_finish(struct past *past);

#endif
