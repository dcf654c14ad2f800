/*
 * state_rows.h - the small tables of state.db: meta, files, roots, scrapers.
 *
 * Failures stay in `db`.  What is visited is borrowed until the visit returns.
 */
#ifndef DAEMON_STATE_ROWS_H
#define DAEMON_STATE_ROWS_H

#include "daemon/state.h"
#include "daemon/state_db.h"

struct state_meta {
	uint64_t sequence; /* of the last commit; 0: none */
	bool caught_up;
	bool lost; /* made after one was lost, and nothing was committed since */
};

struct state_meta state_meta_read(struct state_db *db);
/* Writes what differs from `before`. */
void state_meta_write(struct state_db *db, const struct state_meta *before,
		      const struct state_meta *now);

void state_files_each(struct state_db *db,
		      void (*visit)(void *ctx, const struct checkpoint *checkpoint),
		      void *ctx);
void state_files_put(struct state_db *db, const struct checkpoint *checkpoint);
void state_files_drop(struct state_db *db, uint64_t id);

void state_roots_each(struct state_db *db, void (*visit)(void *ctx, const char *path),
		      void *ctx);
void state_roots_put(struct state_db *db, const char *path);

void state_scrapers_each(struct state_db *db,
			 void (*visit)(void *ctx, const struct state_scraper *scraper),
			 void *ctx);
void state_scrapers_replace(struct state_db *db, const struct state_scraper *scrapers,
			    size_t count);

#endif
