#include "daemon/key_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "parsers/pseudonym.h"

#define MOST_BYTES 4096

/* A pipe would wait, and has nothing to say at the next reload. */
static bool check_file(int fd, const char *path, enum key_file_access *access,
		       struct error *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return error_errno(err, "%s", path);
	if (!S_ISREG(st.st_mode))
		return error_set(err, "%s is not a regular file", path);
	if (st.st_mode & (S_IWGRP | S_IWOTH))
		return error_set(err,
				 "%s may be written by others than its owner: chmod "
				 "600 it, and make a new key",
				 path);
	*access =
		st.st_mode & (S_IRGRP | S_IROTH) ? KEY_FILE_READABLE : KEY_FILE_PRIVATE;
	return true;
}

static bool read_bytes(int fd, const char *path, char *bytes, size_t *len,
		       struct error *err)
{
	*len = 0;
	while (*len <= MOST_BYTES) {
		ssize_t n = read(fd, bytes + *len, MOST_BYTES + 1 - *len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_errno(err, "%s", path);
		if (n == 0)
			break;
		*len += (size_t)n;
	}
	return true;
}

static bool check_length(const char *path, size_t len, struct error *err)
{
	if (len > MOST_BYTES)
		return error_set(err, "%s has more than %d bytes", path, MOST_BYTES);
	if (len < PSEUDONYM_KEY_LEAST_BYTES)
		return error_set(err,
				 "%s has %zu bytes, a key needs %d: openssl rand -hex "
				 "32 > FILE makes one",
				 path, len, PSEUDONYM_KEY_LEAST_BYTES);
	return true;
}

bool key_file_read(const char *path, struct arena *arena, struct slice *key,
		   enum key_file_access *access, struct error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char *bytes = arena_alloc(arena, MOST_BYTES + 1);
	size_t len;
	bool ok;

	if (fd < 0)
		return error_errno(err, "%s", path);
	ok = check_file(fd, path, access, err) &&
	     read_bytes(fd, path, bytes, &len, err);
	close(fd);
	if (!ok)
		return false;
	if (len <= MOST_BYTES && len > 0 && bytes[len - 1] == '\n')
		len -= len > 1 && bytes[len - 2] == '\r' ? 2 : 1;
	if (!check_length(path, len, err)) {
		explicit_bzero(bytes, MOST_BYTES + 1);
		return false;
	}
	*key = (struct slice){bytes, len};
	return true;
}
