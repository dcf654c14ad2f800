#include "daemon/state_families.h"

#include <stdlib.h>

#include "common/xalloc.h"
#include "daemon/state_series.h"

#define FORGET_SERIES 500

/* One that this process asked for. */
struct asked {
	uint64_t id;
	char *name;
	char *kind;
	char *signature;
	size_t signature_bytes;
	int64_t at;
};

struct state_families {
	struct asked *asked;
	size_t asked_count;
	uint64_t last_id; /* the highest that was ever handed out */
	uint64_t *put;    /* in this commit */
	size_t put_count;
};

struct state_families *state_families_create(struct state_db *db)
{
	struct state_families *families = xcalloc(1, sizeof(*families));

	families->last_id = (uint64_t)state_db_number(
		db, "SELECT value FROM meta WHERE key = 'last_family'", 0);
	return families;
}

static void asked_finish(struct asked *asked)
{
	free(asked->name);
	free(asked->kind);
	free(asked->signature);
}

void state_families_destroy(struct state_families *families)
{
	if (!families)
		return;
	for (size_t i = 0; i < families->asked_count; i++)
		asked_finish(&families->asked[i]);
	free(families->asked);
	free(families->put);
	free(families);
}

/* ---- ids ---- */

static uint64_t find_stored(struct state_db *db, const struct state_family *family)
{
	sqlite3_stmt *find =
		state_db_statement(db, "SELECT id FROM families WHERE name = ?"
				       " AND kind = ? AND signature = ?");
	uint64_t id = 0;

	sqlite3_bind_text(find, 1, family->name, -1, SQLITE_STATIC);
	sqlite3_bind_text(find, 2, family->kind, -1, SQLITE_STATIC);
	sqlite3_bind_blob64(find, 3, family->signature.len ? family->signature.ptr : "",
			    family->signature.len, SQLITE_STATIC);
	if (state_db_step(db, find))
		id = (uint64_t)sqlite3_column_int64(find, 0);
	sqlite3_reset(find);
	return id;
}

static bool is_same(const struct asked *asked, const struct state_family *family)
{
	struct slice signature = {asked->signature, asked->signature_bytes};

	return strcmp(asked->name, family->name) == 0 &&
	       strcmp(asked->kind, family->kind) == 0 &&
	       slice_eq(signature, family->signature);
}

static struct asked *find_asked(struct state_families *families,
				const struct state_family *family)
{
	for (size_t i = 0; i < families->asked_count; i++)
		if (is_same(&families->asked[i], family))
			return &families->asked[i];
	return NULL;
}

static struct asked *remember(struct state_families *families, uint64_t id,
			      const struct state_family *family)
{
	struct asked *asked;

	families->asked =
		xgrow(families->asked, families->asked_count, sizeof(*families->asked));
	asked = &families->asked[families->asked_count++];
	*asked = (struct asked){
		.id = id ? id : ++families->last_id,
		.name = xstrdup(family->name),
		.kind = xstrdup(family->kind),
		.signature = xstrndup(family->signature.ptr, family->signature.len),
		.signature_bytes = family->signature.len,
	};
	return asked;
}

uint64_t state_families_ask(struct state_families *families, struct state_db *db,
			    const struct state_family *family, int64_t now)
{
	struct asked *asked = find_asked(families, family);
	uint64_t stored = asked ? 0 : find_stored(db, family);

	if (state_db_failed(db))
		return 0;
	if (!asked)
		asked = remember(families, stored, family);
	asked->at = now;
	return asked->id;
}

/* ---- a commit ---- */

void state_families_begin(struct state_families *families)
{
	families->put_count = 0;
}

static void insert(struct state_families *families, struct state_db *db, uint64_t id,
		   const struct state_family *family)
{
	sqlite3_stmt *insert = state_db_statement(
		db, "INSERT INTO families (id, name, kind, signature, states)"
		    " VALUES (?, ?, ?, ?, ?)");
	sqlite3_stmt *last = state_db_statement(
		db, "INSERT OR REPLACE INTO meta VALUES ('last_family', ?)");

	sqlite3_bind_int64(insert, 1, (sqlite3_int64)id);
	sqlite3_bind_text(insert, 2, family->name, -1, SQLITE_STATIC);
	sqlite3_bind_text(insert, 3, family->kind, -1, SQLITE_STATIC);
	sqlite3_bind_blob64(insert, 4,
			    family->signature.len ? family->signature.ptr : "",
			    family->signature.len, SQLITE_STATIC);
	sqlite3_bind_text(insert, 5, family->states, -1, SQLITE_STATIC);
	state_db_step(db, insert);
	sqlite3_bind_int64(last, 1, (sqlite3_int64)families->last_id);
	state_db_step(db, last);
}

static void set_removed(struct state_db *db, uint64_t id, bool removed, int64_t now)
{
	sqlite3_stmt *set = state_db_statement(
		db, "UPDATE families SET removed_at = ?2 WHERE id = ?1");

	sqlite3_bind_int64(set, 1, (sqlite3_int64)id);
	if (removed)
		sqlite3_bind_int64(set, 2, now);
	else
		sqlite3_bind_null(set, 2);
	state_db_step(db, set);
}

/* Mostly there is nothing to write: the row is there, and not removed. */
void state_families_put(struct state_families *families, struct state_db *db,
			uint64_t id, const struct state_family *family)
{
	sqlite3_stmt *find =
		state_db_statement(db, "SELECT removed_at FROM families WHERE id = ?");
	bool there, removed;

	families->put =
		xgrow(families->put, families->put_count, sizeof(*families->put));
	families->put[families->put_count++] = id;
	sqlite3_bind_int64(find, 1, (sqlite3_int64)id);
	there = state_db_step(db, find);
	removed = there && sqlite3_column_type(find, 0) != SQLITE_NULL;
	sqlite3_reset(find);
	if (!there)
		insert(families, db, id, family);
	else if (removed)
		set_removed(db, id, false, 0);
}

static int by_id(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

void state_families_end(struct state_families *families, struct state_db *db,
			int64_t now)
{
	sqlite3_stmt *rows = state_db_statement(
		db, "SELECT id FROM families WHERE removed_at IS NULL ORDER BY id");

	if (families->put_count == 0)
		return;
	qsort(families->put, families->put_count, sizeof(*families->put), by_id);
	while (state_db_step(db, rows)) {
		uint64_t id = (uint64_t)sqlite3_column_int64(rows, 0);

		if (!bsearch(&id, families->put, families->put_count, sizeof(id),
			     by_id))
			set_removed(db, id, true, now);
	}
}

/* ---- forgetting ---- */

static bool is_in_use(const struct state_families *families, uint64_t id, int64_t since)
{
	for (size_t i = 0; i < families->asked_count; i++)
		if (families->asked[i].id == id)
			return families->asked[i].at > since;
	return false;
}

/* 0: none. */
static uint64_t find_forgettable(struct state_families *families, struct state_db *db,
				 int64_t since, bool *condemned)
{
	sqlite3_stmt *rows = state_db_statement(
		db, "SELECT id, signature IS NULL FROM families"
		    " WHERE removed_at <= ? ORDER BY signature IS NOT NULL, id");
	uint64_t found = 0;

	sqlite3_bind_int64(rows, 1, since);
	while (found == 0 && state_db_step(db, rows)) {
		*condemned = sqlite3_column_int(rows, 1);
		if (*condemned ||
		    !is_in_use(families, sqlite3_column_int64(rows, 0), since))
			found = (uint64_t)sqlite3_column_int64(rows, 0);
	}
	sqlite3_reset(rows);
	return found;
}

bool state_families_may_forget(struct state_families *families, struct state_db *db,
			       int64_t since)
{
	bool condemned;

	return find_forgettable(families, db, since, &condemned) != 0;
}

/*
 * Without its signature nobody finds it: half of its series must not be resumed.
 * Should the transaction fail, it is found in the database again.
 */
static void condemn(struct state_families *families, struct state_db *db, uint64_t id)
{
	sqlite3_stmt *condemn = state_db_statement(
		db, "UPDATE families SET signature = NULL WHERE id = ?");

	sqlite3_bind_int64(condemn, 1, (sqlite3_int64)id);
	state_db_step(db, condemn);
	for (size_t i = 0; i < families->asked_count; i++) {
		if (families->asked[i].id != id)
			continue;
		asked_finish(&families->asked[i]);
		families->asked[i] = families->asked[--families->asked_count];
		return;
	}
}

static void delete_row(struct state_db *db, uint64_t id)
{
	sqlite3_stmt *delete =
		state_db_statement(db, "DELETE FROM families WHERE id = ?");

	sqlite3_bind_int64(delete, 1, (sqlite3_int64)id);
	state_db_step(db, delete);
}

void state_families_forget_step(struct state_families *families, struct state_db *db,
				int64_t since)
{
	bool condemned = false;
	uint64_t id = find_forgettable(families, db, since, &condemned);

	if (id == 0)
		return;
	if (!condemned)
		condemn(families, db, id);
	else if (!state_series_forget(db, id, FORGET_SERIES))
		delete_row(db, id);
}
