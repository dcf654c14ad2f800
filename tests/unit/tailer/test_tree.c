/* The tree without discovery's thread: when is it due? */
#include <stdatomic.h>
#include <sys/resource.h>

#include "scene.h"
#include "tailer/catalog.h"
#include "tailer/tree.h"

#define FILES 3

static struct scene *scene;
static struct catalog *catalog;
static struct mailbox *asks;
static struct tree *tree;

static void setup(void)
{
	static const struct discovery_ops ops = {scene_fallback, scene_looked};
	struct error err;

	scene = scene_create_with(
		&(struct follower_options){.line_bytes = 4096, .open_files = 64});
	asks = mailbox_create(sizeof(struct file *), &err);
	catalog = catalog_create(&scene->follower, 1, asks);
	tree = tree_create(catalog, &ops, scene);
}

static void teardown(void)
{
	catalog_destroy(catalog);
	tree_destroy(tree);
	mailbox_destroy(asks);
	scene_destroy(scene);
}

TestSuite(tree, .init = setup, .fini = teardown, .timeout = 60);

static void follow(const char *path)
{
	struct discovery_root root = {.path = path};

	tree_set_roots(tree, roots_create(&root, 1), false);
}

static void answer(void)
{
	void *taken;
	size_t count = mailbox_take(asks, &taken);

	for (size_t i = 0; i < count; i++)
		catalog_answer(catalog, ((struct file *const *)taken)[i]);
}

static void turn(void)
{
	struct pollfd wait = {.fd = tree_fd(tree), .events = POLLIN};

	poll(&wait, 1, 1);
	tree_read_events(tree);
	tree_poll(tree);
	catalog_hand_over(catalog);
	answer();
	follower_turn(scene->follower);
}

#define TURN_UNTIL(condition)                                                   \
	do {                                                                    \
		int64_t deadline_ns = clock_monotonic_ns() + SCENE_DEADLINE_NS; \
		while (!(condition) && clock_monotonic_ns() < deadline_ns)      \
			turn();                                                 \
		cr_assert(condition, "in time: %s", #condition);                \
	} while (0)

struct writer {
	pthread_t thread;
	int fds[FILES];
	size_t written_bytes[FILES];
	bool reopen; /* for each line */
	atomic_bool ended;
};

static const char *file_name(int i)
{
	static const char *const names[FILES] = {"a.log", "b.log", "c.log"};

	return names[i];
}

static void write_line(struct writer *writer, int i)
{
	if (writer->reopen)
		writer->fds[i] = scene_open(scene, file_name(i));
	scene_write(writer->fds[i], "x\n");
	writer->written_bytes[i] += 2;
	if (writer->reopen)
		close(writer->fds[i]);
}

/* At low priority: a queue is full in 10 ms, which tests beside it may take. */
static void *write_for_a_second(void *arg)
{
	struct writer *writer = arg;
	int64_t end_ns = clock_monotonic_ns() + NS_PER_SECOND;

	setpriority(PRIO_PROCESS, (id_t)gettid(), 19);
	while (clock_monotonic_ns() < end_ns)
		for (int i = 0; i < FILES; i++)
			write_line(writer, i);
	atomic_store(&writer->ended, true);
	return NULL;
}

static size_t arrived_bytes(int i)
{
	return scene_heard(scene, file_name(i))->text.len;
}

static void flood(bool reopen)
{
	struct writer writer = {.reopen = reopen};

	for (int i = 0; i < FILES; i++)
		writer.fds[i] = scene_open(scene, file_name(i));
	follow(scene->dir);
	TURN_UNTIL(tree_due_ns(tree) == 0);
	pthread_create(&writer.thread, NULL, write_for_a_second, &writer);
	TURN_UNTIL(atomic_load(&writer.ended));
	pthread_join(writer.thread, NULL);
	for (int i = 0; i < FILES; i++)
		TURN_UNTIL(arrived_bytes(i) == writer.written_bytes[i]);
	cr_expect_str_eq(scene->fallbacks.ptr, "flood ");
	TURN_UNTIL(tree_due_ns(tree) == 0);
	for (int i = 0; i < FILES; i++) {
		write_line(&writer, i);
		TURN_UNTIL(arrived_bytes(i) == writer.written_bytes[i]);
	}
	cr_expect_eq(tree_due_ns(tree), 0, "an event told");
	cr_expect_str_eq(scene->fallbacks.ptr, "flood ");
	for (int i = 0; i < FILES && !reopen; i++)
		close(writer.fds[i]);
}

Test(tree, a_writer_as_busy_as_can_be_overflows_nothing_and_loses_nothing)
{
	flood(false);
}

Test(tree, nor_does_one_that_opens_the_file_for_each_line)
{
	flood(true);
}

Test(tree, names_are_told_while_a_directory_floods)
{
	struct writer writer = {.reopen = false};

	for (int i = 0; i < FILES; i++)
		writer.fds[i] = scene_open(scene, file_name(i));
	follow(scene->dir);
	pthread_create(&writer.thread, NULL, write_for_a_second, &writer);
	TURN_UNTIL(scene_fell_back(scene, "flood "));
	scene_append(scene, "new.log", "new\n");
	TURN_UNTIL(scene_heard(scene, "new.log")->text.len > 0);
	scene_rename(scene, "new.log", "newer.log");
	TURN_UNTIL(scene_heard(scene, "new.log")->rotated[ROTATION_RENAME] == 1);
	cr_expect_not(atomic_load(&writer.ended));
	pthread_join(writer.thread, NULL);
	for (int i = 0; i < FILES; i++)
		close(writer.fds[i]);
}

Test(tree, a_flooding_directory_that_is_only_linked_to_is_looked_at_too)
{
	struct strbuf dir = STRBUF_INIT;

	scene_mkdir(scene, "links");
	for (int i = 0; i < FILES; i++) {
		strbuf_clear(&dir);
		strbuf_addf(&dir, "links/%s", file_name(i));
		cr_assert_eq(symlink(scene_path(scene, file_name(i)),
				     scene_path(scene, dir.ptr)),
			     0);
	}
	strbuf_finish(&dir);
	{
		struct writer writer = {.reopen = false};

		for (int i = 0; i < FILES; i++)
			writer.fds[i] = scene_open(scene, file_name(i));
		follow(scene_path(scene, "links"));
		pthread_create(&writer.thread, NULL, write_for_a_second, &writer);
		TURN_UNTIL(atomic_load(&writer.ended));
		pthread_join(writer.thread, NULL);
		for (int i = 0; i < FILES; i++) {
			char name[32];

			snprintf(name, sizeof(name), "links/%s", file_name(i));
			TURN_UNTIL(scene_heard(scene, name)->text.len ==
				   writer.written_bytes[i]);
			close(writer.fds[i]);
		}
		cr_expect_str_eq(scene->fallbacks.ptr, "flood ");
		TURN_UNTIL(tree_due_ns(tree) == 0);
	}
}
