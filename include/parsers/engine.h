/*
 * engine.h - records to updates: one worker's rules at work.
 *
 * Runs the rules of every patterns file that wants the path on the records of a
 * block, and hands the updates on.  Records are lines, or what assembly.h makes of
 * them.  A block is scanned once for the literals of
 * all rules (candidates.h), and only rules that can match are tried.  That changes
 * nothing but speed: one block in 10,000 is checked, and a rule that was missed is
 * logged, counted, and from then on tried on every line.  Knows nothing of
 * files on disk or of how metrics are kept.
 */
#ifndef PARSERS_ENGINE_H
#define PARSERS_ENGINE_H

#include <stddef.h>
#include <stdint.h>

#include "common/block.h"
#include "common/metric.h"
#include "common/slice.h"
#include "parsers/malformed.h"
#include "parsers/open_record.h"
#include "parsers/patterns.h"
#include "parsers/scanner.h"
#include "parsers/source.h"

struct engine;

/* Why a match did not update; label values of logtally_rule_errors_total. */
enum rule_error {
	RULE_ERROR_VALUE,    /* the value is not what `as` says */
	RULE_ERROR_NEGATIVE, /* a counter cannot go down */
	RULE_ERROR_LABEL_TOO_LONG,
	RULE_ERROR_MATCH_LIMIT, /* a regex took too many steps */
	RULE_ERROR_TIMESTAMP,   /* the time does not parse: read time stands in */
	RULE_ERROR_TIME_AHEAD,  /* over 5 minutes ahead */
	RULE_ERROR_STATE,       /* the text is none of the states */
	RULE_ERRORS
};

const char *rule_error_name(enum rule_error error);

/* `matched` and `cpu` may be NULL: nobody asks. */
struct engine_ops {
	enum update_result (*update)(void *ctx, const struct update *update);
	void (*error)(void *ctx, size_t rule, enum rule_error error);
	/* At the end of a block, for each rule that matched in it. */
	void (*matched)(void *ctx, size_t rule, uint64_t count);
	/*
	 * A rule's share of the CPU time of the lines that were tried, estimated
	 * from samples.
	 */
	void (*cpu)(void *ctx, size_t rule, double cpu_ns);
};

/* `patterns` outlives the engine.  match_steps: PCRE2's limit for one match. */
struct engine *engine_create(const struct patterns *patterns, uint32_t match_steps,
			     const struct engine_ops *ops, void *ctx);
void engine_destroy(struct engine *engine); /* NULL is accepted */

/*
 * For tests: finds rules by another scanner (NULL: tries each on each line), and
 * checks one block in `check_every` (0: none) instead of one in 10,000.
 */
void engine_scan_with(struct engine *engine, const struct scanner *scanner,
		      unsigned check_every);

/* What became of a rule on a record. */
enum engine_verdict {
	ENGINE_MATCHED,
	ENGINE_WHERE,   /* a condition of `where` does not hold */
	ENGINE_PATTERN, /* no pattern matches */
	ENGINE_UNLESS   /* an `unless` matches */
};

struct rule;
struct rule_metric;
struct record;

/* For those who want to know why; what is passed is the engine's own (record.h). */
struct engine_trace {
	/*
	 * A rule was tried.  Comes after what `error` has to say of its conditions,
	 * before its updates.  `which` of its conditions, or `unless`, refused.
	 */
	void (*rule)(void *ctx, const struct rule *rule, struct record *record,
		     enum engine_verdict verdict, size_t which);
	/* What comes next is of this metric: one `update` or `error`, or none. */
	void (*metric)(void *ctx, const struct rule_metric *metric,
		       struct record *record);
};

/* NULL: none, as at the beginning. */
void engine_set_trace(struct engine *engine, const struct engine_trace *trace,
		      void *ctx);

/* Why a record ended before its time; label values of logtally_record_limits_total. */
enum record_cut { RECORD_CUT_LINES, RECORD_CUT_BYTES, RECORD_CUT_AGE, RECORD_CUTS };

const char *record_cut_name(enum record_cut why);

struct engine_counts {
	uint64_t lines;
	/*
	 * No rule of any file matched the line, or a record that holds it.  Counted
	 * when all of them are complete.
	 */
	uint64_t unmatched_lines;
	/* Rules that turned out to match where their literals were not found. */
	uint64_t scan_misses;
	/* Once a line and reason; of a format, where a rule asked for a field. */
	uint64_t malformed[MALFORMED_REASONS];
	uint64_t cut_records[RECORD_CUTS];
};

/* Adds to `counts`.  Before it returns, every callback for the block was made. */
void engine_feed(struct engine *engine, struct source *source,
		 const struct block *block, struct engine_counts *counts);

/*
 * Records that may go on with later lines stay open in the source.  This completes
 * those to which no line came for their max_age, until `now_ns` (monotonic);
 * INT64_MAX: all.  Adds to `counts`.
 */
void engine_close(struct engine *engine, struct source *source, int64_t now_ns,
		  struct engine_counts *counts);

/*
 * Goes on with an open record that was saved, of this path, before the first line.  If
 * the patterns file does not join lines any more, it is complete now; if it is
 * gone, so is the record.
 */
void engine_restore(struct engine *engine, struct source *source,
		    const struct open_record *open, int64_t now_ns,
		    struct engine_counts *counts);

#endif
