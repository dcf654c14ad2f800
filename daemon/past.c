#include "daemon/past.h"

#include <stdlib.h>
#include <string.h>

#include "common/xalloc.h"

static void add_checkpoint(void *ctx, const struct checkpoint *checkpoint)
{
	struct past *past = ctx;
	size_t count = past->discovery.checkpoint_count++;

	past->checkpoints = xgrow(past->checkpoints, count, sizeof(*checkpoint));
	past->checkpoints[count] = *checkpoint;
	past->checkpoints[count].path = arena_strdup(past->arena, checkpoint->path);
	if (checkpoint->place)
		past->checkpoints[count].place =
			arena_strdup(past->arena, checkpoint->place);
}

static void add_root(void *ctx, const char *path)
{
	struct past *past = ctx;
	size_t count = past->discovery.root_count++;
	const char **roots = (const char **)(uintptr_t)past->discovery.roots;

	roots = xgrow(roots, count, sizeof(*roots));
	roots[count] = arena_strdup(past->arena, path);
	past->discovery.roots = roots;
}

static void add_open_record(void *ctx, const char *path, const struct open_record *open)
{
	leftovers_add(ctx, path, open);
}

static void add_scraper(void *ctx, const struct state_scraper *scraper)
{
	struct scraper_record record = {.sequence = scraper->sequence,
					.heard = scraper->heard};

	memcpy(record.client, scraper->client, sizeof(record.client));
	scrapers_restore(ctx, &record);
}

bool past_load(struct past *past, struct state *state, struct scrapers *scrapers,
	       struct error *err)
{
	bool ok;

	*past = (struct past){.arena = arena_create(),
			      .leftovers = leftovers_create(),
			      .caught_up = state_is_caught_up(state)};
	ok = state_each_checkpoint(state, add_checkpoint, past, err) &&
	     state_each_root(state, add_root, past, err) &&
	     state_each_open_record(state, add_open_record, past->leftovers, err) &&
	     state_each_scraper(state, add_scraper, scrapers, err);
	past->discovery.checkpoints = past->checkpoints;
	return ok;
}

void past_finish(struct past *past)
{
	free(past->checkpoints);
	free((void *)(uintptr_t)past->discovery.roots);
	leftovers_destroy(past->leftovers);
	if (past->arena)
		arena_destroy(past->arena);
	*past = (struct past){0};
}
