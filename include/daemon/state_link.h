/*
 * state_link.h - what is open of state.db, and how it gets well again.
 *
 * SQLite does not recover from every failure by itself: one that could not
 * create its shared memory stays read-only, a lock that could not be given back
 * stays.  So after any failure all connections are closed, and opened again
 * before the next use.  A commit that was told to have failed may then turn out to
 * be there.
 *
 * The caller holds the lock of all of it.
 */
#ifndef DAEMON_STATE_LINK_H
#define DAEMON_STATE_LINK_H

#include <pthread.h>

#include "daemon/state_db.h"
#include "daemon/state_wal.h"

struct state_link;

/*
 * Opens the database, makes one, or replaces it, as state_file.h says.  `lock` is
 * what the caller holds; it outlives the link.  NULL after an error.
 */
struct state_link *state_link_open(const char *directory, bool sync_full,
				   size_t checkpoint_bytes, pthread_mutex_t *lock,
				   struct error *err);

/* NULL is accepted.  Without the lock. */
void state_link_close(struct state_link *link);

/* Valid until a refresh or a replacement. */
struct state_db *state_link_db(struct state_link *link);

/* At the end of each use; as state_db_settle(). */
bool state_link_settle(struct state_link *link, const char *doing, struct error *err);

/* Before each use.  True if it was opened again, whether that failed or not. */
bool state_link_refresh(struct state_link *link);

/*
 * True if a failure was the file's.  SQLite calls it corruption when the disk fails
 * to read a page, so the whole file is looked through before it is believed.
 */
bool state_link_is_damaged(struct state_link *link);

/* Sets the database aside; after a failure it may be called again. */
bool state_link_replace(struct state_link *link, struct error *err);

enum state_wal_load state_link_load(struct state_link *link);

#endif
