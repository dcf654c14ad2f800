#include "daemon/key_file.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char path[] = "/tmp/logtally-key-XXXXXX";
static struct arena *arena;
static struct slice key;
static enum key_file_access access_found;
static struct error err;

static bool load(const char *bytes, size_t len, mode_t mode)
{
	int fd = mkstemp(path);
	bool ok;

	cr_assert_eq(write(fd, bytes, len), (ssize_t)len);
	cr_assert_eq(fchmod(fd, mode), 0);
	close(fd);
	arena = arena_create();
	ok = key_file_read(path, arena, &key, &access_found, &err);
	unlink(path);
	return ok;
}

static void finish(void)
{
	arena_destroy(arena);
}

TestSuite(key_file, .fini = finish);

#define KEY "0123456789abcdef"

Test(key_file, one_newline_at_the_end_is_no_part_of_the_key)
{
	cr_assert(load(KEY "\n", 17, 0600), "%s", err.text);
	cr_expect(slice_is(key, KEY));
	cr_expect_eq(access_found, KEY_FILE_PRIVATE);
}

Test(key_file, nor_is_the_one_of_windows)
{
	cr_assert(load(KEY "\r\n", 18, 0400), "%s", err.text);
	cr_expect(slice_is(key, KEY));
}

Test(key_file, all_other_bytes_are)
{
	cr_assert(load("\0\n 3456789abcdef \n", 18, 0600), "%s", err.text);
	cr_expect_eq(key.len, 17);
	cr_expect_eq(memcmp(key.ptr, "\0\n 3456789abcdef ", 17), 0);
}

Test(key_file, a_short_key_is_refused)
{
	cr_expect_not(load("0123456789abcde\n", 16, 0600));
	cr_expect(strstr(err.text, "has 15 bytes, a key needs 16"), "%s", err.text);
}

Test(key_file, an_empty_file_is_refused)
{
	cr_expect_not(load("", 0, 0600));
	cr_expect(strstr(err.text, "has 0 bytes"), "%s", err.text);
}

Test(key_file, a_file_that_is_no_key_is_refused)
{
	char bytes[5000] = {0};

	cr_expect_not(load(bytes, sizeof(bytes), 0600));
	cr_expect(strstr(err.text, "more than 4096 bytes"), "%s", err.text);
}

Test(key_file, a_key_that_others_may_read_is_told)
{
	cr_assert(load(KEY, 16, 0440), "%s", err.text);
	cr_expect_eq(access_found, KEY_FILE_READABLE);
}

Test(key_file, a_key_that_others_may_write_is_refused)
{
	cr_expect_not(load(KEY, 16, 0620));
	cr_expect(strstr(err.text, "may be written by others"), "%s", err.text);
}

Test(key_file, what_is_no_file_is_refused)
{
	arena = arena_create();
	cr_expect_not(key_file_read("/tmp", arena, &key, &access_found, &err));
	cr_expect(strstr(err.text, "/tmp is not a regular file"), "%s", err.text);
	cr_expect_not(key_file_read("/no/such", arena, &key, &access_found, &err));
	cr_expect(strstr(err.text, "/no/such: No such file"), "%s", err.text);
}
