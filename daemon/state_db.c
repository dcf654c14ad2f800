#include "daemon/state_db.h"

#include <stdlib.h>
#include <string.h>

#include "common/xalloc.h"

#define BUSY_MS 1000

struct statement {
	const char *sql; /* compared by address */
	sqlite3_stmt *prepared;
};

struct state_db {
	sqlite3 *handle;
	char *path;
	struct statement *statements;
	size_t statement_count;
	bool failed;
	enum state_db_damage damage;
	struct error why; /* of the first failure */
};

/*
 * Without mmap a failing disk is an error and not a SIGBUS; cell_size_check
 * finds corrupt pages before they are used.
 */
static const char settings[] = "PRAGMA cache_size = -1024;"
			       "PRAGMA mmap_size = 0;"
			       "PRAGMA temp_store = MEMORY;"
			       "PRAGMA wal_autocheckpoint = 0;"
			       "PRAGMA journal_size_limit = 16777216;"
			       "PRAGMA cell_size_check = ON;";

static bool is_damage(int code)
{
	switch (code & 0xff) {
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_ERROR: /* a table or column is not there */
	case SQLITE_FORMAT:
		return true;
	default:
		return false;
	}
}

void state_db_note(struct state_db *db, int code)
{
	int number = sqlite3_system_errno(db->handle);
	int kind = code & 0xff;

	if (db->failed || code == SQLITE_OK || code == SQLITE_ROW ||
	    code == SQLITE_DONE)
		return;
	db->failed = true;
	if (is_damage(code) && db->damage == STATE_DB_SOUND)
		db->damage = STATE_DB_SUSPECT;
	if (number != 0 && (kind == SQLITE_IOERR || kind == SQLITE_CANTOPEN))
		error_set(&db->why, "%s: %s", sqlite3_errstr(kind), strerror(number));
	else
		error_set(&db->why, "%s", sqlite3_errmsg(db->handle));
}

struct state_db *state_db_open(const char *path, bool sync_full)
{
	struct state_db *db = xcalloc(1, sizeof(*db));

	db->path = xstrdup(path);
	state_db_note(db, sqlite3_open_v2(path, &db->handle,
					  SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX |
						  SQLITE_OPEN_EXRESCODE,
					  NULL));
	if (!db->failed && sqlite3_db_readonly(db->handle, "main") != 0)
		state_db_refuse(db, "no permission to write");
	sqlite3_busy_timeout(db->handle, BUSY_MS);
	state_db_run(db, settings);
	state_db_run(db, sync_full ? "PRAGMA synchronous = FULL"
				   : "PRAGMA synchronous = NORMAL");
	return db;
}

void state_db_close(struct state_db *db)
{
	if (!db)
		return;
	for (size_t i = 0; i < db->statement_count; i++)
		sqlite3_finalize(db->statements[i].prepared);
	sqlite3_close(db->handle);
	free(db->statements);
	free(db->path);
	free(db);
}

void state_db_drop(struct state_db *db)
{
	if (db)
		sqlite3_db_config(db->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1,
				  NULL);
	state_db_close(db);
}

sqlite3 *state_db_handle(struct state_db *db)
{
	return db->handle;
}

static sqlite3_stmt *prepare(struct state_db *db, const char *sql)
{
	sqlite3_stmt *prepared = NULL;

	state_db_note(db,
		      sqlite3_prepare_v3(db->handle, sql, -1, SQLITE_PREPARE_PERSISTENT,
					 &prepared, NULL));
	if (!prepared)
		return NULL;
	db->statements =
		xgrow(db->statements, db->statement_count, sizeof(*db->statements));
	db->statements[db->statement_count++] = (struct statement){sql, prepared};
	return prepared;
}

sqlite3_stmt *state_db_statement(struct state_db *db, const char *sql)
{
	if (db->failed)
		return NULL;
	for (size_t i = 0; i < db->statement_count; i++)
		if (db->statements[i].sql == sql)
			return db->statements[i].prepared;
	return prepare(db, sql);
}

bool state_db_step(struct state_db *db, sqlite3_stmt *statement)
{
	int code;

	if (db->failed) {
		sqlite3_reset(statement);
		return false;
	}
	code = sqlite3_step(statement);
	if (code == SQLITE_ROW)
		return true;
	state_db_note(db, code);
	sqlite3_reset(statement);
	return false;
}

void state_db_run(struct state_db *db, const char *sql)
{
	if (!db->failed)
		state_db_note(db, sqlite3_exec(db->handle, sql, NULL, NULL, NULL));
}

sqlite3_int64 state_db_number(struct state_db *db, const char *sql,
			      sqlite3_int64 otherwise)
{
	sqlite3_stmt *statement = state_db_statement(db, sql);

	if (!state_db_step(db, statement))
		return otherwise;
	if (sqlite3_column_type(statement, 0) != SQLITE_NULL)
		otherwise = sqlite3_column_int64(statement, 0);
	sqlite3_reset(statement);
	return otherwise;
}

void state_db_refuse(struct state_db *db, const char *why)
{
	if (db->failed)
		return;
	db->failed = true;
	error_set(&db->why, "%s", why);
}

void state_db_refuse_if_moved(struct state_db *db)
{
	int moved = 0;

	if (db->failed)
		return;
	sqlite3_file_control(db->handle, "main", SQLITE_FCNTL_HAS_MOVED, &moved);
	if (moved)
		state_db_refuse(db,
				"it was moved or deleted while the daemon runs: put it "
				"back, or restart the daemon");
}

void state_db_damaged(struct state_db *db, const char *what)
{
	if (!db->failed)
		db->damage = STATE_DB_DAMAGED;
	state_db_refuse(db, what);
}

bool state_db_failed(const struct state_db *db)
{
	return db->failed;
}

enum state_db_damage state_db_damage(const struct state_db *db)
{
	return db->damage;
}

bool state_db_settle(struct state_db *db, const char *doing, struct error *err)
{
	if (!db->failed)
		return true;
	error_set(err, "%s %s: %s", doing, db->path, db->why.text);
	/* SQLite rolls some failures back by itself. */
	if (sqlite3_get_autocommit(db->handle) == 0)
		sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
	db->failed = false;
	return false;
}
