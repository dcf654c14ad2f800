/*
 * What an earlier run has read: every line counts once, whatever happened to
 * the files meanwhile.
 */
#include <dirent.h>
#include <sys/resource.h>

#include "scene.h"
#include "utf16.h"

static struct scene *scene;
static struct follower_options options = {.line_bytes = 4096,
					  .block_bytes = 1024,
					  .open_files = 64,
					  .finish_ms = 200,
					  .remember_ms = 3000};

static void setup(void)
{
	scene = scene_create_with(&options);
}

static void teardown(void)
{
	scene_destroy(scene);
}

TestSuite(resume, .init = setup, .fini = teardown, .timeout = 60);

static void end_run(void)
{
	size_t cursor = 0;
	struct slice key;
	void *value;

	scene_stop(scene);
	discovery_destroy(scene->discovery);
	scene->stop_saving = true;
	follower_destroy(scene->follower);
	while (hashmap_next(scene->heard, &cursor, &key, &value)) {
		struct heard *heard = value;

		if (heard->text.capacity > 0) {
			heard->text.len = heard->saved_len;
			heard->text.ptr[heard->saved_len] = '\0';
		}
	}
}

static void begin_run(const char *name)
{
	size_t count = hashmap_count(scene->saved), i = 0, cursor = 0;
	struct checkpoint *checkpoints = xcalloc(count, sizeof(*checkpoints));
	struct discovery_past past = {.checkpoints = checkpoints,
				      .checkpoint_count = count,
				      .roots = (const char *const *)&scene->saved_root,
				      .root_count = scene->saved_root != NULL};
	static const struct discovery_ops ops = {scene_fallback, scene_looked};
	struct slice key;
	struct error err;
	void *value;

	while (hashmap_next(scene->saved, &cursor, &key, &value))
		checkpoints[i++] = ((struct saved *)value)->checkpoint;
	scene->stop_saving = false;
	scene->follower = follower_create(&options, &scene_follower_ops, scene, &err);
	scene->discovery =
		discovery_create(&scene->follower, 1, &past, &ops, scene, &err);
	free(checkpoints);
	scene_follow(scene, name);
}

static void compress(const char *from, const char *to)
{
	char command[600];

	snprintf(command, sizeof(command), "gzip -c %s > %s", scene_path(scene, from),
		 scene_path(scene, to));
	cr_assert_eq(system(command), 0);
	scene_delete(scene, from);
}

static void gzip(const char *name)
{
	char command[300];

	snprintf(command, sizeof(command), "gzip %s", scene_path(scene, name));
	cr_assert_eq(system(command), 0);
}

static void copy(const char *from, const char *to)
{
	char command[600];

	snprintf(command, sizeof(command), "cp %s %s", scene_path(scene, from),
		 scene_path(scene, to));
	cr_assert_eq(system(command), 0);
}

static void truncate_to(const char *name, long size)
{
	cr_assert_eq(truncate(scene_path(scene, name), size), 0);
}

/* Nothing more comes of it. */
#define SETTLED(name, expected)                                      \
	do {                                                         \
		UNTIL_TEXT(scene, name, expected);                   \
		for (int turn = 0; turn < 60; turn++)                \
			scene_turn(scene);                           \
		cr_expect_str_eq(scene_text(scene, name), expected); \
	} while (0)

Test(resume, a_file_goes_on_where_it_was)
{
	scene_append(scene, "a.log", "1\n2\nto");
	scene_follow(scene, "");
	UNTIL_TEXT(scene, "a.log", "1\n2\n");
	end_run();
	scene_append(scene, "a.log", "rn\n3\n");
	begin_run("");
	SETTLED("a.log", "1\n2\ntorn\n3\n");
	end_run();
	begin_run("");
	SETTLED("a.log", "1\n2\ntorn\n3\n");
}

Test(resume, what_was_not_saved_is_read_again)
{
	scene_append(scene, "a.log", "1\n");
	scene_follow(scene, "");
	UNTIL_TEXT(scene, "a.log", "1\n");
	scene->stop_saving = true;
	scene_append(scene, "a.log", "2\n");
	UNTIL_TEXT(scene, "a.log", "1\n2\n");
	end_run();
	begin_run("");
	SETTLED("a.log", "1\n2\n");
}

Test(resume, a_file_renamed_meanwhile_is_read_to_its_end)
{
	scene_append(scene, "a.log", "1\n");
	scene_follow(scene, "");
	UNTIL_TEXT(scene, "a.log", "1\n");
	end_run();
	scene_append(scene, "a.log", "2\n");
	scene_rename(scene, "a.log", "a.log.1");
	scene_append(scene, "a.log", "3\n");
	begin_run("");
	SETTLED("a.log", "1\n2\n3\n");
	end_run();
	scene_rename(scene, "a.log.1", "a.log.2");
	scene_rename(scene, "a.log", "a.log.1");
	begin_run("");
	SETTLED("a.log", "1\n2\n3\n");
}

Test(resume, a_generation_that_nobody_saw_is_read_in_its_turn)
{
	scene_append(scene, "a.log", "1 first\n");
	scene_follow(scene, "");
	UNTIL_TEXT(scene, "a.log", "1 first\n");
	end_run();
	scene_append(scene, "a.log", "2 first\n");
	scene_rename(scene, "a.log", "a.log.2");
	usleep(20000);
	scene_append(scene, "a.log", "3 second\n");
	scene_rename(scene, "a.log", "a.log.1");
	usleep(20000);
	scene_append(scene, "a.log", "4 third\n");
	begin_run("");
	SETTLED("a.log", "1 first\n2 first\n3 second\n4 third\n");
	end_run();
	begin_run("");
	SETTLED("a.log", "1 first\n2 first\n3 second\n4 third\n");
}

Test(resume, siblings_of_the_first_start_are_history)
{
	scene_append(scene, "a.log.1", "old\n");
	scene_append(scene, "a.log.2", "older\n");
	compress("a.log.2", "a.log.2.gz");
	scene_append(scene, "a.log", "1\n");
	scene_follow(scene, "");
	SETTLED("a.log", "1\n");
	end_run();
	begin_run("");
	SETTLED("a.log", "1\n");
	end_run();
	scene_rename(scene, "a.log.2.gz", "a.log.3.gz");
	compress("a.log.1", "a.log.2.gz");
	scene_rename(scene, "a.log", "a.log.1");
	begin_run("");
	SETTLED("a.log", "1\n");
}

Test(resume, the_rest_of_a_compressed_file_is_read_from_the_archive)
{
	scene_append(scene, "a.log", "1 counted\n");
	scene_follow(scene, "");
	UNTIL_TEXT(scene, "a.log", "1 counted\n");
	end_run();
	scene_append(scene, "a.log", "2 not yet\n");
	compress("a.log", "a.log.1.gz");
	scene_append(scene, "a.log", "3 next\n");
	begin_run("");
	SETTLED("a.log", "1 counted\n2 not yet\n3 next\n");
	cr_expect_eq(scene_heard(scene, "a.log")->lost_bytes, 0);
	end_run();
	scene_rename(scene, "a.log.1.gz", "a.log.2.gz");
	begin_run("");
	SETTLED("a.log", "1 counted\n2 not yet\n3 next\n");
}

Test(resume, the_rest_of_a_truncated_file_is_read_from_the_copy)
{
	static const char *const anew[] = {"4\n", "4 as long again\n",
					   "4 this time it is longer than it was\n"};

	for (size_t i = 0; i < sizeof(anew) / sizeof(*anew); i++) {
		char name[16], old[16], expected[200];

		snprintf(name, sizeof(name), "%zu.log", i);
		snprintf(old, sizeof(old), "%zu.log.1", i);
		snprintf(expected, sizeof(expected), "1 counted\n2 unread\n%s",
			 anew[i]);
		scene_append(scene, name, "1 counted\n");
		if (i == 0)
			scene_follow(scene, "");
		else
			begin_run("");
		UNTIL_TEXT(scene, name, "1 counted\n");
		end_run();
		scene_append(scene, name, "2 unread\n");
		copy(name, old);
		truncate_to(name, 0);
		scene_append(scene, name, anew[i]);
		begin_run("");
		SETTLED(name, expected);
		cr_expect_eq(scene_heard(scene, name)->lost_bytes, 0);
		end_run();
	}
	begin_run("");
}

Test(resume, copytruncate_while_it_is_followed)
{
	scene_append(scene, "a.log", "1 first\n");
	scene_follow(scene, "");
	UNTIL_TEXT(scene, "a.log", "1 first\n");
	scene_append(scene, "a.log", "2 second\n");
	copy("a.log", "a.log.1");
	truncate_to("a.log", 0);
	scene_append(scene, "a.log", "3 third\n");
	SETTLED("a.log", "1 first\n2 second\n3 third\n");
	scene_append(scene, "a.log", "4 fourth\n");
	scene_rename(scene, "a.log.1", "a.log.2");
	copy("a.log", "a.log.1");
	truncate_to("a.log", 0);
	SETTLED("a.log", "1 first\n2 second\n3 third\n4 fourth\n");
	cr_expect_eq(scene_heard(scene, "a.log")->lost_bytes, 0);
	compress("a.log.2", "a.log.2.gz");
	SETTLED("a.log", "1 first\n2 second\n3 third\n4 fourth\n");
}

Test(resume, a_line_torn_by_copytruncate_is_one_line)
{
	int fd;

	scene_append(scene, "a.log", "1 first\n");
	scene_follow(scene, "");
	UNTIL_TEXT(scene, "a.log", "1 first\n");
	end_run();
	fd = scene_open(scene, "a.log");
	scene_write(fd, "2 second\n3 to");
	copy("a.log", "a.log.1");
	truncate_to("a.log", 0);
	scene_write(fd, "rn\n4 last\n");
	begin_run("");
	SETTLED("a.log", "1 first\n2 second\n3 torn\n4 last\n");
	close(fd);
}

/* It is known as a copy; of what shows when the original is truncated. */
Test(resume, a_line_torn_by_copytruncate_around_a_start_is_one_line)
{
	int fd = scene_open(scene, "a.log");

	scene_write(fd, "1 first\n2 second\n3 to");
	scene_follow(scene, "");
	UNTIL_TEXT(scene, "a.log", "1 first\n2 second\n");
	copy("a.log", "a.log.1");
	UNTIL(scene, hashmap_count(scene->saved) == 2);
	end_run();
	truncate_to("a.log", 0);
	scene_write(fd, "rn\n4 last\n");
	begin_run("");
	SETTLED("a.log", "1 first\n2 second\n3 torn\n4 last\n");
	cr_expect_null(scene_heard(scene, "a.log")->lost_reason);
	close(fd);
}

/* The archive is one of the copy, and so of the original. */
Test(resume, the_rest_of_a_truncated_file_is_read_from_the_archive_of_its_copy)
{
	int fd = scene_open(scene, "a.log");

	scene_write(fd, "1 first\n2 second\n3 to");
	scene_follow(scene, "");
	UNTIL_TEXT(scene, "a.log", "1 first\n2 second\n");
	copy("a.log", "a.log.1");
	UNTIL(scene, hashmap_count(scene->saved) == 2);
	end_run();
	truncate_to("a.log", 0);
	scene_write(fd, "rn\n4 last\n");
	gzip("a.log.1");
	begin_run("");
	SETTLED("a.log", "1 first\n2 second\n3 torn\n4 last\n");
	cr_expect_null(scene_heard(scene, "a.log")->lost_reason);
	close(fd);
}

Test(resume, what_was_deleted_meanwhile_is_told_as_lost)
{
	scene_append(scene, "a.log", "1\n2\n");
	scene_follow(scene, "");
	UNTIL_TEXT(scene, "a.log", "1\n2\n");
	end_run();
	scene_delete(scene, "a.log");
	scene_append(scene, "a.log", "3\n");
	begin_run("");
	SETTLED("a.log", "1\n2\n3\n");
	cr_expect_str_eq(scene_heard(scene, "a.log")->lost_reason, "deleted");
	cr_expect_eq(scene_heard(scene, "a.log")->lost_bytes, 0);
}

Test(resume, an_end_that_vanished_is_told_as_lost)
{
	struct strbuf text = STRBUF_INIT;

	for (int i = 0; i < 50; i++)
		strbuf_addf(&text, "%d and more\n", 1000 + i);
	scene_append(scene, "a.log", text.ptr);
	scene_follow(scene, "");
	UNTIL_TEXT(scene, "a.log", text.ptr);
	end_run();
	truncate_to("a.log", (long)text.len - 30);
	begin_run("");
	SETTLED("a.log", text.ptr);
	cr_expect_str_eq(scene_heard(scene, "a.log")->lost_reason, "tail_vanished");
	cr_expect_eq(scene_heard(scene, "a.log")->lost_bytes, 30);
	scene_append(scene, "a.log", " torn\n2000\n");
	strbuf_puts(&text, "2000\n");
	SETTLED("a.log", text.ptr);
	strbuf_finish(&text);
}

Test(resume, nuls_of_a_writer_that_does_not_append_are_no_part_of_a_line)
{
	int fd = open(scene_path(scene, "a.log"), O_WRONLY | O_CREAT, 0644);

	scene_write(fd, "1 first\n2 second\n");
	scene_follow(scene, "");
	UNTIL_TEXT(scene, "a.log", "1 first\n2 second\n");
	copy("a.log", "a.log.1");
	truncate_to("a.log", 0);
	scene_write(fd, "3 third\n");
	SETTLED("a.log", "1 first\n2 second\n3 third\n");
	close(fd);
}

Test(resume, a_file_that_appeared_meanwhile_is_read_from_its_start)
{
	scene_append(scene, "a.log", "1\n");
	scene_follow(scene, "");
	UNTIL_TEXT(scene, "a.log", "1\n");
	end_run();
	scene_append(scene, "b.log", "new\n");
	begin_run("");
	SETTLED("b.log", "new\n");
	SETTLED("a.log", "1\n");
}

Test(resume, a_neighbour_is_no_rotation)
{
	scene_append(scene, "a.log", "1\n");
	scene_follow(scene, "");
	UNTIL_TEXT(scene, "a.log", "1\n");
	scene_append(scene, "a.log.err", "other\n");
	scene_append(scene, "a.log", "2\n");
	SETTLED("a.log", "1\n2\n");
}

Test(resume, lines_that_are_all_alike_count_too)
{
	scene_append(scene, "a.log", "x\nx\n");
	scene_follow(scene, "");
	UNTIL_TEXT(scene, "a.log", "x\nx\n");
	end_run();
	scene_rename(scene, "a.log", "a.log.2");
	scene_append(scene, "a.log.1", "x\nx\n");
	scene_append(scene, "a.log", "x\n");
	begin_run("");
	SETTLED("a.log", "x\nx\nx\nx\nx\n");
}

Test(resume, a_sibling_that_cannot_be_opened_is_tried_again)
{
	struct rlimit all, few = {0};

	cr_assert_eq(getrlimit(RLIMIT_NOFILE, &all), 0);
	scene_append(scene, "a.log", "1\n");
	scene_follow(scene, "");
	UNTIL_TEXT(scene, "a.log", "1\n");
	end_run();
	scene_rename(scene, "a.log", "a.log.2");
	scene_append(scene, "a.log.1", "2 nobody has seen this\n");
	scene_append(scene, "a.log", "3\n");
	options.open_files = 1; /* it is handed over without a descriptor */
	begin_run("");
	few = all;
	few.rlim_cur = 3;
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
	for (int turn = 0; turn < 20; turn++)
		follower_turn(scene->follower);
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &all), 0);
	SETTLED("a.log", "1\n2 nobody has seen this\n3\n");
}

Test(resume, what_is_gone_is_forgotten_after_its_time)
{
	scene_append(scene, "a.log", "1\n");
	scene_append(scene, "b.log", "1\n");
	scene_follow(scene, "");
	UNTIL_TEXT(scene, "a.log", "1\n");
	UNTIL_TEXT(scene, "b.log", "1\n");
	cr_assert_eq(hashmap_count(scene->saved), 2);
	scene_delete(scene, "a.log");
	UNTIL(scene, scene_heard(scene, "a.log")->removed == 1);
	UNTIL(scene, hashmap_count(scene->saved) == 1);
	scene_append(scene, "a.log", "2\n");
	UNTIL_TEXT(scene, "a.log", "1\n2\n");
	cr_expect_eq(scene_heard(scene, "a.log")->added, 2);
}

Test(resume, the_first_line_torn_by_copytruncate_is_one_line)
{
	int fd;

	scene_append(scene, "b.log", "x\n");
	scene_follow(scene, "");
	UNTIL_TEXT(scene, "b.log", "x\n");
	fd = scene_open(scene, "a.log");
	scene_write(fd, "1 to");
	UNTIL(scene, scene_heard(scene, "a.log")->added == 1);
	for (int turn = 0; turn < 20; turn++)
		scene_turn(scene);
	copy("a.log", "a.log.1");
	truncate_to("a.log", 0);
	scene_write(fd, "rn\n2\n");
	SETTLED("a.log", "1 torn\n2\n");
	scene_delete(scene, "a.log.1");
	scene_write(fd, "3 to");
	for (int turn = 0; turn < 20; turn++)
		scene_turn(scene);
	end_run();
	copy("a.log", "a.log.1");
	truncate_to("a.log", 0);
	copy("a.log", "a.log.2");
	scene_write(fd, "rn\n");
	begin_run("");
	SETTLED("a.log", "1 torn\n2\n3 torn\n");
	close(fd);
}

Test(resume, the_first_line_torn_before_and_after_a_start_is_one_line)
{
	int fd = scene_open(scene, "a.log");

	scene_follow(scene, "");
	scene_write(fd, "1 to");
	for (int turn = 0; turn < 20; turn++)
		scene_turn(scene);
	end_run();
	copy("a.log", "a.log.1");
	truncate_to("a.log", 0);
	begin_run("");
	for (int turn = 0; turn < 20; turn++)
		scene_turn(scene);
	scene_write(fd, "rn\n2\n");
	SETTLED("a.log", "1 torn\n2\n");
	close(fd);
}

/*
 * Two generations wait, unread, for a line of a third to be finished: a run that ends
 * with them so.  Returns the descriptor of that third, whose line is torn.
 */
static int end_run_with_unread(const char *second, const char *third)
{
	int fd = scene_open(scene, "a.log");

	end_run();
	options.finish_ms = 60000;
	begin_run("");
	scene_write(fd, "1\n2 to");
	UNTIL_TEXT(scene, "a.log", "1\n");
	scene_rename(scene, "a.log", "a.log.1");
	scene_append(scene, "a.log", second);
	usleep(20000); /* archives are told from each other by their times */
	UNTIL(scene, scene_heard(scene, "a.log")->rotated[ROTATION_RENAME] == 1);
	scene_rename(scene, "a.log", "a.log.2");
	scene_append(scene, "a.log", third);
	UNTIL(scene, scene_heard(scene, "a.log")->rotated[ROTATION_RENAME] == 2);
	scene_rename(scene, "a.log", "a.log.3");
	UNTIL(scene, scene_heard(scene, "a.log")->rotated[ROTATION_RENAME] == 3);
	end_run();
	return fd;
}

static void let_turn(void)
{
	for (int turn = 0; turn < 40; turn++)
		scene_turn(scene);
}

Test(resume, what_was_compressed_unread_is_not_lost_whenever_a_run_ends)
{
	int fd = end_run_with_unread("3\n", "4\n");

	gzip("a.log.2");
	compress("a.log.3", "a.log.3.gz");
	begin_run("");
	let_turn();
	end_run();
	begin_run("");
	let_turn();
	scene_write(fd, "rn\n");
	close(fd);
	SETTLED("a.log", "1\n2 torn\n3\n4\n");
	cr_expect_null(scene_heard(scene, "a.log")->lost_reason);
}

Test(resume, of_two_unread_the_one_that_is_in_no_archive_is_told_as_lost)
{
	int fd = end_run_with_unread("3 is lost\n", "4\n");

	scene_delete(scene, "a.log.2");
	gzip("a.log.3");
	begin_run("");
	let_turn();
	scene_write(fd, "rn\n");
	close(fd);
	SETTLED("a.log", "1\n2 torn\n4\n");
	cr_expect_str_eq(scene_heard(scene, "a.log")->lost_reason, "deleted");
	cr_expect_eq(scene_heard(scene, "a.log")->lost_bytes, strlen("3 is lost\n"));
}

/*
 * The copy waits for its original to be read, which is truncated before that; then the
 * copy is compressed.  Ends before anything of either is read; returns as above.
 */
static int compress_unread_copy(void)
{
	int fd = end_run_with_unread("3\n", "4\n");

	begin_run("");
	scene_append(scene, "a.log", "5 in a copy\n");
	let_turn();
	copy("a.log", "a.log.4");
	let_turn();
	truncate_to("a.log", 0);
	scene_append(scene, "a.log", "6\n");
	compress("a.log.4", "a.log.4.gz");
	let_turn();
	return fd;
}

Test(resume, a_copy_that_is_compressed_before_it_is_read_counts_once)
{
	int fd = compress_unread_copy();

	scene_write(fd, "rn\n");
	close(fd);
	SETTLED("a.log", "1\n2 torn\n3\n4\n5 in a copy\n6\n");
	cr_expect_null(scene_heard(scene, "a.log")->lost_reason);
}

Test(resume, a_copy_that_is_compressed_before_it_is_read_is_not_lost_with_a_run)
{
	int fd = compress_unread_copy();

	end_run();
	begin_run("");
	let_turn();
	scene_write(fd, "rn\n");
	close(fd);
	SETTLED("a.log", "1\n2 torn\n3\n4\n5 in a copy\n6\n");
	cr_expect_null(scene_heard(scene, "a.log")->lost_reason);
}

/* Its last line counts as it is: the other file is no rest of it, however old. */
static void put_in_place_what_was_prepared(void)
{
	scene_append(scene, "a.log", "2 torn");
	scene_rename(scene, "a.log", "a.log.1");
	scene_rename(scene, "prepared", "a.log");
}

Test(resume, a_torn_line_does_not_go_on_in_a_file_that_was_prepared_before)
{
	end_run();
	options.finish_ms = 60000;
	scene_append(scene, "prepared", "3 in the other");
	scene_append(scene, "a.log", "1\n");
	begin_run("");
	UNTIL_TEXT(scene, "a.log", "1\n");
	put_in_place_what_was_prepared();
	usleep(50000); /* both files are told of in one turn */
	UNTIL_TEXT(scene, "a.log", "1\n2 torn$");
	scene_append(scene, "a.log", "\n");
	SETTLED("a.log", "1\n2 torn$3 in the other\n");
}

Test(resume, nor_if_it_was_put_in_place_meanwhile)
{
	end_run();
	options.finish_ms = 60000;
	scene_append(scene, "prepared", "3 in the other");
	scene_append(scene, "a.log", "1\n");
	begin_run("");
	UNTIL_TEXT(scene, "a.log", "1\n");
	end_run();
	put_in_place_what_was_prepared();
	begin_run("");
	UNTIL_TEXT(scene, "a.log", "1\n2 torn$");
}

static int64_t born_ns(int fd)
{
	struct statx st;

	cr_assert_eq(statx(fd, "", AT_EMPTY_PATH, STATX_BTIME, &st), 0);
	return st.stx_btime.tv_sec * NS_PER_SECOND + st.stx_btime.tv_nsec;
}

/* The file is rotated the moment it was made: its successor may be as old. */
static int make_of_one_age(int *older)
{
	for (int tries = 0; tries < 1000; tries++) {
		int fd;

		*older = scene_open(scene, "a.log.8");
		fd = scene_open(scene, "a.log");
		if (born_ns(fd) == born_ns(*older))
			return fd;
		close(*older);
		close(fd);
		scene_delete(scene, "a.log.8");
		scene_delete(scene, "a.log");
	}
	cr_skip_test("each file is of another time");
	return -1;
}

static int make_one_after_the_other(int *older)
{
	*older = scene_open(scene, "a.log.8");
	usleep(20000);
	return scene_open(scene, "a.log");
}

/*
 * An older generation that is still written to, one that copytruncate tears, and what
 * was written to the older one since: by their times it stands behind the copy.
 */
static int tear_before_an_older_one_is_written(int (*make)(int *older), int *older)
{
	int fd;

	scene_append(scene, "a.log", "1\n");
	scene_follow(scene, "");
	UNTIL_TEXT(scene, "a.log", "1\n");
	end_run();
	options.finish_ms = 60000;
	scene_rename(scene, "a.log", "a.log.9");
	fd = make(older);
	scene_write(*older, "3 old\n");
	scene_write(fd, "2 to");
	usleep(20000);
	copy("a.log", "a.log.2");
	truncate_to("a.log", 0);
	usleep(20000);
	scene_write(*older, "4 late\n");
	usleep(20000);
	return fd;
}

static void expect_joined_past_the_older(int (*make)(int *older))
{
	int older, fd = tear_before_an_older_one_is_written(make, &older);

	scene_write(fd, "rn\n5\n");
	begin_run("");
	SETTLED("a.log", "1\n2 torn\n3 old\n4 late\n5\n");
	cr_expect_null(scene_heard(scene, "a.log")->lost_reason);
	close(older);
	close(fd);
}

Test(resume, a_torn_line_does_not_go_on_in_an_older_file_that_was_written_since)
{
	expect_joined_past_the_older(make_one_after_the_other);
}

Test(resume, nor_in_one_that_was_rotated_the_moment_it_was_made)
{
	expect_joined_past_the_older(make_of_one_age);
}

Test(resume, a_torn_line_goes_on_in_the_next_copy_of_the_same_file)
{
	int older, fd = tear_before_an_older_one_is_written(make_one_after_the_other,
							    &older);

	scene_write(fd, "rn\n5 to");
	usleep(20000);
	copy("a.log", "a.log.1");
	truncate_to("a.log", 0);
	scene_write(fd, "rn, too\n6\n");
	begin_run("");
	SETTLED("a.log", "1\n2 torn\n3 old\n4 late\n5 torn, too\n6\n");
	cr_expect_null(scene_heard(scene, "a.log")->lost_reason);
	close(older);
	close(fd);
}

Test(resume, a_torn_line_goes_on_in_its_file_when_that_has_been_renamed)
{
	int older, fd = tear_before_an_older_one_is_written(make_one_after_the_other,
							    &older);

	scene_rename(scene, "a.log", "a.log.1");
	scene_append(scene, "a.log", "6\n");
	begin_run("");
	let_turn();
	scene_write(fd, "rn\n5\n");
	close(fd);
	SETTLED("a.log", "1\n2 torn\n3 old\n4 late\n5\n6\n");
	cr_expect_null(scene_heard(scene, "a.log")->lost_reason);
	close(older);
}

static void set_mtime_of(const char *name, const struct stat *like)
{
	const struct timespec times[] = {like->st_atim, like->st_mtim};

	cr_assert_eq(utimensat(AT_FDCWD, scene_path(scene, name), times, 0), 0);
}

/* By its times it is as new as the second copy, and younger than the file. */
Test(resume, a_torn_line_does_not_go_on_in_an_earlier_copy)
{
	struct stat earlier;
	int fd;

	scene_follow(scene, "");
	end_run();
	fd = scene_open(scene, "a.log");
	scene_write(fd, "1\n");
	usleep(20000);
	copy("a.log", "a.log.2");
	truncate_to("a.log", 0);
	scene_write(fd, "2 to");
	usleep(20000);
	copy("a.log", "a.log.1");
	truncate_to("a.log", 0);
	cr_assert_eq(stat(scene_path(scene, "a.log.2"), &earlier), 0);
	set_mtime_of("a.log.1", &earlier);
	usleep(20000);
	scene_write(fd, "rn\n3\n");
	close(fd);
	begin_run("");
	SETTLED("a.log", "1\n2 torn\n3\n");
	cr_expect_null(scene_heard(scene, "a.log")->lost_reason);
}

/* The copy has gone; what was compressed begins alike, and in the same second. */
Test(resume, a_line_that_begins_like_a_torn_one_is_not_its_continuation)
{
	struct stat copied;
	int fd = scene_open(scene, "a.log");

	scene_follow(scene, "");
	scene_write(fd, "1 to");
	usleep(20000);
	copy("a.log", "a.log.1");
	truncate_to("a.log", 0);
	scene_write(fd, "rn\n2\n");
	close(fd);
	UNTIL_TEXT(scene, "a.log", "1 torn\n2\n");
	cr_assert_eq(stat(scene_path(scene, "a.log.1"), &copied), 0);
	end_run();
	scene_delete(scene, "a.log.1");
	scene_rename(scene, "a.log", "a.log.2");
	scene_append(scene, "a.log", "1 too\n3\n");
	set_mtime_of("a.log", &copied);
	gzip("a.log");
	scene_rename(scene, "a.log.gz", "a.log.1.gz");
	begin_run("");
	SETTLED("a.log", "1 torn\n2\n1 too\n3\n");
	cr_expect_null(scene_heard(scene, "a.log")->lost_reason);
}

/* A writer that opens the file for each of them: where it is empty, with a mark. */
static void append_utf16(const char *name, const char16_t *units)
{
	int fd = scene_open(scene, name);
	struct strbuf bytes = STRBUF_INIT;

	if (lseek(fd, 0, SEEK_END) == 0)
		add_utf16(&bytes, name[0] == 'b', MARK);
	add_utf16(&bytes, name[0] == 'b', units);
	cr_assert_eq(write(fd, bytes.ptr, bytes.len), (ssize_t)bytes.len);
	strbuf_finish(&bytes);
	close(fd);
}

Test(resume, utf16_over_truncations_and_compressed)
{
	static const char *const names[] = {"big.log", "little.log"};
	char one[16], two[16], packed[16];

	for (size_t i = 0; i < 2; i++) {
		const char *name = names[i];

		snprintf(one, sizeof(one), "%s.1", name);
		snprintf(two, sizeof(two), "%s.2", name);
		snprintf(packed, sizeof(packed), "%s.2.gz", name);
		append_utf16(name, u"1 \u0A0A\n");
		if (i == 0)
			scene_follow(scene, "");
		else
			begin_run("");
		UNTIL_TEXT(scene, name, "1 \u0A0A\n");
		append_utf16(name, u"2 \u0A0D\n3 never ended");
		copy(name, one);
		truncate_to(name, 0);
		append_utf16(name, u"4 \u0D0A\n");
		SETTLED(name, "1 \u0A0A\n2 \u0A0D\n3 never ended$4 \u0D0A\n");
		end_run();
		append_utf16(name, u"5 while nobody looked\n");
		scene_rename(scene, one, two);
		copy(name, one);
		truncate_to(name, 0);
		append_utf16(name, u"6 and on\n");
		compress(two, packed);
		begin_run("");
		SETTLED(name, "1 \u0A0A\n2 \u0A0D\n3 never ended$4 \u0D0A\n"
			      "5 while nobody looked\n6 and on\n");
		cr_expect_eq(scene_heard(scene, name)->lost_bytes, 0);
		end_run();
	}
	begin_run("");
}

Test(resume, a_rest_of_utf16_is_read_from_the_archive)
{
	append_utf16("a.log", u"1 counted\n");
	scene_follow(scene, "");
	UNTIL_TEXT(scene, "a.log", "1 counted\n");
	end_run();
	append_utf16("a.log", u"2 \u0A0A not yet\n");
	compress("a.log", "a.log.1.gz");
	append_utf16("new", u"0 nobody has seen\n");
	compress("new", "b.log.1.gz");
	append_utf16("a.log", u"3 next\n");
	append_utf16("b.log", u"1 the first\n");
	begin_run("");
	SETTLED("a.log", "1 counted\n2 \u0A0A not yet\n3 next\n");
	SETTLED("b.log", "0 nobody has seen\n1 the first\n");
	end_run();
	begin_run("");
	SETTLED("a.log", "1 counted\n2 \u0A0A not yet\n3 next\n");
}

static size_t open_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	size_t count = 0;

	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

Test(resume, empty_copies_that_were_deleted_stay_open_no_longer)
{
	size_t before;

	scene_append(scene, "a.log", "1\n");
	scene_follow(scene, "");
	UNTIL_TEXT(scene, "a.log", "1\n");
	before = open_descriptors();
	for (int i = 0; i < 20; i++) {
		scene_append(scene, "a.log.1", "");
		for (int turn = 0; turn < 5; turn++)
			scene_turn(scene);
		scene_delete(scene, "a.log.1");
	}
	UNTIL(scene, open_descriptors() == before);
}

Test(resume, a_piece_of_a_line_does_not_tell_that_the_end_has_vanished)
{
	scene_append(scene, "a.log", "line 1\nline 2\n");
	scene_follow(scene, "");
	UNTIL_TEXT(scene, "a.log", "line 1\nline 2\n");
	end_run();
	truncate_to("a.log", 0);
	scene_append(scene, "a.log", "lin");
	begin_run("");
	scene_append(scene, "a.log", "e 3\n");
	SETTLED("a.log", "line 1\nline 2\nline 3\n");
}
