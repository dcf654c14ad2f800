#include "daemon/storage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/xalloc.h"

#define LOCK_TRIES 50
#define LOCK_PAUSE_MS 20

/* As mkdir -p. */
static bool make_directories(const char *path)
{
	char *copy = xstrdup(path);
	bool ok = true;

	for (char *p = copy + 1; ok && *p; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		ok = mkdir(copy, 0755) == 0 || errno == EEXIST;
		*p = '/';
	}
	ok = ok && (mkdir(copy, 0750) == 0 || errno == EEXIST);
	free(copy);
	return ok;
}

/* A process that was killed a moment ago may not be gone yet. */
static bool lock_soon(int fd)
{
	const struct timespec pause = {.tv_nsec = LOCK_PAUSE_MS * 1000000};

	for (int i = 0; flock(fd, LOCK_EX | LOCK_NB) == -1; i++) {
		if (errno != EWOULDBLOCK || i == LOCK_TRIES)
			return false;
		nanosleep(&pause, NULL);
	}
	return true;
}

int storage_lock(const char *path, struct error *err)
{
	char *lock = xasprintf("%s/lock", path);
	int fd = -1;

	if (!make_directories(path)) {
		error_errno(err, "create the state directory %s (--storage.path)",
			    path);
		goto out;
	}
	fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
	if (fd == -1) {
		error_errno(err, "write to the state directory %s (--storage.path)",
			    path);
		goto out;
	}
	if (!lock_soon(fd)) {
		if (errno == EWOULDBLOCK)
			error_set(
				err,
				"another logtally runs on the state directory %s: stop "
				"it, or give this one its own --storage.path",
				path);
		else
			error_errno(err, "lock %s", lock);
		close(fd);
		fd = -1;
	}
out:
	free(lock);
	return fd;
}
