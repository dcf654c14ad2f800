#include "scene.h"

static struct scene *scene;

static void setup(void)
{
	scene = scene_create();
}

static void teardown(void)
{
	scene_destroy(scene);
}

TestSuite(discovery, .init = setup, .fini = teardown, .timeout = 60);

Test(discovery, files_there_at_first_are_read_from_their_start_and_then_followed)
{
	scene_append(scene, "a.log", "one\n");
	scene_append(scene, "b.txt", "not a log\n");
	scene_follow(scene, "");
	UNTIL_TEXT(scene, "a.log", "one\n");
	cr_expect_eq(discovery_file_count(scene->discovery), 1);
	scene_append(scene, "a.log", "two\n");
	UNTIL_TEXT(scene, "a.log", "one\ntwo\n");
	cr_expect_str_eq(scene_text(scene, "b.txt"), "");
}

Test(discovery, nothing_is_due_while_nothing_happens)
{
	scene_append(scene, "a.log", "one\n");
	scene_follow(scene, "");
	UNTIL_TEXT(scene, "a.log", "one\n");
	UNTIL(scene, follower_wait_ms(scene->follower) == -1);
}

Test(discovery, a_line_counts_when_its_newline_comes)
{
	int fd = scene_open(scene, "a.log");

	scene_follow(scene, "a.log");
	scene_write(fd, "first\nsec");
	UNTIL_TEXT(scene, "a.log", "first\n");
	scene_write(fd, "ond\nthi");
	UNTIL_TEXT(scene, "a.log", "first\nsecond\n");
	scene_write(fd, "rd\n");
	UNTIL_TEXT(scene, "a.log", "first\nsecond\nthird\n");
	close(fd);
}

Test(discovery, a_file_that_appears_later_is_read_from_its_start)
{
	struct discovery_root root = {.path = scene->dir, .start_at_end = true};

	scene_append(scene, "old.log", "skipped\nhalf of");
	scene_follow_roots(scene, &root, 1);
	UNTIL(scene, discovery_first_look_done(scene->discovery));
	scene_append(scene, "new.log", "new\n");
	scene_append(scene, "old.log", " a line\nwhole\n");
	UNTIL_TEXT(scene, "new.log", "new\n");
	UNTIL_TEXT(scene, "old.log", "whole\n");
	cr_expect_eq(scene_heard(scene, "old.log")->oversized, 0);
}

Test(discovery, start_at_end_after_a_whole_line_skips_nothing_that_comes)
{
	struct discovery_root root = {.path = scene->dir, .start_at_end = true};

	scene_append(scene, "a.log", "skipped\n");
	scene_follow_roots(scene, &root, 1);
	UNTIL(scene, discovery_first_look_done(scene->discovery));
	scene_append(scene, "a.log", "next\n");
	UNTIL_TEXT(scene, "a.log", "next\n");
}

Test(discovery, new_directories_are_followed_with_what_is_in_them_at_once)
{
	scene_follow(scene, "");
	for (int i = 0; i < 20; i++) {
		char name[64];

		snprintf(name, sizeof(name), "d%d", i);
		scene_mkdir(scene, name);
		snprintf(name, sizeof(name), "d%d/e", i);
		scene_mkdir(scene, name);
		snprintf(name, sizeof(name), "d%d/e/a.log", i);
		scene_append(scene, name, "one\n");
	}
	for (int i = 0; i < 20; i++) {
		char name[64];

		snprintf(name, sizeof(name), "d%d/e/a.log", i);
		UNTIL_TEXT(scene, name, "one\n");
	}
}

Test(discovery, a_glob_with_any_depth_finds_old_and_new)
{
	scene_mkdir(scene, "x");
	scene_mkdir(scene, "x/y");
	scene_append(scene, "x/y/app.out", "deep\n");
	scene_append(scene, "app.out", "flat\n");
	scene_append(scene, "x/other", "no\n");
	scene_follow(scene, "**/*.out");
	scene_mkdir(scene, "x/z");
	scene_append(scene, "x/z/late.out", "late\n");
	UNTIL_TEXT(scene, "x/y/app.out", "deep\n");
	UNTIL_TEXT(scene, "app.out", "flat\n");
	UNTIL_TEXT(scene, "x/z/late.out", "late\n");
	cr_expect_str_eq(scene_text(scene, "x/other"), "");
}

Test(discovery, a_path_that_is_missing_is_picked_up_when_it_appears)
{
	struct strbuf why = STRBUF_INIT;

	scene_follow(scene, "one/two/app");
	discovery_explain_skipped(scene->discovery, 10, &why);
	cr_expect(strstr(why.ptr, "one/two/app: does not exist\n"), "%s", why.ptr);
	strbuf_finish(&why);
	scene_mkdir(scene, "one");
	scene_mkdir(scene, "one/two");
	scene_append(scene, "one/two/app", "here\n");
	UNTIL_TEXT(scene, "one/two/app", "here\n");
}

Test(discovery, a_directory_moved_away_and_made_again_is_followed_again)
{
	scene_mkdir(scene, "logs");
	scene_append(scene, "logs/a.log", "one\n");
	scene_follow(scene, "logs");
	UNTIL_TEXT(scene, "logs/a.log", "one\n");
	scene_rename(scene, "logs", "away");
	scene_append(scene, "away/a.log", "two\n");
	scene_mkdir(scene, "logs");
	scene_append(scene, "logs/a.log", "three\n");
	UNTIL(scene, strstr(scene_text(scene, "logs/a.log"), "three\n"));
	scene_append(scene, "logs/a.log", "four\n");
	UNTIL(scene, strstr(scene_text(scene, "logs/a.log"), "four\n"));
	cr_expect(strstr(scene_text(scene, "logs/a.log"), "two\n"));
}

Test(discovery, rename_and_create_under_load_loses_and_doubles_nothing)
{
	struct strbuf expected = STRBUF_INIT;
	int fd = scene_open(scene, "app.log");

	scene_follow(scene, "");
	for (int i = 0; i < 3000; i++) {
		char line[32];

		if (i % 100 == 50) {
			char to[32];

			snprintf(to, sizeof(to), "app.log.%d", i / 100);
			scene_rename(scene, "app.log", to);
		}
		if (i % 100 == 60) {
			close(fd);
			fd = scene_open(scene, "app.log");
		}
		snprintf(line, sizeof(line), "line %d\n", i);
		strbuf_puts(&expected, line);
		scene_write(fd, line);
		if (i % 7 == 0)
			follower_turn(scene->follower);
	}
	close(fd);
	UNTIL(scene, scene_heard(scene, "app.log")->text.len >= expected.len);
	scene_append(scene, "app.log", "end\n");
	strbuf_puts(&expected, "end\n");
	UNTIL(scene, scene_heard(scene, "app.log")->text.len >= expected.len);
	cr_expect_eq(scene_heard(scene, "app.log")->text.len, expected.len);
	cr_expect_eq(scene_heard(scene, "app.log")->rotated[ROTATION_RENAME], 30);
	for (size_t at = 0; at < expected.len; at++)
		if (scene_text(scene, "app.log")[at] != expected.ptr[at])
			cr_assert_fail(
				"each line once and in order: %.60s instead of %.30s",
				scene_text(scene, "app.log") + (at > 20 ? at - 20 : 0),
				expected.ptr + at);
	strbuf_finish(&expected);
}

Test(discovery, several_rotations_at_once_lose_nothing_and_keep_the_order)
{
	scene_append(scene, "app.log", "a\n");
	scene_follow(scene, "app.log");
	UNTIL_TEXT(scene, "app.log", "a\n");
	scene_append(scene, "app.log", "b\n");
	scene_rename(scene, "app.log", "app.log.1");
	scene_append(scene, "app.log", "c\n");
	scene_rename(scene, "app.log.1", "app.log.2");
	scene_rename(scene, "app.log", "app.log.1");
	scene_append(scene, "app.log", "d\n");
	UNTIL(scene, scene_heard(scene, "app.log")->text.len == 8);
	scene_append(scene, "app.log", "e\n");
	UNTIL(scene, scene_heard(scene, "app.log")->text.len == 10);
	for (const char *c = "abcde"; *c; c++)
		cr_expect(strchr(scene_text(scene, "app.log"), *c), "%c is in %s", *c,
			  scene_text(scene, "app.log"));
	UNTIL(scene, scene_heard(scene, "app.log")->rotated[ROTATION_RENAME] >= 2);
	cr_expect_eq(scene_heard(scene, "app.log")->rotated[ROTATION_RENAME], 2, "%u",
		     scene_heard(scene, "app.log")->rotated[ROTATION_RENAME]);
}

Test(discovery, a_renamed_file_is_read_as_long_as_it_is_written_to)
{
	int fd = scene_open(scene, "app.log");

	scene_follow(scene, "app.log");
	scene_write(fd, "one\n");
	UNTIL_TEXT(scene, "app.log", "one\n");
	scene_rename(scene, "app.log", "app.log.1");
	UNTIL(scene, scene_heard(scene, "app.log")->rotated[ROTATION_RENAME] == 1);
	scene_append(scene, "app.log", "new\n");
	UNTIL_TEXT(scene, "app.log", "one\nnew\n");
	scene_write(fd, "late\n");
	UNTIL_TEXT(scene, "app.log", "one\nnew\nlate\n");
	close(fd);
	scene_append(scene, "app.log.1", "reopened\n");
	UNTIL_TEXT(scene, "app.log", "one\nnew\nlate\nreopened\n");
}

Test(discovery, the_unterminated_end_of_a_renamed_file_counts_when_its_writer_closes)
{
	int fd = scene_open(scene, "app.log");

	scene_follow(scene, "app.log");
	scene_write(fd, "one\ntorn");
	UNTIL_TEXT(scene, "app.log", "one\n");
	scene_rename(scene, "app.log", "app.log.1");
	scene_append(scene, "app.log", "new\n");
	UNTIL(scene, scene_heard(scene, "app.log")->rotated[ROTATION_RENAME] == 1);
	for (int i = 0; i < 20; i++)
		scene_turn(scene);
	cr_expect_str_eq(scene_text(scene, "app.log"), "one\n", "newer ones wait");
	scene_write(fd, " apart");
	close(fd);
	UNTIL_TEXT(scene, "app.log", "one\ntorn apart$new\n");
}

Test(discovery, a_file_that_is_deleted_is_read_to_its_end)
{
	int fd = scene_open(scene, "app.log");

	scene_follow(scene, "app.log");
	scene_write(fd, "one\n");
	UNTIL_TEXT(scene, "app.log", "one\n");
	scene_write(fd, "two\n");
	scene_delete(scene, "app.log");
	scene_write(fd, "three\nend");
	UNTIL(scene, scene_heard(scene, "app.log")->rotated[ROTATION_DELETE] == 1);
	close(fd);
	UNTIL_TEXT(scene, "app.log", "one\ntwo\nthree\nend$");
	UNTIL(scene, scene_heard(scene, "app.log")->removed == 1);
	cr_expect_eq(scene_heard(scene, "app.log")->lost_bytes, 0);
}

Test(discovery, delete_and_recreate_are_two_files)
{
	scene_append(scene, "app.log", "same\n");
	scene_follow(scene, "app.log");
	UNTIL_TEXT(scene, "app.log", "same\n");
	scene_delete(scene, "app.log");
	scene_append(scene, "app.log", "same\n");
	UNTIL_TEXT(scene, "app.log", "same\nsame\n");
	cr_expect_eq(scene_heard(scene, "app.log")->rotated[ROTATION_TRUNCATE], 0);
}

Test(discovery, a_truncated_file_is_read_from_its_start)
{
	scene_append(scene, "app.log", "one\ntwo\n");
	scene_follow(scene, "app.log");
	UNTIL_TEXT(scene, "app.log", "one\ntwo\n");
	cr_assert_eq(truncate(scene_path(scene, "app.log"), 0), 0);
	UNTIL(scene, scene_heard(scene, "app.log")->rotated[ROTATION_TRUNCATE] == 1);
	scene_append(scene, "app.log", "new\n");
	UNTIL_TEXT(scene, "app.log", "one\ntwo\nnew\n");
}

Test(discovery, a_glob_that_matches_the_rotated_name_too_counts_each_line_once)
{
	scene_append(scene, "app.log", "one\n");
	scene_follow(scene, "*.log*");
	UNTIL_TEXT(scene, "app.log", "one\n");
	scene_append(scene, "app.log", "two\n");
	scene_rename(scene, "app.log", "app.log.1");
	scene_append(scene, "app.log", "three\n");
	scene_append(scene, "app.log.1", "four\n");
	UNTIL(scene, scene_heard(scene, "app.log")->text.len == 19);
	cr_expect_eq(scene_heard(scene, "app.log.1")->added, 0);
	cr_expect_eq(scene_heard(scene, "app.log")->added, 1);
}

Test(discovery, a_file_with_two_names_counts_once)
{
	const struct discovery_root roots[] = {
		{.path = scene->dir},
		{.path = scene_path(scene, "b.log")},
		{.path = scene_path(scene, "*.log")},
	};

	scene_append(scene, "a.log", "one\n");
	cr_assert_eq(link(scene_path(scene, "a.log"), scene_path(scene, "b.log")), 0);
	cr_assert_eq(symlink("a.log", scene_path(scene, "c.log")), 0);
	scene_follow_roots(scene, roots, 3);
	UNTIL(scene, discovery_first_look_done(scene->discovery));
	scene_append(scene, "b.log", "two\n");
	UNTIL_TEXT(scene, "a.log", "one\ntwo\n");
	cr_expect_eq(scene_heard(scene, "b.log")->added, 0);
	cr_expect_eq(scene_heard(scene, "c.log")->added, 0);
	cr_expect_eq(discovery_file_count(scene->discovery), 1);
}

Test(discovery, a_link_is_followed_to_where_nothing_else_is_watched)
{
	scene_mkdir(scene, "logs");
	scene_mkdir(scene, "real");
	scene_append(scene, "real/v1", "one\n");
	scene_append(scene, "real/v2", "other\n");
	cr_assert_eq(symlink("../real/v1", scene_path(scene, "logs/app.log")), 0);
	scene_follow(scene, "logs");
	UNTIL_TEXT(scene, "logs/app.log", "one\n");
	scene_append(scene, "real/v1", "two\n");
	UNTIL_TEXT(scene, "logs/app.log", "one\ntwo\n");
	cr_assert_eq(symlink("../real/v2", scene_path(scene, "logs/new")), 0);
	scene_rename(scene, "logs/new", "logs/app.log");
	UNTIL_TEXT(scene, "logs/app.log", "one\ntwo\nother\n");
	scene_append(scene, "real/v2", "more\n");
	UNTIL_TEXT(scene, "logs/app.log", "one\ntwo\nother\nmore\n");
}

Test(discovery, a_link_to_what_appears_later_is_followed)
{
	scene_mkdir(scene, "logs");
	cr_assert_eq(symlink("../real/app", scene_path(scene, "logs/app.log")), 0);
	scene_follow(scene, "logs");
	scene_mkdir(scene, "real");
	scene_append(scene, "real/app", "one\n");
	UNTIL_TEXT(scene, "logs/app.log", "one\n");
	scene_append(scene, "real/app", "two\n");
	UNTIL_TEXT(scene, "logs/app.log", "one\ntwo\n");
}

Test(discovery, links_swapped_as_kubernetes_does_lead_to_the_new_file)
{
	scene_mkdir(scene, "..v1");
	scene_mkdir(scene, "..v2");
	scene_append(scene, "..v1/app.log", "one\n");
	scene_append(scene, "..v2/app.log", "two\n");
	cr_assert_eq(symlink("..v1", scene_path(scene, "..data")), 0);
	cr_assert_eq(symlink("..data/app.log", scene_path(scene, "app.log")), 0);
	scene_follow(scene, "");
	UNTIL_TEXT(scene, "app.log", "one\n");
	cr_assert_eq(symlink("..v2", scene_path(scene, "..tmp")), 0);
	scene_rename(scene, "..tmp", "..data");
	UNTIL_TEXT(scene, "app.log", "one\ntwo\n");
}

Test(discovery, a_linked_directory_is_followed_and_a_loop_ends)
{
	scene_mkdir(scene, "logs");
	scene_mkdir(scene, "logs/sub");
	scene_mkdir(scene, "elsewhere");
	scene_append(scene, "elsewhere/a.log", "one\n");
	cr_assert_eq(symlink("../..", scene_path(scene, "logs/sub/up")), 0);
	cr_assert_eq(symlink("..", scene_path(scene, "logs/sub/loop")), 0);
	cr_assert_eq(symlink("../elsewhere", scene_path(scene, "logs/linked")), 0);
	scene_follow(scene, "logs");
	UNTIL_TEXT(scene, "logs/linked/a.log", "one\n");
	scene_append(scene, "elsewhere/a.log", "two\n");
	UNTIL_TEXT(scene, "logs/linked/a.log", "one\ntwo\n");
	scene_append(scene, "elsewhere/b.log", "new\n");
	UNTIL_TEXT(scene, "logs/linked/b.log", "new\n");
	UNTIL(scene, discovery_file_count(scene->discovery) == 2);
}

Test(discovery, a_directory_reached_by_two_paths_stays_watched_when_one_ends)
{
	const struct discovery_root roots[] = {
		{.path = scene_path(scene, "first")},
		{.path = scene_path(scene, "second")},
	};

	scene_mkdir(scene, "real");
	cr_assert_eq(symlink("real", scene_path(scene, "first")), 0);
	cr_assert_eq(symlink("real", scene_path(scene, "second")), 0);
	scene_follow_roots(scene, roots, 2);
	UNTIL(scene, discovery_first_look_done(scene->discovery));
	scene_append(scene, "real/a.log", "one\n");
	UNTIL_TEXT(scene, "first/a.log", "one\n");
	scene_delete(scene, "first");
	scene_append(scene, "real/b.log", "two\n");
	UNTIL_TEXT(scene, "second/b.log", "two\n");
	scene_append(scene, "real/a.log", "more\n");
	UNTIL_TEXT(scene, "first/a.log", "one\nmore\n");
}

Test(discovery, what_is_no_regular_file_is_left_alone)
{
	struct strbuf why = STRBUF_INIT;

	cr_assert_eq(mkfifo(scene_path(scene, "pipe.log"), 0644), 0);
	scene_append(scene, "a.log", "one\n");
	scene_append(scene, "a.txt", "one\n");
	scene_append(scene, "b.txt", "one\n");
	scene_follow(scene, "");
	UNTIL_TEXT(scene, "a.log", "one\n");
	discovery_explain_skipped(scene->discovery, 10, &why);
	cr_expect(strstr(why.ptr, "pipe.log: is not a regular file\n"), "%s", why.ptr);
	cr_expect(strstr(why.ptr, "a.txt: matches no include pattern (*.log)\n"), "%s",
		  why.ptr);
	strbuf_clear(&why);
	discovery_explain_skipped(scene->discovery, 1, &why);
	cr_expect(strstr(why.ptr, "\nand 2 more\n"), "%s", why.ptr);
	strbuf_finish(&why);
}

Test(discovery, a_polled_directory_is_followed_without_inotify)
{
	struct discovery_root root = {.path = scene->dir, .poll = true};

	scene_append(scene, "a.log", "one\n");
	scene_follow_roots(scene, &root, 1);
	UNTIL_TEXT(scene, "a.log", "one\n");
	scene_append(scene, "a.log", "two\n");
	scene_append(scene, "b.log", "new\n");
	scene_rename(scene, "a.log", "a.log.1");
	scene_append(scene, "a.log", "three\n");
	UNTIL_TEXT(scene, "a.log", "one\ntwo\nthree\n");
	UNTIL_TEXT(scene, "b.log", "new\n");
	cr_expect(scene_fell_back(scene, "poll "));
}

static void flood(struct scene *flooded)
{
	int a = scene_open(flooded, "watched/a.log");
	int b = scene_open(flooded, "watched/b.log");

	flooded->on_fallback = NULL;
	for (int i = 0; i < 9000; i++) {
		scene_write(a, "a\n");
		scene_write(b, "b\n");
	}
	close(a);
	close(b);
	scene_append(flooded, "watched/late.log", "unseen\n");
	scene_append(flooded, "watched/a.log", "end\n");
}

Test(discovery, lost_events_lead_to_a_look_at_everything)
{
	const struct discovery_root roots[] = {
		{.path = scene_path(scene, "watched")},
	};
	const struct discovery_root more[] = {
		roots[0],
		{.path = scene_path(scene, "polled"), .poll = true},
	};

	scene_mkdir(scene, "watched");
	scene_append(scene, "watched/a.log", "first\n");
	scene_follow_roots(scene, roots, 1);
	UNTIL_TEXT(scene, "watched/a.log", "first\n");
	/* While discovery tells that it polls, it reads no events. */
	scene->on_fallback = flood;
	scene_follow_roots(scene, more, 2);
	UNTIL(scene, scene_fell_back(scene, "overflow "));
	UNTIL_TEXT(scene, "watched/late.log", "unseen\n");
	UNTIL(scene, scene_heard(scene, "watched/a.log")->text.len == 6 + 18000 + 4);
	UNTIL(scene, scene_heard(scene, "watched/b.log")->text.len == 18000);
	scene_append(scene, "watched/late.log", "seen\n");
	UNTIL_TEXT(scene, "watched/late.log", "unseen\nseen\n");
}

Test(discovery, the_backlog_is_read_once_all_that_was_there_is)
{
	for (int i = 0; i < 10; i++) {
		char name[16];

		snprintf(name, sizeof(name), "%d.log", i);
		for (int j = 0; j < 500; j++)
			scene_append(scene, name, "a line of the backlog\n");
	}
	scene_append(scene, "torn.log", "no newline yet");
	scene_follow_roots(scene, &(struct discovery_root){.path = scene->dir}, 1);
	while (!discovery_backlog_read(scene->discovery)) {
		cr_assert_eq(scene->backlog_reads, 0);
		scene_turn(scene);
	}
	for (int i = 0; i < 10; i++) {
		char name[16];

		snprintf(name, sizeof(name), "%d.log", i);
		cr_expect_eq(scene_heard(scene, name)->text.len, 500 * 22);
	}
	cr_expect_eq(scene->backlog_reads, 1);
}

Test(discovery, without_any_file_there_is_no_backlog)
{
	scene_follow(scene, "missing");
	UNTIL(scene, discovery_backlog_read(scene->discovery));
	cr_expect_eq(scene->backlog_reads, 1);
}

Test(discovery, a_path_that_no_root_wants_any_more_is_read_and_dropped)
{
	const struct discovery_root roots[] = {
		{.path = scene_path(scene, "a.log")},
		{.path = scene_path(scene, "b.log")},
	};

	scene_append(scene, "a.log", "a\n");
	scene_append(scene, "b.log", "b\n");
	scene_follow_roots(scene, roots, 2);
	UNTIL_TEXT(scene, "a.log", "a\n");
	UNTIL_TEXT(scene, "b.log", "b\n");
	scene_follow_roots(scene, roots + 1, 1);
	UNTIL(scene, scene_heard(scene, "a.log")->removed == 1);
	scene_append(scene, "a.log", "unseen\n");
	scene_append(scene, "b.log", "seen\n");
	UNTIL_TEXT(scene, "b.log", "b\nseen\n");
	cr_expect_str_eq(scene_text(scene, "a.log"), "a\n");
	cr_expect_eq(scene_heard(scene, "b.log")->removed, 0);
	cr_expect_eq(scene_heard(scene, "a.log")->rotated[ROTATION_RENAME], 0);
	/* Wanted again soon after, it goes on where it was left. */
	scene_follow_roots(scene, roots, 2);
	UNTIL_TEXT(scene, "a.log", "a\nunseen\n");
}

Test(discovery, a_file_moved_away_and_back_goes_on_where_it_was)
{
	scene_mkdir(scene, "logs");
	scene_mkdir(scene, "away"); /* not watched */
	scene_append(scene, "logs/a.log", "one\n");
	scene_follow(scene, "logs");
	UNTIL_TEXT(scene, "logs/a.log", "one\n");
	scene_rename(scene, "logs/a.log", "away/hidden");
	UNTIL(scene, scene_heard(scene, "logs/a.log")->removed == 1);
	scene_append(scene, "away/hidden", "two\n");
	scene_rename(scene, "away/hidden", "logs/a.log");
	UNTIL_TEXT(scene, "logs/a.log", "one\ntwo\n");
}

Test(discovery, a_replaced_file_is_a_new_one)
{
	scene_append(scene, "a.log", "one\n");
	scene_follow(scene, "a.log");
	UNTIL_TEXT(scene, "a.log", "one\n");
	scene_append(scene, "new", "two\n");
	scene_rename(scene, "new", "a.log");
	UNTIL_TEXT(scene, "a.log", "one\ntwo\n");
	cr_expect_eq(scene_heard(scene, "a.log")->added, 1);
}

static bool can_become_nobody(void)
{
	return geteuid() == 0 && setresgid(65534, 65534, 65534) == 0 &&
	       setresuid(65534, 65534, 65534) == 0;
}

Test(discovery, what_cannot_be_read_is_picked_up_when_it_can)
{
	struct strbuf why = STRBUF_INIT;

	if (geteuid() == 0) {
		cr_assert_eq(chown(scene->dir, 65534, 65534), 0);
		cr_assert(can_become_nobody());
	}
	scene_append(scene, "closed.log", "one\n");
	scene_append(scene, "open.log", "one\n");
	cr_assert_eq(chmod(scene_path(scene, "closed.log"), 0), 0);
	scene_mkdir(scene, "locked");
	scene_append(scene, "locked/a.log", "one\n");
	cr_assert_eq(chmod(scene_path(scene, "locked"), 0), 0);
	scene_follow(scene, "");
	UNTIL_TEXT(scene, "open.log", "one\n");
	discovery_explain_skipped(scene->discovery, 10, &why);
	cr_expect(strstr(why.ptr, "closed.log: Permission denied\n"), "%s", why.ptr);
	cr_expect(strstr(why.ptr, "locked: Permission denied\n"), "%s", why.ptr);
	strbuf_finish(&why);
	cr_assert_eq(chmod(scene_path(scene, "closed.log"), 0644), 0);
	cr_assert_eq(chmod(scene_path(scene, "locked"), 0755), 0);
	UNTIL_TEXT(scene, "closed.log", "one\n");
	UNTIL_TEXT(scene, "locked/a.log", "one\n");
	scene_append(scene, "locked/a.log", "two\n");
	UNTIL_TEXT(scene, "locked/a.log", "one\ntwo\n");
}
