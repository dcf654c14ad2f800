/*
 * tally.h - lines to values: a setup's rules, and what they have counted.
 *
 * One thread's engine and store: what is fed is counted in the patterns' metrics
 * and in those of the daemon's own that come from lines.  Knows nothing of
 * files, threads and cuts of others: a worker has one while it follows, replay
 * one for each share of what it reads.
 */
#ifndef DAEMON_TALLY_H
#define DAEMON_TALLY_H

#include "common/block.h"
#include "daemon/setup.h"
#include "exporter/store.h"
#include "parsers/engine.h"
#include "parsers/source.h"

struct tally;

struct tally *tally_create(struct registry *registry);
void tally_destroy(struct tally *tally); /* NULL is accepted */

/*
 * From now on lines follow this setup, which is bound and outlives its use.
 * Sources made with the former one are of no use any more.  Before the first
 * line.
 */
void tally_use(struct tally *tally, const struct setup *setup);

/* Counts the lines of a block; adds to `counts`. */
void tally_feed(struct tally *tally, struct source *source, const struct block *block,
		struct engine_counts *counts);

/* As engine_close() and engine_restore(), and counts as above. */
void tally_close(struct tally *tally, struct source *source, int64_t now_ns,
		 struct engine_counts *counts);
void tally_restore(struct tally *tally, struct source *source,
		   const struct open_record *open, int64_t now_ns,
		   struct engine_counts *counts);

/* Borrowed: for what is counted beside lines, and for cuts. */
struct store *tally_store(struct tally *tally);

#endif
