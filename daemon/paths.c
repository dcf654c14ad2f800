#include "daemon/paths.h"

#include <stdlib.h>

#include "common/clock.h"
#include "common/shared_text.h"
#include "common/xalloc.h"
#include "daemon/open_paths.h"

/* After a start, by when the files that are there have been found. */
#define LEFTOVERS_NS (30 * NS_PER_SECOND)

struct path {
	const char *name; /* shared_text.h */
	struct source *source;
	struct open_path *open; /* open_paths.h; NULL: nothing is or was open */
};

struct paths {
	struct tally *tally;
	const struct setup *setup;
	struct regex_scratch *scratch;
	struct open_paths *open;
	struct leftovers *leftovers;
	bool completes_leftovers;
	int64_t leftovers_until_ns; /* monotonic */
};

struct paths *paths_create(struct tally *tally, struct leftovers *leftovers,
			   bool completes_leftovers, uint32_t match_steps)
{
	struct paths *paths = xcalloc(1, sizeof(*paths));

	paths->tally = tally;
	paths->scratch = regex_scratch_create(match_steps);
	paths->open = open_paths_create();
	paths->leftovers = leftovers;
	paths->completes_leftovers = completes_leftovers;
	paths->leftovers_until_ns = clock_monotonic_ns() + LEFTOVERS_NS;
	return paths;
}

void paths_destroy(struct paths *paths)
{
	if (!paths)
		return;
	open_paths_destroy(paths->open);
	regex_scratch_destroy(paths->scratch);
	free(paths);
}

const char *path_name(const struct path *path)
{
	return path->name;
}

/* -- setups --------------------------------------------------------------- */

static void pack_record(void *ctx, const struct open_record *open)
{
	open_records_add(ctx, open);
}

/* Where records go on: a source, and when. */
struct revival {
	struct tally *tally;
	struct source *source;
	int64_t now_ns;
};

static void revive_path(void *ctx, const char *path)
{
	(void)ctx;
	(void)path;
}

static void revive_record(void *ctx, const char *path, const struct open_record *open)
{
	struct revival *revival = ctx;
	struct engine_counts counts = {0};

	(void)path;
	tally_restore(revival->tally, revival->source, open, revival->now_ns, &counts);
}

static const struct open_records_visitor revive = {revive_path, revive_record};

static void revive_all(struct paths *paths, struct source *source,
		       const struct open_records *records)
{
	struct revival revival = {paths->tally, source, clock_monotonic_ns()};

	open_records_each(records, &revive, &revival);
}

static void note_open(struct paths *paths, struct path *path)
{
	open_paths_note(paths->open, &path->open, path->name, path->source);
}

void paths_use(struct paths *paths, const struct setup *setup)
{
	paths->setup = setup;
	tally_use(paths->tally, setup);
}

/* What is open goes on in the new source. */
void paths_renew(struct paths *paths, struct path *path)
{
	struct open_records records = OPEN_RECORDS_INIT;

	if (path->source && path->open) {
		open_records_path(&records, path->name);
		source_each_open(path->source, pack_record, &records);
	}
	source_destroy(path->source);
	path->source = setup_source(paths->setup, path->name, paths->scratch);
	revive_all(paths, path->source, &records);
	open_records_finish(&records);
	note_open(paths, path);
}

/* -- paths ---------------------------------------------------------------- */

struct path *paths_add(struct paths *paths, const char *name)
{
	struct path *path = xcalloc(1, sizeof(*path));
	struct open_records records;

	path->name = shared_text_ref(name);
	paths_renew(paths, path);
	if (leftovers_take(paths->leftovers, name, &records)) {
		revive_all(paths, path->source, &records);
		open_records_finish(&records);
		note_open(paths, path);
	}
	return path;
}

static void give_up(struct paths *paths, struct path *path, bool goes_on)
{
	struct engine_counts counts = {0};

	if (path->open && !goes_on)
		tally_close(paths->tally, path->source, INT64_MAX, &counts);
	if (path->open)
		open_paths_drop(paths->open, &path->open, path->name);
	source_destroy(path->source);
	shared_text_unref(path->name);
}

void paths_remove(struct paths *paths, struct path *path, bool goes_on)
{
	give_up(paths, path, goes_on);
	free(path);
}

void paths_feed(struct paths *paths, struct path *path, const struct block *block)
{
	struct engine_counts counts = {0};

	tally_feed(paths->tally, path->source, block, &counts);
	note_open(paths, path);
}

void paths_save(struct paths *paths, uint64_t sequence, uint64_t saved_sequence,
		struct open_records *records)
{
	open_paths_save(paths->open, sequence, saved_sequence, records);
}

/* -- records that nothing goes on with ------------------------------------ */

struct silence {
	struct tally *tally;
	int64_t now_ns;
};

static void close_silent(void *ctx, struct source *source)
{
	struct engine_counts counts = {0};
	struct silence *silence = ctx;

	tally_close(silence->tally, source, silence->now_ns, &counts);
}

static void copy_name(void *ctx, const char *name)
{
	((struct path *)ctx)->name = shared_text_create(slice_of(name));
}

static void ignore_record(void *ctx, const char *path, const struct open_record *open)
{
	(void)ctx;
	(void)path;
	(void)open;
}

/* Records of an earlier run whose files are gone: they are what they are. */
static void close_leftovers(struct paths *paths)
{
	static const struct open_records_visitor name_of = {copy_name, ignore_record};
	struct open_records records;

	while (leftovers_take_any(paths->leftovers, &records)) {
		struct path path = {.name = NULL};

		open_records_each(&records, &name_of, &path);
		paths_renew(paths, &path);
		revive_all(paths, path.source, &records);
		note_open(paths, &path);
		open_records_finish(&records);
		give_up(paths, &path, false);
	}
}

static int64_t leftovers_deadline_ns(const struct paths *paths)
{
	if (!paths->completes_leftovers || leftovers_are_gone(paths->leftovers))
		return INT64_MAX;
	return paths->leftovers_until_ns;
}

int64_t paths_deadline_ns(const struct paths *paths)
{
	int64_t silent_ns = open_paths_deadline_ns(paths->open);
	int64_t leftovers_ns = leftovers_deadline_ns(paths);

	return leftovers_ns < silent_ns ? leftovers_ns : silent_ns;
}

void paths_complete(struct paths *paths, int64_t now_ns)
{
	struct silence silence = {paths->tally, now_ns};

	if (open_paths_deadline_ns(paths->open) <= now_ns)
		open_paths_close(paths->open, now_ns, close_silent, &silence);
	if (leftovers_deadline_ns(paths) <= now_ns)
		close_leftovers(paths);
}
