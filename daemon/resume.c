#include "daemon/resume.h"

#include "common/log.h"

static bool bring_back(struct resumed *r, struct setup *setup, struct error *err)
{
	r->scrapers = scrapers_create();
	r->registry = registry_create(&(struct registry_options){0});
	if (r->state) {
		r->commit = commit_create(r->state, r->scrapers);
		r->sequence = state_sequence(r->state);
		registry_set_restore(r->registry, commit_family, r->commit);
		if (!past_load(&r->past, r->state, r->scrapers, err))
			return false;
	}
	setup_bind(setup, r->registry);
	return !r->commit || !commit_restore_failed(r->commit, err);
}

static void let_go(struct resumed *r)
{
	past_finish(&r->past);
	commit_destroy(r->commit);
	registry_destroy(r->registry);
	scrapers_destroy(r->scrapers);
	r->commit = NULL;
	r->registry = NULL;
	r->scrapers = NULL;
}

static bool start_anew(struct resumed *r, struct setup *setup, struct error *err)
{
	log_error("the saved state cannot be read", LOG_TEXT("error", err->text));
	setup_unbind(setup);
	let_go(r);
	return state_start_anew(r->state, err) && bring_back(r, setup, err);
}

/* What happens next is the followers' affair: they count the bytes. */
static void say_lost(void)
{
	log_error("the state of an earlier run is lost: values start at 0, and what is "
		  "in the logs by now counts as read",
		  LOG_TEXT("counted_in",
			   "logtally_lost_bytes_total{reason=\"state_lost\"}"));
}

static bool open_state(struct resumed *r, const struct config *config,
		       enum state_found *found, struct error *err)
{
	struct state_options options = {.directory = config->storage_path,
					.sync_full = config->storage_sync_full};

	*found = STATE_NEW;
	if (*config->storage_path == '\0')
		return true;
	r->state = state_open(&options, found, err);
	return r->state != NULL;
}

bool resume(struct resumed *r, struct setup *setup, struct error *err)
{
	enum state_found found;

	*r = (struct resumed){0};
	if (!open_state(r, setup->config, &found, err))
		return false;
	if (!bring_back(r, setup, err)) {
		if (!state_is_damaged(r->state) || !start_anew(r, setup, err))
			return false;
		found = STATE_LOST;
	}
	r->is_first = found == STATE_NEW;
	r->past.discovery.lost = found == STATE_LOST;
	if (found == STATE_LOST)
		say_lost();
	return true;
}

void resumed_finish(struct resumed *r)
{
	let_go(r);
	state_close(r->state);
	r->state = NULL;
}
