#include "tailer/discovery.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/mailbox.h"
#include "common/xalloc.h"
#include "tailer/catalog.h"
#include "tailer/handover.h"
#include "tailer/roots.h"
#include "tailer/skipped.h"
#include "tailer/traces.h"
#include "tailer/tree.h"

/* Mounts come in bursts; all of one burst are one look. */
#define MOUNT_NS NS_PER_SECOND

struct discovery {
	struct follower *const *followers; /* a copy */
	size_t follower_count;
	struct mailbox *new_roots; /* of struct roots *; the last counts */
	struct mailbox *asks;      /* of struct file *; see file_ask() */
	struct discovery_ops ops;
	void *ctx;
	atomic_bool stop, looked;
	atomic_size_t file_count;
	int mounts;           /* changes are told; -1: they are not */
	int64_t mount_due_ns; /* 0: no mount has changed */
	pthread_mutex_t lock; /* over the tree and the catalog */
	struct catalog *catalog;
	struct tree *tree;
};

static struct follower *const *copy_followers(struct follower *const *followers,
					      size_t count)
{
	struct follower **copy = xcalloc(count, sizeof(*copy));

	memcpy(copy, followers, count * sizeof(*copy));
	return copy;
}

static void number_generations(struct discovery *discovery,
			       const struct discovery_past *past)
{
	uint64_t first = 1;

	for (size_t i = 0; past && i < past->checkpoint_count; i++)
		if (past->checkpoints[i].id >= first)
			first = past->checkpoints[i].id + 1;
	for (size_t i = 0; i < discovery->follower_count; i++)
		follower_number_from(discovery->followers[i], first + i,
				     discovery->follower_count);
}

static void recall(struct discovery *discovery, const struct discovery_past *past)
{
	for (size_t i = 0; i < past->checkpoint_count; i++)
		catalog_recall(discovery->catalog, &past->checkpoints[i]);
	tree_set_past(discovery->tree, past);
}

struct discovery *discovery_create(struct follower *const *followers,
				   size_t follower_count,
				   const struct discovery_past *past,
				   const struct discovery_ops *ops, void *ctx,
				   struct error *err)
{
	struct mailbox *new_roots = mailbox_create(sizeof(struct roots *), err);
	struct mailbox *asks =
		new_roots ? mailbox_create(sizeof(struct file *), err) : NULL;
	struct discovery *discovery;

	if (!asks) {
		mailbox_destroy(new_roots);
		return NULL;
	}
	discovery = xcalloc(1, sizeof(*discovery));
	discovery->new_roots = new_roots;
	discovery->asks = asks;
	discovery->ops = *ops;
	discovery->ctx = ctx;
	discovery->followers = copy_followers(followers, follower_count);
	discovery->follower_count = follower_count;
	discovery->mounts = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	atomic_init(&discovery->stop, false);
	atomic_init(&discovery->looked, false);
	atomic_init(&discovery->file_count, 0);
	pthread_mutex_init(&discovery->lock, NULL);
	discovery->catalog = catalog_create(discovery->followers, follower_count, asks);
	discovery->tree = tree_create(discovery->catalog, ops, ctx);
	number_generations(discovery, past);
	if (past)
		recall(discovery, past);
	return discovery;
}

/* The last of the new roots, or NULL if there are none. */
static struct roots *take_new_roots(struct discovery *discovery)
{
	void *taken;
	size_t count = mailbox_take(discovery->new_roots, &taken);
	struct roots *const *roots = taken;

	for (size_t i = 0; i + 1 < count; i++)
		roots_destroy(roots[i]);
	return count > 0 ? roots[count - 1] : NULL;
}

/* What was asked before the events were read is answered after. */
struct asked {
	struct file *const *files;
	size_t count;
};

static struct asked take_asks(struct discovery *discovery)
{
	void *taken;
	size_t count = mailbox_take(discovery->asks, &taken);

	return (struct asked){taken, count};
}

/* All that ask for the same directory are answered by one look. */
static void look_around(struct discovery *discovery, const struct asked *asked)
{
	unsigned since = tree_scans(discovery->tree);

	for (size_t i = 0; i < asked->count; i++)
		tree_look_around(discovery->tree, file_path(asked->files[i]), since);
}

static void answer(struct discovery *discovery, const struct asked *asked)
{
	for (size_t i = 0; i < asked->count; i++)
		catalog_answer(discovery->catalog, asked->files[i]);
}

void discovery_destroy(struct discovery *discovery)
{
	struct asked asked;

	if (!discovery)
		return;
	roots_destroy(take_new_roots(discovery));
	asked = take_asks(discovery);
	answer(discovery, &asked);
	/* The catalog first: that names end now is no news to the followers. */
	catalog_destroy(discovery->catalog);
	tree_destroy(discovery->tree);
	mailbox_destroy(discovery->new_roots);
	mailbox_destroy(discovery->asks);
	pthread_mutex_destroy(&discovery->lock);
	if (discovery->mounts != -1)
		close(discovery->mounts);
	free((void *)discovery->followers);
	free(discovery);
}

void discovery_set_roots(struct discovery *discovery,
			 const struct discovery_root *roots, size_t count)
{
	struct roots *copy = roots_create(roots, count);

	mailbox_put(discovery->new_roots, &copy);
}

void discovery_stop(struct discovery *discovery)
{
	atomic_store(&discovery->stop, true);
	mailbox_wake(discovery->new_roots);
}

bool discovery_first_look_done(struct discovery *discovery)
{
	return atomic_load(&discovery->looked);
}

bool discovery_backlog_read(struct discovery *discovery)
{
	for (size_t i = 0; i < discovery->follower_count; i++)
		if (!follower_backlog_is_read(discovery->followers[i]))
			return false;
	return true;
}

size_t discovery_file_count(struct discovery *discovery)
{
	return atomic_load(&discovery->file_count);
}

void discovery_explain_skipped(struct discovery *discovery, size_t max_lines,
			       struct strbuf *out)
{
	pthread_mutex_lock(&discovery->lock);
	if (tree_roots(discovery->tree)) {
		struct skipped *skipped = skipped_collect(discovery->tree);

		skipped_print(skipped, max_lines, out);
		skipped_destroy(skipped);
	}
	pthread_mutex_unlock(&discovery->lock);
}

static void log_fruitless_roots(const struct tree *tree)
{
	struct skipped *skipped = skipped_collect(tree);
	const struct roots *roots = tree_roots(tree);

	for (size_t i = 0; i < roots_count(roots); i++) {
		bool missing;
		const char *why = skipped_root(skipped, i, &missing);

		if (why)
			LOG_AT(missing ? LOG_LEVEL_ERROR : LOG_LEVEL_WARN,
			       "nothing to follow",
			       LOG_TEXT("path", roots_at(roots, i)->path),
			       LOG_TEXT("error", why),
			       LOG_TEXT("needed", "nothing: it is picked up when it "
						  "appears"));
	}
	skipped_destroy(skipped);
}

static bool reaches(void *ctx, const char *path)
{
	return tree_reaches(ctx, path);
}

static void say_looked(struct discovery *discovery)
{
	const struct roots *roots = tree_roots(discovery->tree);
	const char **paths = xcalloc(roots_count(roots), sizeof(*paths));

	for (size_t i = 0; i < roots_count(roots); i++)
		paths[i] = roots_at(roots, i)->path;
	discovery->ops.looked(discovery->ctx, paths, roots_count(roots));
	free(paths);
}

/*
 * What is there when a root is looked at for the first time ever is to be
 * saved before anything of it is read: what appears after that is new.
 */
static void look_at_roots(struct discovery *discovery, struct roots *roots, bool first)
{
	bool fresh;

	for (size_t i = 0; i < discovery->follower_count; i++)
		follower_hold(discovery->followers[i]);
	fresh = tree_set_roots(discovery->tree, roots, first);
	if (first) {
		traces_follow(discovery->catalog);
		catalog_end_recall(discovery->catalog, reaches, discovery->tree);
	}
	catalog_hand_over(discovery->catalog);
	if (fresh)
		say_looked(discovery);
	for (size_t i = 0; i < discovery->follower_count; i++)
		follower_go_on(discovery->followers[i]);
}

static void take_roots(struct discovery *discovery)
{
	struct roots *roots = take_new_roots(discovery);
	bool first = !atomic_load(&discovery->looked);

	if (!roots)
		return;
	look_at_roots(discovery, roots, first);
	log_fruitless_roots(discovery->tree);
	if (!first)
		return;
	for (size_t i = 0; i < discovery->follower_count; i++)
		follower_end_backlog(discovery->followers[i]);
	atomic_store(&discovery->file_count, catalog_current_count(discovery->catalog));
	atomic_store(&discovery->looked, true);
}

static int milliseconds_until(int64_t due_ns)
{
	int64_t left_ns = due_ns - clock_monotonic_ns();

	return left_ns <= 0 ? 0 : (int)((left_ns + NS_PER_MS - 1) / NS_PER_MS);
}

static int wait_ms(const struct discovery *discovery)
{
	int64_t due_ns = tree_due_ns(discovery->tree);

	if (discovery->mount_due_ns > 0 &&
	    (due_ns == 0 || discovery->mount_due_ns < due_ns))
		due_ns = discovery->mount_due_ns;
	return due_ns == 0 ? -1 : milliseconds_until(due_ns);
}

/* A mount over a watched directory gives no event. */
static void look_behind_mounts(struct discovery *discovery, bool changed)
{
	int64_t now_ns = clock_monotonic_ns();

	if (changed && discovery->mount_due_ns == 0)
		discovery->mount_due_ns = now_ns + MOUNT_NS;
	if (discovery->mount_due_ns == 0 || now_ns < discovery->mount_due_ns)
		return;
	discovery->mount_due_ns = 0;
	tree_rescan(discovery->tree);
}

static void work(struct discovery *discovery, bool mounts_changed)
{
	struct asked asked = take_asks(discovery);

	pthread_mutex_lock(&discovery->lock);
	take_roots(discovery);
	tree_read_events(discovery->tree);
	look_behind_mounts(discovery, mounts_changed);
	tree_poll(discovery->tree);
	look_around(discovery, &asked);
	catalog_hand_over(discovery->catalog);
	answer(discovery, &asked);
	catalog_sweep(discovery->catalog);
	atomic_store(&discovery->file_count, catalog_current_count(discovery->catalog));
	pthread_mutex_unlock(&discovery->lock);
}

void discovery_run(struct discovery *discovery)
{
	struct pollfd wait[] = {
		{.fd = mailbox_fd(discovery->new_roots), .events = POLLIN},
		{.events = POLLIN},
		{.fd = discovery->mounts, .events = POLLPRI},
		{.fd = mailbox_fd(discovery->asks), .events = POLLIN},
	};

	while (!atomic_load(&discovery->stop)) {
		int ready;

		wait[1].fd = tree_fd(discovery->tree); /* there may be one later */
		ready = poll(wait, sizeof(wait) / sizeof(*wait), wait_ms(discovery));

		work(discovery, ready > 0 && wait[2].revents != 0);
	}
}
