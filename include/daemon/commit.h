/*
 * commit.h - what is in a commit: from cuts to rows of the state.
 *
 * One commit is one transaction: what changed since the last cut that is saved,
 * the positions that belong to the new one, and what scrapers were shown.  What
 * could not be saved is put again with the next.  When is saver.h's affair.
 *
 * One thread at a time; commit_family() excepted, which is for reloads.
 */
#ifndef DAEMON_COMMIT_H
#define DAEMON_COMMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"
#include "daemon/cutter.h"
#include "daemon/state.h"
#include "exporter/registry.h"
#include "exporter/scrapers.h"

struct commit;

/* All are borrowed. */
struct commit *commit_create(struct state *state, struct scrapers *scrapers);
void commit_destroy(struct commit *commit); /* NULL is accepted */

/*
 * For registry_set_restore(): brings the series of a family back.  If they cannot be
 * read, commit_restore_failed() is true from then on, and the next commit begins
 * a new database with what is in memory.  Any thread.
 */
void commit_family(void *commit, struct family *family, struct slice signature);
bool commit_restore_failed(const struct commit *commit, struct error *err);

/* What every later commit says, once. */
void commit_add_root(struct commit *commit, const char *path);
void commit_set_caught_up(struct commit *commit);

/* What the next snapshot's order says: positions since this cut. */
uint64_t commit_saved_sequence(const struct commit *commit);

/*
 * The cut of a start: it holds what was restored, and nothing that was read.
 * Before the first commit_save().
 */
void commit_begin_with(struct commit *commit, struct cut *cut);

enum commit_result {
	COMMIT_DONE,     /* all that the snapshot holds is saved */
	COMMIT_SAME,     /* that; it shows nothing that the one before does not */
	COMMIT_NEEDLESS, /* that, and there was nothing to save at all */
	COMMIT_FAILED,
	COMMIT_ANEW /* the database was damaged and is new now: try again at once */
};

enum commit_result commit_save(struct commit *commit, const struct snapshot *snapshot,
			       struct error *err);

/* See state_tidy(). */
bool commit_tidy(struct commit *commit);

#endif
