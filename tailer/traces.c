#include "tailer/traces.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/strbuf.h"
#include "common/xalloc.h"
#include "tailer/listing.h"
#include "tailer/rotation.h"

static bool is_rotation_of(const char *name, const char *base)
{
	for (struct slice rest = slice_of(name); rotation_strip(&rest);)
		if (slice_is(rest, base))
			return true;
	return false;
}

static int open_file(const char *path, struct new_file *file)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;

	if (fd == -1)
		return -1;
	if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode) ||
	    !identity_of_fd(fd, &file->identity)) {
		close(fd);
		return -1;
	}
	file->fd = fd;
	file->inode = st.st_ino;
	file->size_bytes = (uint64_t)st.st_size;
	file->mtime_ns = st.st_mtim.tv_sec * NS_PER_SECOND + st.st_mtim.tv_nsec;
	return fd;
}

static void look_at(struct catalog *catalog, struct known *known, const char *path)
{
	struct new_file file = {.fd = -1};

	if (open_file(path, &file) == -1)
		return;
	if (identity_eq(&file.identity, known_identity(known)))
		catalog_found(known, file.fd, file.size_bytes);
	else if (catalog_find(catalog, &file.identity))
		close(file.fd);
	else
		catalog_add_nameless(catalog, known, &file);
}

static void follow(struct catalog *catalog, struct known *known)
{
	const struct checkpoint *recalled = known_recalled(known);
	const char *base = strrchr(recalled->place, '/') + 1;
	char *directory = xstrndup(recalled->place, (size_t)(base - recalled->place));
	struct listing listing = {0};
	struct strbuf path = STRBUF_INIT;

	listing_read(directory, &listing);
	for (size_t i = 0; i < listing.count; i++) {
		const struct listed *listed = &listing.items[i];

		if (listed->inode != recalled->inode &&
		    !is_rotation_of(listed->name, base))
			continue;
		strbuf_clear(&path);
		strbuf_puts(&path, directory);
		strbuf_puts(&path, listed->name);
		look_at(catalog, known, path.ptr);
	}
	listing_finish(&listing);
	strbuf_finish(&path);
	free(directory);
}

/* What is found is added meanwhile: so they are gathered first. */
void traces_follow(struct catalog *catalog)
{
	struct known **missing = NULL, *known;
	size_t count = 0, cursor = 0;

	while ((known = catalog_next_missing(catalog, &cursor))) {
		missing = xgrow(missing, count, sizeof(*missing));
		missing[count++] = known;
	}
	for (size_t i = 0; i < count; i++)
		follow(catalog, missing[i]);
	free(missing);
}
