#include "tailer/changes.h"

#include <stdlib.h>

#include "common/xalloc.h"

struct changes {
	struct change noted, dropped; /* heads of rings */
};

static void make_ring(struct change *head)
{
	head->newer = head->older = head;
}

struct changes *changes_create(void)
{
	struct changes *changes = xcalloc(1, sizeof(*changes));

	make_ring(&changes->noted);
	make_ring(&changes->dropped);
	return changes;
}

static void put(struct change *head, struct change *change)
{
	change->older = head->older;
	change->newer = head;
	head->older->newer = change;
	head->older = change;
}

static void take_out(struct change *change)
{
	change->older->newer = change->newer;
	change->newer->older = change->older;
	change->newer = change->older = NULL;
}

static bool is_noted(const struct change *change)
{
	return change->newer != NULL;
}

void changes_destroy(struct changes *changes)
{
	struct change *next;

	if (!changes)
		return;
	for (struct change *c = changes->dropped.newer; c != &changes->dropped;
	     c = next) {
		next = c->newer;
		free(c);
	}
	free(changes);
}

void changes_note(struct changes *changes, struct change *change)
{
	change->sequence = 0;
	if (!is_noted(change))
		put(&changes->noted, change);
}

void changes_end(struct changes *changes, struct change *change, bool dropped)
{
	if (is_noted(change))
		take_out(change);
	if (dropped) {
		struct change *gone = xcalloc(1, sizeof(*gone));

		gone->number = change->number;
		put(&changes->dropped, gone);
	}
}

/* True if it is to be visited. */
static bool is_unsaved(struct change *change, uint64_t sequence, uint64_t saved)
{
	if (change->sequence == 0)
		change->sequence = sequence;
	return change->sequence > saved;
}

void changes_visit(struct changes *changes, uint64_t sequence, uint64_t saved_sequence,
		   void (*fill)(const struct change *change,
				struct checkpoint *checkpoint),
		   void (*visit)(void *ctx, const struct checkpoint *checkpoint,
				 bool dropped),
		   void *ctx)
{
	struct change *next;

	for (struct change *c = changes->dropped.newer; c != &changes->dropped;
	     c = next) {
		next = c->newer;
		if (is_unsaved(c, sequence, saved_sequence)) {
			visit(ctx, &(struct checkpoint){.id = c->number}, true);
			continue;
		}
		take_out(c);
		free(c);
	}
	for (struct change *c = changes->noted.newer; c != &changes->noted; c = next) {
		next = c->newer;
		if (is_unsaved(c, sequence, saved_sequence)) {
			struct checkpoint checkpoint = {.id = c->number};

			fill(c, &checkpoint);
			visit(ctx, &checkpoint, false);
			continue;
		}
		take_out(c);
	}
}
