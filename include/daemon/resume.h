/*
 * resume.h - the start of a run: from what an earlier one left to a registry
 * that holds it.
 */
#ifndef DAEMON_RESUME_H
#define DAEMON_RESUME_H

#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"
#include "daemon/commit.h"
#include "daemon/past.h"
#include "daemon/setup.h"

/* Without state `state` and `commit` are NULL and the rest is as at a first run. */
struct resumed {
	struct state *state;
	struct scrapers *scrapers;
	struct commit *commit;
	struct registry *registry;
	struct past past;
	bool is_first;     /* there was no earlier run, and none was lost */
	uint64_t sequence; /* of the last commit */
};

/*
 * Opens the state that the configuration names, whose directory is locked, and
 * binds the setup, with the values that were saved.  What cannot be used is set
 * aside: then past.discovery.lost is true.  False: neither was possible.
 */
bool resume(struct resumed *resumed, struct setup *setup, struct error *err);

/* After all cuts, stores and schemas; whatever resume() returned. */
void resumed_finish(struct resumed *resumed);

#endif
