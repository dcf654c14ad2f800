#include "tailer/watch.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "common/hashmap.h"
#include "common/strbuf.h"
#include "common/xalloc.h"

#define NAME_EVENTS                                                        \
	(IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ATTRIB | \
	 IN_DELETE_SELF | IN_MOVE_SELF)
#define SELF_EVENTS (IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT | IN_IGNORED)
#define BUFFER_BYTES (64 * 1024)

struct watch_listener {
	struct watch_listener *next; /* in the same slot */
	void *object;
	int wd;
	bool named;
	char name[]; /* "" for the whole directory */
};

/* Those who listen to one name of a directory, or to all of it (name ""). */
struct slot {
	struct watch_listener *first;
	size_t uses; /* of the watch descriptor, by any name; kept in slot "" */
};

struct watch {
	struct watch_ops ops;
	void *ctx;
	int fd;
	struct hashmap *slots; /* by watch descriptor and name */
	size_t named_count;
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
	watch->slots = hashmap_create();
	watch->key = (struct strbuf)STRBUF_INIT;
	return watch;
}

void watch_destroy(struct watch *watch)
{
	if (!watch)
		return;
	close(watch->fd);
	hashmap_destroy(watch->slots);
	strbuf_finish(&watch->key);
	free(watch);
}

int watch_fd(const struct watch *watch)
{
	return watch->fd;
}

/* Borrowed until the next call. */
static struct slice key_of(struct watch *watch, int wd, const char *name)
{
	strbuf_clear(&watch->key);
	strbuf_add(&watch->key, (const char *)&wd, sizeof(wd));
	strbuf_puts(&watch->key, name);
	return strbuf_slice(&watch->key);
}

static struct slot *slot_of(struct watch *watch, int wd, const char *name)
{
	return hashmap_get(watch->slots, key_of(watch, wd, name));
}

static struct slot *need_slot(struct watch *watch, int wd, const char *name)
{
	struct slot *slot = slot_of(watch, wd, name);

	if (!slot) {
		slot = xcalloc(1, sizeof(*slot));
		hashmap_put(watch->slots, key_of(watch, wd, name), slot);
	}
	return slot;
}

static void drop_if_unused(struct watch *watch, int wd, const char *name)
{
	struct slot *slot = slot_of(watch, wd, name);

	if (slot->first || slot->uses > 0)
		return;
	hashmap_remove(watch->slots, key_of(watch, wd, name));
	free(slot);
}

/* Of what other machines, or a server in user space, write there is no event. */
static bool is_remote(const char *path)
{
	static const unsigned remote[] = {
		0x00006969, /* NFS */
		0x65735546, /* FUSE */
		0xff534d42, /* CIFS */
		0xfe534d42, /* SMB2 */
		0x01021997, /* 9P */
		0x00c36400, /* Ceph */
		0x5346414f, /* AFS */
	};
	struct statfs fs;

	if (statfs(path, &fs) == -1)
		return false;
	for (size_t i = 0; i < sizeof(remote) / sizeof(*remote); i++)
		if ((unsigned)fs.f_type == remote[i])
			return true;
	return false;
}

static int add_watch(struct watch *watch, const char *path, bool files)
{
	/* Added to the mask, not put in its place: other paths may lead here. */
	uint32_t mask = IN_ONLYDIR | IN_MASK_ADD | NAME_EVENTS |
			(files ? IN_MODIFY | IN_CLOSE_WRITE : 0);

	if (is_remote(path)) {
		errno = EOPNOTSUPP;
		return -1;
	}
	return inotify_add_watch(watch->fd, path, mask);
}

struct watch_listener *watch_listen(struct watch *watch, const char *path,
				    const char *name, bool files, void *object)
{
	int wd = add_watch(watch, path, files);
	size_t size = name ? strlen(name) + 1 : 1;
	struct watch_listener *listener, **last;

	if (wd == -1)
		return NULL;
	listener = xcalloc(1, sizeof(*listener) + size);
	listener->object = object;
	listener->wd = wd;
	listener->named = name != NULL;
	memcpy(listener->name, name ? name : "", size);
	last = &need_slot(watch, wd, listener->name)->first;
	while (*last)
		last = &(*last)->next;
	*last = listener;
	need_slot(watch, wd, "")->uses++;
	watch->named_count += listener->named;
	return listener;
}

void watch_unlisten(struct watch *watch, struct watch_listener *listener)
{
	struct watch_listener **link;
	struct slot *whole;

	if (!listener)
		return;
	link = &slot_of(watch, listener->wd, listener->name)->first;
	while (*link != listener)
		link = &(*link)->next;
	*link = listener->next;
	whole = slot_of(watch, listener->wd, "");
	if (--whole->uses == 0)
		inotify_rm_watch(watch->fd, listener->wd);
	if (listener->named)
		drop_if_unused(watch, listener->wd, listener->name);
	drop_if_unused(watch, listener->wd, "");
	watch->named_count -= listener->named;
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

/* Whoever listens to a name wants to know that its directory has gone. */
static void tell_names(struct watch *watch, int wd, const struct watch_event *event)
{
	char **names = NULL;
	size_t count = 0, cursor = 0;
	struct slice key;
	void *slot;

	while (hashmap_next(watch->slots, &cursor, &key, &slot)) {
		if (key.len == sizeof(wd) || memcmp(key.ptr, &wd, sizeof(wd)) != 0)
			continue;
		names = xgrow(names, count, sizeof(*names));
		names[count++] = xstrndup(key.ptr + sizeof(wd), key.len - sizeof(wd));
	}
	for (size_t i = 0; i < count; i++) {
		tell_slot(watch, wd, names[i], event);
		free(names[i]);
	}
	free(names);
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
	tell_slot(watch, raw->wd, "", &event);
	if (watch->named_count == 0)
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

	while (at < end) {
		const struct inotify_event *raw = (const void *)at;

		tell(watch, raw);
		at += sizeof(*raw) + raw->len;
	}
	return n > 0;
}
