#include "daemon/state.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/xalloc.h"
#include "daemon/state_families.h"
#include "daemon/state_fold.h"
#include "daemon/state_link.h"
#include "daemon/state_open_records.h"
#include "daemon/state_rows.h"
#include "daemon/state_series.h"

#define FOLD_ROWS 10000
#define CHECKPOINT_BYTES (4 << 20)
#define KEEP_SECONDS (7 * 24 * 3600)

/* For the WAL to be moved before more is written that can wait. */
#define WAIT_US 2000

struct state {
	char *directory;
	struct state_options options;
	/* Held from state_begin() to the end of the commit, and by all else; recursive.
	 */
	pthread_mutex_t lock;
	bool committing;
	struct state_link *link;
	struct state_meta meta;    /* as committed */
	struct state_meta pending; /* as this commit makes it */
	struct state_families *families;
	struct state_fold fold;
	struct state_newest newest; /* of all that is committed, if it was needed */
	bool has_newest;
	bool untidy; /* it was said that state_tidy() fails */
};

static int64_t now_seconds(void)
{
	return clock_wall_ns() / NS_PER_SECOND;
}

static struct state_db *db_of(struct state *state)
{
	return state_link_db(state->link);
}

/* What was read from delta no longer tells what is there. */
static void forget_newest(struct state *state)
{
	state_newest_finish(&state->newest);
	state->has_newest = false;
}

static void forget_all(struct state *state)
{
	forget_newest(state);
	state_fold_finish(&state->fold);
}

/* A failure here is one of the next use. */
static void read_meta(struct state *state)
{
	struct state_meta meta = state_meta_read(db_of(state));

	if (!state_db_failed(db_of(state)))
		state->meta = meta;
}

/* For what must not be done in the middle of one's own commit. */
static void lock_between_commits(struct state *state)
{
	pthread_mutex_lock(&state->lock);
	assert(!state->committing);
	if (!state_link_refresh(state->link))
		return;
	forget_all(state);
	read_meta(state);
}

/* ---- opening ---- */

static void lock_init(pthread_mutex_t *lock)
{
	pthread_mutexattr_t attributes;

	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE);
	pthread_mutex_init(lock, &attributes);
	pthread_mutexattr_destroy(&attributes);
}

static struct state *create(const struct state_options *options)
{
	struct state *state = xcalloc(1, sizeof(*state));

	state->directory = xstrdup(options->directory);
	state->options = *options;
	if (state->options.fold_rows == 0)
		state->options.fold_rows = FOLD_ROWS;
	if (state->options.checkpoint_bytes == 0)
		state->options.checkpoint_bytes = CHECKPOINT_BYTES;
	if (state->options.keep_seconds == 0)
		state->options.keep_seconds = KEEP_SECONDS;
	state->fold = (struct state_fold)STATE_FOLD_INIT;
	state->newest = (struct state_newest)STATE_NEWEST_INIT;
	lock_init(&state->lock);
	return state;
}

static bool open_all(struct state *state, struct error *err)
{
	state->link =
		state_link_open(state->directory, state->options.sync_full,
				state->options.checkpoint_bytes, &state->lock, err);
	if (!state->link)
		return false;
	read_meta(state);
	state->families = state_families_create(db_of(state));
	return state_link_settle(state->link, "read state from", err);
}

struct state *state_open(const struct state_options *options, enum state_found *found,
			 struct error *err)
{
	struct state *state = create(options);

	if (!open_all(state, err)) {
		state_close(state);
		return NULL;
	}
	*found = STATE_NEW;
	if (state->meta.sequence > 0)
		*found = STATE_RESUMED;
	else if (state->meta.lost)
		*found = STATE_LOST;
	return state;
}

void state_close(struct state *state)
{
	if (!state)
		return;
	forget_newest(state);
	state_fold_finish(&state->fold);
	state_families_destroy(state->families);
	state_link_close(state->link);
	pthread_mutex_destroy(&state->lock);
	free(state->directory);
	free(state);
}

/* ---- damage ---- */

bool state_is_damaged(struct state *state)
{
	bool damaged;

	pthread_mutex_lock(&state->lock);
	damaged = !state->committing && state_link_is_damaged(state->link);
	pthread_mutex_unlock(&state->lock);
	return damaged;
}

bool state_start_anew(struct state *state, struct error *err)
{
	bool ok;

	lock_between_commits(state);
	forget_all(state);
	ok = state_link_replace(state->link, err);
	read_meta(state);
	pthread_mutex_unlock(&state->lock);
	return ok;
}

/* ---- what an earlier run left ---- */

uint64_t state_sequence(struct state *state)
{
	uint64_t sequence;

	pthread_mutex_lock(&state->lock);
	sequence = state->meta.sequence;
	pthread_mutex_unlock(&state->lock);
	return sequence;
}

bool state_is_caught_up(struct state *state)
{
	bool caught_up;

	pthread_mutex_lock(&state->lock);
	caught_up = state->meta.caught_up;
	pthread_mutex_unlock(&state->lock);
	return caught_up;
}

static bool done_reading(struct state *state, struct error *err)
{
	bool ok = state_link_settle(state->link, "read state from", err);

	pthread_mutex_unlock(&state->lock);
	return ok;
}

bool state_each_checkpoint(struct state *state,
			   void (*visit)(void *ctx,
					 const struct checkpoint *checkpoint),
			   void *ctx, struct error *err)
{
	lock_between_commits(state);
	state_files_each(db_of(state), visit, ctx);
	return done_reading(state, err);
}

bool state_each_root(struct state *state, void (*visit)(void *ctx, const char *path),
		     void *ctx, struct error *err)
{
	lock_between_commits(state);
	state_roots_each(db_of(state), visit, ctx);
	return done_reading(state, err);
}

bool state_each_open_record(struct state *state,
			    void (*visit)(void *ctx, const char *path,
					  const struct open_record *open),
			    void *ctx, struct error *err)
{
	lock_between_commits(state);
	state_open_records_each(db_of(state), visit, ctx);
	return done_reading(state, err);
}

bool state_each_scraper(struct state *state,
			void (*visit)(void *ctx, const struct state_scraper *scraper),
			void *ctx, struct error *err)
{
	lock_between_commits(state);
	state_scrapers_each(db_of(state), visit, ctx);
	return done_reading(state, err);
}

/* Families are loaded one after the other: it is read once for all of them. */
static void read_newest(struct state *state)
{
	if (state->has_newest)
		return;
	state_newest_read(&state->newest, db_of(state), SIZE_MAX);
	state_newest_sort(&state->newest);
	state->has_newest = true;
}

bool state_load_family(struct state *state, const struct state_family *family,
		       void (*visit)(void *ctx, const struct state_series *series),
		       void *ctx, uint64_t *id, struct error *err)
{
	bool ok;

	lock_between_commits(state);
	*id = state_families_ask(state->families, db_of(state), family, now_seconds());
	read_newest(state);
	state_series_each(db_of(state), &state->newest, *id, visit, ctx);
	if (state_db_failed(db_of(state)))
		forget_newest(state);
	ok = state_link_settle(state->link, "read state from", err);
	pthread_mutex_unlock(&state->lock);
	return ok;
}

bool state_load_pasts(struct state *state, uint64_t id,
		      void (*visit)(void *ctx, const struct state_past *past),
		      void *ctx, struct error *err)
{
	lock_between_commits(state);
	state_pasts_each(db_of(state), id, visit, ctx);
	return done_reading(state, err);
}

/* ---- a commit ---- */

static void begin(struct state *state)
{
	forget_newest(state);
	state_db_step(db_of(state),
		      state_db_statement(db_of(state), "BEGIN IMMEDIATE"));
}

static void end(struct state *state)
{
	state_db_step(db_of(state), state_db_statement(db_of(state), "COMMIT"));
}

void state_begin(struct state *state)
{
	lock_between_commits(state);
	state->committing = true;
	begin(state);
	state_db_refuse_if_moved(db_of(state));
	state_families_begin(state->families);
	state->pending = state->meta;
}

void state_put_family(struct state *state, uint64_t id,
		      const struct state_family *family)
{
	state_families_put(state->families, db_of(state), id, family);
}

void state_put_series(struct state *state, uint64_t family_id,
		      const struct state_series *series)
{
	state_series_put(db_of(state), family_id, series);
}

void state_put_value(struct state *state, uint64_t family_id, uint32_t number,
		     const struct state_value *value)
{
	state_series_put_value(db_of(state), family_id, number, value);
}

void state_put_past(struct state *state, uint64_t family_id,
		    const struct state_past *past)
{
	state_pasts_put(db_of(state), family_id, past);
}

void state_put_checkpoint(struct state *state, const struct checkpoint *checkpoint)
{
	state_files_put(db_of(state), checkpoint);
}

void state_drop_checkpoint(struct state *state, uint64_t id)
{
	state_files_drop(db_of(state), id);
}

void state_put_root(struct state *state, const char *path)
{
	state_roots_put(db_of(state), path);
}

void state_drop_open_records(struct state *state, const char *path)
{
	state_open_records_drop(db_of(state), path);
}

void state_put_open_record(struct state *state, const char *path,
			   const struct open_record *open)
{
	state_open_records_put(db_of(state), path, open);
}

void state_put_scrapers(struct state *state, const struct state_scraper *scrapers,
			size_t count)
{
	state_scrapers_replace(db_of(state), scrapers, count);
}

void state_put_caught_up(struct state *state)
{
	state->pending.caught_up = true;
}

bool state_commit(struct state *state, uint64_t sequence, struct error *err)
{
	bool ok;

	state->pending.sequence = sequence;
	state->pending.lost = false;
	state_families_end(state->families, db_of(state), now_seconds());
	state_meta_write(db_of(state), &state->meta, &state->pending);
	end(state);
	ok = state_link_settle(state->link, "save state in", err);
	if (ok)
		state->meta = state->pending;
	state->committing = false;
	pthread_mutex_unlock(&state->lock);
	return ok;
}

void state_abandon(struct state *state)
{
	struct error unused;

	state_db_refuse(db_of(state), "abandoned");
	state_link_settle(state->link, "save state in", &unused);
	state->committing = false;
	pthread_mutex_unlock(&state->lock);
}

/* ---- between commits ---- */

static bool fold_is_due(struct state *state)
{
	return state_fold_is_due(&state->fold, db_of(state), state->options.fold_rows);
}

static bool is_untidy(struct state *state, int64_t since)
{
	return fold_is_due(state) ||
	       state_families_may_forget(state->families, db_of(state), since);
}

static bool tidy(struct state *state, int64_t since)
{
	bool fold = fold_is_due(state);

	if (!is_untidy(state, since))
		return false;
	begin(state);
	if (fold)
		state_fold_step(&state->fold, db_of(state));
	else
		state_families_forget_step(state->families, db_of(state), since);
	end(state);
	return is_untidy(state, since);
}

static bool tidied(struct state *state)
{
	struct error err;

	if (state_link_settle(state->link, "tidy the state in", &err)) {
		state->untidy = false;
		return true;
	}
	state_fold_finish(&state->fold);
	if (!state->untidy)
		log_warn("cannot tidy the state", LOG_TEXT("error", err.text));
	state->untidy = true;
	return false;
}

bool state_tidy(struct state *state)
{
	int64_t since = now_seconds() - state->options.keep_seconds;
	enum state_wal_load load;
	bool more = false;

	lock_between_commits(state);
	load = state_link_load(state->link);
	if (load == STATE_WAL_LIGHT) {
		more = tidy(state, since);
		more = tidied(state) && more;
	}
	pthread_mutex_unlock(&state->lock);
	if (load == STATE_WAL_BUSY)
		usleep(WAIT_US);
	return more || load == STATE_WAL_BUSY;
}
