/*
 * content.h - the bytes of a file: as they are, or those that an archive holds.
 *
 * Whether it is an archive shows from its first bytes.  Knows nothing of
 * lines.
 */
#ifndef TAILER_CONTENT_H
#define TAILER_CONTENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct archive;

enum content_kind { CONTENT_UNKNOWN, CONTENT_PLAIN, CONTENT_ARCHIVE };

/* Part of what reads; initialize with CONTENT_INIT. */
struct content {
	int fd; /* -1: closed */
	enum content_kind kind;
	struct archive *archive; /* while one is unpacked */
};

#define CONTENT_INIT     \
	(struct content) \
	{                \
		.fd = -1 \
	}

/* It owns `fd` from now on. */
void content_open(struct content *content, int fd);
void content_close(struct content *content); /* closed is accepted */
/* The descriptor, which is the caller's from now on. */
int content_take_fd(struct content *content);

bool content_is_archive(struct content *content);

/* As pread(2), and retried after signals.  EBADMSG: a damaged archive. */
ssize_t content_read_at(struct content *content, void *to, size_t count_bytes,
			uint64_t at_bytes);

enum content_reach {
	CONTENT_THERE, /* at_bytes can be read at once */
	CONTENT_LATER, /* an archive was unpacked a little further */
	CONTENT_FAILED /* errno says why */
};
/* `window_bytes`: how far back an archive is read later. */
enum content_reach content_reach(struct content *content, uint64_t at_bytes,
				 size_t window_bytes);

/* How far an archive has been unpacked. */
uint64_t content_unpacked_bytes(const struct content *content);

/* Where there is data, from `at_bytes` on: a hole in a file is skipped. */
uint64_t content_skip_hole(const struct content *content, uint64_t at_bytes);

/*
 * What an archive says about its size is `bytes`: it does not always say so, and
 * then of few bits.  A plain file has exactly so many.
 */
bool content_size_is(struct content *content, uint64_t bytes);

#endif
