#include "tailer/held.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/xalloc.h"

struct waiting {
	struct follower *follower; /* NULL: it was handed over */
	struct adoption adoption;
};

struct held {
	struct waiting *list;
	size_t count;
};

struct held *held_create(void)
{
	return xcalloc(1, sizeof(struct held));
}

static void clear(struct held *held)
{
	free(held->list);
	*held = (struct held){0};
}

void held_destroy(struct held *held)
{
	if (!held)
		return;
	for (size_t i = 0; i < held->count; i++) {
		if (held->list[i].adoption.fd != -1)
			close(held->list[i].adoption.fd);
		file_unref(held->list[i].adoption.file);
	}
	clear(held);
	free(held);
}

void held_add(struct held *held, struct follower *follower,
	      const struct adoption *adoption)
{
	held->list = xgrow(held->list, held->count, sizeof(*held->list));
	held->list[held->count++] = (struct waiting){follower, *adoption};
	file_ref(adoption->file);
}

void held_move_last(struct held *held, const struct file *file)
{
	size_t i = 0;
	struct waiting moved;

	while (i < held->count && held->list[i].adoption.file != file)
		i++;
	if (i == held->count)
		return;
	moved = held->list[i];
	memmove(&held->list[i], &held->list[i + 1],
		(held->count - i - 1) * sizeof(moved));
	held->list[held->count - 1] = moved;
}

/* What was known before comes first: the rest is compared with it. */
static int turn_of(const struct waiting *waiting)
{
	if (waiting->adoption.resume)
		return 0;
	return file_standing(waiting->adoption.file) & FILE_CURRENT ? 2 : 1;
}

void held_hand_over(struct held *held, void (*told)(void *ctx, const struct file *file),
		    void *ctx)
{
	for (int turn = 0; turn <= 2; turn++)
		for (size_t i = 0; i < held->count; i++) {
			struct waiting *waiting = &held->list[i];

			if (!waiting->follower || turn_of(waiting) != turn)
				continue;
			follower_adopt(waiting->follower, &waiting->adoption);
			if (waiting->adoption.resume)
				told(ctx, waiting->adoption.file);
			file_unref(waiting->adoption.file);
			waiting->follower = NULL;
		}
	clear(held);
}
