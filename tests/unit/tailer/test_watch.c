#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/strbuf.h"
#include "tailer/watch.h"

static char dir[] = "/tmp/logtally-watch-XXXXXX";
static struct watch *watch;
static struct strbuf told = STRBUF_INIT;
static struct watch_listener *to_end; /* by the first event */

static void note(void *ctx, void *object, const struct watch_event *event)
{
	static const char *const kinds[] = {"written", "closed",    "name",    "from",
					    "to",      "directory", "overflow"};

	(void)ctx;
	strbuf_addf(&told, "%s:%s:%s ", (const char *)object, kinds[event->kind],
		    event->name);
	watch_unlisten(watch, to_end);
	to_end = NULL;
}

static void overflow(void *ctx)
{
	(void)ctx;
}

static void setup(void)
{
	static const struct watch_ops ops = {note, note, overflow};
	struct error err;

	cr_assert(mkdtemp(dir));
	cr_assert_eq(chdir(dir), 0);
	watch = watch_create(&ops, NULL, &err);
	cr_assert(watch);
}

static void teardown(void)
{
	char command[128];

	watch_destroy(watch);
	strbuf_finish(&told);
	snprintf(command, sizeof(command), "rm -r %s", dir);
	cr_assert_eq(system(command), 0);
}

TestSuite(watch, .init = setup, .fini = teardown);

static struct watch_listener *listen_to(const char *path, const char *name, bool files,
					const char *object)
{
	struct watch_listener *listener =
		watch_listen(watch, path, name, files, (void *)(uintptr_t)object);

	cr_assert(listener, "%s", path);
	return listener;
}

static const char *tell(void)
{
	strbuf_clear(&told);
	while (watch_read(watch))
		;
	return told.ptr;
}

static void touch(const char *name)
{
	int fd = open(name, O_WRONLY | O_CREAT, 0644);

	cr_assert_neq(fd, -1);
	close(fd);
}

Test(watch, two_paths_to_one_directory_are_both_told_and_end_apart)
{
	struct watch_listener *first, *second;

	cr_assert_eq(mkdir("real", 0755) | symlink("real", "link"), 0);
	first = listen_to("real", NULL, false, "1");
	second = listen_to("link", NULL, false, "2");
	touch("real/a");
	cr_expect_str_eq(tell(), "1:name:a 2:name:a ");
	watch_unlisten(watch, first);
	touch("real/b");
	cr_expect_str_eq(tell(), "2:name:b ");
	watch_unlisten(watch, second);
	touch("real/c");
	cr_expect_str_eq(tell(), "");
}

Test(watch, writes_are_told_only_to_a_directory_of_files)
{
	struct watch_listener *listener = listen_to(dir, NULL, false, "x");
	struct watch_listener *more;

	touch("a");
	cr_expect_str_eq(tell(), "x:name:a ");
	more = listen_to(dir, "a", true, "a");
	touch("a");
	cr_expect_str_eq(tell(), "x:closed:a a:closed:a ");
	watch_unlisten(watch, listener);
	touch("b");
	cr_expect_str_eq(tell(), "", "it listens to one name");
	watch_unlisten(watch, more);
}

Test(watch, a_listener_may_end_another_while_it_is_told)
{
	struct watch_listener *first = listen_to(dir, NULL, false, "1");

	to_end = listen_to(dir, NULL, false, "2");
	touch("a");
	cr_expect_str_eq(tell(), "1:name:a ");
	watch_unlisten(watch, first);
}

Test(watch, that_the_directory_went_is_told_to_listeners_of_a_name_too)
{
	struct watch_listener *listener;

	cr_assert_eq(mkdir("sub", 0755), 0);
	listener = listen_to("sub", "a", true, "a");
	cr_assert_eq(rmdir("sub"), 0);
	cr_expect_str_eq(tell(), "a:directory: a:directory: ");
	watch_unlisten(watch, listener);
}

Test(watch, what_is_no_directory_cannot_be_watched)
{
	touch("a");
	cr_expect_null(watch_listen(watch, "a", NULL, true, NULL));
	cr_expect_eq(errno, ENOTDIR);
}
