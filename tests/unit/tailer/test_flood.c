#include <criterion/criterion.h>

#include "common/clock.h"
#include "tailer/flood.h"

#define MS NS_PER_MS
#define S NS_PER_SECOND

static struct flood flood;

/* So many writes, evenly within the time; true if they were too many. */
static bool writes(int64_t from_ns, int64_t time_ns, int count)
{
	bool too_many = false;

	for (int i = 0; i < count; i++)
		too_many |= flood_write(&flood, from_ns + time_ns * i / count);
	return too_many;
}

/* Looks as often as they are due; returns when it ended, 0 if it did not. */
static int64_t looks_until(int64_t end_ns, uint64_t bytes_each_look)
{
	while (flood.due_ns < end_ns) {
		int64_t now_ns = flood.due_ns;

		if (flood_looked(&flood, now_ns, 0, bytes_each_look)) {
			flood_end(&flood, now_ns);
			return now_ns;
		}
	}
	return 0;
}

Test(flood, thousands_of_writes_at_once_are_a_flood_and_spread_over_time_they_are_not)
{
	cr_expect_not(writes(1 * S, 10 * S, 100000));
	cr_expect(writes(20 * S, 50 * MS, 3000));
}

Test(flood, looks_follow_each_other_within_twenty_milliseconds)
{
	cr_assert(flood_begin(&flood, 1 * S));
	cr_expect_leq(flood.due_ns, 1 * S + 20 * MS);
	flood_looked(&flood, 1 * S + 16 * MS, 1 * MS, 0);
	cr_expect_leq(flood.due_ns, 1 * S + 36 * MS);
}

Test(flood, looks_that_take_long_come_more_seldom)
{
	flood_begin(&flood, 1 * S);
	flood_looked(&flood, 1 * S + 30 * MS, 30 * MS, 0);
	cr_expect_eq(flood.due_ns, 1 * S + 330 * MS);
}

Test(flood, it_ends_a_second_or_two_after_the_last_writes)
{
	int64_t end_ns;

	flood_begin(&flood, 1 * S);
	cr_expect_eq(looks_until(31 * S, 100000), 0,
		     "it went on for as long as it did");
	end_ns = looks_until(60 * S, 0);
	cr_expect_gt(end_ns, 31 * S);
	cr_expect_lt(end_ns, 33 * S + 100 * MS);
	cr_expect_eq(flood.due_ns, 0);
}

Test(flood, a_trickle_is_no_flood)
{
	flood_begin(&flood, 1 * S);
	cr_expect_gt(looks_until(10 * S, 200), 0);
}

Test(flood, one_that_goes_on_is_not_told_twice_and_is_left_longer_each_time)
{
	int64_t now_ns = 1 * S, length_ns = 0;

	cr_assert(flood_begin(&flood, now_ns));
	for (int i = 0; i < 10; i++) {
		int64_t end_ns = looks_until(1000 * S, 0);

		cr_expect_geq(end_ns - now_ns, length_ns);
		length_ns = end_ns - now_ns;
		now_ns = end_ns + 10 * MS;
		cr_expect_not(flood_begin(&flood, now_ns));
	}
	cr_expect_geq(length_ns, 60 * S);
	now_ns = looks_until(1000 * S, 0) + 60 * S;
	cr_expect(flood_begin(&flood, now_ns), "a new one");
	cr_expect_lt(looks_until(1000 * S, 0), now_ns + 2 * S);
}
