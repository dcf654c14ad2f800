#include <stdatomic.h>
#include <string.h>
#include <sys/syscall.h>

#include "scene.h"

static struct scene *scene;
static atomic_bool slow_wakes;

/* Whoever is woken by an event descriptor is done before the waker goes on. */
ssize_t write(int fd, const void *bytes, size_t len)
{
	ssize_t n = syscall(SYS_write, fd, bytes, len);

	if (atomic_load(&slow_wakes) && len == sizeof(uint64_t))
		usleep(50000);
	return n;
}

static void set_up(void)
{
	scene = scene_create();
}

static void tear_down(void)
{
	atomic_store(&slow_wakes, false);
	scene_destroy(scene);
}

TestSuite(handover, .init = set_up, .fini = tear_down);

/* What `make` makes in a directory appears at once: one look finds all of it. */
static void appear(void (*make)(const char *dir))
{
	char dir[80];

	snprintf(dir, sizeof(dir), "%s.new", scene->dir);
	cr_assert_eq(mkdir(dir, 0755), 0);
	make(dir);
	atomic_store(&slow_wakes, true);
	cr_assert_eq(rename(dir, scene_path(scene, "d")), 0);
}

static void put(const char *dir, const char *name, const char *text)
{
	char path[100];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	cr_assert(f);
	fputs(text, f);
	fclose(f);
	usleep(20000);
}

static void make_torn(const char *dir)
{
	put(dir, "a.log", "1 to");
	put(dir, "a.log.1", "1 to");
	put(dir, "a.log", "rn\n2\n");
}

static void expect_joined(void)
{
	UNTIL_TEXT(scene, "d/a.log", "1 torn\n2\n");
	for (int turn = 0; turn < 60; turn++)
		scene_turn(scene);
	cr_expect_str_eq(scene_text(scene, "d/a.log"), "1 torn\n2\n");
}

Test(handover, a_torn_copy_is_not_read_before_its_original_is_known)
{
	scene_follow(scene, "");
	appear(make_torn);
	expect_joined();
}

Test(handover, nor_where_the_directory_is_polled)
{
	const struct discovery_root root = {.path = scene->dir, .poll = true};

	scene_follow_roots(scene, &root, 1);
	UNTIL(scene, discovery_first_look_done(scene->discovery));
	appear(make_torn);
	expect_joined();
}
