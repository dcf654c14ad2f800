/*
 * state.h - the database that holds what must survive the process.
 *
 * One SQLite file, state.db, in the state directory, in WAL mode.  A commit is
 * one transaction: the series that changed and the checkpoints of exactly the
 * lines that they count.  Values are appended to a delta table, which is folded
 * into the table of series in small steps between commits; checkpoints of the
 * WAL run in a thread of the state's own.  docs/state.md has the schema.
 *
 * Knows rows, not cuts: commit.h says what is in a commit.  The caller holds the
 * lock of the directory (storage.h).  Any thread; one call at a time is served.
 */
#ifndef DAEMON_STATE_H
#define DAEMON_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "common/metric.h"
#include "common/slice.h"
#include "parsers/open_record.h"
#include "tailer/checkpoint.h"

struct state;

enum state_found {
	STATE_NEW,     /* there was none, or nothing was ever committed to it */
	STATE_RESUMED, /* an earlier run's */
	STATE_LOST, /* one that cannot be used: it was set aside under a new name.  Told
		       again by the next start if none was committed after it */
};

struct state_options {
	const char *directory;
	bool sync_full; /* each commit reaches the disk before it counts as done */
	/* 0: as docs/state.md says; tests have less patience. */
	uint64_t fold_rows;      /* so many in delta are left alone */
	size_t checkpoint_bytes; /* growth of the WAL before it is moved */
	int64_t keep_seconds;    /* of removed families */
};

/*
 * Opens or creates the database.  One of an older schema is migrated; one that
 * is corrupt, not ours, or of a newer schema is renamed to
 * state.db.<why>-<YYYYMMDDThhmmssZ> with its -wal, and logged.  NULL only if none can
 * be made.
 */
struct state *state_open(const struct state_options *options, enum state_found *found,
			 struct error *err);
/* NULL is accepted. */
void state_close(struct state *state);

/*
 * True if something failed because of what is in the file: it is corrupt, and
 * trying again is no use.  state_start_anew() is what helps.  To be asked after a
 * failure: then the whole file may be looked through, some 100 MB a second.
 */
bool state_is_damaged(struct state *state);

/*
 * Sets the database aside as state_open() does, and goes on with a new one, as
 * after STATE_LOST.  Ids of families stay; all else must be put again.  Not between
 * state_begin() and state_commit().  After a failure it may be called again; until
 * then the old one is used, for what it is worth.
 */
bool state_start_anew(struct state *state, struct error *err);

/* -- what an earlier run left ---------------------------------------------- */

/* Of the last commit; 0: there was none. */
uint64_t state_sequence(struct state *state);
/* An earlier run had read its first backlog. */
bool state_is_caught_up(struct state *state);

/* Everything that is visited is borrowed until the visit returns. */
bool state_each_checkpoint(struct state *state,
			   void (*visit)(void *ctx,
					 const struct checkpoint *checkpoint),
			   void *ctx, struct error *err);
bool state_each_root(struct state *state, void (*visit)(void *ctx, const char *path),
		     void *ctx, struct error *err);

/* Records that may go on, each of a path. */
bool state_each_open_record(struct state *state,
			    void (*visit)(void *ctx, const char *path,
					  const struct open_record *open),
			    void *ctx, struct error *err);

struct state_scraper {
	unsigned char client[16]; /* who it is */
	uint64_t sequence;        /* of the newest cut that it was shown */
	uint64_t heard;           /* orders them: the larger, the later heard */
};
bool state_each_scraper(struct state *state,
			void (*visit)(void *ctx, const struct state_scraper *scraper),
			void *ctx, struct error *err);

/* A metric's definition: all that must agree for its series to go on. */
struct state_family {
	const char *name;
	const char *kind;       /* metric_kind_name(); "base": never shown */
	struct slice signature; /* bytes that stand for the definition */
	const char *states;     /* what a state's numbers mean, for people; or NULL */
};

/* The value of a series.  Only histograms and summaries have buckets. */
struct state_value {
	double value;          /* or the sum; the number of a state */
	int64_t time_ns;       /* latest log time; gauge: 0: never set; else 0: none */
	const double *buckets; /* not cumulative, +Inf last */
	size_t bucket_count;
	struct slice panes; /* bytes: what a window holds; empty: nothing */
};

struct state_series {
	uint32_t number;     /* in its family: 0, 1, 2 ... without a gap */
	struct slice labels; /* rendered: a="x",b="y" */
	uint64_t born; /* sequence of the first cut that held it; 0: always there */
	struct state_value value;
	bool is_free; /* no series has the number: neither labels nor value */
};

/*
 * Visits the series of the family with this signature in the order of their
 * numbers, with their values as of the last commit; none if it is not there.
 * *id: of the family, for the calls below, made if need be with the next
 * commit.
 */
bool state_load_family(struct state *state, const struct state_family *family,
		       void (*visit)(void *ctx, const struct state_series *series),
		       void *ctx, uint64_t *id, struct error *err);

/* What a series was when it was hidden. */
struct state_past {
	uint32_t number;
	uint64_t sequence; /* of the cut with which it came back; 0: it is hidden */
	struct state_value value;
};

/* Of the family with this id, as state_load_family() said; in the order of numbers. */
bool state_load_pasts(struct state *state, uint64_t id,
		      void (*visit)(void *ctx, const struct state_past *past),
		      void *ctx, struct error *err);

/* -- a commit ---------------------------------------------------------------- */

/*
 * state_begin(), any number of state_put_...(), then state_commit() or
 * state_abandon(), all by one thread.  After a failure the rest may be skipped
 * or called in vain: state_commit() fails with the first error, nothing is
 * saved, and the same changes must be put again with a later commit, no matter that
 * in rare cases (the disk failed at its very end) the commit is there after all.  In
 * between the thread does not visit anything; what other threads ask for waits.
 */
void state_begin(struct state *state);

/*
 * The families of this configuration, all of them; those left out are kept for 7
 * days.  A commit that puts none leaves them as they are.
 */
void state_put_family(struct state *state, uint64_t id,
		      const struct state_family *family);

/*
 * A series that was not there, was put with a commit that failed, or takes the place of
 * another, of which nothing is left.
 */
void state_put_series(struct state *state, uint64_t family_id,
		      const struct state_series *series);
/* A new value of one that was. */
void state_put_value(struct state *state, uint64_t family_id, uint32_t number,
		     const struct state_value *value);

/* Replaces an earlier one.  After the series was put. */
void state_put_past(struct state *state, uint64_t family_id,
		    const struct state_past *past);

void state_put_checkpoint(struct state *state, const struct checkpoint *checkpoint);
void state_drop_checkpoint(struct state *state, uint64_t id);
void state_put_root(struct state *state, const char *path);
/* All of a path's; then those that it has now are put. */
void state_drop_open_records(struct state *state, const char *path);
void state_put_open_record(struct state *state, const char *path,
			   const struct open_record *open);
/* Replaces all of them. */
void state_put_scrapers(struct state *state, const struct state_scraper *scrapers,
			size_t count);
void state_put_caught_up(struct state *state);

bool state_commit(struct state *state, uint64_t sequence, struct error *err);
void state_abandon(struct state *state);

/*
 * Does a little of the work that was put off (folding, forgetting removed
 * families), a few milliseconds at most.  True if there is more to do.  Call
 * between commits, when nobody waits for one.
 */
bool state_tidy(struct state *state);

#endif
