/*
 * test_reasons.h - what became of the lines of a test that failed.
 */
#ifndef DAEMON_TEST_REASONS_H
#define DAEMON_TEST_REASONS_H

#include "common/block.h"
#include "common/strbuf.h"
#include "exporter/store.h"
#include "parsers/patterns.h"
#include "parsers/source.h"

/*
 * Appends the lines that no rule matched and the updates that could not be made, some
 * of each.  `store` is new.
 */
void test_reasons(const struct patterns *patterns, struct source *source,
		  const struct block *block, struct store *store, struct strbuf *out);

#endif
