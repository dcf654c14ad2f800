#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"
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

static void flood(void *ctx, const char *path)
{
	(void)ctx;
	strbuf_addf(&told, "flood:%s ", path);
}

static uint64_t grown_bytes;

static uint64_t look(void *ctx, void *object)
{
	(void)ctx;
	strbuf_addf(&told, "%s:look ", (const char *)object);
	return grown_bytes;
}

static void setup(void)
{
	static const struct watch_ops ops = {note, note, overflow, flood, look, look};
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

/* More writes at once than a directory may have; those to one file are one event. */
static void write_often(const char *name)
{
	char other[32];
	int fds[2];

	snprintf(other, sizeof(other), "%s2", name);
	fds[0] = open(name, O_WRONLY | O_CREAT, 0644);
	fds[1] = open(other, O_WRONLY | O_CREAT, 0644);
	for (int i = 0; i < 2000; i++)
		cr_assert(write(fds[0], "x", 1) == 1 && write(fds[1], "x", 1) == 1);
	tell();
	cr_assert_gt(watch_due_ns(watch), 0, "it floods");
	close(fds[0]);
	close(fds[1]);
	tell();
}

static void look_until_calm(void)
{
	int64_t deadline_ns = clock_monotonic_ns() + 10 * NS_PER_SECOND;

	while (watch_due_ns(watch) > 0 && clock_monotonic_ns() < deadline_ns) {
		usleep(1000);
		watch_look(watch);
	}
	cr_assert_eq(watch_due_ns(watch), 0);
	strbuf_clear(&told);
}

static void write_to(const char *name)
{
	int fd = open(name, O_WRONLY | O_APPEND);

	cr_assert_eq(write(fd, "x", 1), 1);
	close(fd);
}

Test(watch, where_too_many_writes_come_listeners_look_themselves)
{
	struct watch_listener *whole = listen_to(dir, NULL, true, "1");
	struct watch_listener *name = listen_to(dir, "a", true, "2");

	write_often("a");
	write_to("a");
	cr_expect_str_eq(tell(), "1:closed:a 2:closed:a ",
			 "that it was written to is not told");
	touch("new");
	cr_expect_str_eq(tell(), "1:name:new 1:closed:new ");
	usleep(20000);
	watch_look(watch);
	cr_expect_str_eq(told.ptr, "1:name:new 1:closed:new 1:look 2:look ");
	look_until_calm();
	write_to("a");
	cr_expect_str_eq(tell(), "1:written:a 2:written:a 1:closed:a 2:closed:a ");
	watch_unlisten(watch, whole);
	watch_unlisten(watch, name);
}

Test(watch, whoever_listens_later_does_not_bring_the_writes_back)
{
	struct watch_listener *first = listen_to(dir, NULL, true, "1");
	struct watch_listener *second;

	write_often("a");
	second = listen_to(dir, NULL, true, "2");
	watch_unlisten(watch, first);
	write_to("a");
	cr_expect_str_eq(tell(), "2:closed:a ");
	look_until_calm();
	write_to("a");
	cr_expect_str_eq(tell(), "2:written:a 2:closed:a ");
	watch_unlisten(watch, second);
}

Test(watch, a_directory_that_is_no_more_floods_no_more)
{
	struct watch_listener *listener;

	cr_assert_eq(mkdir("sub", 0755), 0);
	listener = listen_to("sub", NULL, true, "1");
	write_often("sub/a");
	watch_unlisten(watch, listener);
	cr_expect_eq(watch_due_ns(watch), 0);
	write_to("sub/a");
	cr_expect_str_eq(tell(), "");
}

Test(watch, what_has_taken_the_place_of_a_flooding_directory_is_left_alone)
{
	struct watch_listener *here, *there;
	int64_t due_ns;

	cr_assert_eq(mkdir("here", 0755) | mkdir("there", 0755), 0);
	here = listen_to("here", NULL, true, "here");
	there = listen_to("there", NULL, true, "there");
	write_often("here/a");
	cr_assert_eq(rename("here", "gone") | rename("there", "here"), 0);
	touch("here/b");
	tell();
	due_ns = clock_monotonic_ns() + 3 * NS_PER_SECOND / 2;
	while (clock_monotonic_ns() < due_ns) {
		usleep(1000);
		watch_look(watch);
	}
	write_to("here/b");
	cr_expect_str_eq(tell(), "there:written:b there:closed:b ");
	cr_assert_eq(rename("here", "there") | rename("gone", "here"), 0);
	look_until_calm();
	tell();
	write_to("here/a");
	cr_expect_str_eq(tell(), "here:written:a here:closed:a ");
	watch_unlisten(watch, here);
	watch_unlisten(watch, there);
}
