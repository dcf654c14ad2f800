/*
 * explain.h - why a line matches a rule, or does not.
 *
 * Feeds lines to an engine of its own, the same that the daemon runs, with each rule
 * tried on each line, and collects what its trace tells: verdicts, captures, updates,
 * errors, and how far patterns got.  Knows nothing of how that is shown.
 *
 * explain_create(), then explain_feed() and a look at the records, and so on;
 * explain_clear() forgets the records, and all texts with them.
 */
#ifndef PARSERS_EXPLAIN_H
#define PARSERS_EXPLAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/block.h"
#include "common/metric.h"
#include "parsers/engine.h"
#include "parsers/explain_attempt.h"
#include "parsers/rule.h"
#include "parsers/source.h"

enum explained_verdict {
	EXPLAINED_MATCHED,
	EXPLAINED_WHERE,
	EXPLAINED_PATTERN,
	EXPLAINED_UNLESS,
	EXPLAINED_STOPPED /* an earlier rule stopped: it was not tried */
};

/* A named text. */
struct explained_field {
	const char *name;
	struct slice text; /* ptr NULL: it took no part */
};

struct explained_fields {
	struct explained_field *list;
	size_t count;
};

/* What a metric of a rule that matched came to. */
struct explained_update {
	const struct rule_metric *metric;
	const struct metric_def *def;
	bool made; /* it came to an update, which is: */
	double value;
	struct slice text; /* UPDATE_SEE: what is seen; of a state, which; else empty */
	enum update_op op;
	const struct slice *labels; /* as many as `def` has */
	enum update_result result;
	const char *problem; /* why nothing, or not this, is updated; NULL: none */
};

struct explained_rule {
	const struct rule *rule;
	enum explained_verdict verdict;
	bool hit_limit; /* a regex took too many steps: it counts as no match */
	/* EXPLAINED_MATCHED. */
	struct explained_fields captures;
	struct explained_update *updates;
	size_t update_count;
	const char *time_problem; /* NULL: none */
	/* EXPLAINED_WHERE, and what its pattern would say. */
	const char *field;
	struct slice actual; /* ptr NULL: there is no such field */
	const char *wanted;
	bool pattern_matches;
	/* EXPLAINED_PATTERN: one for each; none if the field to look at is missing. */
	struct explained_attempt *attempts;
	size_t attempt_count;
	/* EXPLAINED_UNLESS. */
	struct slice unless, matched;
	/* EXPLAINED_STOPPED. */
	const struct rule *stopped_by;
	double closeness; /* greater for what is nearer to a match */
};

/* A record as the rules of one patterns file saw it. */
struct explained_record {
	const struct patterns_file *file;
	struct slice text;
	size_t line; /* its first among all that were fed, from 1 */
	struct explained_fields fields;
	/* It is not what `format` says, from this byte on: it has no fields. */
	bool is_malformed;
	size_t malformed_at;
	/* `line` does not match: how far it got. */
	bool line_failed;
	struct explained_attempt line_attempt;
	struct slice time; /* seconds since 1970; ptr NULL: no time in the log */
	struct explained_rule *rules; /* all of the file's, in their order */
	size_t rule_count;
	size_t matched_count;
};

struct explain;

/*
 * `patterns` outlives it.  Updates go to `update` of `ctx`, which says what becomes of
 * them.
 */
struct explain *
explain_create(const struct patterns *patterns, uint32_t match_steps,
	       enum update_result (*update)(void *ctx, const struct update *update),
	       void *ctx);
void explain_destroy(struct explain *explain); /* NULL is accepted */

/* `only`: what other patterns files make of it is not collected; NULL: all. */
void explain_feed(struct explain *explain, struct source *source,
		  const struct patterns_file *only, const struct block *block);

/* What may go on with later lines does not: records that are open are complete. */
void explain_end(struct explain *explain, struct source *source,
		 const struct patterns_file *only);

size_t explain_count(const struct explain *explain);
const struct explained_record *explain_record(const struct explain *explain,
					      size_t index);
void explain_clear(struct explain *explain);

#endif
