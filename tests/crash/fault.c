/*
 * fault.c - preloaded, makes the k-th system call of a program fail, or its last.
 *
 *     FAULT_UNDER=PREFIX  only files whose path begins so, and what is open of them
 *     FAULT_KIND=kill     SIGKILL instead of the call
 *                torn     the same, but of a write the first half is done
 *                eio, enospc
 *     FAULT_CALLS=change  count what may change a file, its name or the disk
 *                 read    count the others
 *     FAULT_AT=K          the first call that fails, from 1; 0: none
 *     FAULT_FOR=N         and the N - 1 after it
 *     FAULT_COUNT=FILE    at the end the number of calls is appended there
 *
 * A process that is killed leaves what it has written: fsync() and fdatasync() are
 * counted and fail, but are not done.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#define MAX_FDS 1024

enum calls { CHANGE, READ };

static struct {
	bool on;
	const char *under;
	enum calls calls;
	bool kill, torn;
	int number; /* for errno */
	long at, length;
} fault;

static atomic_long calls_made;
static atomic_bool watched[MAX_FDS];

#define REAL(name)                     \
	static __typeof__(name) *real; \
	if (!real)                     \
	real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)

__attribute__((constructor)) static void begin(void)
{
	const char *kind = getenv("FAULT_KIND"), *at = getenv("FAULT_AT");
	const char *calls = getenv("FAULT_CALLS"), *length = getenv("FAULT_FOR");

	fault.under = getenv("FAULT_UNDER");
	fault.on = fault.under && kind && at;
	if (!fault.on)
		return;
	fault.torn = strcmp(kind, "torn") == 0;
	fault.kill = fault.torn || strcmp(kind, "kill") == 0;
	fault.number = strcmp(kind, "enospc") == 0 ? ENOSPC : EIO;
	fault.calls = calls && strcmp(calls, "read") == 0 ? READ : CHANGE;
	fault.at = atol(at);
	fault.length = length ? atol(length) : 1;
}

__attribute__((destructor)) static void end(void)
{
	const char *path = getenv("FAULT_COUNT");
	FILE *f = fault.on && path ? fopen(path, "a") : NULL;

	if (!f)
		return;
	fprintf(f, "%ld\n", atomic_load(&calls_made));
	fclose(f);
}

static void die(void)
{
	kill(getpid(), SIGKILL);
	for (;;)
		pause();
}

static bool is_turn(enum calls calls)
{
	long n;

	if (!fault.on || calls != fault.calls)
		return false;
	n = atomic_fetch_add(&calls_made, 1) + 1;
	return fault.at > 0 && n >= fault.at && n < fault.at + fault.length;
}

/* True with errno set if the call is to fail. */
static bool fails(enum calls calls)
{
	if (!is_turn(calls))
		return false;
	if (fault.kill)
		die();
	errno = fault.number;
	return true;
}

static bool path_counts(const char *path)
{
	return fault.on && strncmp(path, fault.under, strlen(fault.under)) == 0;
}

static bool fd_counts(int fd)
{
	return fd >= 0 && fd < MAX_FDS && atomic_load(&watched[fd]);
}

static int note_open(int fd, const char *path)
{
	if (fd >= 0 && fd < MAX_FDS)
		atomic_store(&watched[fd], path_counts(path));
	return fd;
}

/* ---- names ---- */

static enum calls calls_of(int flags)
{
	return flags & (O_CREAT | O_TRUNC) ? CHANGE : READ;
}

/* A full disk does not keep a file from being opened that is there. */
static bool open_fails(const char *path, int flags)
{
	struct stat st;

	return path_counts(path) && fails(calls_of(flags)) &&
	       (errno != ENOSPC || lstat(path, &st) == -1);
}

#define OPEN(name)                                               \
	int name(const char *path, int flags, ...)               \
	{                                                        \
		mode_t mode = 0;                                 \
		va_list ap;                                      \
		REAL(name);                                      \
                                                                 \
		if (flags & O_CREAT) {                           \
			va_start(ap, flags);                     \
			mode = va_arg(ap, mode_t);               \
			va_end(ap);                              \
		}                                                \
		if (open_fails(path, flags)) \
			return -1;                               \
		return note_open(real(path, flags, mode), path); \
	}

OPEN(open)
OPEN(open64)

int rename(const char *from, const char *to)
{
	REAL(rename);
	return path_counts(from) && fails(CHANGE) ? -1 : real(from, to);
}

int unlink(const char *path)
{
	REAL(unlink);
	return path_counts(path) && fails(CHANGE) ? -1 : real(path);
}

int access(const char *path, int mode)
{
	REAL(access);
	return path_counts(path) && fails(READ) ? -1 : real(path, mode);
}

/* ---- descriptors ---- */

static bool torn_turn(void)
{
	return fault.torn && is_turn(CHANGE);
}

ssize_t write(int fd, const void *bytes, size_t count)
{
	REAL(write);

	if (!fd_counts(fd))
		return real(fd, bytes, count);
	if (torn_turn()) {
		real(fd, bytes, count / 2);
		die();
	}
	return !fault.torn && fails(CHANGE) ? -1 : real(fd, bytes, count);
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t at)
{
	REAL(pwrite64);

	if (!fd_counts(fd))
		return real(fd, bytes, count, at);
	if (torn_turn()) {
		real(fd, bytes, count / 2, at);
		die();
	}
	return !fault.torn && fails(CHANGE) ? -1 : real(fd, bytes, count, at);
}

int ftruncate64(int fd, off64_t length)
{
	REAL(ftruncate64);
	return fd_counts(fd) && fails(CHANGE) ? -1 : real(fd, length);
}

int fchmod(int fd, mode_t mode)
{
	REAL(fchmod);
	return fd_counts(fd) && fails(CHANGE) ? -1 : real(fd, mode);
}

int fsync(int fd)
{
	return fd_counts(fd) && fails(CHANGE) ? -1 : 0;
}

int fdatasync(int fd)
{
	return fd_counts(fd) && fails(CHANGE) ? -1 : 0;
}

ssize_t read(int fd, void *bytes, size_t count)
{
	REAL(read);
	return fd_counts(fd) && fails(READ) ? -1 : real(fd, bytes, count);
}

ssize_t pread64(int fd, void *bytes, size_t count, off64_t at)
{
	REAL(pread64);
	return fd_counts(fd) && fails(READ) ? -1 : real(fd, bytes, count, at);
}

void *mmap64(void *start, size_t length, int protection, int flags, int fd, off64_t at)
{
	REAL(mmap64);
	if (fd_counts(fd) && fails(READ))
		return MAP_FAILED;
	return real(start, length, protection, flags, fd, at);
}

int fcntl64(int fd, int command, ...)
{
	va_list ap;
	void *argument;
	REAL(fcntl64);

	va_start(ap, command);
	argument = va_arg(ap, void *);
	va_end(ap);
	/* Locks of a local file do not fail. */
	if (fd_counts(fd) && fault.kill)
		fails(READ);
	return real(fd, command, argument);
}

int close(int fd)
{
	REAL(close);

	if (fd >= 0 && fd < MAX_FDS)
		atomic_store(&watched[fd], false);
	return real(fd);
}
