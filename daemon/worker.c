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
#include "daemon/own_metrics.h"
#include "daemon/paths.h"
#include "daemon/tally.h"

#define SPARE_FILES 192

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
	struct paths *paths;
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

static void renew_path(void *ctx, const struct follower_status *status)
{
	paths_renew(((struct worker *)ctx)->paths, status->path);
}

static void use_setup(struct worker *w, const struct setup *setup)
{
	w->setup = setup;
	paths_use(w->paths, setup);
	follower_each(w->follower, renew_path, w);
}

/* -- cuts ----------------------------------------------------------------- */

static void report_file(void *ctx, const struct follower_status *status)
{
	struct file_reports *reports = ctx;

	reports->list = xgrow(reports->list, reports->count, sizeof(*reports->list));
	reports->list[reports->count++] =
		(struct file_report){.path = shared_text_ref(path_name(status->path)),
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
		paths_save(w->paths, order->sequence, order->saved_sequence, records);
	else if (*w->setup->config->storage_path == '\0')
		paths_save(w->paths, order->sequence, UINT64_MAX, records);
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
	(void)root;
	return paths_add(((struct worker *)ctx)->paths, name);
}

/* No line will come that could go on with its records; at the end they are saved. */
static void on_path_removed(void *ctx, void *path)
{
	struct worker *w = ctx;

	paths_remove(w->paths, path, w->stopping);
}

/* After the last cut, until the turn ends: the next start reads it again. */
static void on_block(void *ctx, void *path, const struct block *block)
{
	struct worker *w = ctx;

	if (!w->stopping)
		paths_feed(w->paths, path, block);
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

/* -- the thread ----------------------------------------------------------- */

static int wait_ms(const struct worker *w)
{
	int most_ms = follower_wait_ms(w->follower);
	int64_t until_ns = paths_deadline_ns(w->paths), left_ms;

	if (until_ns == INT64_MAX)
		return most_ms;
	left_ms = (until_ns - clock_monotonic_ns()) / NS_PER_MS + 1;
	left_ms = left_ms < 0 ? 0 : left_ms;
	return most_ms >= 0 && most_ms < left_ms ? most_ms : (int)left_ms;
}

/*
 * A turn has read a block of every file that had more when it began: what is older than
 * that waits for nothing.
 */
static bool take_turn(struct worker *w)
{
	bool may_complete = paths_deadline_ns(w->paths) < INT64_MAX;
	int64_t start_ns = may_complete ? clock_monotonic_ns() : 0;
	bool more = follower_turn(w->follower);

	if (may_complete && !w->stopping)
		paths_complete(w->paths, start_ns);
	return more;
}

static void *run(void *arg)
{
	struct worker *w = arg;
	bool more = false;

	while (!w->stopping) {
		struct pollfd pfd = {.fd = follower_fd(w->follower), .events = POLLIN};

		if (poll(&pfd, 1, more ? 0 : wait_ms(w)) == -1 && errno != EINTR)
			break;
		more = take_turn(w);
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
	w->paths = paths_create(w->tally, leftovers, index == 0,
				(uint32_t)limits->match_steps);
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
	paths_destroy(w->paths);
	tally_destroy(w->tally);
	pthread_mutex_destroy(&w->lock);
	free(w);
}
