#include "daemon/inputs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/glob.h"
#include "common/log.h"
#include "common/strbuf.h"
#include "common/xalloc.h"
#include "tailer/listing.h"
#include "tailer/rotation.h"

#define STDIN_PATH "/dev/stdin"
#define MAX_DEPTH 100

static const char *const default_include[] = {"*.log"};

/* Without `.`, `..` and double slashes, as far as the text tells. */
static char *absolute(const char *path)
{
	char *cwd = *path == '/' ? NULL : getcwd(NULL, 0);
	char *whole = xasprintf("%s/%s", cwd ? cwd : "", path);
	struct strbuf out = STRBUF_INIT;

	for (const char *rest = whole; *rest;) {
		size_t len = strcspn(rest, "/");
		struct slice name = {rest, len};

		if (slice_is(name, "..")) {
			while (out.len > 0 && out.ptr[--out.len] != '/')
				;
		} else if (len > 0 && !slice_is(name, ".")) {
			strbuf_putc(&out, '/');
			strbuf_add_slice(&out, name);
		}
		rest += len + (rest[len] == '/');
	}
	free(whole);
	free(cwd);
	cwd = xstrndup(out.len ? out.ptr : "/", out.len ? out.len : 1);
	strbuf_finish(&out);
	return cwd;
}

static int64_t ns_of(struct timespec ts)
{
	return ts.tv_sec * NS_PER_SECOND + ts.tv_nsec;
}

/* Takes `file`; it can be opened, or the reason is in errno. */
static bool add_file(struct inputs *inputs, char *file, const struct stat *st,
		     bool named)
{
	if (access(file, R_OK) == -1) {
		free(file);
		return false;
	}
	inputs->items = xgrow(inputs->items, inputs->count, sizeof(*inputs->items));
	inputs->items[inputs->count++] =
		(struct input){.file = file,
			       .named = named,
			       .sized = S_ISREG(st->st_mode),
			       .size_bytes = (uint64_t)st->st_size,
			       .mtime_ns = ns_of(st->st_mtim),
			       .device = st->st_dev,
			       .inode = st->st_ino};
	return true;
}

/* A file that nobody has read from yet is one like any other. */
static void add_stdin(struct inputs *inputs)
{
	struct input input = {.named = true, .mtime_ns = INT64_MAX};
	struct stat st;

	if (fstat(STDIN_FILENO, &st) == 0 && S_ISREG(st.st_mode) &&
	    lseek(STDIN_FILENO, 0, SEEK_CUR) == 0) {
		input.sized = true;
		input.size_bytes = (uint64_t)st.st_size;
		input.mtime_ns = ns_of(st.st_mtim);
	}
	inputs->items = xgrow(inputs->items, inputs->count, sizeof(*inputs->items));
	inputs->items[inputs->count++] = input;
}

/* -- directories and globs ------------------------------------------------ */

/* A walk through directories. */
struct walk {
	struct inputs *inputs;
	const struct discovery_root *root;
	const char *glob; /* absolute; NULL: the root's `include` decides */
	struct ancestor {
		dev_t device;
		ino_t inode;
	} ancestors[MAX_DEPTH];
	size_t depth, max_depth;
	struct error *err;
	bool failed;
};

static bool matches_any(const char *const *globs, size_t count, const char *path)
{
	for (size_t i = 0; i < count; i++)
		if (glob_match_path(globs[i], path))
			return true;
	return false;
}

static bool includes(const struct discovery_root *root, const char *path)
{
	if (root->include_count == 0)
		return matches_any(default_include, 1, path);
	return matches_any(root->include, root->include_count, path);
}

/* By its own name, or by one that it may be rotated from. */
static bool includes_rotated(const struct discovery_root *root, const char *path)
{
	size_t directory = (size_t)(strrchr(path, '/') + 1 - path);
	struct slice name = slice_of(path + directory);
	bool found = includes(root, path);

	while (!found && rotation_strip(&name)) {
		char *base = xstrndup(path, directory + name.len);

		found = includes(root, base);
		free(base);
	}
	return found;
}

static void say_unreadable_archive(const struct walk *w, const char *path)
{
	struct slice name = slice_of(strrchr(path, '/') + 1);
	size_t base_len;
	char *base;

	if (w->glob || rotation_content(name, &base_len) != ROTATION_UNREADABLE)
		return;
	base = xstrndup(path, strlen(path) - (name.len - base_len));
	if (includes_rotated(w->root, base))
		log_warn("archive is passed over: unpack it, or pipe it in with "
			 "`-` and --as",
			 LOG_TEXT("file", path));
	free(base);
}

static void walk_file(struct walk *w, const char *path, const struct stat *st)
{
	bool wanted = w->glob ? glob_match_path(w->glob, path)
			      : includes_rotated(w->root, path);

	if (!wanted) {
		say_unreadable_archive(w, path);
	} else if (!add_file(w->inputs, xstrdup(path), st, false) && !w->failed) {
		error_errno(w->err, "%s", path);
		w->failed = true;
	}
}

static bool is_ancestor(const struct walk *w, const struct stat *st)
{
	for (size_t i = 0; i < w->depth; i++)
		if (w->ancestors[i].device == st->st_dev &&
		    w->ancestors[i].inode == st->st_ino)
			return true;
	return false;
}

static void walk_directory(struct walk *w, const char *path, const struct stat *st);

static void walk_name(struct walk *w, const char *path, const char *name)
{
	struct stat st;

	/* What vanishes, or leads nowhere, is not there. */
	if (stat(path, &st) == -1 ||
	    matches_any(w->root->exclude, w->root->exclude_count, path))
		return;
	if (S_ISREG(st.st_mode))
		walk_file(w, path, &st);
	else if (S_ISDIR(st.st_mode) && (w->glob || *name != '.') &&
		 w->depth < w->max_depth && !is_ancestor(w, &st))
		walk_directory(w, path, &st);
}

static void walk_directory(struct walk *w, const char *path, const struct stat *st)
{
	struct listing listing = {0};

	w->ancestors[w->depth++] = (struct ancestor){st->st_dev, st->st_ino};
	if (!listing_read(path, &listing) && !w->failed) {
		error_errno(w->err, "%s", path);
		w->failed = true;
	}
	for (size_t i = 0; i < listing.count; i++) {
		const char *name = listing.items[i].name;
		char *below =
			xasprintf("%s/%s", strcmp(path, "/") == 0 ? "" : path, name);

		walk_name(w, below, name);
		free(below);
	}
	listing_finish(&listing);
	w->depth--;
}

/* The directory that a glob's first plain components name; the caller's. */
static char *plain_prefix(const char *glob, size_t *components_below)
{
	size_t len = 0, end = 0;

	*components_below = 0;
	while (glob[len]) {
		size_t next = len + 1 + strcspn(glob + len + 1, "/");
		char *name = xstrndup(glob + len, next - len);

		if (*components_below == 0 && !glob_has_magic(name) && glob[next])
			end = next;
		else
			++*components_below;
		free(name);
		len = next;
	}
	return xstrndup(end ? glob : "/", end ? end : 1);
}

static bool add_walk(struct inputs *inputs, const struct discovery_root *root,
		     const char *path, const char *glob, size_t max_depth,
		     struct error *err)
{
	struct walk w = {.inputs = inputs,
			 .root = root,
			 .glob = glob,
			 .max_depth = max_depth < MAX_DEPTH ? max_depth : MAX_DEPTH,
			 .err = err};
	size_t before = inputs->count;
	struct stat st;

	if (stat(path, &st) == -1)
		return error_errno(err, "%s", path);
	walk_directory(&w, path, &st);
	if (w.failed)
		return false;
	if (inputs->count > before)
		return true;
	if (glob)
		return error_set(err, "%s: no file matches", glob);
	return error_set(err, "%s: holds no file called %s, nor a rotated one", path,
			 root->include_count ? "as `include` wants" : "*.log");
}

static bool add_glob(struct inputs *inputs, const struct discovery_root *root,
		     const char *glob, struct error *err)
{
	size_t below;
	char *prefix = plain_prefix(glob, &below);
	bool ok = add_walk(inputs, root, prefix, glob,
			   strstr(glob, "**") ? MAX_DEPTH : below, err);

	free(prefix);
	return ok;
}

bool inputs_add_root(struct inputs *inputs, const struct discovery_root *root,
		     struct error *err)
{
	char *path = absolute(root->path);
	struct stat st;
	bool ok = false;

	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
		ok = add_walk(inputs, root, path, NULL, MAX_DEPTH, err);
	} else if (stat(path, &st) == 0) {
		if (add_file(inputs, path, &st, true))
			return true;
		return error_errno(err, "%s", root->path);
	} else if (errno == ENOENT && glob_has_magic(path)) {
		ok = add_glob(inputs, root, path, err);
	} else {
		error_errno(err, "%s", root->path);
	}
	free(path);
	return ok;
}

bool inputs_add(struct inputs *inputs, const char *argument, struct error *err)
{
	if (strcmp(argument, "-") == 0) {
		add_stdin(inputs);
		return true;
	}
	return inputs_add_root(inputs, &(struct discovery_root){.path = argument}, err);
}

/* -- paths and order ------------------------------------------------------ */

/* The name without the archive's suffix. */
static char *unpacked(const char *file)
{
	size_t directory = (size_t)(strrchr(file, '/') + 1 - file), len;

	rotation_content(slice_of(file + directory), &len);
	return xstrndup(file, directory + len);
}

/* Of all that the file may be rotated from, the shortest that is there. */
static char *path_of(const char *file, bool (*wants)(void *ctx, const char *path),
		     void *ctx)
{
	char *path = unpacked(file), *wanted = NULL;
	size_t directory = (size_t)(strrchr(path, '/') + 1 - path);
	struct slice name = slice_of(path + directory);
	bool is_wanted = wants(ctx, path), is_there = false;

	while (rotation_strip(&name)) {
		char *base = xstrndup(path, directory + name.len);
		bool base_is_there = access(base, F_OK) == 0;

		if (base_is_there || (!is_there && !is_wanted && wants(ctx, base))) {
			is_there |= base_is_there;
			is_wanted = true;
			free(wanted);
			wanted = base;
		} else {
			free(base);
		}
	}
	if (!wanted)
		return path;
	free(path);
	return wanted;
}

static int compare(const void *a, const void *b)
{
	const struct input *x = a, *y = b;
	int paths = strcmp(x->path, y->path);

	if (paths != 0)
		return paths;
	if (x->mtime_ns != y->mtime_ns)
		return x->mtime_ns < y->mtime_ns ? -1 : 1;
	return strcmp(x->file ? x->file : "", y->file ? y->file : "");
}

static bool is_same(const struct input *a, const struct input *b)
{
	if (!a->file || !b->file)
		return !a->file && !b->file;
	return a->device == b->device && a->inode == b->inode;
}

static int compare_identity(const void *a, const void *b)
{
	const struct input *x = a, *y = b;

	if (!x->file != !y->file)
		return x->file ? 1 : -1;
	if (x->device != y->device)
		return x->device < y->device ? -1 : 1;
	if (x->inode != y->inode)
		return x->inode < y->inode ? -1 : 1;
	if (x->named != y->named)
		return x->named ? -1 : 1;
	return x->file ? strcmp(x->file, y->file) : 0;
}

static void input_finish(struct input *input)
{
	free(input->file);
	free(input->path);
}

static void leave_each_once(struct inputs *inputs)
{
	size_t kept = 0;

	qsort(inputs->items, inputs->count, sizeof(*inputs->items), compare_identity);
	for (size_t i = 0; i < inputs->count; i++)
		if (kept > 0 && is_same(&inputs->items[i], &inputs->items[kept - 1]))
			input_finish(&inputs->items[i]);
		else
			inputs->items[kept++] = inputs->items[i];
	inputs->count = kept;
}

void inputs_resolve(struct inputs *inputs, const char *as,
		    bool (*wants)(void *ctx, const char *path), void *ctx)
{
	leave_each_once(inputs);
	for (size_t i = 0; i < inputs->count; i++) {
		struct input *input = &inputs->items[i];

		if (as)
			input->path = absolute(as);
		else if (!input->file)
			input->path = xstrdup(STDIN_PATH);
		else
			input->path = path_of(input->file, wants, ctx);
	}
	qsort(inputs->items, inputs->count, sizeof(*inputs->items), compare);
}

void inputs_finish(struct inputs *inputs)
{
	for (size_t i = 0; i < inputs->count; i++)
		input_finish(&inputs->items[i]);
	free(inputs->items);
	*inputs = (struct inputs){0};
}
