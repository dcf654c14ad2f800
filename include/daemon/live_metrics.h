/*
 * live_metrics.h - the own metrics that are read when a scrape asks.
 */
#ifndef DAEMON_LIVE_METRICS_H
#define DAEMON_LIVE_METRICS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/strbuf.h"
#include "daemon/cutter.h"
#include "daemon/saver.h"
#include "exporter/registry.h"

#define FALLBACK_REASONS 16

/* What the daemon knows of itself at the time of a scrape. */
struct live_facts {
	bool catching_up;
	bool reload_successful;
	int64_t reload_success_ns;
	struct schema *schema; /* a reference */
	struct {
		const char *reason;
		uint64_t count;
	} fallbacks[FALLBACK_REASONS];
	size_t fallback_count;
	struct saver_facts saver;
};

/* All zero before; then all reasons of fallbacks are there, so that the first counts.
 */
void live_facts_begin(struct live_facts *facts);

/* Appends whole families. */
void live_metrics_render(const struct live_facts *facts, struct cutter *cutter,
			 struct strbuf *out);

#endif
