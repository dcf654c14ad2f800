#include "tailer/tree.h"

#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/xalloc.h"
#include "tailer/look.h"
#include "tailer/node.h"
#include "tailer/scan.h"
#include "tailer/siblings.h"

#define MAX_READS 64 /* of events, in a row */
#define POLL_NS NS_PER_SECOND
#define TOGETHER_NS (100 * NS_PER_MS) /* what is due within that is one pass */
#define INSTANCE_NS (60 * NS_PER_SECOND)
#define TELL_OVERFLOW_NS (60 * NS_PER_SECOND)
/* A pass over what is polled, or over all, takes one part of so many of a core. */
#define SHARE 10

/* `name` is copied: it may be part of what goes away. */
static void look_again(struct tree *tree, struct dir *dir, const char *name)
{
	char *copy = xstrdup(name);

	look_at_name(tree, dir, copy, LOOK_NAME);
	free(copy);
}

/*
 * Whose file is it that had this name?  The entry knows, or else the name says:
 * the file may have come and gone before anybody looked.
 */
static char *owner_of(struct tree *tree, struct dir *dir, const char *name)
{
	const struct entry *e = node_find(dir, name);
	struct strbuf path = STRBUF_INIT;
	struct wanted wanted;
	char *owner = NULL;

	if (e && e->name_of.known)
		return xstrdup(known_path(e->name_of.known));
	if (e && e->rotation_of)
		return xstrdup(e->rotation_of);
	node_join(&path, dir, name);
	wanted = roots_match(tree->roots, &dir->places, path.ptr, name);
	owner = siblings_path_of(tree, dir, name, &wanted);
	if (!owner && wanted.root >= 0)
		owner = xstrdup(path.ptr);
	places_finish(&wanted.below);
	strbuf_finish(&path);
	return owner;
}

static void remember_move(struct tree *tree, struct dir *dir, const char *name,
			  uint32_t cookie)
{
	const struct entry *e = node_find(dir, name);
	struct strbuf path = STRBUF_INIT;

	free(tree->moved_path);
	tree->moved_path = owner_of(tree, dir, name);
	tree->moved_cookie = cookie;
	node_join(&path, dir, name);
	tree->moved_unseen = tree->moved_path && !(e && e->name_of.known) &&
			     strcmp(path.ptr, tree->moved_path) == 0;
	strbuf_finish(&path);
}

/* A followed file got this name, whichever file has it by now. */
static void take_move(struct tree *tree, struct dir *dir, const char *name,
		      uint32_t cookie)
{
	struct strbuf path = STRBUF_INIT;
	struct entry *e = node_find(dir, name);

	if (!tree->moved_path || cookie != tree->moved_cookie)
		return;
	node_join(&path, dir, name);
	if (strcmp(path.ptr, tree->moved_path) != 0 &&
	    !(e && e->name_of.known &&
	      strcmp(path.ptr, known_path(e->name_of.known)) == 0)) {
		e = node_need(dir, name);
		free(e->rotation_of);
		e->rotation_of = xstrdup(tree->moved_path);
		e->rotated = tree->moved_unseen;
	}
	strbuf_finish(&path);
}

static void on_directory(void *ctx, void *object, const struct watch_event *event)
{
	struct tree *tree = ctx;
	struct dir *dir = object;
	const struct entry *e = node_find(dir, event->name);

	switch (event->kind) {
	case WATCH_WRITTEN:
	case WATCH_CLOSED:
		if (e && e->name_of.known)
			catalog_written(e->name_of.known, event->kind == WATCH_CLOSED);
		return;
	case WATCH_SELF:
		if (dir->parent)
			look_again(tree, dir->parent, dir->name);
		return;
	case WATCH_MOVED_FROM:
		remember_move(tree, dir, event->name, event->cookie);
		break;
	case WATCH_MOVED_TO:
		take_move(tree, dir, event->name, event->cookie);
		break;
	case WATCH_NAME:
	case WATCH_OVERFLOW:
		break;
	}
	if (*event->name)
		look_at_name(tree, dir, event->name, LOOK_NAME);
	else if (dir->troubled || dir->polled)
		scan_dir(tree, dir, LOOK_NEW);
}

/* Something on the way of a symbolic link, or the file that it leads to. */
static void on_name(void *ctx, void *object, const struct watch_event *event)
{
	struct tree *tree = ctx;
	struct entry *e = object;
	bool written = event->kind == WATCH_WRITTEN || event->kind == WATCH_CLOSED;

	if (!written)
		look_again(tree, e->dir, e->name);
	else if (e->name_of.known)
		catalog_written(e->name_of.known, event->kind == WATCH_CLOSED);
}

static void on_overflow(void *ctx)
{
	struct tree *tree = ctx;
	int64_t now_ns = clock_monotonic_ns();

	tree->ops.fallback(tree->ctx, "overflow");
	tree_rescan(tree);
	if (tree->overflow_told_ns > 0 &&
	    now_ns - tree->overflow_told_ns < TELL_OVERFLOW_NS)
		return;
	tree->overflow_told_ns = now_ns;
	log_warn("events were lost, looking at everything again",
		 LOG_TEXT("needed", "a higher fs.inotify.max_queued_events"));
}

static void on_flood(void *ctx, const char *path)
{
	struct tree *tree = ctx;

	log_info("too many writes in a directory to be told of each: it is polled "
		 "until they are fewer",
		 LOG_TEXT("path", path));
	tree->ops.fallback(tree->ctx, "flood");
}

static uint64_t look_directory(void *ctx, void *object)
{
	(void)ctx;
	return scan_written(object);
}

static uint64_t look_name(void *ctx, void *object)
{
	(void)ctx;
	return scan_entry_written(object);
}

static bool create_watch(struct tree *tree, struct error *err)
{
	static const struct watch_ops watch_ops = {
		.directory = on_directory,
		.name = on_name,
		.overflow = on_overflow,
		.flood = on_flood,
		.look_directory = look_directory,
		.look_name = look_name,
	};

	tree->watch = watch_create(&watch_ops, tree, err);
	tree->instance_due_ns = tree->watch ? 0 : clock_monotonic_ns() + INSTANCE_NS;
	return tree->watch != NULL;
}

struct tree *tree_create(struct catalog *catalog, const struct discovery_ops *ops,
			 void *ctx)
{
	struct tree *tree = xcalloc(1, sizeof(*tree));
	struct error err;
	struct stat st;

	tree->catalog = catalog;
	tree->ops = *ops;
	tree->ctx = ctx;
	tree->poll_ns = POLL_NS;
	if (!create_watch(tree, &err))
		log_warn("everything is polled", LOG_TEXT("error", err.text),
			 LOG_TEXT("needed", "a higher fs.inotify.max_user_instances"));
	tree->top = node_create_dir(tree, NULL, "");
	if (stat("/", &st) == 0)
		tree->top->id = (struct dir_id){st.st_dev, st.st_ino};
	return tree;
}

void tree_destroy(struct tree *tree)
{
	if (!tree)
		return;
	node_destroy_dir(tree, tree->top, false);
	watch_destroy(tree->watch);
	roots_destroy(tree->roots);
	for (size_t i = 0; i < tree->known_root_count; i++)
		free(tree->known_roots[i]);
	free(tree->known_roots);
	free(tree->moved_path);
	free(tree);
}

void tree_set_past(struct tree *tree, const struct discovery_past *past)
{
	tree->lost = past->lost;
	tree->known_roots = xcalloc(past->root_count, sizeof(char *));
	tree->known_root_count = past->root_count;
	for (size_t i = 0; i < past->root_count; i++)
		tree->known_roots[i] = xstrdup(past->roots[i]);
}

static bool is_fresh(const struct tree *tree, const struct roots *former,
		     const struct discovery_root *root)
{
	for (size_t i = 0; i < tree->known_root_count; i++)
		if (strcmp(tree->known_roots[i], root->path) == 0)
			return false;
	for (size_t i = 0; former && i < roots_count(former); i++)
		if (strcmp(roots_at(former, i)->path, root->path) == 0)
			return false;
	return true;
}

static void count_fallbacks(struct tree *tree, bool first)
{
	if (first && !tree->watch)
		tree->ops.fallback(tree->ctx, "no_instances");
	for (size_t i = 0; i < roots_count(tree->roots); i++)
		if (tree->fresh[i] && roots_at(tree->roots, i)->poll)
			tree->ops.fallback(tree->ctx, "poll");
}

bool tree_set_roots(struct tree *tree, struct roots *roots, bool backlog)
{
	struct roots *former = tree->roots;
	size_t count = roots_count(roots);
	bool fresh = false;

	tree->roots = roots;
	tree->backlog = backlog;
	tree->fresh = xcalloc(count, sizeof(*tree->fresh));
	for (size_t i = 0; i < count; i++)
		fresh |= tree->fresh[i] = is_fresh(tree, former, roots_at(roots, i));
	count_fallbacks(tree, !former);
	places_finish(&tree->top->places);
	tree->top->places = roots_start(roots);
	scan_dir(tree, tree->top, LOOK_DEEP);
	free(tree->fresh);
	tree->fresh = NULL;
	tree->backlog = false;
	roots_destroy(former);
	return fresh;
}

const struct roots *tree_roots(const struct tree *tree)
{
	return tree->roots;
}

int tree_fd(const struct tree *tree)
{
	return tree->watch ? watch_fd(tree->watch) : -1;
}

void tree_read_events(struct tree *tree)
{
	if (!tree->watch)
		return;
	for (int i = 0; i < MAX_READS && watch_read(tree->watch); i++)
		;
}

/* Whoever asks again and again does not keep it busy. */
void tree_rescan(struct tree *tree)
{
	int64_t now_ns = clock_monotonic_ns();

	if (tree->roots && tree->rescan_due_ns == 0)
		tree->rescan_due_ns =
			now_ns > tree->rescan_after_ns ? now_ns : tree->rescan_after_ns;
}

static struct dir *dir_of(const struct tree *tree, const char *path)
{
	const char *end = strrchr(path, '/');

	return node_find_dir(tree, path, (size_t)(end - path));
}

bool tree_reaches(const struct tree *tree, const char *path)
{
	const struct dir *dir = dir_of(tree, path);

	return dir && !dir->troubled;
}

unsigned tree_scans(const struct tree *tree)
{
	return tree->scans;
}

void tree_look_around(struct tree *tree, const char *path, unsigned since_scan)
{
	struct dir *dir = dir_of(tree, path);

	/* Of a directory that is watched the events have told by now. */
	if (dir && !dir->listener && dir->scan <= since_scan)
		scan_dir(tree, dir, LOOK_NEW);
}

static int64_t earlier(int64_t a_ns, int64_t b_ns)
{
	if (a_ns == 0 || b_ns == 0)
		return a_ns + b_ns;
	return a_ns < b_ns ? a_ns : b_ns;
}

int64_t tree_due_ns(const struct tree *tree)
{
	int64_t due_ns = earlier(tree->next_due_ns, tree->rescan_due_ns);

	due_ns = earlier(due_ns, tree->instance_due_ns);
	return earlier(due_ns, tree->watch ? watch_due_ns(tree->watch) : 0);
}

static bool is_due(int64_t due_ns, int64_t now_ns)
{
	return due_ns > 0 && due_ns <= now_ns;
}

static void find_next_due(struct tree *tree)
{
	tree->next_due_ns = 0;
	for (struct dir *dir = tree->dirs; dir; dir = dir->next)
		node_set_due(tree, dir, dir->due_ns);
}

/* A scan may destroy any other directory: then it starts over. */
static void scan_due(struct tree *tree, int64_t now_ns)
{
	int64_t began_ns = clock_thread_cpu_ns();
	struct dir *dir = tree->dirs;
	int64_t rest_ns;

	while (dir) {
		unsigned destroyed = tree->destroyed;

		if (is_due(dir->due_ns, now_ns + TOGETHER_NS))
			scan_dir(tree, dir, LOOK_NEW);
		dir = tree->destroyed == destroyed ? dir->next : tree->dirs;
	}
	rest_ns = SHARE * (clock_thread_cpu_ns() - began_ns);
	tree->poll_ns = rest_ns > POLL_NS ? rest_ns : POLL_NS;
	find_next_due(tree);
}

static void rescan(struct tree *tree)
{
	int64_t began_ns = clock_thread_cpu_ns();

	tree->rescan_due_ns = 0;
	scan_dir(tree, tree->top, LOOK_DEEP);
	catalog_all_written(tree->catalog);
	tree->rescan_after_ns =
		clock_monotonic_ns() + SHARE * (clock_thread_cpu_ns() - began_ns);
}

static void try_instance(struct tree *tree)
{
	struct error err;

	if (!create_watch(tree, &err))
		return;
	log_info("an inotify instance is left again: polling ends");
	rescan(tree);
}

void tree_poll(struct tree *tree)
{
	int64_t now_ns = clock_monotonic_ns();

	if (tree->watch)
		watch_look(tree->watch);
	if (is_due(tree->instance_due_ns, now_ns))
		try_instance(tree);
	if (is_due(tree->rescan_due_ns, now_ns))
		rescan(tree);
	if (is_due(tree->next_due_ns, now_ns))
		scan_due(tree, now_ns);
}

void tree_each(const struct tree *tree,
	       void (*visit)(void *ctx, const char *path, const struct places *places),
	       void *ctx)
{
	for (const struct dir *dir = tree->dirs; dir; dir = dir->next)
		visit(ctx, node_dir_path(dir), &dir->places);
}

const char *tree_followed_as(const struct tree *tree, const char *path)
{
	const char *name = strrchr(path, '/') + 1;
	const struct dir *dir = node_find_dir(tree, path, (size_t)(name - 1 - path));
	const struct entry *e = dir ? node_find(dir, name) : NULL;

	return e && e->name_of.known ? known_path(e->name_of.known) : NULL;
}
