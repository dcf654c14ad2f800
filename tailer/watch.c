#include "tailer/watch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/hashmap.h"
#include "common/strbuf.h"
#include "common/xalloc.h"
#include "tailer/filesystem.h"
#include "tailer/flood.h"

#define NAME_EVENTS                                                        \
	(IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ATTRIB | \
	 IN_DELETE_SELF | IN_MOVE_SELF)
#define WRITE_EVENTS (IN_MODIFY | IN_CLOSE_WRITE)
#define SELF_EVENTS (IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT | IN_IGNORED)
#define BUFFER_BYTES (64 * 1024)

struct watch_listener {
	struct watch_listener *next; /* in the same slot */
	void *object;
	int wd;
	bool named;
	char name[]; /* "" for the whole directory */
};

/* Those who listen to one name of a directory, or to all of it. */
struct slot {
	struct watch_listener *first;
};

/* A directory: what a watch descriptor stands for. */
struct watched {
	struct slot whole;
	size_t uses; /* by listeners to whatever name */
	int wd;
	char *path;     /* led there when somebody last asked */
	bool files;     /* writes are wanted */
	uint32_t muted; /* but these are not told: there are too many */
	struct flood flood;
	struct watched *next_flooded;
};

struct watch {
	struct watch_ops ops;
	void *ctx;
	int fd;
	struct hashmap *watched; /* by watch descriptor */
	struct hashmap *names;   /* slots by watch descriptor and name */
	struct watched *flooded;
	int64_t now_ns; /* when events were last read */
	struct strbuf key;
	char buffer[BUFFER_BYTES] __attribute__((aligned(8)));
};

struct watch *watch_create(const struct watch_ops *ops, void *ctx, struct error *err)
{
	int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	struct watch *watch;

	if (fd == -1) {
		error_errno(err, "create an inotify instance");
		return NULL;
	}
	watch = xcalloc(1, sizeof(*watch));
	watch->ops = *ops;
	watch->ctx = ctx;
	watch->fd = fd;
	watch->watched = hashmap_create();
	watch->names = hashmap_create();
	watch->key = (struct strbuf)STRBUF_INIT;
	return watch;
}

void watch_destroy(struct watch *watch)
{
	if (!watch)
		return;
	close(watch->fd);
	hashmap_destroy(watch->watched);
	hashmap_destroy(watch->names);
	strbuf_finish(&watch->key);
	free(watch);
}

int watch_fd(const struct watch *watch)
{
	return watch->fd;
}

static struct slice wd_key(const int *wd)
{
	return (struct slice){(const char *)wd, sizeof(*wd)};
}

/* Borrowed until the next call. */
static struct slice name_key(struct watch *watch, int wd, const char *name)
{
	strbuf_clear(&watch->key);
	strbuf_add_slice(&watch->key, wd_key(&wd));
	strbuf_puts(&watch->key, name);
	return strbuf_slice(&watch->key);
}

static struct watched *watched_of(const struct watch *watch, int wd)
{
	return hashmap_get(watch->watched, wd_key(&wd));
}

static struct slot *slot_of(struct watch *watch, int wd, const char *name)
{
	struct watched *watched;

	if (*name)
		return hashmap_get(watch->names, name_key(watch, wd, name));
	watched = watched_of(watch, wd);
	return watched ? &watched->whole : NULL;
}

static struct watched *need_watched(struct watch *watch, int wd)
{
	struct watched *watched = watched_of(watch, wd);

	if (!watched) {
		watched = xcalloc(1, sizeof(*watched));
		watched->wd = wd;
		hashmap_put(watch->watched, wd_key(&wd), watched);
	}
	return watched;
}

static struct slot *need_slot(struct watch *watch, int wd, const char *name)
{
	struct slot *slot = slot_of(watch, wd, name);

	if (!slot) {
		slot = xcalloc(1, sizeof(*slot));
		hashmap_put(watch->names, name_key(watch, wd, name), slot);
	}
	return slot;
}

static void drop_name_if_unused(struct watch *watch, int wd, const char *name)
{
	struct slot *slot = slot_of(watch, wd, name);

	if (slot->first)
		return;
	hashmap_remove(watch->names, name_key(watch, wd, name));
	free(slot);
}

static void end_flooded(struct watch *watch, const struct watched *watched)
{
	struct watched **link = &watch->flooded;

	while (*link && *link != watched)
		link = &(*link)->next_flooded;
	if (*link)
		*link = watched->next_flooded;
}

static void drop_if_unused(struct watch *watch, struct watched *watched)
{
	if (watched->uses > 0)
		return;
	inotify_rm_watch(watch->fd, watched->wd);
	end_flooded(watch, watched);
	hashmap_remove(watch->watched, wd_key(&watched->wd));
	free(watched->path);
	free(watched);
}

static uint32_t mask_of(const struct watched *watched)
{
	return IN_ONLYDIR | NAME_EVENTS |
	       (watched->files ? WRITE_EVENTS & ~watched->muted : 0);
}

/*
 * A mask can be replaced only by way of a path, which may lead elsewhere by now:
 * what it leads to is held, and asked first which watch it has.
 */
static bool set_mask(struct watch *watch, const struct watched *watched)
{
	int directory = open(watched->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	char held[32];
	int wd;

	if (directory == -1)
		return false;
	snprintf(held, sizeof(held), "/proc/self/fd/%d", directory);
	wd = inotify_add_watch(watch->fd, held, IN_MASK_ADD | IN_DELETE_SELF);
	if (wd == watched->wd)
		wd = inotify_add_watch(watch->fd, held, mask_of(watched));
	else if (wd != -1 && !watched_of(watch, wd))
		inotify_rm_watch(watch->fd, wd);
	close(directory);
	return wd == watched->wd;
}

static bool mute(struct watch *watch, struct watched *watched, uint32_t muted)
{
	uint32_t former = watched->muted;

	watched->muted = muted;
	if (set_mask(watch, watched))
		return true;
	watched->muted = former;
	return false;
}

static struct watched *add_watch(struct watch *watch, const char *path, bool files)
{
	/* Added to the mask, not put in its place: other paths may lead here. */
	uint32_t mask =
		IN_ONLYDIR | IN_MASK_ADD | NAME_EVENTS | (files ? WRITE_EVENTS : 0);
	struct watched *watched;
	int wd;

	if (!filesystem_gives_events(path)) {
		errno = EOPNOTSUPP;
		return NULL;
	}
	wd = inotify_add_watch(watch->fd, path, mask);
	if (wd == -1)
		return NULL;
	watched = need_watched(watch, wd);
	free(watched->path);
	watched->path = xstrdup(path);
	watched->files |= files;
	if (watched->muted)
		set_mask(watch, watched);
	return watched;
}

struct watch_listener *watch_listen(struct watch *watch, const char *path,
				    const char *name, bool files, void *object)
{
	struct watched *watched = add_watch(watch, path, files);
	size_t size = name ? strlen(name) + 1 : 1;
	struct watch_listener *listener, **last;

	if (!watched)
		return NULL;
	listener = xcalloc(1, sizeof(*listener) + size);
	listener->object = object;
	listener->wd = watched->wd;
	listener->named = name != NULL;
	memcpy(listener->name, name ? name : "", size);
	last = &need_slot(watch, watched->wd, listener->name)->first;
	while (*last)
		last = &(*last)->next;
	*last = listener;
	watched->uses++;
	return listener;
}

void watch_unlisten(struct watch *watch, struct watch_listener *listener)
{
	struct watch_listener **link;
	struct watched *watched;

	if (!listener)
		return;
	link = &slot_of(watch, listener->wd, listener->name)->first;
	while (*link != listener)
		link = &(*link)->next;
	*link = listener->next;
	if (listener->named)
		drop_name_if_unused(watch, listener->wd, listener->name);
	watched = watched_of(watch, listener->wd);
	watched->uses--;
	drop_if_unused(watch, watched);
	free(listener);
}

static bool still_listens(struct watch *watch, int wd, const char *name,
			  const struct watch_listener *listener)
{
	const struct slot *slot = slot_of(watch, wd, name);
	const struct watch_listener *l = slot ? slot->first : NULL;

	while (l && l != listener)
		l = l->next;
	return l != NULL;
}

static void call(struct watch *watch, const char *name,
		 const struct watch_listener *listener, const struct watch_event *event)
{
	(*name ? watch->ops.name : watch->ops.directory)(watch->ctx, listener->object,
							 event);
}

/* What is called may end any listener of the slot, and the slot. */
static void tell_slot(struct watch *watch, int wd, const char *name,
		      const struct watch_event *event)
{
	const struct slot *slot = slot_of(watch, wd, name);
	struct watch_listener **all = NULL;
	size_t count = 0;

	if (slot && slot->first && !slot->first->next) {
		call(watch, name, slot->first, event);
		return;
	}
	for (struct watch_listener *l = slot ? slot->first : NULL; l; l = l->next) {
		all = xgrow(all, count, sizeof(struct watch_listener *));
		all[count++] = l;
	}
	for (size_t i = 0; i < count; i++)
		if (still_listens(watch, wd, name, all[i]))
			call(watch, name, all[i], event);
	free(all);
}

/* Start with *cursor = 0; NULL: no more names of the directory are listened to. */
static const struct slot *next_name(const struct watch *watch, int wd, size_t *cursor,
				    struct slice *name)
{
	struct slice key;
	void *slot;

	while (hashmap_next(watch->names, cursor, &key, &slot))
		if (memcmp(key.ptr, &wd, sizeof(wd)) == 0) {
			*name = (struct slice){key.ptr + sizeof(wd),
					       key.len - sizeof(wd)};
			return slot;
		}
	return NULL;
}

/* Whoever listens to a name wants to know that its directory has gone. */
static void tell_names(struct watch *watch, int wd, const struct watch_event *event)
{
	char **names = NULL;
	size_t count = 0, cursor = 0;
	struct slice name;

	while (next_name(watch, wd, &cursor, &name)) {
		names = xgrow(names, count, sizeof(*names));
		names[count++] = xstrndup(name.ptr, name.len);
	}
	for (size_t i = 0; i < count; i++) {
		tell_slot(watch, wd, names[i], event);
		free(names[i]);
	}
	free(names);
}

static uint64_t look_at(const struct watch *watch, const struct watched *watched)
{
	const struct watch_ops *ops = &watch->ops;
	const struct watch_listener *l;
	const struct slot *slot;
	struct slice name;
	size_t cursor = 0;
	uint64_t grown_bytes = 0;

	for (l = watched->whole.first; l; l = l->next)
		grown_bytes += ops->look_directory(watch->ctx, l->object);
	while ((slot = next_name(watch, watched->wd, &cursor, &name)))
		for (l = slot->first; l; l = l->next)
			grown_bytes += ops->look_name(watch->ctx, l->object);
	return grown_bytes;
}

int64_t watch_due_ns(const struct watch *watch)
{
	int64_t due_ns = 0;

	for (const struct watched *w = watch->flooded; w; w = w->next_flooded)
		if (due_ns == 0 || w->flood.due_ns < due_ns)
			due_ns = w->flood.due_ns;
	return due_ns;
}

void watch_look(struct watch *watch)
{
	struct watched *next;

	for (struct watched *w = watch->flooded; w; w = next) {
		int64_t began_ns = clock_thread_cpu_ns();
		uint64_t grown_bytes;

		next = w->next_flooded;
		if (clock_monotonic_ns() < w->flood.due_ns)
			continue;
		grown_bytes = look_at(watch, w);
		if (!flood_looked(&w->flood, clock_monotonic_ns(),
				  clock_thread_cpu_ns() - began_ns, grown_bytes) ||
		    !mute(watch, w, 0))
			continue;
		flood_end(&w->flood, clock_monotonic_ns());
		end_flooded(watch, w);
		look_at(watch, w);
	}
}

/* First that a file was written to, which is seen by its size too, then the rest. */
static void take_flood(struct watch *watch, struct watched *watched)
{
	bool begins = watched->muted == 0;

	if (!mute(watch, watched, begins ? IN_MODIFY : WRITE_EVENTS) || !begins)
		return;
	watched->next_flooded = watch->flooded;
	watch->flooded = watched;
	if (flood_begin(&watched->flood, watch->now_ns))
		watch->ops.flood(watch->ctx, watched->path);
}

static void count_write(struct watch *watch, const struct inotify_event *raw)
{
	struct watched *watched;

	if (!(raw->mask & WRITE_EVENTS))
		return;
	watched = watched_of(watch, raw->wd);
	if (watched && (raw->mask & mask_of(watched) & WRITE_EVENTS) &&
	    flood_write(&watched->flood, watch->now_ns))
		take_flood(watch, watched);
}

static enum watch_kind kind_of(uint32_t mask)
{
	static const struct {
		uint32_t mask;
		enum watch_kind kind;
	} kinds[] = {
		{IN_MODIFY, WATCH_WRITTEN},        {IN_CLOSE_WRITE, WATCH_CLOSED},
		{IN_MOVED_FROM, WATCH_MOVED_FROM}, {IN_MOVED_TO, WATCH_MOVED_TO},
		{SELF_EVENTS, WATCH_SELF},         {IN_Q_OVERFLOW, WATCH_OVERFLOW},
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (mask & kinds[i].mask)
			return kinds[i].kind;
	return WATCH_NAME;
}

static void tell(struct watch *watch, const struct inotify_event *raw)
{
	struct watch_event event = {.kind = kind_of(raw->mask),
				    .cookie = raw->cookie,
				    .name = raw->len > 0 ? raw->name : ""};

	if (event.kind == WATCH_OVERFLOW) {
		watch->ops.overflow(watch->ctx);
		return;
	}
	count_write(watch, raw);
	tell_slot(watch, raw->wd, "", &event);
	if (hashmap_count(watch->names) == 0)
		return;
	if (*event.name)
		tell_slot(watch, raw->wd, event.name, &event);
	else if (event.kind == WATCH_SELF)
		tell_names(watch, raw->wd, &event);
}

bool watch_read(struct watch *watch)
{
	ssize_t n = read(watch->fd, watch->buffer, sizeof(watch->buffer));
	const char *at = watch->buffer;
	const char *end = at + (n > 0 ? n : 0);

	watch->now_ns = clock_monotonic_ns();
	while (at < end) {
		const struct inotify_event *raw = (const void *)at;

		tell(watch, raw);
		at += sizeof(*raw) + raw->len;
	}
	return n > 0;
}
