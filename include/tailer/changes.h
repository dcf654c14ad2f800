/*
 * changes.h - which checkpoints are not known to be saved.
 *
 * A generation that has moved is noted; a cut visits all that are noted, again
 * and again until a cut that held them is known to be saved.  For the
 * follower's thread.
 */
#ifndef TAILER_CHANGES_H
#define TAILER_CHANGES_H

#include <stdbool.h>
#include <stdint.h>

#include "tailer/checkpoint.h"

struct changes;

/* Part of what has a checkpoint. */
struct change {
	struct change *newer, *older; /* in the list while noted; else NULL */
	uint64_t number;              /* of the generation */
	uint64_t sequence;            /* of the first cut that held it; 0: none has */
};

struct changes *changes_create(void);
void changes_destroy(struct changes *changes); /* NULL is accepted */

/* It has moved. */
void changes_note(struct changes *changes, struct change *change);
/* It goes away; `dropped`: and is to be forgotten, else it is merely not noted. */
void changes_end(struct changes *changes, struct change *change, bool dropped);

/* As follower_checkpoints(); `fill` makes the checkpoint of one that is noted. */
void changes_visit(struct changes *changes, uint64_t sequence, uint64_t saved_sequence,
		   void (*fill)(const struct change *change,
				struct checkpoint *checkpoint),
		   void (*visit)(void *ctx, const struct checkpoint *checkpoint,
				 bool dropped),
		   void *ctx);

#endif
