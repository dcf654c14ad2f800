/*
 * archive.h - the content of a .gz or .zst file, read as if it were the file.
 *
 * For a reader that asks at positions that ascend, now and then a little back:
 * the last bytes of the content are kept.  Further back it starts over.  Knows
 * nothing of names and lines, and never changes the file.
 *
 * gzip (RFC 1952): any number of members, zeros behind them.  Zstandard (RFC
 * 8878): any number of frames, skippable ones too, no dictionaries.  What is
 * behind the last of them and none itself is corrupt.
 *
 * No call's work is unbounded, whatever the file holds: its own content, and
 * the bytes of the file that give no content, are counted against a budget.
 *
 * Memory: the window, 64 KiB for the file's bytes, and what the decoder keeps:
 * 40 KiB for gzip; for Zstandard 96 KiB and what the frame asks for, 2 MiB as
 * zstd writes it, 8 MiB with -19, 128 MiB with --long, and never more.  All is
 * taken when the archive is opened or a frame begins, nothing for a read.
 */
#ifndef TAILER_ARCHIVE_H
#define TAILER_ARCHIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum archive_kind {
	ARCHIVE_PLAIN, /* none */
	ARCHIVE_GZIP,
	ARCHIVE_ZSTD,
};

/*
 * By the first bytes of the file.  One that is shorter than four bytes, or
 * cannot be read, is plain as yet.
 */
enum archive_kind archive_kind_of(int fd);

/*
 * How much content there is, without decompressing it: what the archive says
 * of itself.  False if it does not.  For progress, never for decisions: of
 * gzip it is the size of the last member, less a multiple of 4 GiB, and
 * anything at all while the file is being written; of Zstandard the size of
 * the first frame, and not there if its writer did not know it or began with
 * a frame to skip.
 */
bool archive_size_hint(int fd, enum archive_kind kind, uint64_t *bytes);

struct archive;

/*
 * Not of a plain file.  Borrows `fd` until the archive is destroyed; it may
 * move the descriptor's own position as it likes.  The last `window_bytes` of
 * the content are kept; it is the most, too, that one read may ask for.
 */
struct archive *archive_open(int fd, enum archive_kind kind, size_t window_bytes);
void archive_destroy(struct archive *archive); /* NULL is accepted */

enum archive_result {
	ARCHIVE_DONE,   /* the position is reached, or the end before it */
	ARCHIVE_MORE,   /* the budget was used up on the way: call again */
	ARCHIVE_FAILED, /* errno says why, as of archive_read_at() */
};

/*
 * Decompresses up to a position of the content: at most `budget_bytes` (at
 * least 1) of content, and of the file.  To a position that is not kept any
 * more it starts over.
 */
enum archive_result archive_skip(struct archive *archive, uint64_t to_bytes,
				 uint64_t budget_bytes);

/*
 * Work that a read does at most to get to its position, and on what gives no
 * content: a few milliseconds, 20 on files made to be slow.
 */
#define ARCHIVE_READ_BUDGET_BYTES (1024u * 1024)

/*
 * As pread(2), on the content; `count_bytes` are at most the window.  Fewer
 * bytes only where the content ends, or is damaged; behind that 0, or -1.
 * errno is then
 *
 *     EAGAIN      the budget was used up on the way: call again, as often as
 *                 it takes; only far ahead, further back than the window, or
 *                 in a file that swells with nothing
 *     EBADMSG     the archive is corrupt, or ends in the middle (see
 *                 archive_is_truncated()); all that can be decompressed came
 *                 before
 *     EOPNOTSUPP  it needs more than 128 MiB, or a dictionary
 *     ENOMEM      there is not so much memory
 *
 * or what reading the file gave; nothing is lost then, a later read goes on.
 */
ssize_t archive_read_at(struct archive *archive, void *buf, size_t count_bytes,
			uint64_t at_bytes);

/* How far the content was decompressed; the next to be so is cheap to read. */
uint64_t archive_position_bytes(const struct archive *archive);

/* How much of the file that took: for progress. */
uint64_t archive_file_position_bytes(const struct archive *archive);

/*
 * The end was reached, and the archive was complete there: the position is its
 * size.  Known once a read gave fewer bytes than it asked for.  If members are
 * appended later, reading goes on with them.
 */
bool archive_is_complete(const struct archive *archive);

/*
 * The end of the file was reached in the middle of the archive: it was cut, or
 * is being written still.  A read once the file has grown goes on.
 */
bool archive_is_truncated(const struct archive *archive);

#endif
