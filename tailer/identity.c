#include "tailer/identity.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <xxhash.h>

#ifndef AT_HANDLE_FID
#define AT_HANDLE_FID 0x200 /* Linux 6.5: a handle that only identifies */
#endif

/* Everything is zeroed first: the whole struct is digested. */
struct evidence {
	uint64_t fsid;
	uint64_t device; /* only where the file system has no id */
	uint64_t inode;  /* this and the next: only where there is no handle */
	int64_t born_ns;
	uint32_t handle_type;
	uint32_t handle_bytes;
	unsigned char handle[MAX_HANDLE_SZ];
};

/* A file named by an open descriptor (path "") or by a path. */
struct subject {
	int fd;
	const char *path;
};

static bool add_file_system(const struct subject *subject, struct evidence *evidence)
{
	struct statfs fs;

	if ((*subject->path ? statfs(subject->path, &fs) : fstatfs(subject->fd, &fs)) ==
	    -1)
		return false;
	memcpy(&evidence->fsid, &fs.f_fsid, sizeof(evidence->fsid));
	return true;
}

static bool add_stat(const struct subject *subject, struct evidence *evidence,
		     bool has_handle)
{
	struct statx st;

	if (statx(subject->fd, subject->path, *subject->path ? 0 : AT_EMPTY_PATH,
		  STATX_INO | STATX_BTIME, &st) == -1)
		return false;
	if (evidence->fsid == 0)
		evidence->device = (uint64_t)st.stx_dev_major << 32 | st.stx_dev_minor;
	if (has_handle)
		return true;
	evidence->inode = st.stx_ino;
	if (st.stx_mask & STATX_BTIME)
		evidence->born_ns =
			st.stx_btime.tv_sec * 1000000000 + st.stx_btime.tv_nsec;
	return true;
}

static bool take_handle(const struct subject *subject, int flags,
			struct evidence *evidence)
{
	union {
		struct file_handle head;
		char room[sizeof(struct file_handle) + MAX_HANDLE_SZ];
	} handle = {.head = {.handle_bytes = MAX_HANDLE_SZ}};
	int mount_id;

	flags |= *subject->path ? AT_SYMLINK_FOLLOW : AT_EMPTY_PATH;
	if (name_to_handle_at(subject->fd, subject->path, &handle.head, &mount_id,
			      flags) == -1)
		return false;
	evidence->handle_type = (uint32_t)handle.head.handle_type;
	evidence->handle_bytes = handle.head.handle_bytes;
	memcpy(evidence->handle, handle.room + sizeof(struct file_handle),
	       handle.head.handle_bytes);
	return true;
}

/* Else the file could not be asked now, and what it is must not be guessed. */
static bool means_no_handles(int error)
{
	return error == EOPNOTSUPP || error == EINVAL || error == EOVERFLOW ||
	       error == ENOSYS || error == EPERM;
}

enum handle { HANDLE_TAKEN, HANDLE_NONE, HANDLE_FAILED };

/* File systems that cannot export files may still have handles that identify. */
static enum handle add_handle(const struct subject *subject, struct evidence *evidence)
{
	if (take_handle(subject, 0, evidence) ||
	    (errno == EOPNOTSUPP && take_handle(subject, AT_HANDLE_FID, evidence)))
		return HANDLE_TAKEN;
	return means_no_handles(errno) ? HANDLE_NONE : HANDLE_FAILED;
}

static bool identify(const struct subject *subject, struct identity *identity)
{
	struct evidence evidence;
	XXH128_canonical_t digest;
	enum handle handle;

	memset(&evidence, 0, sizeof(evidence));
	if (!add_file_system(subject, &evidence))
		return false;
	handle = add_handle(subject, &evidence);
	if (handle == HANDLE_FAILED)
		return false;
	if ((handle == HANDLE_NONE || evidence.fsid == 0) &&
	    !add_stat(subject, &evidence, handle == HANDLE_TAKEN))
		return false;
	XXH128_canonicalFromHash(&digest, XXH3_128bits(&evidence, sizeof(evidence)));
	memcpy(identity->bytes, digest.digest, sizeof(identity->bytes));
	return true;
}

bool identity_of_fd(int fd, struct identity *identity)
{
	return identify(&(struct subject){fd, ""}, identity);
}

bool identity_of_path(const char *path, struct identity *identity)
{
	return identify(&(struct subject){AT_FDCWD, path}, identity);
}
