/*
 * state_db.h - one connection to a SQLite file, and why it failed.
 *
 * The first failure sticks: whatever is asked of the connection after it does
 * nothing, until state_db_settle() tells and forgets it.  So a sequence of
 * statements is written down without looking at each, and asked about once.
 *
 * Knows no table.  One thread at a time.
 */
#ifndef DAEMON_STATE_DB_H
#define DAEMON_STATE_DB_H

#include <sqlite3.h>
#include <stdbool.h>

#include "common/error.h"

struct state_db;

/*
 * Opens a file that is there.  Never NULL: whether it could be opened is told
 * by state_db_settle().
 */
struct state_db *state_db_open(const char *path, bool sync_full);

/* Leaves nothing of a transaction that is open.  NULL is accepted. */
void state_db_close(struct state_db *db);

/* As above, and the -wal stays as it is: for a file that is to be set aside. */
void state_db_drop(struct state_db *db);

sqlite3 *state_db_handle(struct state_db *db);

/*
 * The statement, prepared at its first use and kept; `sql` is a literal.  NULL after a
 * failure: SQLite's functions take that.
 */
sqlite3_stmt *state_db_statement(struct state_db *db, const char *sql);

/*
 * True: a row is there.  False: no more, or a failure; the statement is reset.
 * One that is left at a row needs sqlite3_reset().
 */
bool state_db_step(struct state_db *db, sqlite3_stmt *statement);

/* Runs all of it; for statements without parameters, one or several. */
void state_db_run(struct state_db *db, const char *sql);

/* The first row's only column; `otherwise` if there is no row, or a NULL. */
sqlite3_int64 state_db_number(struct state_db *db, const char *sql,
			      sqlite3_int64 otherwise);

/* For what the caller asked of SQLite itself: a failure unless `code` says success. */
void state_db_note(struct state_db *db, int code);
/* A failure that the caller found. */
void state_db_refuse(struct state_db *db, const char *why);
/* As above, if the path does not name the file any more: nobody would find it again. */
void state_db_refuse_if_moved(struct state_db *db);
/* As above: the file holds what cannot be. */
void state_db_damaged(struct state_db *db, const char *what);

bool state_db_failed(const struct state_db *db);

enum state_db_damage {
	STATE_DB_SOUND,
	STATE_DB_SUSPECT, /* SQLite says so, but a disk that fails looks alike */
	STATE_DB_DAMAGED, /* state_db_damaged() was called */
};

/*
 * What a failure, or one before it, says of the file and not of disk and system: that
 * it is no database, a corrupt one, or one without our tables.
 */
enum state_db_damage state_db_damage(const struct state_db *db);

/*
 * True if nothing failed.  Else tells it, as "`doing` PATH: why", rolls back,
 * and the connection is usable again.
 */
bool state_db_settle(struct state_db *db, const char *doing, struct error *err);

#endif
