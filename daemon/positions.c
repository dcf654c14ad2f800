#include "daemon/positions.h"

#include <stddef.h>
#include <string.h>

/* What comes before the texts of a checkpoint. */
#define FIXED_BYTES offsetof(struct checkpoint, head)
_Static_assert(sizeof(struct checkpoint) - FIXED_BYTES <
		       CHECKPOINT_HEAD_BYTES + CHECKPOINT_GUARD_BYTES + 8,
	       "the texts are last");

static void add_bytes(struct strbuf *out, const void *bytes, size_t len)
{
	strbuf_add(out, bytes, len);
}

void positions_add(struct positions *positions, const struct checkpoint *checkpoint,
		   bool dropped)
{
	struct strbuf *out = &positions->packed;
	const struct checkpoint gone = {.id = checkpoint->id, .path = ""};

	if (dropped)
		checkpoint = &gone;
	add_bytes(out, &dropped, sizeof(dropped));
	add_bytes(out, checkpoint, FIXED_BYTES);
	add_bytes(out, checkpoint->head, checkpoint->head_bytes);
	add_bytes(out, checkpoint->guard, checkpoint->guard_bytes);
	add_bytes(out, checkpoint->path, strlen(checkpoint->path) + 1);
	if (checkpoint->place)
		add_bytes(out, checkpoint->place, strlen(checkpoint->place) + 1);
}

static const char *take(const char *from, void *bytes, size_t len)
{
	memcpy(bytes, from, len);
	return from + len;
}

void positions_each(const struct positions *positions,
		    void (*visit)(void *ctx, const struct checkpoint *checkpoint,
				  bool dropped),
		    void *ctx)
{
	const char *at = positions->packed.ptr;
	const char *end = at + positions->packed.len;

	while (at < end) {
		struct checkpoint checkpoint = {0};
		bool dropped;

		at = take(at, &dropped, sizeof(dropped));
		at = take(at, &checkpoint, FIXED_BYTES);
		at = take(at, checkpoint.head, checkpoint.head_bytes);
		at = take(at, checkpoint.guard, checkpoint.guard_bytes);
		checkpoint.path = at;
		at += strlen(at) + 1;
		if (checkpoint.place) {
			checkpoint.place = at;
			at += strlen(at) + 1;
		}
		visit(ctx, &checkpoint, dropped);
	}
}

void positions_finish(struct positions *positions)
{
	strbuf_finish(&positions->packed);
	open_records_finish(&positions->open);
}
