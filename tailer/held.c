#include "tailer/held.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/xalloc.h"

struct waiting {
	struct follower *follower;
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

/* In the order in which they are to be told; returns how many. */
static size_t collect(const struct held *held, const struct follower *follower,
		      struct adoption *adoptions)
{
	size_t count = 0;

	for (int turn = 0; turn <= 2; turn++)
		for (size_t i = 0; i < held->count; i++)
			if (held->list[i].follower == follower &&
			    turn_of(&held->list[i]) == turn)
				adoptions[count++] = held->list[i].adoption;
	return count;
}

static bool is_first_of_its_follower(const struct held *held, size_t at)
{
	size_t i = 0;

	while (held->list[i].follower != held->list[at].follower)
		i++;
	return i == at;
}

void held_hand_over(struct held *held, void (*told)(void *ctx, const struct file *file),
		    void *ctx)
{
	struct adoption *adoptions;

	if (held->count == 0)
		return;
	adoptions = xcalloc(held->count, sizeof(*adoptions));
	for (size_t i = 0; i < held->count; i++) {
		struct follower *follower = held->list[i].follower;

		if (is_first_of_its_follower(held, i))
			follower_adopt(follower, adoptions,
				       collect(held, follower, adoptions));
	}
	for (size_t i = 0; i < held->count; i++) {
		const struct adoption *adoption = &held->list[i].adoption;

		if (adoption->resume)
			told(ctx, adoption->file);
		file_unref(adoption->file);
	}
	free(adoptions);
	clear(held);
}
