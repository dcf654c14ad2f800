/*
 * state_wal.h - the thread that moves what was committed from the WAL to the file.
 *
 * It has a connection of its own and makes passive checkpoints, which wait for
 * nobody and for which nobody waits; the next commit then starts the WAL at its
 * beginning.  Only if commits come so fast that none of them ever finds it
 * done, it holds them up for a last short one.  While somebody holds a reading
 * transaction open, the WAL cannot but grow.
 */
#ifndef DAEMON_STATE_WAL_H
#define DAEMON_STATE_WAL_H

#include <pthread.h>

#include "daemon/state_db.h"

struct state_wal;

/*
 * Watches the commits of `db`, the connection to `path`; `commits` is held while one
 * is made.  Begins when the WAL has grown by `grown_bytes`.
 */
struct state_wal *state_wal_start(const char *path, struct state_db *db,
				  pthread_mutex_t *commits, size_t grown_bytes,
				  struct error *err);

enum state_wal_load {
	STATE_WAL_LIGHT,
	STATE_WAL_BUSY,  /* much was committed; a checkpoint is under way */
	STATE_WAL_STUCK, /* and the last one could not move it: a reader, or a failure
			  */
};

/* For writes that can wait. */
enum state_wal_load state_wal_load(struct state_wal *wal);

/* Before `db` is closed; with `commits` held or not.  NULL is accepted. */
void state_wal_stop(struct state_wal *wal);

#endif
