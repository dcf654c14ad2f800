#include "daemon/commit.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/xalloc.h"
#include "exporter/saved.h"

struct commit {
	struct state *state;
	struct scrapers *scrapers;
	struct cut *base;        /* all of it is saved */
	struct schema *families; /* whose families were put last; NULL: none */
	uint64_t saved_sequence; /* 0: nothing is known to be saved */
	char **roots;
	size_t root_count, roots_saved;
	bool caught_up, caught_up_saved;
	bool is_anew; /* everything is to be put */

	pthread_mutex_t lock; /* what follows */
	bool restore_failed;
	struct error why;
};

struct commit *commit_create(struct state *state, struct scrapers *scrapers)
{
	struct commit *commit = xcalloc(1, sizeof(*commit));

	commit->state = state;
	commit->scrapers = scrapers;
	pthread_mutex_init(&commit->lock, NULL);
	return commit;
}

void commit_destroy(struct commit *commit)
{
	if (!commit)
		return;
	cut_unref(commit->base);
	schema_unref(commit->families);
	for (size_t i = 0; i < commit->root_count; i++)
		free(commit->roots[i]);
	free(commit->roots);
	pthread_mutex_destroy(&commit->lock);
	free(commit);
}

void commit_add_root(struct commit *commit, const char *path)
{
	for (size_t i = 0; i < commit->root_count; i++)
		if (strcmp(commit->roots[i], path) == 0)
			return;
	commit->roots = xgrow(commit->roots, commit->root_count, sizeof(char *));
	commit->roots[commit->root_count++] = xstrdup(path);
}

void commit_set_caught_up(struct commit *commit)
{
	commit->caught_up = true;
}

uint64_t commit_saved_sequence(const struct commit *commit)
{
	return commit->saved_sequence;
}

void commit_begin_with(struct commit *commit, struct cut *cut)
{
	commit->base = cut_ref(cut);
}

/* -- families ------------------------------------------------------------- */

static struct state_family row_of(const struct family *family)
{
	return (struct state_family){
		.name = family_name(family),
		.kind = family_is_base(family) ? "base"
					       : metric_kind_name(family_kind(family)),
		.signature = family_signature(family),
		.states = family_state_list(family)};
}

struct restore {
	struct family *family;
	bool failed;
};

static struct slots_value value_of(const struct state_value *row)
{
	return (struct slots_value){.number = row->value,
				    .time_ns = row->time_ns,
				    .buckets = row->buckets,
				    .bucket_count = row->bucket_count,
				    .panes = row->panes};
}

static void restore_series(void *ctx, const struct state_series *row)
{
	struct restore *restore = ctx;
	struct saved_series series = {
		.labels = row->labels,
		.born = row->born,
		.value = value_of(&row->value),
		.is_free = row->is_free,
	};

	if (row->number != family_series(restore->family) ||
	    !family_restore(restore->family, &series))
		restore->failed = true;
}

static void restore_past(void *ctx, const struct state_past *row)
{
	struct restore *restore = ctx;
	struct slots_value value = value_of(&row->value);

	if (!family_restore_past(restore->family, row->number, row->sequence, &value))
		restore->failed = true;
}

static bool load(struct commit *commit, const struct state_family *row,
		 struct restore *restore, struct error *err)
{
	struct family_saved *saved = family_saved(restore->family);

	return state_load_family(commit->state, row, restore_series, restore,
				 &saved->id, err) &&
	       state_load_pasts(commit->state, saved->id, restore_past, restore, err);
}

void commit_family(void *ctx, struct family *family, struct slice signature)
{
	struct commit *commit = ctx;
	struct state_family row = row_of(family);
	struct family_saved *saved = family_saved(family);
	struct restore restore = {.family = family};
	struct error err = {"its series do not go with its definition"};

	(void)signature;
	if (!load(commit, &row, &restore, &err))
		restore.failed = true;
	saved->series = (uint32_t)family_series(family);
	if (!restore.failed)
		return;
	log_error("cannot read the saved values of a metric: it starts at 0",
		  LOG_TEXT("metric", row.name), LOG_TEXT("error", err.text));
	pthread_mutex_lock(&commit->lock);
	commit->restore_failed = true;
	commit->why = err;
	pthread_mutex_unlock(&commit->lock);
}

bool commit_restore_failed(const struct commit *commit, struct error *err)
{
	struct commit *c = (struct commit *)(uintptr_t)commit;
	bool failed;

	pthread_mutex_lock(&c->lock);
	failed = c->restore_failed;
	*err = c->why;
	pthread_mutex_unlock(&c->lock);
	return failed;
}

/*
 * A removed family is put too if its row is not there yet, since its series
 * need one; the commit after it, which leaves it out, says that it was removed.
 */
static bool must_be_put(const struct schema *schema, size_t metric)
{
	return metric < schema_count(schema) ||
	       !family_saved(schema_family(schema, metric))->is_there;
}

static bool has_removed_to_put(const struct schema *schema)
{
	for (size_t i = schema_count(schema); i < schema_total(schema); i++)
		if (must_be_put(schema, i))
			return true;
	return false;
}

/* -- a transaction -------------------------------------------------------- */

struct transaction {
	struct commit *commit;
	const struct snapshot *snapshot;
	struct schema *schema;
	bool has_begun;
	bool shows_more; /* than the commit before: values, metrics */
	bool removed_were_put;
};

/* There is something to save. */
static struct state *begin(struct transaction *t)
{
	if (!t->has_begun)
		state_begin(t->commit->state);
	t->has_begun = true;
	return t->commit->state;
}

static void put_families(struct transaction *t)
{
	struct schema *schema = t->schema;

	if (t->commit->families == schema)
		return;
	t->shows_more = true;
	t->removed_were_put = has_removed_to_put(schema);
	for (size_t i = 0; i < schema_total(schema); i++) {
		const struct state_family row = row_of(schema_family(schema, i));

		if (must_be_put(schema, i))
			state_put_family(begin(t),
					 family_saved(schema_family(schema, i))->id,
					 &row);
	}
}

static struct state_value value_row(const struct slots_value *value)
{
	return (struct state_value){.value = value->number,
				    .time_ns = value->time_ns,
				    .buckets = value->buckets,
				    .bucket_count = value->bucket_count,
				    .panes = value->panes};
}

static void put_series(void *ctx, struct family *family, uint32_t number,
		       const struct saved_series *series)
{
	struct transaction *t = ctx;
	const struct state_series row = {.number = number,
					 .labels = series->labels,
					 .born = series->born,
					 .value = value_row(&series->value),
					 .is_free = series->is_free};

	t->shows_more = true;
	state_put_series(begin(t), family_saved(family)->id, &row);
}

static void put_value(void *ctx, struct family *family, uint32_t number,
		      const struct slots_value *value)
{
	struct transaction *t = ctx;
	const struct state_value row = value_row(value);

	t->shows_more = true;
	state_put_value(begin(t), family_saved(family)->id, number, &row);
}

static void put_past(void *ctx, struct family *family, uint32_t number,
		     uint64_t sequence, const struct slots_value *value)
{
	const struct state_past row = {
		.number = number, .sequence = sequence, .value = value_row(value)};

	state_put_past(begin(ctx), family_saved(family)->id, &row);
}

static void put_checkpoint(void *ctx, const struct checkpoint *checkpoint, bool dropped)
{
	if (dropped)
		state_drop_checkpoint(begin(ctx), checkpoint->id);
	else
		state_put_checkpoint(begin(ctx), checkpoint);
}

static void drop_open_records(void *ctx, const char *path)
{
	state_drop_open_records(begin(ctx), path);
}

static void put_open_record(void *ctx, const char *path, const struct open_record *open)
{
	state_put_open_record(begin(ctx), path, open);
}

static void put_positions(struct transaction *t, const struct positions *positions)
{
	static const struct open_records_visitor visitor = {drop_open_records,
							    put_open_record};

	positions_each(positions, put_checkpoint, t);
	open_records_each(&positions->open, &visitor, t);
}

static void put_scrapers(struct transaction *t)
{
	struct scraper_record records[SCRAPERS_MAX];
	struct state_scraper rows[SCRAPERS_MAX];
	bool changed;
	size_t count = scrapers_collect(t->commit->scrapers, records, &changed);

	if (!changed && !t->commit->is_anew)
		return;
	for (size_t i = 0; i < count; i++) {
		memcpy(rows[i].client, records[i].client, sizeof(rows[i].client));
		rows[i].sequence = records[i].sequence;
		rows[i].heard = records[i].heard;
	}
	state_put_scrapers(begin(t), rows, count);
}

static void put_all(struct transaction *t)
{
	static const struct cut_visitor visitor = {put_series, put_value, put_past};
	struct commit *c = t->commit;

	put_families(t);
	cut_each_change(t->snapshot->cut, c->base, &visitor, t);
	for (unsigned i = 0; i < t->snapshot->worker_count; i++)
		put_positions(t, &t->snapshot->positions[i]);
	for (size_t i = c->roots_saved; i < c->root_count; i++)
		state_put_root(begin(t), c->roots[i]);
	if (c->caught_up && !c->caught_up_saved) {
		t->shows_more = true;
		state_put_caught_up(begin(t));
	}
	put_scrapers(t);
}

static void note_families(struct transaction *t)
{
	struct commit *c = t->commit;

	for (size_t i = 0; i < schema_total(t->schema); i++)
		family_note_saved(schema_family(t->schema, i), t->snapshot->cut, i);
	schema_unref(c->families);
	c->families = t->removed_were_put ? NULL : schema_ref(t->schema);
}

static void note_all(struct transaction *t)
{
	struct commit *c = t->commit;

	note_families(t);
	cut_unref(c->base);
	c->base = cut_ref(t->snapshot->cut);
	c->saved_sequence = cut_sequence(c->base);
	c->roots_saved = c->root_count;
	c->caught_up_saved = c->caught_up;
	c->is_anew = false;
	scrapers_saved(c->scrapers);
}

/* -- a new database ------------------------------------------------------- */

static void forget_families(struct schema *schema)
{
	for (size_t i = 0; i < schema_total(schema); i++)
		family_note_unsaved(schema_family(schema, i));
}

static void forget_all(struct commit *c, struct schema *schema)
{
	forget_families(schema);
	schema_unref(c->families);
	c->families = NULL;
	c->saved_sequence = 0;
	c->roots_saved = 0;
	c->caught_up_saved = false;
	c->is_anew = true;
}

static enum commit_result start_anew(struct commit *c, struct schema *schema,
				     struct error *err)
{
	if (!state_start_anew(c->state, err))
		return COMMIT_FAILED;
	pthread_mutex_lock(&c->lock);
	c->restore_failed = false;
	pthread_mutex_unlock(&c->lock);
	forget_all(c, schema);
	return COMMIT_ANEW;
}

/* -- the whole ------------------------------------------------------------ */

enum commit_result commit_save(struct commit *c, const struct snapshot *snapshot,
			       struct error *err)
{
	struct transaction t = {
		.commit = c, .snapshot = snapshot, .schema = cut_schema(snapshot->cut)};
	struct error ignored;

	if (commit_restore_failed(c, &ignored))
		return start_anew(c, t.schema, err);
	put_all(&t);
	if (!t.has_begun)
		return COMMIT_NEEDLESS;
	if (state_commit(c->state, cut_sequence(snapshot->cut), err)) {
		note_all(&t);
		return t.shows_more ? COMMIT_DONE : COMMIT_SAME;
	}
	if (state_is_damaged(c->state)) {
		log_error("the database is damaged: it is set aside, and all is saved "
			  "in a new one",
			  LOG_TEXT("error", err->text));
		return start_anew(c, t.schema, err);
	}
	return COMMIT_FAILED;
}

bool commit_tidy(struct commit *commit)
{
	return state_tidy(commit->state);
}
