/*
 * progress.h - a line on a terminal that says how far long work has come.
 *
 * Draws nothing where standard error is no terminal.  One thread.
 */
#ifndef DAEMON_PROGRESS_H
#define DAEMON_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/strbuf.h"

struct progress {
	bool shown;
	uint64_t total_bytes; /* 0: not known */
	int64_t start_ns;
};

void progress_begin(struct progress *progress, uint64_t total_bytes);
void progress_show(const struct progress *progress, uint64_t done_bytes);
/* The line is gone afterwards. */
void progress_end(const struct progress *progress);

/* The line: bar, bytes, rate and time left, as far as they are known. */
void progress_render(const struct progress *progress, uint64_t done_bytes,
		     int64_t elapsed_ns, struct strbuf *out);

#endif
