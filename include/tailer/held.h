/*
 * held.h - files that were found and are to be handed over in the order of
 * their age: those that an earlier run knew, those that lost their path, those
 * that have it.
 *
 * For the catalog.
 */
#ifndef TAILER_HELD_H
#define TAILER_HELD_H

#include "tailer/file.h"
#include "tailer/follower.h"
#include "tailer/handover.h"

struct held;

struct held *held_create(void);
void held_destroy(struct held *held); /* NULL is accepted; what waits is closed */

/* Keeps a reference to the file. */
void held_add(struct held *held, struct follower *follower,
	      const struct adoption *adoption);
/* The file, if it waits, goes behind the others. */
void held_move_last(struct held *held, const struct file *file);

/*
 * Hands all of them over, to each follower its own at once; `told` is called for each
 * that an earlier run knew.
 */
void held_hand_over(struct held *held, void (*told)(void *ctx, const struct file *file),
		    void *ctx);

#endif
