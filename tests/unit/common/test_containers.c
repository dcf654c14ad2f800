#include <criterion/criterion.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>

#include "common/arena.h"
#include "common/hashmap.h"
#include "common/mailbox.h"
#include "common/xalloc.h"

static struct slice key_of(char *buf, int i)
{
	return (struct slice){buf, (size_t)sprintf(buf, "key-%d", i)};
}

Test(hashmap, holds_what_was_put_and_forgets_what_was_removed)
{
	struct hashmap *map = hashmap_create();
	static int values[1000];
	char buf[32];
	size_t cursor = 0, visited = 0;
	struct slice key;
	void *value;

	for (int i = 0; i < 1000; i++)
		cr_assert_null(hashmap_put(map, key_of(buf, i), &values[i]));
	for (int i = 0; i < 1000; i += 2)
		cr_assert_eq(hashmap_remove(map, key_of(buf, i)), &values[i]);
	for (int i = 0; i < 1000; i++)
		cr_assert_eq(hashmap_get(map, key_of(buf, i)),
			     i % 2 ? (void *)&values[i] : NULL);
	cr_expect_eq(hashmap_put(map, key_of(buf, 1), &values[0]), &values[1]);
	while (hashmap_next(map, &cursor, &key, &value))
		visited++;
	cr_expect_eq(visited, 500);
	cr_expect_eq(hashmap_count(map), 500);
	hashmap_destroy(map);
}

Test(hashmap, does_not_grow_for_keys_that_come_and_go)
{
	struct hashmap *map = hashmap_create();
	char buf[32];

	for (int i = 0; i < 100000; i++) {
		hashmap_put(map, key_of(buf, i), map);
		hashmap_remove(map, key_of(buf, i));
	}
	cr_expect_eq(hashmap_count(map), 0);
	cr_expect_null(hashmap_get(map, key_of(buf, 99999)));
	hashmap_destroy(map);
}

Test(hashmap, keys_may_be_borrowed_from_the_values)
{
	struct hashmap *map = hashmap_create_borrowing();
	char *values[100];

	for (int i = 0; i < 100; i++) {
		values[i] = xmalloc(16);
		snprintf(values[i], 16, "key %d", i);
		hashmap_put(map, slice_of(values[i]), values[i]);
	}
	for (int i = 0; i < 100; i++) {
		char *same = xstrdup(values[i]);

		/* What replaces brings its key. */
		cr_expect_eq(hashmap_put(map, slice_of(same), same), values[i]);
		free(values[i]);
		values[i] = same;
	}
	for (int i = 0; i < 100; i += 2) {
		cr_expect_eq(hashmap_remove(map, slice_of(values[i])), values[i]);
		free(values[i]);
	}
	for (int i = 1; i < 100; i += 2) {
		cr_expect_eq(hashmap_get(map, slice_of(values[i])), values[i]);
		free(values[i]);
	}
	hashmap_destroy(map);
}

Test(arena, memory_is_aligned_zeroed_and_apart)
{
	struct arena *arena = arena_create();
	char *text = arena_strdup(arena, "odd");
	uint64_t *a = arena_alloc(arena, sizeof(*a) * 3);
	char *large = arena_alloc(arena, 100000);
	uint64_t *b = arena_alloc(arena, sizeof(*b));

	cr_expect_eq((uintptr_t)a % sizeof(uint64_t), 0);
	cr_expect_eq((uintptr_t)b % sizeof(uint64_t), 0);
	cr_expect_eq(a[0] | a[1] | a[2] | *b, 0);
	cr_expect_eq(large[0] | large[99999], 0);
	memset(large, 'x', 100000);
	a[2] = UINT64_MAX;
	cr_expect_str_eq(text, "odd");
	cr_expect_eq(*b, 0);
	arena_destroy(arena);
}

Test(mailbox, messages_come_in_order_and_wake_the_receiver)
{
	struct error err;
	struct mailbox *box = mailbox_create(sizeof(int), &err);
	struct pollfd pfd = {.fd = mailbox_fd(box), .events = POLLIN};
	void *messages;

	cr_expect_eq(poll(&pfd, 1, 0), 0);
	for (int i = 0; i < 100; i++)
		mailbox_put(box, &i);
	cr_expect_eq(poll(&pfd, 1, 0), 1);
	cr_assert_eq(mailbox_take(box, &messages), 100);
	for (int i = 0; i < 100; i++)
		cr_expect_eq(((int *)messages)[i], i);
	cr_expect_eq(poll(&pfd, 1, 0), 0);
	cr_expect_eq(mailbox_take(box, &messages), 0);
	mailbox_wake(box);
	cr_expect_eq(poll(&pfd, 1, 0), 1);
	mailbox_destroy(box);
}

Test(mailbox, several_are_put_at_once_behind_others)
{
	struct error err;
	struct mailbox *box = mailbox_create(sizeof(int), &err);
	int numbers[100];
	void *messages;

	for (int i = 0; i < 100; i++)
		numbers[i] = i;
	mailbox_put(box, &numbers[0]);
	mailbox_put_all(box, &numbers[1], 99);
	mailbox_put_all(box, numbers, 0);
	cr_assert_eq(mailbox_take(box, &messages), 100);
	cr_expect_arr_eq(messages, numbers, sizeof(numbers));
	mailbox_destroy(box);
}
