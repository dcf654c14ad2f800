/*
 * Loaded into the daemon with LD_PRELOAD: at the DIE_AT'th call that changes a
 * file or a directory, by whichever thread, the process gets SIGKILL.  DIE_TORN=1:
 * after half of a write.  At exit DIE_COUNT (a file) gets the number of calls.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

static atomic_long calls;
static long die_at, torn;

__attribute__((constructor)) static void begin(void)
{
	const char *at = getenv("DIE_AT");

	die_at = at ? atol(at) : 0;
	torn = getenv("DIE_TORN") != NULL;
}

__attribute__((destructor)) static void end(void)
{
	const char *path = getenv("DIE_COUNT");
	FILE *f = path ? fopen(path, "w") : NULL;

	if (f) {
		fprintf(f, "%ld\n", (long)atomic_load(&calls));
		fclose(f);
	}
}

static void die(void)
{
	kill(getpid(), SIGKILL);
	for (;;)
		pause();
}

/* True if this is the one. */
static bool counts(void)
{
	return atomic_fetch_add(&calls, 1) + 1 == die_at;
}

static bool is_file(int fd)
{
	struct stat st;

	return fd > 2 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

#define REAL(name) \
	static __typeof__(name) *real; \
	if (!real) \
		real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)

#define WRITER(name) \
	ssize_t name(int fd, const void *bytes, size_t count, off_t at) \
	{ \
		REAL(name); \
		if (is_file(fd) && counts()) { \
			if (torn) \
				real(fd, bytes, count / 2, at); \
			die(); \
		} \
		return real(fd, bytes, count, at); \
	}

WRITER(pwrite)
WRITER(pwrite64)

ssize_t write(int fd, const void *bytes, size_t count)
{
	REAL(write);
	if (is_file(fd) && counts()) {
		if (torn)
			real(fd, bytes, count / 2);
		die();
	}
	return real(fd, bytes, count);
}

#define ON_FILE(name, parameters, arguments) \
	int name parameters \
	{ \
		REAL(name); \
		if (is_file(fd) && counts()) \
			die(); \
		return real arguments; \
	}

ON_FILE(fsync, (int fd), (fd))
ON_FILE(fdatasync, (int fd), (fd))
ON_FILE(ftruncate, (int fd, off_t size), (fd, size))
ON_FILE(ftruncate64, (int fd, off_t size), (fd, size))

#define ON_NAME(name, parameters, arguments) \
	int name parameters \
	{ \
		REAL(name); \
		if (counts()) \
			die(); \
		return real arguments; \
	}

ON_NAME(unlink, (const char *path), (path))
ON_NAME(rename, (const char *from, const char *to), (from, to))
ON_NAME(mkdir, (const char *path, mode_t mode), (path, mode))
