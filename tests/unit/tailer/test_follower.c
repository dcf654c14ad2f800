#include <dirent.h>

#include "scene.h"

static struct scene *scene;

static void teardown(void)
{
	scene_destroy(scene);
}

TestSuite(follower, .fini = teardown, .timeout = 60);

static void start(struct follower_options options)
{
	options.line_bytes = options.line_bytes ? options.line_bytes : 1024;
	options.open_files = options.open_files ? options.open_files : 64;
	scene = scene_create_with(&options);
}

/* Descriptors of this process that lead below the scene's directory. */
static unsigned open_files(void)
{
	DIR *fds = opendir("/proc/self/fd");
	const struct dirent *entry;
	unsigned count = 0;

	while ((entry = readdir(fds))) {
		char target[512];
		ssize_t n = readlinkat(dirfd(fds), entry->d_name, target,
				       sizeof(target) - 1);

		if (n == -1)
			continue;
		target[n] = '\0';
		count += strncmp(target, scene->dir, strlen(scene->dir)) == 0;
	}
	closedir(fds);
	return count;
}

struct sum {
	unsigned paths;
	uint64_t lag_bytes;
	struct follower_status last;
};

static void visit(void *ctx, const struct follower_status *status)
{
	struct sum *sum = ctx;

	sum->paths++;
	sum->lag_bytes += status->lag_bytes;
	sum->last = *status;
}

static struct sum sum_up(void)
{
	struct sum sum = {0};

	follower_each(scene->follower, visit, &sum);
	return sum;
}

static void append_to_each(unsigned count, const char *text)
{
	for (unsigned i = 0; i < count; i++) {
		char name[16];

		snprintf(name, sizeof(name), "%u.log", i);
		scene_append(scene, name, text);
	}
}

static void until_each(unsigned count, const char *text)
{
	for (unsigned i = 0; i < count; i++) {
		char name[16];

		snprintf(name, sizeof(name), "%u.log", i);
		UNTIL_TEXT(scene, name, text);
	}
}

Test(follower, more_files_than_may_be_open_are_all_followed)
{
	start((struct follower_options){.open_files = 2});
	append_to_each(5, "one\n");
	scene_follow(scene, "");
	until_each(5, "one\n");
	cr_expect_leq(open_files(), 2);
	append_to_each(5, "two\n");
	until_each(5, "one\ntwo\n");
	append_to_each(7, "three\n");
	UNTIL_TEXT(scene, "0.log", "one\ntwo\nthree\n");
	UNTIL_TEXT(scene, "6.log", "three\n");
	cr_expect_leq(open_files(), 2);
}

Test(follower, a_closed_file_is_found_again_under_its_new_name)
{
	start((struct follower_options){.open_files = 1});
	append_to_each(3, "one\n");
	scene_follow(scene, "");
	until_each(3, "one\n");
	for (int i = 0; i < 3; i++) {
		char from[16], to[16];

		snprintf(from, sizeof(from), "%d.log", i);
		snprintf(to, sizeof(to), "%d.log.1", i);
		scene_append(scene, from, "two\n");
		scene_rename(scene, from, to);
	}
	append_to_each(3, "new\n");
	until_each(3, "one\ntwo\nnew\n");
}

static void expect_read_or_lost(const char *name)
{
	const struct heard *heard = scene_heard(scene, name);

	cr_expect_str_eq(heard->text.ptr, heard->lost_bytes == 12
						  ? "0123456789\n"
						  : "0123456789\nunterminated$");
}

Test(follower, what_was_deleted_while_closed_is_told_as_lost)
{
	start((struct follower_options){.open_files = 1});
	append_to_each(2, "0123456789\n");
	scene_follow(scene, "");
	until_each(2, "0123456789\n");
	append_to_each(2, "unterminated");
	UNTIL(scene, sum_up().lag_bytes == 2 * 12);
	cr_expect_eq(open_files(), 1);
	scene_delete(scene, "0.log");
	scene_delete(scene, "1.log");
	UNTIL(scene, scene_heard(scene, "0.log")->removed &&
			     scene_heard(scene, "1.log")->removed);
	expect_read_or_lost("0.log");
	expect_read_or_lost("1.log");
	cr_expect_eq(scene_heard(scene, "0.log")->lost_bytes +
			     scene_heard(scene, "1.log")->lost_bytes,
		     12);
}

Test(follower, overlong_lines_are_skipped_whole_and_told)
{
	int fd;

	start((struct follower_options){.block_bytes = 100});
	fd = scene_open(scene, "a.log");
	scene_follow(scene, "a.log");
	scene_write(fd, "before\n");
	for (int i = 0; i < 300; i++)
		scene_write(fd, "0123456789");
	UNTIL_TEXT(scene, "a.log", "before\n");
	cr_expect_eq(scene_heard(scene, "a.log")->oversized, 0);
	scene_write(fd, "\nafter\n");
	UNTIL_TEXT(scene, "a.log", "before\nafter\n");
	cr_expect_eq(scene_heard(scene, "a.log")->oversized, 1);
	cr_expect_eq(scene_heard(scene, "a.log")->oversized_bytes, 3001);
	close(fd);
}

Test(follower, the_longest_line_passes)
{
	char line[1026];

	start((struct follower_options){.line_bytes = 1024, .block_bytes = 100});
	memset(line, 'x', sizeof(line));
	line[1024] = '\n';
	line[1025] = '\0';
	scene_append(scene, "a.log", line);
	scene_append(scene, "a.log", "next\n");
	scene_follow(scene, "a.log");
	UNTIL(scene, scene_heard(scene, "a.log")->text.len == 1030);
	cr_expect_eq(scene_heard(scene, "a.log")->oversized, 0);
}

Test(follower, a_busy_file_does_not_hold_up_the_others)
{
	struct strbuf many = STRBUF_INIT;

	start((struct follower_options){.block_bytes = 100});
	for (int i = 0; i < 200000; i++)
		strbuf_puts(&many, "a line like many others\n");
	scene_append(scene, "busy.log", many.ptr);
	append_to_each(3, "one\n");
	scene_follow_roots(scene, &(struct discovery_root){.path = scene->dir}, 1);
	for (int i = 0; i < 3; i++) {
		char name[16];

		snprintf(name, sizeof(name), "%d.log", i);
		UNTIL_TEXT(scene, name, "one\n");
	}
	UNTIL(scene, scene_heard(scene, "busy.log")->text.len > 0);
	cr_expect_lt(scene_heard(scene, "busy.log")->text.len, many.len / 2);
	cr_expect_leq(scene->largest_block_bytes, 100);
	cr_expect(follower_turn(scene->follower), "there is more to read");
	cr_expect_eq(follower_wait_ms(scene->follower), 0);
	strbuf_finish(&many);
}

Test(follower, silence_ends_the_last_line_of_a_deleted_file)
{
	int fd;

	start((struct follower_options){.finish_ms = 300});
	fd = scene_open(scene, "a.log");
	scene_follow(scene, "a.log");
	scene_write(fd, "one\nend");
	UNTIL_TEXT(scene, "a.log", "one\n");
	scene_delete(scene, "a.log");
	scene_append(scene, "a.log", "new\n");
	UNTIL_TEXT(scene, "a.log", "one\nend$new\n");
	/* The writer is still there, and so is the file. */
	scene_write(fd, "more\n");
	UNTIL_TEXT(scene, "a.log", "one\nend$new\nmore\n");
	close(fd);
	cr_expect_eq(scene_heard(scene, "a.log")->rotated[ROTATION_DELETE], 1);
}

Test(follower, the_last_line_of_a_file_that_keeps_its_name_waits)
{
	start((struct follower_options){.finish_ms = 1});
	scene_append(scene, "a.log", "one\nunfinished");
	scene_follow(scene, "a.log");
	UNTIL_TEXT(scene, "a.log", "one\n");
	UNTIL(scene, follower_wait_ms(scene->follower) == -1);
	cr_expect_str_eq(scene_text(scene, "a.log"), "one\n");
}

Test(follower, tells_how_far_it_is)
{
	struct sum sum;

	start((struct follower_options){0});
	scene_append(scene, "a.log", "one\nhalf");
	scene_follow(scene, "a.log");
	UNTIL_TEXT(scene, "a.log", "one\n");
	UNTIL(scene, follower_wait_ms(scene->follower) == -1);
	sum = sum_up();
	cr_assert_eq(sum.paths, 1);
	cr_expect_str_eq(sum.last.name, scene_path(scene, "a.log"));
	cr_expect_eq(sum.last.path, scene_heard(scene, "a.log"));
	cr_expect_eq(sum.last.size_bytes, 8);
	cr_expect_eq(sum.last.offset_bytes, 4);
	cr_expect_eq(sum.last.lag_bytes, 4);
	cr_expect(sum.last.open);
	cr_expect_lt(llabs(clock_wall_ns() - sum.last.last_line_ns),
		     60 * NS_PER_SECOND);
}

Test(follower, rotation_kinds_have_their_names)
{
	start((struct follower_options){0});
	cr_expect_str_eq(rotation_kind_name(ROTATION_RENAME), "rename");
	cr_expect_str_eq(rotation_kind_name(ROTATION_TRUNCATE), "truncate");
	cr_expect_str_eq(rotation_kind_name(ROTATION_DELETE), "delete");
}
