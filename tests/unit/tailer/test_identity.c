#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tailer/identity.h"

static char dir[] = "/tmp/logtally-identity-XXXXXX";
static char a[64], b[64];

static void setup(void)
{
	cr_assert(mkdtemp(dir));
	snprintf(a, sizeof(a), "%s/a", dir);
	snprintf(b, sizeof(b), "%s/b", dir);
}

static void teardown(void)
{
	unlink(a);
	unlink(b);
	rmdir(dir);
}

static int create(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL, 0644);

	cr_assert_neq(fd, -1);
	return fd;
}

static struct identity of_path(const char *path)
{
	struct identity identity;

	cr_assert(identity_of_path(path, &identity));
	return identity;
}

TestSuite(identity, .init = setup, .fini = teardown);

Test(identity, is_the_same_by_name_link_rename_and_descriptor)
{
	int fd = create(a);
	struct identity first = of_path(a), other;

	cr_assert(identity_of_fd(fd, &other));
	cr_expect(identity_eq(&first, &other));
	cr_assert_eq(symlink(a, b), 0);
	other = of_path(b);
	cr_expect(identity_eq(&first, &other));
	unlink(b);
	cr_assert_eq(link(a, b), 0);
	other = of_path(b);
	cr_expect(identity_eq(&first, &other));
	cr_assert_eq(rename(a, b), 0);
	other = of_path(b);
	cr_expect(identity_eq(&first, &other));
	close(fd);
}

Test(identity, a_new_file_differs_from_the_deleted_one_whose_inode_it_got)
{
	struct identity first, second;
	bool reused = false;

	for (int i = 0; i < 20; i++) {
		struct stat before, after;
		int fd = create(a);

		fstat(fd, &before);
		close(fd);
		first = of_path(a);
		unlink(a);
		fd = create(a);
		fstat(fd, &after);
		close(fd);
		second = of_path(a);
		unlink(a);
		cr_expect_not(identity_eq(&first, &second));
		reused |= before.st_ino == after.st_ino;
	}
	if (!reused)
		cr_log_info("the file system did not reuse an inode number\n");
}

Test(identity, of_nothing_fails)
{
	struct identity identity;

	cr_expect_not(identity_of_path(a, &identity));
	cr_expect_eq(errno, ENOENT);
}
