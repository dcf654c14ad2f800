/* Numbers by label text and by hash, when some are taken out again. */
#include "exporter/keys.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "exporter/index.h"

#define TEXTS 5000

static struct slice text_of(unsigned i)
{
	static char text[16];

	return (struct slice){text,
			      (size_t)snprintf(text, sizeof(text), "i=\"%u\"", i)};
}

Test(keys, what_is_left_is_found_and_what_is_gone_is_not)
{
	struct keys keys = {.count = 0};
	size_t given;

	keys_init(&keys, 42);
	for (unsigned i = 0; i < TEXTS; i++)
		cr_assert_eq(keys_add(&keys, text_of(i), 1, true), i);
	for (unsigned i = 0; i < TEXTS; i += 2)
		keys_remove(&keys, i);
	for (unsigned i = 0; i < TEXTS; i++)
		cr_expect_eq(keys_find(&keys, text_of(i)), i % 2 ? i : KEYS_NONE);
	for (unsigned i = 0; i < TEXTS; i += 2)
		keys_free(&keys, i);
	for (unsigned i = 0; i < TEXTS / 2; i++)
		cr_expect_lt(keys_add(&keys, text_of(TEXTS + i), 1, true), TEXTS);
	cr_expect_eq(keys_count(&keys), TEXTS);
	cr_expect_eq(keys_append(&keys, text_of(0), 1, true), TEXTS);
	for (unsigned i = 0; i < TEXTS / 2; i++)
		cr_expect_neq(keys_find(&keys, text_of(TEXTS + i)), KEYS_NONE);
	free(keys_take_given(&keys, &given));
	cr_expect_eq(given, TEXTS / 2);
	keys_finish(&keys);
}

/* The table grows while some are gone. */
Test(keys, a_free_number_may_be_the_first_of_all)
{
	struct keys keys = {.count = 0};

	keys_init(&keys, 42);
	for (unsigned i = 0; i < 100; i++) {
		keys_append_free(&keys);
		keys_append(&keys, text_of(i), 1, true);
	}
	for (unsigned i = 0; i < 100; i++)
		cr_expect_eq(keys_find(&keys, text_of(i)), 2 * i + 1);
	cr_expect_eq(keys_add(&keys, text_of(100), 1, true) % 2, 0);
	keys_finish(&keys);
}

static bool is_odd(const void *ctx, uint32_t number)
{
	(void)ctx;
	return number % 2;
}

static XXH128_hash_t hash_of(unsigned i)
{
	/* Neighbours collide. */
	return (XXH128_hash_t){.low64 = i / 4, .high64 = i};
}

Test(index, what_is_left_is_found_and_what_was_dropped_is_not)
{
	struct index index = {NULL, 0, 0};

	for (unsigned i = 0; i < TEXTS; i++)
		index_add(&index, hash_of(i), i);
	index_drop(&index, is_odd, NULL);
	cr_expect_eq(index.count, TEXTS / 2);
	for (unsigned i = 0; i < TEXTS; i++)
		cr_expect_eq(index_get(&index, hash_of(i)), i % 2 ? INDEX_NONE : i);
	index_finish(&index);
}
