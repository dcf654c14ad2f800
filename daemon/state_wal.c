#include "daemon/state_wal.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/xalloc.h"

#define FRAME_BYTES (4096 + 24) /* SQLite's page, and its header in the WAL */

/* In units of what the WAL grows by before a checkpoint. */
#define HEAVY_AT 2
#define HOLD_UP_AT 4

/* Each has only what was committed during the one before. */
#define PASSES 3

/* How long it waits for the lock before it looks whether it is to stop. */
#define LOOK_UP_NS (10 * NS_PER_MS)

struct state_wal {
	struct state_db *db; /* the thread's own */
	struct state_db *watched;
	pthread_mutex_t *commits;
	int grown_frames;
	bool failing; /* it was said that checkpoints fail */
	pthread_t thread;

	pthread_mutex_t lock; /* for what follows */
	pthread_cond_t changed;
	int frames;    /* in the WAL since the last commit */
	int looked_at; /* frames when the last checkpoint began */
	int moved;     /* of the frames */
	bool busy;     /* with a checkpoint */
	bool stop;
};

static int wal_frames(struct state_wal *wal)
{
	int frames;

	pthread_mutex_lock(&wal->lock);
	frames = wal->frames;
	pthread_mutex_unlock(&wal->lock);
	return frames;
}

/* SQLite calls it after each commit. */
static int note_commit(void *ctx, sqlite3 *handle, const char *schema, int frames)
{
	struct state_wal *wal = ctx;

	(void)handle;
	(void)schema;
	pthread_mutex_lock(&wal->lock);
	if (frames < wal->frames)
		wal->looked_at = wal->moved = 0; /* it started over */
	wal->frames = frames;
	pthread_cond_signal(&wal->changed);
	pthread_mutex_unlock(&wal->lock);
	return SQLITE_OK;
}

static void report(struct state_wal *wal)
{
	struct error err;

	if (state_db_settle(wal->db, "move saved state from the log to", &err)) {
		wal->failing = false;
		return;
	}
	if (!wal->failing)
		log_warn("cannot make a checkpoint of the state",
			 LOG_TEXT("error", err.text));
	wal->failing = true;
}

/* True if all that was in the WAL when it began is in the file. */
static bool checkpoint(struct state_wal *wal)
{
	int frames = -1, moved = -1, code;

	code = sqlite3_wal_checkpoint_v2(state_db_handle(wal->db), NULL,
					 SQLITE_CHECKPOINT_PASSIVE, &frames, &moved);
	/* Busy: a person with the sqlite3 tool makes one. */
	if ((code & 0xff) != SQLITE_BUSY)
		state_db_note(wal->db, code);
	report(wal);
	pthread_mutex_lock(&wal->lock);
	wal->moved = moved;
	pthread_mutex_unlock(&wal->lock);
	return code == SQLITE_OK && moved == frames;
}

static bool is_stopping(struct state_wal *wal)
{
	bool stop;

	pthread_mutex_lock(&wal->lock);
	stop = wal->stop;
	pthread_mutex_unlock(&wal->lock);
	return stop;
}

/* Whoever stops this thread may hold the lock. */
static bool lock_commits(struct state_wal *wal)
{
	while (!is_stopping(wal)) {
		int64_t until_ns = clock_wall_ns() + LOOK_UP_NS;
		struct timespec until = {.tv_sec = until_ns / NS_PER_SECOND,
					 .tv_nsec = until_ns % NS_PER_SECOND};

		if (pthread_mutex_timedlock(wal->commits, &until) == 0)
			return true;
	}
	return false;
}

/* Commits wait; what is left to move is what came in during the last one. */
static void hold_up(struct state_wal *wal)
{
	if (!lock_commits(wal))
		return;
	checkpoint(wal);
	pthread_mutex_unlock(wal->commits);
}

/* Whether the WAL may start over is seen at the next commit: be done before it. */
static void empty(struct state_wal *wal)
{
	for (int pass = 0; pass < PASSES; pass++) {
		int before = wal_frames(wal);

		if (!checkpoint(wal) || wal_frames(wal) <= before)
			return;
	}
	if (wal_frames(wal) > HOLD_UP_AT * wal->grown_frames)
		hold_up(wal);
}

static bool is_due(const struct state_wal *wal)
{
	return wal->frames - wal->looked_at >= wal->grown_frames;
}

static void *run(void *ctx)
{
	struct state_wal *wal = ctx;

	pthread_mutex_lock(&wal->lock);
	while (!wal->stop) {
		if (!is_due(wal)) {
			pthread_cond_wait(&wal->changed, &wal->lock);
			continue;
		}
		wal->looked_at = wal->frames;
		wal->busy = true;
		pthread_mutex_unlock(&wal->lock);
		empty(wal);
		pthread_mutex_lock(&wal->lock);
		wal->busy = false;
	}
	pthread_mutex_unlock(&wal->lock);
	return NULL;
}

static void destroy(struct state_wal *wal)
{
	state_db_drop(wal->db);
	pthread_cond_destroy(&wal->changed);
	pthread_mutex_destroy(&wal->lock);
	free(wal);
}

struct state_wal *state_wal_start(const char *path, struct state_db *db,
				  pthread_mutex_t *commits, size_t grown_bytes,
				  struct error *err)
{
	struct state_wal *wal = xcalloc(1, sizeof(*wal));

	wal->db = state_db_open(path, false);
	wal->commits = commits;
	wal->grown_frames = (int)(grown_bytes / FRAME_BYTES) + 1;
	pthread_mutex_init(&wal->lock, NULL);
	pthread_cond_init(&wal->changed, NULL);
	if (!state_db_settle(wal->db, "open", err)) {
		destroy(wal);
		return NULL;
	}
	errno = pthread_create(&wal->thread, NULL, run, wal);
	if (errno != 0) {
		error_errno(err, "start the thread for checkpoints of the state");
		destroy(wal);
		return NULL;
	}
	sqlite3_wal_hook(state_db_handle(db), note_commit, wal);
	wal->watched = db;
	return wal;
}

enum state_wal_load state_wal_load(struct state_wal *wal)
{
	enum state_wal_load load = STATE_WAL_LIGHT;

	pthread_mutex_lock(&wal->lock);
	if (wal->frames - wal->moved > HEAVY_AT * wal->grown_frames)
		load = wal->busy || is_due(wal) ? STATE_WAL_BUSY : STATE_WAL_STUCK;
	pthread_mutex_unlock(&wal->lock);
	return load;
}

void state_wal_stop(struct state_wal *wal)
{
	if (!wal)
		return;
	sqlite3_wal_hook(state_db_handle(wal->watched), NULL, NULL);
	pthread_mutex_lock(&wal->lock);
	wal->stop = true;
	pthread_cond_signal(&wal->changed);
	pthread_mutex_unlock(&wal->lock);
	pthread_join(wal->thread, NULL);
	destroy(wal);
}
