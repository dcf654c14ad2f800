/*
 * timestamp_cache.h - times that differ from the last one in their fraction only.
 *
 * Lines of a log come many a second: what stands before the fraction is parsed
 * once for all of them.  Whoever reads with a layout keeps one cache for it.
 */
#ifndef PARSERS_TIMESTAMP_CACHE_H
#define PARSERS_TIMESTAMP_CACHE_H

#include <stdbool.h>
#include <stdint.h>

#include "parsers/timestamp.h"

/* All zero is an empty one. */
struct timestamp_cache {
	char head[40]; /* all but the fraction's digits */
	size_t head_len;
	size_t tail_len; /* of it, behind the fraction */
	bool has_fraction;
	int64_t ns; /* without the fraction */
};

/* As timestamp_parse(), always with the same layout. */
bool timestamp_parse_cached(struct timestamp_cache *cache,
			    const struct timestamp_layout *layout, struct slice text,
			    int64_t now_ns, int64_t *ns);

#endif
