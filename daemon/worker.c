#include "daemon/worker.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "common/clock.h"
#include "common/shared_text.h"
#include "common/xalloc.h"
#include "daemon/open_paths.h"
#include "daemon/own_metrics.h"
#include "daemon/tally.h"

#define SPARE_FILES 192

/* After a start, by when the files that are there have been found. */
#define LEFTOVERS_NS (30 * NS_PER_SECOND)

/* A followed path, and the source that the present setup makes of it. */
struct path {
	const char *name; /* shared_text.h */
	struct source *source;
	struct open_path *open; /* open_paths.h; NULL: nothing is or was open */
};

/* What the daemon wants of the worker; under the lock. */
struct orders {
	bool stop;
	struct cut_order cut;      /* sequence 0: none */
	const struct setup *setup; /* NULL: none */
};

struct worker {
	unsigned index;
	const struct worker_ops *ops;
	void *ctx;
	struct follower *follower;
	struct tally *tally;
	struct store *store; /* the tally's */
	const struct setup *setup;
	struct regex_scratch *path_scratch;
	struct open_paths *open;
	struct leftovers *leftovers;
	int64_t leftovers_until_ns; /* monotonic, as is */
	int64_t turn_ns;            /* the beginning of the turn, if it matters */
	bool stopping;
	pthread_t thread;
	bool started;

	pthread_mutex_t lock;
	struct orders orders;
	atomic_bool ordered;
};

void file_reports_finish(struct file_reports *reports)
{
	for (size_t i = 0; i < reports->count; i++)
		shared_text_unref(reports->list[i].path);
	free(reports->list);
	*reports = (struct file_reports){0};
}

void worker_share_finish(struct worker_share *share)
{
	part_unref(share->part);
	positions_finish(&share->positions);
	file_reports_finish(&share->reports);
	*share = (struct worker_share){.positions = POSITIONS_INIT};
}

/* -- setups --------------------------------------------------------------- */

static void pack_record(void *ctx, const struct open_record *open)
{
	open_records_add(ctx, open);
}

/* Where records go on: a source, and when. */
struct revival {
	struct worker *worker;
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
	tally_restore(revival->worker->tally, revival->source, open, revival->now_ns,
		      &counts);
}

static const struct open_records_visitor revive = {revive_path, revive_record};

static void revive_all(struct worker *w, struct source *source,
		       const struct open_records *records)
{
	struct revival revival = {w, source, clock_monotonic_ns()};

	open_records_each(records, &revive, &revival);
}

static void note_open(struct worker *w, struct path *path)
{
	open_paths_note(w->open, &path->open, path->name, path->source);
}

/* What is open goes on in the new source. */
static void renew_source(struct worker *w, struct path *path)
{
	struct open_records records = OPEN_RECORDS_INIT;

	if (path->source && path->open) {
		open_records_path(&records, path->name);
		source_each_open(path->source, pack_record, &records);
	}
	source_destroy(path->source);
	path->source = setup_source(w->setup, path->name, w->path_scratch);
	revive_all(w, path->source, &records);
	open_records_finish(&records);
	note_open(w, path);
}

static void renew_path(void *ctx, const struct follower_status *status)
{
	renew_source(ctx, status->path);
}

static void use_setup(struct worker *w, const struct setup *setup)
{
	w->setup = setup;
	tally_use(w->tally, setup);
	follower_each(w->follower, renew_path, w);
}

/* -- cuts ----------------------------------------------------------------- */

static void report_file(void *ctx, const struct follower_status *status)
{
	struct file_reports *reports = ctx;
	const struct path *path = status->path;

	reports->list = xgrow(reports->list, reports->count, sizeof(*reports->list));
	reports->list[reports->count++] =
		(struct file_report){.path = shared_text_ref(path->name),
				     .lag_bytes = status->lag_bytes,
				     .last_line_ns = status->last_line_ns,
				     .open = status->open};
}

static void add_position(void *ctx, const struct checkpoint *checkpoint, bool dropped)
{
	positions_add(ctx, checkpoint, dropped);
}

/* Without a state nothing waits for being saved. */
static void save_open(struct worker *w, const struct cut_order *order,
		      struct open_records *records)
{
	if (order->positions)
		open_paths_save(w->open, order->sequence, order->saved_sequence,
				records);
	else if (*w->setup->config->storage_path == '\0')
		open_paths_save(w->open, order->sequence, UINT64_MAX, records);
}

static void cut(struct worker *w, const struct cut_order *order)
{
	struct worker_share share = {.sequence = order->sequence,
				     .positions = POSITIONS_INIT,
				     .has_reports = order->reports};

	share.part = store_cut(w->store, order->sequence);
	store_births_are_old(w->store, order->births_are_old);
	if (order->positions)
		follower_checkpoints(w->follower, order->sequence,
				     order->saved_sequence, add_position,
				     &share.positions);
	save_open(w, order, &share.positions.open);
	if (order->reports)
		follower_each(w->follower, report_file, &share.reports);
	w->ops->cut_done(w->ctx, w->index, &share);
}

static void obey(struct worker *w)
{
	struct orders orders;

	if (!atomic_exchange(&w->ordered, false))
		return;
	pthread_mutex_lock(&w->lock);
	orders = w->orders;
	w->orders = (struct orders){.stop = orders.stop};
	pthread_mutex_unlock(&w->lock);
	if (orders.setup) {
		use_setup(w, orders.setup);
		w->ops->setup_used(w->ctx, w->index);
	}
	if (orders.cut.sequence > 0)
		cut(w, &orders.cut);
	w->stopping |= orders.stop || orders.cut.last;
}

/* -- files to lines ------------------------------------------------------- */

static void *on_path_added(void *ctx, const char *name, unsigned root)
{
	struct worker *w = ctx;
	struct path *path = xcalloc(1, sizeof(*path));
	struct open_records records;

	(void)root;
	path->name = shared_text_ref(name);
	renew_source(w, path);
	if (leftovers_take(w->leftovers, name, &records)) {
		revive_all(w, path->source, &records);
		open_records_finish(&records);
		note_open(w, path);
	}
	return path;
}

/* No line will come that could go on with its records; at the end they are saved. */
static void give_up(struct worker *w, struct path *path)
{
	struct engine_counts counts = {0};

	if (path->open && !w->stopping)
		tally_close(w->tally, path->source, INT64_MAX, &counts);
	if (path->open)
		open_paths_drop(w->open, &path->open, path->name);
	source_destroy(path->source);
	shared_text_unref(path->name);
}

static void on_path_removed(void *ctx, void *opaque)
{
	struct path *path = opaque;

	give_up(ctx, path);
	free(path);
}

static void on_block(void *ctx, void *opaque, const struct block *block)
{
	struct worker *w = ctx;
	struct path *path = opaque;
	struct engine_counts counts = {0};

	/* After the last cut, until the turn ends: the next start reads it again. */
	if (w->stopping)
		return;
	tally_feed(w->tally, path->source, block, &counts);
	note_open(w, path);
}

static void on_oversized(void *ctx, void *path, uint64_t bytes)
{
	struct worker *w = ctx;

	(void)path;
	(void)bytes;
	store_add(w->store, OWN_OVERSIZED_LINES, 0, 1);
}

static void add_labelled(struct worker *w, enum own_metric metric, const char *label,
			 double value)
{
	struct slice labels[1] = {slice_of(label)};

	store_add(w->store, metric, store_series(w->store, metric, labels), value);
}

static void on_rotated(void *ctx, void *path, enum rotation_kind kind)
{
	(void)path;
	add_labelled(ctx, OWN_ROTATIONS, rotation_kind_name(kind), 1);
}

static void on_lost(void *ctx, void *path, const char *reason, uint64_t bytes)
{
	(void)path;
	add_labelled(ctx, OWN_LOST_GENERATIONS, reason, 1);
	add_labelled(ctx, OWN_LOST_BYTES, reason, (double)bytes);
}

static void on_backlog_read(void *ctx)
{
	struct worker *w = ctx;

	w->ops->backlog_read(w->ctx);
}

static void on_boundary(void *ctx)
{
	obey(ctx);
}

static void on_save_soon(void *ctx)
{
	struct worker *w = ctx;

	w->ops->save_soon(w->ctx);
}

static const struct follower_ops follower_ops = {
	.path_added = on_path_added,
	.path_removed = on_path_removed,
	.block = on_block,
	.oversized = on_oversized,
	.rotated = on_rotated,
	.lost = on_lost,
	.backlog_read = on_backlog_read,
	.boundary = on_boundary,
	.save_soon = on_save_soon,
};

/* -- records that nothing goes on with ------------------------------------ */

static void close_silent(void *ctx, struct source *source)
{
	struct engine_counts counts = {0};
	struct worker *w = ctx;

	tally_close(w->tally, source, w->turn_ns, &counts);
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
static void close_leftovers(struct worker *w)
{
	static const struct open_records_visitor name_of = {copy_name, ignore_record};
	struct open_records records;

	while (leftovers_take_any(w->leftovers, &records)) {
		struct path path = {.name = NULL};

		open_records_each(&records, &name_of, &path);
		renew_source(w, &path);
		revive_all(w, path.source, &records);
		note_open(w, &path);
		open_records_finish(&records);
		give_up(w, &path);
	}
}

static bool has_leftovers(const struct worker *w)
{
	return w->index == 0 && !leftovers_are_gone(w->leftovers);
}

/* When records are to be closed next. */
static int64_t close_ns(const struct worker *w)
{
	int64_t deadline_ns = open_paths_deadline_ns(w->open);

	if (has_leftovers(w) && w->leftovers_until_ns < deadline_ns)
		return w->leftovers_until_ns;
	return deadline_ns;
}

/*
 * A turn has read a block of every file that had more when it began: what is older than
 * that waits for nothing.
 */
static void close_records(struct worker *w)
{
	if (open_paths_deadline_ns(w->open) <= w->turn_ns)
		open_paths_close(w->open, w->turn_ns, close_silent, w);
	if (has_leftovers(w) && w->leftovers_until_ns <= w->turn_ns)
		close_leftovers(w);
}

/* -- the thread ----------------------------------------------------------- */

static int wait_ms(const struct worker *w)
{
	int most_ms = follower_wait_ms(w->follower);
	int64_t until_ns = close_ns(w), left_ms;

	if (until_ns == INT64_MAX)
		return most_ms;
	left_ms = (until_ns - clock_monotonic_ns()) / NS_PER_MS + 1;
	left_ms = left_ms < 0 ? 0 : left_ms;
	return most_ms >= 0 && most_ms < left_ms ? most_ms : (int)left_ms;
}

static void *run(void *arg)
{
	struct worker *w = arg;
	bool more = false;

	while (!w->stopping) {
		struct pollfd pfd = {.fd = follower_fd(w->follower), .events = POLLIN};
		bool may_close;

		if (poll(&pfd, 1, more ? 0 : wait_ms(w)) == -1 && errno != EINTR)
			break;
		may_close = close_ns(w) < INT64_MAX;
		if (may_close)
			w->turn_ns = clock_monotonic_ns();
		more = follower_turn(w->follower);
		if (may_close && !w->stopping)
			close_records(w);
	}
	return NULL;
}

/* Connections, the database, and looks at files need descriptors too. */
static size_t open_files_each(const struct config *config)
{
	size_t most = config->limits.open_files;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) {
		size_t all = limit.rlim_cur;
		size_t left = all - (all / 2 < SPARE_FILES ? all / 2 : SPARE_FILES);

		most = most < left ? most : left;
	}
	return most / config->workers;
}

struct worker *worker_create(unsigned index, struct registry *registry,
			     const struct setup *setup, struct leftovers *leftovers,
			     bool births_are_old, const struct worker_ops *ops,
			     void *ctx, struct error *err)
{
	struct worker *w = xcalloc(1, sizeof(*w));
	const struct config_limits *limits = &setup->config->limits;
	struct follower_options options = {
		.line_bytes = limits->line_bytes,
		.open_files = open_files_each(setup->config),
	};

	w->index = index;
	w->ops = ops;
	w->ctx = ctx;
	w->follower = follower_create(&options, &follower_ops, w, err);
	if (!w->follower) {
		free(w);
		return NULL;
	}
	pthread_mutex_init(&w->lock, NULL);
	w->tally = tally_create(registry);
	w->store = tally_store(w->tally);
	store_births_are_old(w->store, births_are_old);
	w->open = open_paths_create();
	w->leftovers = leftovers;
	w->leftovers_until_ns = clock_monotonic_ns() + LEFTOVERS_NS;
	w->path_scratch = regex_scratch_create((uint32_t)limits->match_steps);
	use_setup(w, setup);
	return w;
}

bool worker_start(struct worker *w, struct error *err)
{
	char name[16];

	errno = pthread_create(&w->thread, NULL, run, w);
	if (errno != 0)
		return error_errno(err, "start a worker thread");
	w->started = true;
	snprintf(name, sizeof(name), "worker-%u", w->index);
	pthread_setname_np(w->thread, name);
	return true;
}

struct follower *worker_follower(struct worker *w)
{
	return w->follower;
}

static void order_is_there(struct worker *w)
{
	pthread_mutex_unlock(&w->lock);
	atomic_store(&w->ordered, true);
	follower_wake(w->follower);
}

void worker_cut(struct worker *w, const struct cut_order *order)
{
	pthread_mutex_lock(&w->lock);
	w->orders.cut = *order;
	order_is_there(w);
}

void worker_use(struct worker *w, const struct setup *setup)
{
	pthread_mutex_lock(&w->lock);
	w->orders.setup = setup;
	order_is_there(w);
}

void worker_stop(struct worker *w)
{
	pthread_mutex_lock(&w->lock);
	w->orders.stop = true;
	order_is_there(w);
}

bool worker_join(struct worker *w, int timeout_ms)
{
	struct timespec until;
	int64_t ns = clock_wall_ns() + timeout_ms * NS_PER_MS;

	if (!w->started)
		return true;
	until.tv_sec = (time_t)(ns / NS_PER_SECOND);
	until.tv_nsec = (long)(ns % NS_PER_SECOND);
	if (pthread_timedjoin_np(w->thread, NULL, &until) != 0)
		return false;
	w->started = false;
	return true;
}

void worker_destroy(struct worker *w)
{
	if (!w)
		return;
	follower_destroy(w->follower);
	tally_destroy(w->tally);
	open_paths_destroy(w->open);
	regex_scratch_destroy(w->path_scratch);
	pthread_mutex_destroy(&w->lock);
	free(w);
}
