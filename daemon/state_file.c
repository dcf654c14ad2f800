#include "daemon/state_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/log.h"
#include "common/xalloc.h"
#include "daemon/state_schema.h"

/* What SQLite puts beside a database, and may hold some of its content. */
static const char *const companions[] = {"-wal", "-journal"};
#define COMPANIONS (sizeof(companions) / sizeof(companions[0]))

char *state_file_path(const char *directory)
{
	return xasprintf("%s/state.db", directory);
}

/* -1: it is not there. */
static int64_t size_of(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 ? (int64_t)st.st_size : -1;
}

static int64_t size_with(const char *path, const char *suffix)
{
	char *name = xasprintf("%s%s", path, suffix);
	int64_t size = size_of(name);

	free(name);
	return size;
}

static void unlink_with(const char *path, const char *suffix)
{
	char *name = xasprintf("%s%s", path, suffix);

	unlink(name);
	free(name);
}

static void unlink_companions(const char *path)
{
	unlink_with(path, "-wal");
	unlink_with(path, "-journal");
	unlink_with(path, "-shm");
}

static bool rename_file(const char *from, const char *to, struct error *err)
{
	return rename(from, to) == 0 || error_errno(err, "rename %s to %s", from, to);
}

static bool rename_if_there(const char *from, const char *to, struct error *err)
{
	return (access(from, F_OK) == -1 && errno == ENOENT) ||
	       rename_file(from, to, err);
}

/* What was renamed stays renamed when the power fails. */
static bool sync_directory(const char *directory, struct error *err)
{
	int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool ok = fd != -1 && fsync(fd) == 0;

	if (!ok)
		error_errno(err, "sync the state directory %s", directory);
	if (fd != -1)
		close(fd);
	return ok;
}

/* ---- making one ---- */

static bool create_empty(const char *path, struct error *err)
{
	int fd;

	unlink(path);
	unlink_companions(path);
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
	if (fd == -1)
		return error_errno(err, "create %s", path);
	fchmod(fd, 0640); /* SQLite gives -wal and -shm the same */
	close(fd);
	return true;
}

static bool fill(const char *path, bool lost, struct error *err)
{
	struct state_db *db = state_db_open(path, true);
	bool ok;

	state_schema_create(db, &state_schema_ours);
	if (lost)
		state_db_run(db, "INSERT INTO meta VALUES ('lost', 1)");
	ok = state_db_settle(db, "create", err);
	state_db_close(db);
	return ok;
}

static bool make(const char *directory, const char *path, bool lost, struct error *err)
{
	char *new = xasprintf("%s/state.db.new", directory);
	bool ok = create_empty(new, err) && fill(new, lost, err);

	/* Of the database that had the name: it would be read into this one. */
	if (ok)
		unlink_companions(path);
	ok = ok && rename_file(new, path, err) && sync_directory(directory, err);
	if (!ok)
		unlink(new);
	free(new);
	return ok;
}

/* ---- setting one aside ---- */

/* state.db.WHY-TIME, which nothing has yet. */
static char *aside_name(const char *path, const char *why)
{
	time_t now = time(NULL);

	for (;; now++) {
		char stamp[32], *name;
		struct tm tm;

		gmtime_r(&now, &tm);
		strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &tm);
		name = xasprintf("%s.%s-%s", path, why, stamp);
		if (size_of(name) == -1 && size_with(name, "-wal") == -1)
			return name;
		free(name);
	}
}

static bool move_companion(const char *path, const char *aside, const char *suffix,
			   struct error *err)
{
	char *from = xasprintf("%s%s", path, suffix);
	char *to = xasprintf("%s%s", aside, suffix);
	bool ok = size_of(from) <= 0 || rename_file(from, to, err);

	free(from);
	free(to);
	return ok;
}

static bool set_aside(const char *path, const char *why, struct error *err)
{
	char *aside = aside_name(path, why);
	bool ok = rename_if_there(path, aside, err);

	for (size_t i = 0; ok && i < COMPANIONS; i++)
		ok = move_companion(path, aside, companions[i], err);
	if (ok) {
		unlink_companions(path);
		log_warn("saved state cannot be used: it was set aside",
			 LOG_TEXT("file", path), LOG_TEXT("renamed_to", aside),
			 LOG_TEXT("reason", why));
	}
	free(aside);
	return ok;
}

static bool there_is_something(const char *path)
{
	return size_of(path) >= 0 || size_with(path, "-wal") > 0 ||
	       size_with(path, "-journal") > 0;
}

/* state.db.next is complete: what has its place goes aside. */
static bool succeed(const char *directory, const char *next, const char *why,
		    struct error *err)
{
	char *path = state_file_path(directory);
	bool ok = true;

	if (there_is_something(path))
		ok = set_aside(path, why, err);
	ok = ok && rename_file(next, path, err) && sync_directory(directory, err);
	free(path);
	return ok;
}

bool state_file_replace(const char *directory, const char *why, struct error *err)
{
	char *next = xasprintf("%s/state.db.next", directory);
	bool ok =
		make(directory, next, true, err) && succeed(directory, next, why, err);

	free(next);
	return ok;
}

/* ---- opening ---- */

static bool prepare(const char *directory, const char *path, const char *next,
		    struct error *err)
{
	int64_t size = size_of(path);

	if (size_of(next) >= 0)
		return succeed(directory, next, "corrupt", err);
	/* SQLite would take an empty file for a new database, and delete the -wal. */
	if (size == 0 || (size == -1 && there_is_something(path)))
		return state_file_replace(directory, "corrupt", err);
	if (size == -1)
		return make(directory, path, false, err);
	return true;
}

/* NULL: the file cannot be opened, or, with *why, cannot be used. */
static struct state_db *open_used(const char *path, bool sync_full, const char **why,
				  struct error *err)
{
	struct state_db *db = state_db_open(path, sync_full);

	*why = state_schema_adopt(db, &state_schema_ours);
	if (state_db_settle(db, "open", err) && !*why)
		return db;
	state_db_drop(db);
	return NULL;
}

static struct state_db *open_or_replace(const char *directory, const char *path,
					bool sync_full, struct error *err)
{
	const char *why;
	struct state_db *db = NULL;

	/* Where the disk once failed to read, SQLite says corrupt as well. */
	for (int attempt = 0; attempt < 2; attempt++) {
		db = open_used(path, sync_full, &why, err);
		if (db || !why)
			return db;
	}
	if (!state_file_replace(directory, why, err))
		return NULL;
	error_set(err, "open %s: the new one is of no use either", path);
	return open_used(path, sync_full, &why, err);
}

struct state_db *state_file_open(const char *directory, bool sync_full,
				 struct error *err)
{
	char *path = state_file_path(directory);
	char *next = xasprintf("%s/state.db.next", directory);
	struct state_db *db = NULL;

	if (prepare(directory, path, next, err))
		db = open_or_replace(directory, path, sync_full, err);
	free(path);
	free(next);
	return db;
}
