/*
 * config.h - logtally.yml and the flags that win over it.
 */
#ifndef DAEMON_CONFIG_H
#define DAEMON_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/diag.h"
#include "common/log.h"
#include "daemon/options.h"
#include "exporter/registry.h"
#include "parsers/envelope.h"
#include "parsers/regex.h"
#include "tailer/discovery.h"

struct config_limits {
	size_t line_bytes;
	size_t label_value_bytes;
	size_t series_per_metric;
	size_t series;
	size_t match_steps;
	size_t open_files;
};

/* Immutable once loaded. */
struct config {
	struct arena *arena; /* all texts below */
	struct discovery_root *roots;
	struct regex **path_patterns; /* one a root; NULL: none */
	enum envelope *envelopes;     /* one a root */
	size_t root_count;
	const char **patterns;
	size_t pattern_count;
	struct const_label *labels;
	size_t label_count;
	const char **path_fields; /* names that path_patterns supply, each once */
	size_t path_field_count;
	struct config_limits limits;
	const char *storage_path; /* "": none */
	bool storage_sync_full;
	unsigned workers;
	const char *listen_address;
	const char *telemetry_path;
	bool enable_lifecycle;
	struct slice hash_key; /* empty: none, or an error */
	bool names_hash_key;
	enum log_level log_level;
	enum log_format log_format;
};

/*
 * Errors go to `diag`; what could be read is returned all the same, so that
 * the patterns it names can be checked too.
 */
struct config *config_load(const struct options *options, struct diag *diag);
void config_destroy(struct config *config); /* NULL is accepted */

#endif
