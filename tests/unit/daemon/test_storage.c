/*
 * The lock on the state directory.
 */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/xalloc.h"
#include "daemon/storage.h"

static char top[] = "/tmp/logtally-storage-XXXXXX";

static void make_top(void)
{
	cr_assert(mkdtemp(top));
}

static void remove_top(void)
{
	char *command = xasprintf("rm -rf %s", top);

	cr_expect_eq(system(command), 0);
	free(command);
}

TestSuite(storage, .init = make_top, .fini = remove_top);

static void *let_go(void *fd)
{
	usleep(50000);
	close(*(int *)fd);
	return NULL;
}

Test(storage, a_second_lock_is_refused_and_says_by_whom)
{
	struct error err;
	int fd = storage_lock(top, &err);

	cr_assert(fd >= 0, "%s", err.text);
	cr_expect_eq(storage_lock(top, &err), -1);
	cr_expect(strstr(err.text, "another logtally runs"), "%s", err.text);
	close(fd);
}

Test(storage, a_daemon_that_ends_is_waited_for)
{
	struct error err;
	pthread_t thread;
	int fd = storage_lock(top, &err), second;

	cr_assert(fd >= 0, "%s", err.text);
	cr_assert_eq(pthread_create(&thread, NULL, let_go, &fd), 0);
	second = storage_lock(top, &err);
	cr_expect(second >= 0, "%s", err.text);
	pthread_join(thread, NULL);
	close(second);
}
