/*
 * line_votes.h - which lines no rule matched, where a line is in many records.
 *
 * A stream of lines, numbered in its order.  Each line waits for so many records that
 * hold it; when all of them have said whether a rule matched them it is settled.
 * Internal to assembly.
 */
#ifndef PARSERS_LINE_VOTES_H
#define PARSERS_LINE_VOTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct line_vote {
	uint32_t weight; /* lines of the file that it was made from */
	uint32_t left;   /* records that have not said */
	bool matched;
};

struct line_votes {
	struct line_vote *list; /* those that are not settled */
	size_t count;
	uint64_t first; /* the number of the first in the list */
};

void line_votes_finish(struct line_votes *votes);

/* The next line; returns its number. */
uint64_t line_votes_add(struct line_votes *votes, uint32_t weight, uint32_t records);

/* A record of `count` lines from `first` on is complete. */
void line_votes_cast(struct line_votes *votes, uint64_t first, size_t count,
		     bool matched);

/* How many lines of the file turn out to be unmatched. */
uint64_t line_votes_settle(struct line_votes *votes);

/* As struct open_record has them; for the last `count` lines.  The caller frees it. */
uint32_t *line_votes_pack(const struct line_votes *votes, size_t count);

/*
 * One more record has the last `count` lines, packed.  Returns the number of the
 * first one.
 */
uint64_t line_votes_unpack(struct line_votes *votes, const uint32_t *packed,
			   size_t count);

#endif
