#include "tailer/links.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "common/strbuf.h"

#define MAX_LINKS 40 /* as in the kernel */

/* `done` has no link in it any more; `rest` is still to be walked. */
struct walk {
	struct strbuf done, rest;
	int links;
	void (*visit)(void *ctx, const char *directory, const char *name, bool final);
	void *ctx;
};

/* Takes the next component off the rest; empty at its end. */
static void next_component(struct walk *walk, struct strbuf *name)
{
	const char *start = walk->rest.ptr + strspn(walk->rest.ptr, "/");
	size_t len = strcspn(start, "/");
	size_t used = (size_t)(start - walk->rest.ptr) + len;

	strbuf_clear(name);
	strbuf_add(name, start, len);
	if (used > 0)
		memmove(walk->rest.ptr, walk->rest.ptr + used,
			walk->rest.len - used + 1);
	walk->rest.len -= used;
}

static void to_parent(struct strbuf *path)
{
	while (path->len > 0 && path->ptr[--path->len] != '/')
		;
	if (path->capacity > 0)
		path->ptr[path->len] = '\0';
}

/* The link's text takes the place of its name. */
static void splice(struct walk *walk, const char *target)
{
	struct strbuf rest = STRBUF_INIT;

	if (*target == '/')
		strbuf_clear(&walk->done);
	strbuf_puts(&rest, target);
	strbuf_putc(&rest, '/');
	strbuf_add_slice(&rest, strbuf_slice(&walk->rest));
	strbuf_finish(&walk->rest);
	walk->rest = rest;
}

static bool at_end(const struct walk *walk)
{
	return walk->rest.ptr[strspn(walk->rest.ptr, "/")] == '\0';
}

static const char *directory_of(const struct walk *walk)
{
	return walk->done.len > 0 ? walk->done.ptr : "/";
}

/* False when the walk is over. */
static bool take_step(struct walk *walk, const char *name)
{
	char target[PATH_MAX];
	size_t parent_len = walk->done.len;
	ssize_t n;

	strbuf_putc(&walk->done, '/');
	strbuf_puts(&walk->done, name);
	n = readlink(walk->done.ptr, target, sizeof(target) - 1);
	if (n == -1 && errno == EINVAL && !at_end(walk))
		return true;
	walk->done.len = parent_len;
	walk->done.ptr[parent_len] = '\0';
	walk->visit(walk->ctx, directory_of(walk), name, n == -1);
	if (n == -1 || ++walk->links > MAX_LINKS)
		return false;
	target[n] = '\0';
	splice(walk, target);
	return true;
}

bool links_follow(const char *path,
		  void (*visit)(void *ctx, const char *directory, const char *name,
				bool final),
		  void *ctx)
{
	struct walk walk = {STRBUF_INIT, STRBUF_INIT, 0, visit, ctx};
	struct strbuf name = STRBUF_INIT;
	bool more = true;

	strbuf_puts(&walk.rest, path);
	while (more) {
		next_component(&walk, &name);
		if (name.len == 0)
			break;
		if (strcmp(name.ptr, "..") == 0)
			to_parent(&walk.done);
		else if (strcmp(name.ptr, ".") != 0)
			more = take_step(&walk, name.ptr);
	}
	strbuf_finish(&walk.done);
	strbuf_finish(&walk.rest);
	strbuf_finish(&name);
	return walk.links <= MAX_LINKS;
}
