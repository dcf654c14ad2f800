/*
 * scene.h - a directory of log files, followed for real.
 *
 * Discovery runs in a thread of its own, the follower in the test: it turns
 * whenever the test waits for something.  What arrives is kept by path.
 */
#ifndef TESTS_UNIT_TAILER_SCENE_H
#define TESTS_UNIT_TAILER_SCENE_H

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/hashmap.h"
#include "common/log.h"
#include "common/strbuf.h"
#include "common/xalloc.h"
#include "tailer/discovery.h"
#include "tailer/follower.h"

#define SCENE_DEADLINE_NS (10 * NS_PER_SECOND)
#define SCENE_UNENDED '$' /* behind a line that came without a newline */

struct heard {
	struct strbuf text; /* all blocks, one after the other */
	unsigned root;
	unsigned added, removed;
	unsigned oversized, rotated[ROTATION_KINDS];
	uint64_t oversized_bytes, lost_bytes;
	char *lost_reason;
	size_t saved_len; /* of the text */
};

/* What a commit would have stored, by the generation's number. */
struct saved {
	struct checkpoint checkpoint;
	char path[];
};

struct scene {
	char dir[64];
	struct follower *follower;
	struct discovery *discovery;
	pthread_t thread;
	bool running;
	struct hashmap *heard; /* by path below dir */
	unsigned backlog_reads;
	uint64_t largest_block_bytes;
	struct hashmap *saved;
	char *saved_root; /* the root that was looked at, or NULL */
	uint64_t sequence;
	bool stop_saving;
	pthread_mutex_t lock;
	struct strbuf fallbacks; /* reasons, each followed by a space; under the lock */
	void (*on_fallback)(struct scene *scene);
};

static inline struct heard *scene_heard(struct scene *scene, const char *name)
{
	struct heard *heard = hashmap_get(scene->heard, slice_of(name));

	if (!heard) {
		heard = xcalloc(1, sizeof(*heard));
		heard->text = (struct strbuf)STRBUF_INIT;
		hashmap_put(scene->heard, slice_of(name), heard);
	}
	return heard;
}

/* What has arrived of a path so far. */
static inline const char *scene_text(struct scene *scene, const char *name)
{
	return scene_heard(scene, name)->text.ptr;
}

static inline void *scene_path_added(void *ctx, const char *path, unsigned root)
{
	struct scene *scene = ctx;
	struct heard *heard = scene_heard(scene, path + strlen(scene->dir) + 1);

	heard->root = root;
	heard->added++;
	return heard;
}

static inline void scene_path_removed(void *ctx, void *path)
{
	(void)ctx;
	((struct heard *)path)->removed++;
}

static inline void scene_block(void *ctx, void *path, const struct block *block)
{
	struct scene *scene = ctx;
	struct heard *heard = path;

	cr_assert_gt(block->bytes.len, 0);
	if (block->bytes.len > scene->largest_block_bytes)
		scene->largest_block_bytes = block->bytes.len;
	strbuf_add_slice(&heard->text, block->bytes);
	if (block->bytes.ptr[block->bytes.len - 1] != '\n')
		strbuf_putc(&heard->text, SCENE_UNENDED);
}

static inline void scene_oversized(void *ctx, void *path, uint64_t bytes)
{
	(void)ctx;
	((struct heard *)path)->oversized++;
	((struct heard *)path)->oversized_bytes += bytes;
}

static inline void scene_rotated(void *ctx, void *path, enum rotation_kind kind)
{
	(void)ctx;
	((struct heard *)path)->rotated[kind]++;
}

static inline void scene_lost(void *ctx, void *path, const char *reason, uint64_t bytes)
{
	(void)ctx;
	free(((struct heard *)path)->lost_reason);
	((struct heard *)path)->lost_reason = xstrdup(reason);
	((struct heard *)path)->lost_bytes += bytes;
}

static inline void scene_backlog_read(void *ctx)
{
	((struct scene *)ctx)->backlog_reads++;
}

static inline void scene_nothing(void *ctx)
{
	(void)ctx;
}

static inline void scene_save_one(void *ctx, const struct checkpoint *checkpoint,
				  bool dropped)
{
	struct scene *scene = ctx;
	struct slice key = {(const char *)&checkpoint->id, sizeof(checkpoint->id)};
	struct saved *saved = NULL;

	if (dropped) {
		free(hashmap_remove(scene->saved, key));
		return;
	}
	saved = xcalloc(1, sizeof(*saved) + strlen(checkpoint->path) + 1);
	saved->checkpoint = *checkpoint;
	strcpy(saved->path, checkpoint->path);
	saved->checkpoint.path = saved->path;
	saved->checkpoint.place = NULL;
	free(hashmap_put(scene->saved, key, saved));
}

/* Every boundary is a commit, until the test forbids it. */
static inline void scene_boundary(void *ctx)
{
	struct scene *scene = ctx;
	size_t cursor = 0;
	struct slice key;
	void *value;

	if (scene->stop_saving)
		return;
	scene->sequence++;
	follower_checkpoints(scene->follower, scene->sequence, scene->sequence - 1,
			     scene_save_one, scene);
	while (hashmap_next(scene->heard, &cursor, &key, &value)) {
		struct heard *heard = value;

		heard->saved_len = heard->text.len;
	}
}

static inline void scene_looked(void *ctx, const char *const *roots, size_t count)
{
	struct scene *scene = ctx;

	cr_assert_gt(count, 0);
	free(scene->saved_root);
	scene->saved_root = xstrdup(roots[0]);
}

static inline void scene_fallback(void *ctx, const char *reason)
{
	struct scene *scene = ctx;

	pthread_mutex_lock(&scene->lock);
	strbuf_addf(&scene->fallbacks, "%s ", reason);
	pthread_mutex_unlock(&scene->lock);
	if (scene->on_fallback)
		scene->on_fallback(scene);
}

static inline bool scene_fell_back(struct scene *scene, const char *reason)
{
	bool found;

	pthread_mutex_lock(&scene->lock);
	found = strstr(scene->fallbacks.ptr, reason) != NULL;
	pthread_mutex_unlock(&scene->lock);
	return found;
}

static const struct follower_ops scene_follower_ops = {
	.path_added = scene_path_added,
	.path_removed = scene_path_removed,
	.block = scene_block,
	.oversized = scene_oversized,
	.rotated = scene_rotated,
	.lost = scene_lost,
	.backlog_read = scene_backlog_read,
	.boundary = scene_boundary,
	.save_soon = scene_nothing,
};

static inline struct scene *scene_create_with(const struct follower_options *options)
{
	static const struct discovery_ops discovery_ops = {scene_fallback,
							   scene_looked};
	struct scene *scene = xcalloc(1, sizeof(*scene));
	struct error err;

	log_configure(getenv("SCENE_LOG") ? LOG_LEVEL_DEBUG : LOG_LEVEL_ERROR + 1,
		      LOG_FORMAT_LOGFMT);
	strcpy(scene->dir, "/tmp/logtally-scene-XXXXXX");
	cr_assert(mkdtemp(scene->dir));
	scene->heard = hashmap_create();
	scene->saved = hashmap_create();
	scene->fallbacks = (struct strbuf)STRBUF_INIT;
	pthread_mutex_init(&scene->lock, NULL);
	scene->follower = follower_create(options, &scene_follower_ops, scene, &err);
	cr_assert(scene->follower);
	scene->discovery = discovery_create(&scene->follower, 1, NULL, &discovery_ops,
					    scene, &err);
	cr_assert(scene->discovery);
	return scene;
}

static inline struct scene *scene_create(void)
{
	return scene_create_with(&(struct follower_options){
		.line_bytes = 4096, .block_bytes = 1024, .open_files = 64});
}

static inline void *scene_run(void *discovery)
{
	discovery_run(discovery);
	return NULL;
}

static inline void scene_stop(struct scene *scene)
{
	discovery_stop(scene->discovery);
	if (scene->running)
		pthread_join(scene->thread, NULL);
	scene->running = false;
}

static inline int scene_unlink(const char *path, const struct stat *st, int type,
			       struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static inline void scene_destroy(struct scene *scene)
{
	size_t cursor = 0;
	struct slice key;
	void *value;

	scene_stop(scene);
	discovery_destroy(scene->discovery);
	follower_destroy(scene->follower);
	while (hashmap_next(scene->heard, &cursor, &key, &value)) {
		struct heard *heard = value;

		cr_expect_eq(heard->added, heard->removed, "%.*s", SLICE_ARG(key));
		strbuf_finish(&heard->text);
		free(heard->lost_reason);
		free(heard);
	}
	hashmap_destroy(scene->heard);
	cursor = 0;
	while (hashmap_next(scene->saved, &cursor, &key, &value))
		free(value);
	hashmap_destroy(scene->saved);
	free(scene->saved_root);
	strbuf_finish(&scene->fallbacks);
	pthread_mutex_destroy(&scene->lock);
	nftw(scene->dir, scene_unlink, 16, FTW_DEPTH | FTW_PHYS);
	free(scene);
}

static inline void scene_turn(struct scene *scene)
{
	struct pollfd wait = {.fd = follower_fd(scene->follower), .events = POLLIN};
	int wait_ms = follower_wait_ms(scene->follower);

	poll(&wait, 1, wait_ms >= 0 && wait_ms < 5 ? wait_ms : 5);
	follower_turn(scene->follower);
}

/* Turns the follower until `condition` holds. */
#define UNTIL(scene, condition)                                                 \
	do {                                                                    \
		int64_t deadline_ns = clock_monotonic_ns() + SCENE_DEADLINE_NS; \
		while (!(condition) && clock_monotonic_ns() < deadline_ns)      \
			scene_turn(scene);                                      \
		cr_assert(condition, "in time: %s", #condition);                \
	} while (0)

#define UNTIL_TEXT(scene, name, expected)                                       \
	do {                                                                    \
		int64_t deadline_ns = clock_monotonic_ns() + SCENE_DEADLINE_NS; \
		while (strcmp(scene_text(scene, name), expected) != 0 &&        \
		       clock_monotonic_ns() < deadline_ns)                      \
			scene_turn(scene);                                      \
		cr_assert_str_eq(scene_text(scene, name), expected);            \
	} while (0)

/* In a static buffer of several. */
static inline const char *scene_path(struct scene *scene, const char *name)
{
	static char paths[8][256];
	static unsigned next;
	char *path = paths[next++ % 8];

	snprintf(path, sizeof(paths[0]), "%s/%s", scene->dir, name);
	return path;
}

static inline void scene_follow_roots(struct scene *scene,
				      const struct discovery_root *roots, size_t count)
{
	discovery_set_roots(scene->discovery, roots, count);
	if (scene->running)
		return;
	scene->running = true;
	cr_assert_eq(pthread_create(&scene->thread, NULL, scene_run, scene->discovery),
		     0);
}

/* Follows one path below the directory; waits for the first look. */
static inline void scene_follow(struct scene *scene, const char *name)
{
	struct discovery_root root = {.path = *name ? scene_path(scene, name)
						    : scene->dir};

	scene_follow_roots(scene, &root, 1);
	UNTIL(scene, discovery_first_look_done(scene->discovery));
}

static inline int scene_open(struct scene *scene, const char *name)
{
	int fd = open(scene_path(scene, name), O_WRONLY | O_CREAT | O_APPEND, 0644);

	cr_assert_neq(fd, -1, "%s: %s", name, strerror(errno));
	return fd;
}

static inline void scene_write(int fd, const char *text)
{
	cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

static inline void scene_append(struct scene *scene, const char *name, const char *text)
{
	int fd = scene_open(scene, name);

	scene_write(fd, text);
	close(fd);
}

static inline void scene_rename(struct scene *scene, const char *from, const char *to)
{
	cr_assert_eq(rename(scene_path(scene, from), scene_path(scene, to)), 0);
}

static inline void scene_delete(struct scene *scene, const char *name)
{
	cr_assert_eq(unlink(scene_path(scene, name)), 0);
}

static inline void scene_mkdir(struct scene *scene, const char *name)
{
	cr_assert_eq(mkdir(scene_path(scene, name), 0755), 0);
}

#endif
