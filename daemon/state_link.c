#include "daemon/state_link.h"

#include <stdlib.h>

#include "common/xalloc.h"
#include "daemon/state_file.h"

struct state_link {
	char *directory;
	char *path;
	bool sync_full;
	size_t checkpoint_bytes;
	pthread_mutex_t *lock;
	struct state_db *db;
	struct state_wal *wal; /* NULL: it could not be started */
	bool stale;            /* something failed */
	enum state_db_damage damage;
};

static bool start_wal(struct state_link *link, struct error *err)
{
	link->wal = state_wal_start(link->path, link->db, link->lock,
				    link->checkpoint_bytes, err);
	return link->wal != NULL;
}

static void stop_wal(struct state_link *link)
{
	state_wal_stop(link->wal);
	link->wal = NULL;
}

struct state_link *state_link_open(const char *directory, bool sync_full,
				   size_t checkpoint_bytes, pthread_mutex_t *lock,
				   struct error *err)
{
	struct state_link *link = xcalloc(1, sizeof(*link));

	link->directory = xstrdup(directory);
	link->path = state_file_path(directory);
	link->sync_full = sync_full;
	link->checkpoint_bytes = checkpoint_bytes;
	link->lock = lock;
	link->db = state_file_open(directory, sync_full, err);
	if (!link->db || !start_wal(link, err)) {
		state_link_close(link);
		return NULL;
	}
	return link;
}

void state_link_close(struct state_link *link)
{
	if (!link)
		return;
	stop_wal(link);
	/* The last connection moves the WAL into the file and deletes it. */
	state_db_close(link->db);
	free(link->directory);
	free(link->path);
	free(link);
}

struct state_db *state_link_db(struct state_link *link)
{
	return link->db;
}

bool state_link_settle(struct state_link *link, const char *doing, struct error *err)
{
	enum state_db_damage damage = state_db_damage(link->db);

	if (damage > link->damage)
		link->damage = damage;
	if (state_db_settle(link->db, doing, err))
		return true;
	link->stale = true;
	return false;
}

static void open_again(struct state_link *link)
{
	struct error unused;

	stop_wal(link);
	state_db_drop(link->db);
	link->db = state_db_open(link->path, link->sync_full);
	/* Should it not start, that is a failure of the next use. */
	link->stale = state_db_failed(link->db) || !start_wal(link, &unused);
	if (link->stale)
		state_db_refuse(link->db, "it cannot be opened again");
}

bool state_link_refresh(struct state_link *link)
{
	if (!link->stale)
		return false;
	open_again(link);
	return true;
}

static enum state_db_damage look_through(struct state_link *link)
{
	sqlite3_stmt *check = state_db_statement(link->db, "PRAGMA quick_check(1)");
	enum state_db_damage damage;
	struct error unused;

	if (state_db_step(link->db, check) &&
	    sqlite3_stricmp((const char *)sqlite3_column_text(check, 0), "ok") != 0)
		state_db_damaged(link->db, "the check found it corrupt");
	sqlite3_reset(check);
	damage = state_db_damage(link->db);
	link->stale = !state_db_settle(link->db, "check", &unused);
	if (damage != STATE_DB_SOUND)
		return STATE_DB_DAMAGED;
	return link->stale ? STATE_DB_SUSPECT : STATE_DB_SOUND;
}

bool state_link_is_damaged(struct state_link *link)
{
	if (link->damage == STATE_DB_SUSPECT) {
		open_again(link);
		if (!state_db_failed(link->db))
			link->damage = look_through(link);
	}
	return link->damage == STATE_DB_DAMAGED;
}

bool state_link_replace(struct state_link *link, struct error *err)
{
	bool ok;

	stop_wal(link);
	state_db_drop(link->db);
	link->db = NULL;
	ok = state_file_replace(link->directory, "corrupt", err);
	if (ok)
		link->db = state_file_open(link->directory, link->sync_full, err);
	ok = link->db && start_wal(link, err);
	if (ok)
		link->damage = STATE_DB_SOUND;
	if (!link->db)
		link->db = state_db_open(link->path, link->sync_full);
	link->stale = !ok;
	return ok;
}

enum state_wal_load state_link_load(struct state_link *link)
{
	return link->wal ? state_wal_load(link->wal) : STATE_WAL_STUCK;
}
