/*
 * rule_runner.h - what the rules make of one record.
 *
 * Runs the candidates among the rules of each patterns file that is to see the record,
 * in their order, hands updates and errors on, and counts matches and CPU time until
 * the block ends.  Does not know where records come from, nor how candidates are found.
 * Internal to the engine, which has one.
 */
#ifndef PARSERS_RULE_RUNNER_H
#define PARSERS_RULE_RUNNER_H

#include <stdbool.h>
#include <stdint.h>

#include "parsers/candidates.h"
#include "parsers/engine.h"
#include "parsers/record.h"

struct rule_runner;

/* `patterns` outlives it. */
struct rule_runner *rule_runner_create(const struct patterns *patterns,
				       const struct engine_ops *ops, void *ctx);
void rule_runner_destroy(struct rule_runner *runner); /* NULL is accepted */

/* As engine_set_trace(). */
void rule_runner_set_trace(struct rule_runner *runner, const struct engine_trace *trace,
			   void *ctx);

/* True if a rule of some file matched. */
bool rule_runner_run(struct rule_runner *runner, struct record *record,
		     const struct candidates *candidates, struct engine_counts *counts);

/*
 * Before it: tries, without counting anything, what is no candidate.  What matches
 * becomes one, after a warning in the log.  Returns how many did.
 */
uint64_t rule_runner_check(struct rule_runner *runner, struct record *record,
			   struct candidates *candidates);

/* After the last record of a block: reports the matches.  Began at `start_ns` of CPU.
 */
void rule_runner_end_block(struct rule_runner *runner, int64_t start_ns);

#endif
