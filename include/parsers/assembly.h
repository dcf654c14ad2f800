/*
 * assembly.h - lines to records, where a line is not one by itself.
 *
 * One for each source whose lines are in an envelope, or for which a patterns
 * file joins lines (`multiline`).  In two steps: lines are taken out of their
 * envelope, and those that it had cut up are joined; then each patterns file that
 * says so joins them in its own way.  What may go on is kept from one block to the
 * next, apart for each stream, and can be saved: a record is never split.
 *
 * Also knows which lines no rule matched: a line is unmatched once the records of
 * all patterns files that hold it are complete, and none was matched.
 *
 * Order of calls, for each block: assembly_take(), then for every group
 * assembly_join(), the rules, assembly_vote(); then assembly_settle().  Knows no
 * rules.  Internal to the parsers.
 */
#ifndef PARSERS_ASSEMBLY_H
#define PARSERS_ASSEMBLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/block.h"
#include "parsers/envelope.h"
#include "parsers/open_record.h"
#include "parsers/records.h"
#include "parsers/regex.h"

struct assembly;
struct patterns_file;
struct engine_counts;

/* `files`, those that want the source, are borrowed. */
struct assembly *assembly_create(const struct patterns_file *const *files,
				 size_t count);
void assembly_destroy(struct assembly *assembly); /* NULL is accepted */

/* At first ENVELOPE_NONE; not ENVELOPE_AUTO. */
void assembly_set_envelope(struct assembly *assembly, enum envelope envelope);

/*
 * Fills `lines` with the block's, out of their envelopes and whole; adds to counts:
 * lines, malformed, cut.  `now_ns`, here and below, is monotonic.
 */
void assembly_take(struct assembly *assembly, const struct block *block, int64_t now_ns,
		   struct records *lines, struct engine_counts *counts);

/*
 * Instead of a block: fills `lines` with those that were cut up by their envelope and
 * did not go on for long enough; INT64_MAX: with all.
 */
void assembly_take_old(struct assembly *assembly, int64_t now_ns, struct records *lines,
		       struct engine_counts *counts);

/* Patterns files that see the same records. */
size_t assembly_group_count(const struct assembly *assembly);
const struct patterns_file *const *assembly_group(const struct assembly *assembly,
						  size_t group, size_t *count);

/*
 * The records that are complete with these lines; complete_silent: and those to
 * which no line came for their max_age (INT64_MAX: all that are open).  They lie in
 * `lines` itself or in `records`, which is overwritten.
 */
struct records *assembly_join(struct assembly *assembly, size_t group,
			      struct records *lines, int64_t now_ns,
			      bool complete_silent, struct regex_scratch *scratch,
			      struct records *records, struct engine_counts *counts);

/* The records of a group went through its rules; `matched` was set. */
void assembly_vote(struct assembly *assembly, const struct records *records);

/* Adds to counts->unmatched_lines what is certain by now. */
void assembly_settle(struct assembly *assembly, struct engine_counts *counts);

/* -- what is open ---------------------------------------------------------- */

/* The moment at which a record or a cut up line has been silent too long, or INT64_MAX.
 */
int64_t assembly_deadline_ns(const struct assembly *assembly);

/* True if that is not what it was at the last call. */
bool assembly_has_changed(struct assembly *assembly);

void assembly_each_open(const struct assembly *assembly,
			void (*visit)(void *ctx, const struct open_record *open),
			void *ctx);

/*
 * Goes on with what assembly_each_open() told of another assembly of the same path,
 * before the first line.  False: no group goes on with such a record; then
 * `records` holds it, complete, and is to be voted for.
 */
bool assembly_restore(struct assembly *assembly, const struct open_record *open,
		      int64_t now_ns, struct records *records);

#endif
