/*
 * state_file.h - which file is the database, and what becomes of one that is no use.
 *
 * state.db appears complete or not at all, and is replaced in such steps that a
 * process that dies between any two of them is gone on with by the next:
 * state.db.new is being made, state.db.next is made and takes the place of one
 * that is being set aside.  Knows no state.h; the caller holds the directory's lock.
 */
#ifndef DAEMON_STATE_FILE_H
#define DAEMON_STATE_FILE_H

#include <stdbool.h>

#include "common/error.h"
#include "daemon/state_db.h"

/* The caller frees it. */
char *state_file_path(const char *directory);

/*
 * Opens state.db.  Makes a new one if there is none, replaces one that cannot be
 * used, and ends what an earlier process was at.  NULL after an error.
 */
struct state_db *state_file_open(const char *directory, bool sync_full,
				 struct error *err);

/*
 * Renames state.db and what belongs to it to state.db.<why>-<YYYYMMDDThhmmssZ>,
 * says so in the log, and puts a new one in its place that is marked as the
 * successor of a lost one.  Nobody has it open.
 */
bool state_file_replace(const char *directory, const char *why, struct error *err);

#endif
