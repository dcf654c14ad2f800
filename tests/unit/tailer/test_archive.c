#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "common/strbuf.h"
#include "tailer/archive.h"

#define WINDOW_BYTES (64 * 1024)
#define PLENTY_BYTES (UINT64_MAX / 2)

static const enum archive_kind kinds[] = {ARCHIVE_GZIP, ARCHIVE_ZSTD};
static struct strbuf file = STRBUF_INIT, text = STRBUF_INIT;
static unsigned long long seed = 1;

static void teardown(void)
{
	strbuf_finish(&file);
	strbuf_finish(&text);
}

TestSuite(archive, .fini = teardown, .timeout = 120);

static unsigned any(unsigned below)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(seed >> 33) % below;
}

/* Appends to `text` what is like a log; what does not compress now and then. */
static void write_log(size_t bytes)
{
	size_t end = text.len + bytes;

	while (text.len < end) {
		strbuf_addf(&text, "2026-11-24 12:%02u:%02u INFO participant=p%03u ",
			    any(60), any(60), any(1000));
		for (unsigned n = any(8) == 0 ? any(400) : 0; n > 0; n--)
			strbuf_putc(&text, (char)any(256));
		strbuf_putc(&text, '\n');
	}
	text.len = end;
}

static void add_gzip(const char *bytes, size_t len)
{
	z_stream z = {0};

	cr_assert_eq(deflateInit2(&z, 6, Z_DEFLATED, MAX_WBITS + 16, 8, 0), Z_OK);
	z.next_in = (Bytef *)bytes;
	z.avail_in = (uInt)len;
	z.avail_out = (uInt)deflateBound(&z, len);
	z.next_out = (Bytef *)strbuf_room(&file, z.avail_out);
	cr_assert_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
	file.len += z.total_out;
	deflateEnd(&z);
}

static void add_zstd(const char *bytes, size_t len)
{
	ZSTD_CCtx *ctx = ZSTD_createCCtx();
	size_t room = ZSTD_compressBound(len), n;

	ZSTD_CCtx_setParameter(ctx, ZSTD_c_checksumFlag, 1);
	n = ZSTD_compress2(ctx, strbuf_room(&file, room), room, bytes, len);
	cr_assert_not(ZSTD_isError(n));
	file.len += n;
	ZSTD_freeCCtx(ctx);
}

/* Appends a member or frame to `file`. */
static void add(enum archive_kind kind, const char *bytes, size_t len)
{
	if (kind == ARCHIVE_GZIP)
		add_gzip(bytes, len);
	else
		add_zstd(bytes, len);
}

static void add_skippable(const char *bytes, unsigned len)
{
	strbuf_add(&file, "\x5f\x2a\x4d\x18", 4);
	for (int shift = 0; shift < 32; shift += 8)
		strbuf_putc(&file, (char)(len >> shift));
	strbuf_add(&file, bytes, len);
}

/* A file of the first `len` bytes of `file`. */
static int file_of(size_t len)
{
	int fd = memfd_create("archive", MFD_CLOEXEC);

	cr_assert_neq(fd, -1);
	cr_assert_eq(pwrite(fd, file.ptr, len, 0), (ssize_t)len);
	return fd;
}

/* As archive_read_at(), as often as it takes. */
static ssize_t read_at(struct archive *archive, void *buf, size_t count, uint64_t at)
{
	ssize_t n;

	do
		n = archive_read_at(archive, buf, count, at);
	while (n == -1 && errno == EAGAIN);
	return n;
}

/*
 * Reads on to the end in pieces, and sees that each is what `text` has there.
 * Returns how much there was; errno is 0 at the end, else why it ended.
 */
static size_t expect_text_from(struct archive *archive, size_t at, size_t piece)
{
	char *buf = malloc(piece);
	ssize_t n;

	while ((n = read_at(archive, buf, piece, at)) > 0) {
		cr_assert_leq(at + (size_t)n, text.len, "more than there is");
		cr_assert_eq(memcmp(buf, text.ptr + at, (size_t)n), 0, "at %zu", at);
		at += (size_t)n;
		if ((size_t)n < piece)
			cr_assert_leq(read_at(archive, buf, piece, at), 0,
				      "short before the end");
	}
	errno = n == -1 ? errno : 0;
	free(buf);
	return at;
}

static void expect_whole(enum archive_kind kind, size_t piece)
{
	int fd = file_of(file.len);
	struct archive *archive = archive_open(fd, kind, WINDOW_BYTES);
	size_t n;

	cr_expect_eq(archive_kind_of(fd), kind);
	n = expect_text_from(archive, 0, piece);
	cr_expect_eq(errno, 0);
	cr_expect_eq(n, text.len);
	cr_expect(archive_is_complete(archive));
	cr_expect_not(archive_is_truncated(archive));
	cr_expect_eq(archive_position_bytes(archive), text.len);
	cr_expect_eq(archive_file_position_bytes(archive), file.len);
	archive_destroy(archive);
	close(fd);
}

Test(archive, content_is_what_was_compressed)
{
	write_log(700000);
	for (size_t k = 0; k < 2; k++) {
		strbuf_clear(&file);
		add(kinds[k], text.ptr, text.len);
		expect_whole(kinds[k], 1000);
		expect_whole(kinds[k], WINDOW_BYTES);
	}
}

Test(archive, content_may_be_empty)
{
	for (size_t k = 0; k < 2; k++) {
		strbuf_clear(&file);
		add(kinds[k], "", 0);
		expect_whole(kinds[k], 10);
	}
}

Test(archive, members_and_frames_follow_each_other)
{
	for (size_t k = 0; k < 2; k++) {
		strbuf_clear(&file);
		strbuf_clear(&text);
		for (size_t i = 0; i < 300; i++) {
			size_t start = text.len;

			write_log(any(5) == 0 ? any(20000) : any(50));
			add(kinds[k], text.ptr + start, text.len - start);
		}
		expect_whole(kinds[k], 1);
		expect_whole(kinds[k], 4096);
	}
}

Test(archive, zeros_may_follow_gzip)
{
	char zeros[1000] = {0};

	write_log(100);
	add_gzip(text.ptr, text.len);
	strbuf_add(&file, zeros, sizeof(zeros));
	expect_whole(ARCHIVE_GZIP, 64);
}

Test(archive, skippable_frames_are_passed_over)
{
	char comment[100000];

	memset(comment, 'x', sizeof(comment));
	write_log(300);
	add_skippable("", 0);
	add_zstd(text.ptr, 100);
	add_skippable(comment, sizeof(comment));
	add_zstd(text.ptr + 100, 200);
	add_skippable("y", 1);
	expect_whole(ARCHIVE_ZSTD, 64);
}

Test(archive, what_follows_and_is_no_archive_is_corrupt)
{
	write_log(1000);
	for (size_t k = 0; k < 2; k++) {
		int fd;
		struct archive *archive;

		strbuf_clear(&file);
		add(kinds[k], text.ptr, text.len);
		strbuf_puts(&file, "plain text");
		fd = file_of(file.len);
		archive = archive_open(fd, kinds[k], 100);
		cr_expect_eq(expect_text_from(archive, 0, 100), text.len);
		cr_expect_eq(errno, EBADMSG);
		cr_expect_not(archive_is_complete(archive));
		cr_expect_not(archive_is_truncated(archive));
		archive_destroy(archive);
		close(fd);
	}
}

Test(archive, kinds_are_known_by_the_first_bytes)
{
	static const struct {
		const char *bytes;
		size_t len;
		enum archive_kind kind;
	} rows[] = {
		{"", 0, ARCHIVE_PLAIN},
		{"\x1f\x8b\x08", 3, ARCHIVE_PLAIN},
		{"\x1f\x8b\x08\x00", 4, ARCHIVE_GZIP},
		{"\x1f\x8b\x08\xff", 4, ARCHIVE_GZIP},
		{"\x1f\x8b\x07\x00", 4, ARCHIVE_PLAIN},
		{"\x28\xb5\x2f\xfd", 4, ARCHIVE_ZSTD},
		{"\x28\xb5\x2f", 3, ARCHIVE_PLAIN},
		{"\x50\x2a\x4d\x18", 4, ARCHIVE_ZSTD},
		{"\x5f\x2a\x4d\x18", 4, ARCHIVE_ZSTD},
		{"\x60\x2a\x4d\x18", 4, ARCHIVE_PLAIN},
		{"2026-11-24", 10, ARCHIVE_PLAIN},
		{"\xfd\x37zXZ\0", 6, ARCHIVE_PLAIN},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		int fd;

		strbuf_clear(&file);
		strbuf_add(&file, rows[i].bytes, rows[i].len);
		fd = file_of(file.len);
		cr_expect_eq(archive_kind_of(fd), rows[i].kind, "row %zu", i);
		close(fd);
	}
	cr_expect_eq(archive_kind_of(-1), ARCHIVE_PLAIN);
}

Test(archive, reads_anywhere_give_what_is_there)
{
	write_log(300000);
	for (size_t k = 0; k < 2; k++) {
		static const size_t windows[] = {1, 7, 1000, 65536, 400000};

		strbuf_clear(&file);
		add(kinds[k], text.ptr, 100000);
		add(kinds[k], text.ptr + 100000, 200000);
		for (size_t w = 0; w < 5; w++) {
			size_t most = windows[w];
			int fd = file_of(file.len);
			struct archive *archive = archive_open(fd, kinds[k], most);
			char *buf = malloc(most);

			for (int i = 0; i < 200; i++) {
				size_t at = any(310000);
				size_t count = any((unsigned)most + 1);
				size_t left = at < text.len ? text.len - at : 0;
				ssize_t n = read_at(archive, buf, count, at);

				cr_assert_eq(n, (ssize_t)(left < count ? left : count));
				cr_assert_eq(memcmp(buf, text.ptr + (left ? at : 0),
						    (size_t)n),
					     0);
			}
			free(buf);
			archive_destroy(archive);
			close(fd);
		}
	}
}

Test(archive, what_the_window_keeps_is_read_without_starting_over)
{
	char buf[1000];

	write_log(50000);
	for (size_t k = 0; k < 2; k++) {
		int fd;
		struct archive *archive;

		strbuf_clear(&file);
		add(kinds[k], text.ptr, text.len);
		fd = file_of(file.len);
		archive = archive_open(fd, kinds[k], sizeof(buf));
		cr_assert_eq(archive_skip(archive, 40000, PLENTY_BYTES), ARCHIVE_DONE);
		cr_expect_eq(archive_position_bytes(archive), 40000);
		cr_expect_eq(read_at(archive, buf, sizeof(buf), 39000), 1000);
		cr_expect_eq(archive_position_bytes(archive), 40000, "as it was");
		cr_expect_eq(memcmp(buf, text.ptr + 39000, 1000), 0);
		cr_expect_eq(read_at(archive, buf, 10, 38999), 10);
		cr_expect_eq(archive_position_bytes(archive), 39009, "started over");
		cr_expect_eq(memcmp(buf, text.ptr + 38999, 10), 0);
		archive_destroy(archive);
		close(fd);
	}
}

Test(archive, skipping_does_no_more_than_its_budget)
{
	write_log(400000);
	for (size_t k = 0; k < 2; k++) {
		uint64_t was = 0, now;
		int fd;
		struct archive *archive;

		strbuf_clear(&file);
		add(kinds[k], text.ptr, text.len);
		fd = file_of(file.len);
		archive = archive_open(fd, kinds[k], 100);
		while (archive_skip(archive, 300000, 1000) == ARCHIVE_MORE) {
			now = archive_position_bytes(archive);
			cr_assert_leq(now - was, 1000);
			was = now;
		}
		cr_expect_eq(archive_position_bytes(archive), 300000);
		cr_expect_eq(archive_skip(archive, 1000000, PLENTY_BYTES),
			     ARCHIVE_DONE);
		cr_expect_eq(archive_position_bytes(archive), text.len);
		cr_expect(archive_is_complete(archive));
		archive_destroy(archive);
		close(fd);
	}
}

Test(archive, a_skip_of_one_byte_at_a_time_arrives)
{
	write_log(2000);
	for (size_t k = 0; k < 2; k++) {
		int fd;
		struct archive *archive;

		strbuf_clear(&file);
		add(kinds[k], text.ptr, 1000);
		add(kinds[k], text.ptr + 1000, 1000);
		fd = file_of(file.len);
		archive = archive_open(fd, kinds[k], 3);
		while (archive_skip(archive, 1500, 1) == ARCHIVE_MORE)
			;
		cr_expect_eq(archive_position_bytes(archive), 1500);
		expect_text_from(archive, 1500, 3);
		cr_expect_eq(errno, 0);
		archive_destroy(archive);
		close(fd);
	}
}

static void add_nothings(enum archive_kind kind, size_t bytes)
{
	size_t end = file.len + bytes;

	while (file.len < end)
		if (kind == ARCHIVE_GZIP)
			add_gzip("", 0);
		else
			add_skippable("", 0);
}

Test(archive, a_flood_of_nothing_is_bounded_and_got_through)
{
	for (size_t k = 0; k < 2; k++) {
		int fd, calls = 1;
		struct archive *archive;
		uint64_t was = 0;
		char c = 0;

		strbuf_clear(&file);
		add_nothings(kinds[k], 3 * ARCHIVE_READ_BUDGET_BYTES);
		add(kinds[k], "x", 1);
		fd = file_of(file.len);
		archive = archive_open(fd, kinds[k], 1);
		while (archive_read_at(archive, &c, 1, 0) != 1) {
			uint64_t now = archive_file_position_bytes(archive);

			cr_assert_eq(errno, EAGAIN);
			cr_assert_leq(now - was, ARCHIVE_READ_BUDGET_BYTES + 1);
			was = now;
			calls++;
		}
		cr_expect_eq(c, 'x');
		cr_expect_geq(calls, 3);
		archive_destroy(archive);
		close(fd);
	}
}

Test(archive, a_bomb_is_read_in_small_pieces)
{
	size_t size = 64 * 1024 * 1024;
	char *zeros = calloc(1, size);

	for (size_t k = 0; k < 2; k++) {
		char buf[1000];
		int fd;
		struct archive *archive;

		strbuf_clear(&file);
		add(kinds[k], zeros, size);
		cr_expect_lt(file.len, size / 500);
		fd = file_of(file.len);
		archive = archive_open(fd, kinds[k], sizeof(buf));
		cr_expect_eq(archive_read_at(archive, buf, 1000, 0), 1000);
		cr_expect_eq(archive_position_bytes(archive), 1000);
		cr_expect_eq(archive_read_at(archive, buf, 1000, size - 1000), -1);
		cr_expect_eq(errno, EAGAIN);
		cr_expect_eq(read_at(archive, buf, 1000, size - 1000), 1000);
		archive_destroy(archive);
		close(fd);
	}
	free(zeros);
}

Test(archive, cut_anywhere_it_gives_what_came_before)
{
	write_log(3000);
	for (size_t k = 0; k < 2; k++) {
		size_t half;

		strbuf_clear(&file);
		add(kinds[k], text.ptr, 1500);
		half = file.len;
		add(kinds[k], text.ptr + 1500, 1500);
		for (size_t len = 0; len < file.len; len++) {
			int fd = file_of(len);
			struct archive *archive = archive_open(fd, kinds[k], 64);
			size_t n = expect_text_from(archive, 0, 64);

			cr_expect_eq(archive_is_complete(archive), len == half);
			cr_expect_eq(archive_is_truncated(archive), len != half);
			cr_expect(len < half ? n <= 1500 : n >= 1500);
			archive_destroy(archive);
			archive = archive_open(fd, kinds[k], 1);
			cr_expect_eq(expect_text_from(archive, 0, 1), n);
			cr_expect_eq(errno, len == half ? 0 : EBADMSG, "%zu", len);
			archive_destroy(archive);
			close(fd);
		}
	}
}

Test(archive, one_that_is_still_written_is_read_on)
{
	write_log(60000);
	for (size_t k = 0; k < 2; k++) {
		size_t at = 0, written = 0;
		int fd = file_of(0);
		struct archive *archive = archive_open(fd, kinds[k], 1000);

		strbuf_clear(&file);
		for (size_t i = 0; i < 6; i++)
			add(kinds[k], text.ptr + i * 10000, 10000);
		while (written < file.len) {
			size_t n = any(300) + 1;

			n = n < file.len - written ? n : file.len - written;
			cr_assert_eq(pwrite(fd, file.ptr + written, n, (off_t)written),
				     (ssize_t)n);
			written += n;
			at = expect_text_from(archive, at, 1000);
			cr_expect(archive_is_truncated(archive) ||
				  archive_is_complete(archive));
		}
		cr_expect_eq(at, text.len);
		cr_expect(archive_is_complete(archive));
		archive_destroy(archive);
		close(fd);
	}
}

/* Reads all that it gives; what comes out may be wrong, but is bounded. */
static size_t read_all(struct archive *archive)
{
	char buf[64];
	size_t at = 0;
	ssize_t n;

	while ((n = read_at(archive, buf, sizeof(buf), at)) > 0)
		at += (size_t)n;
	errno = n == -1 ? errno : 0;
	return at;
}

Test(archive, corrupt_anywhere_it_ends_with_an_error)
{
	write_log(2000);
	for (size_t k = 0; k < 2; k++) {
		size_t silent = 0;

		strbuf_clear(&file);
		add(kinds[k], text.ptr, text.len);
		for (size_t i = 0; i < file.len * 8; i++) {
			int fd;
			struct archive *archive;

			file.ptr[i / 8] ^= (char)(1 << i % 8);
			fd = file_of(file.len);
			archive = archive_open(fd, kinds[k], 64);
			read_all(archive);
			if (errno == 0)
				silent++;
			else
				cr_expect(errno == EBADMSG || errno == EOPNOTSUPP);
			archive_destroy(archive);
			close(fd);
			file.ptr[i / 8] ^= (char)(1 << i % 8);
		}
		/* Only in what the header says beside: name, time, system. */
		cr_expect_leq(silent, 8 * 10, "%zu", silent);
	}
}

/* One frame, in blocks; notes where in the file and in the text each begins. */
static void add_blocks(size_t count, size_t *file_at, size_t *text_at)
{
	ZSTD_CCtx *ctx = ZSTD_createCCtx();
	size_t start = 0;

	for (size_t i = 0; i < count; i++) {
		bool last = i == count - 1;
		size_t end = last ? text.len : start + any(4999) + 1;
		ZSTD_inBuffer in = {text.ptr, end, start};
		size_t room = ZSTD_compressBound(end - start) + 64;
		ZSTD_outBuffer out = {strbuf_room(&file, room), room, 0};

		cr_assert_eq(ZSTD_compressStream2(ctx, &out, &in,
						  last ? ZSTD_e_end : ZSTD_e_flush),
			     0);
		file_at[i] = file.len;
		text_at[i] = start;
		file.len += out.pos;
		start = end;
	}
	ZSTD_freeCCtx(ctx);
}

Test(archive, blocks_before_the_damage_are_delivered)
{
	size_t file_at[100], text_at[100];

	write_log(500000);
	add_blocks(100, file_at, text_at);
	for (size_t i = 1; i < 100; i++) {
		static const size_t pieces[] = {1, 100, 65536};
		char was = file.ptr[file_at[i]], c = 0;

		file.ptr[file_at[i]] |= 6; /* a type of block that is not defined */
		for (size_t k = 0; k < 3; k++) {
			int fd = file_of(file.len);
			struct archive *archive =
				archive_open(fd, ARCHIVE_ZSTD, pieces[k]);

			cr_expect_eq(archive_skip(archive, UINT64_MAX, PLENTY_BYTES),
				     ARCHIVE_FAILED);
			cr_expect_eq(errno, EBADMSG);
			cr_expect_eq(archive_position_bytes(archive), text_at[i]);
			cr_expect_eq(read_at(archive, &c, 1, text_at[i]), -1);
			cr_expect_eq(errno, EBADMSG, "it stays so");
			cr_expect_eq(read_at(archive, &c, 1, text_at[i] - 1), 1);
			cr_expect_eq(c, text.ptr[text_at[i] - 1]);
			archive_destroy(archive);
			close(fd);
		}
		file.ptr[file_at[i]] = was;
	}
}

Test(archive, what_can_be_had_does_not_depend_on_the_window)
{
	/* One raw block of five bytes where the header announces nine. */
	static const char frame[] = "\x28\xb5\x2f\xfd\x20\x09\x29\0\0abcde";

	strbuf_add(&file, frame, sizeof(frame) - 1);
	for (size_t window = 1; window < 10; window++) {
		int fd = file_of(file.len);
		struct archive *archive = archive_open(fd, ARCHIVE_ZSTD, window);

		cr_expect_eq(archive_skip(archive, 10, PLENTY_BYTES), ARCHIVE_FAILED);
		cr_expect_eq(archive_position_bytes(archive), 4, "%zu", window);
		archive_destroy(archive);
		close(fd);
	}
}

Test(archive, what_asks_for_too_much_memory_is_not_supported)
{
	ZSTD_CCtx *ctx = ZSTD_createCCtx();
	ZSTD_inBuffer in = {"x", 1, 0};
	ZSTD_outBuffer out = {strbuf_room(&file, 1000), 1000, 0};
	struct archive *archive;
	char c;
	int fd;

	ZSTD_CCtx_setParameter(ctx, ZSTD_c_windowLog, 28);
	ZSTD_compressStream2(ctx, &out, &in, ZSTD_e_flush); /* the size is not known */
	ZSTD_freeCCtx(ctx);
	file.len = out.pos;
	fd = file_of(file.len);
	archive = archive_open(fd, ARCHIVE_ZSTD, 1);
	cr_expect_eq(read_at(archive, &c, 1, 0), -1);
	cr_expect_eq(errno, EOPNOTSUPP);
	cr_expect_not(archive_is_truncated(archive));
	archive_destroy(archive);
	close(fd);
}

Test(archive, a_file_that_cannot_be_read_now_is_read_on_later)
{
	char buf[200000];

	write_log(sizeof(buf));
	for (size_t k = 0; k < 2; k++) {
		int fd, saved;
		struct archive *archive;

		strbuf_clear(&file);
		for (size_t i = 0; i < 20; i++) /* more than is read at once */
			add(kinds[k], text.ptr + i * 10000, 10000);
		fd = file_of(file.len);
		saved = dup(fd);
		archive = archive_open(fd, kinds[k], sizeof(buf));
		cr_expect_eq(read_at(archive, buf, 100, 0), 100);
		close(fd);
		cr_expect_eq(read_at(archive, buf, sizeof(buf), 0), -1);
		cr_expect_eq(errno, EBADF);
		cr_expect_eq(read_at(archive, buf, 100, 0), 100, "what is kept");
		cr_assert_eq(dup2(saved, fd), fd);
		cr_expect_eq(read_at(archive, buf, sizeof(buf), 0), sizeof(buf));
		cr_expect_eq(memcmp(buf, text.ptr, sizeof(buf)), 0);
		archive_destroy(archive);
		close(saved);
		close(fd);
	}
}

Test(archive, positions_may_be_as_far_as_they_like)
{
	char buf[10];

	add_gzip("text", 4);
	for (size_t i = 0; i < 3; i++) {
		static const uint64_t ats[] = {4, UINT64_MAX - 3, UINT64_MAX};
		int fd = file_of(file.len);
		struct archive *archive = archive_open(fd, ARCHIVE_GZIP, 10);

		cr_expect_eq(read_at(archive, buf, 10, ats[i]), 0);
		cr_expect_eq(read_at(archive, buf, 0, 2), 0);
		cr_expect_eq(read_at(archive, buf, 10, 1), 3);
		archive_destroy(archive);
		close(fd);
	}
}

Test(archive, the_size_is_what_the_archive_says)
{
	uint64_t bytes = 1;
	int fd;

	write_log(70000);
	for (size_t k = 0; k < 2; k++) {
		strbuf_clear(&file);
		add(kinds[k], text.ptr, text.len);
		fd = file_of(file.len);
		cr_expect(archive_size_hint(fd, kinds[k], &bytes));
		cr_expect_eq(bytes, text.len);
		cr_expect_not(archive_size_hint(fd, ARCHIVE_PLAIN, &bytes));
		close(fd);
		fd = file_of(3);
		cr_expect_not(archive_size_hint(fd, kinds[k], &bytes));
		close(fd);
	}
	strbuf_clear(&file);
	add_blocks(2, (size_t[2]){0}, (size_t[2]){0});
	fd = file_of(file.len);
	cr_expect_not(archive_size_hint(fd, ARCHIVE_ZSTD, &bytes), "not known");
	close(fd);
	strbuf_clear(&file);
	add_skippable("", 0);
	add_zstd(text.ptr, text.len);
	fd = file_of(file.len);
	cr_expect_not(archive_size_hint(fd, ARCHIVE_ZSTD, &bytes), "not zero");
	close(fd);
}
