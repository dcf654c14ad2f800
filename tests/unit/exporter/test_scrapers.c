#include <criterion/criterion.h>
#include <stdio.h>

#include "exporter/exposition.h"
#include "exporter/scrapers.h"

static struct scrapers *scrapers;

static void setup(void)
{
	scrapers = scrapers_create();
}

static void teardown(void)
{
	scrapers_destroy(scrapers);
}

TestSuite(scrapers, .init = setup, .fini = teardown);

Test(scrapers, one_without_history_has_seen_all)
{
	cr_expect_eq(scrapers_seen(scrapers, "::1", "Prometheus/2"),
		     EXPOSITION_ALL_SEEN);
	scrapers_shown(scrapers, "::1", "Prometheus/2", 7);
	cr_expect_eq(scrapers_seen(scrapers, "::1", "Prometheus/2"), 7);
}

Test(scrapers, are_told_apart_by_address_and_user_agent)
{
	scrapers_shown(scrapers, "10.0.0.1", "Prometheus/2", 7);
	cr_expect_eq(scrapers_seen(scrapers, "10.0.0.2", "Prometheus/2"),
		     EXPOSITION_ALL_SEEN);
	cr_expect_eq(scrapers_seen(scrapers, "10.0.0.1", "vmagent"),
		     EXPOSITION_ALL_SEEN);
	cr_expect_eq(scrapers_seen(scrapers, "10.0.0.1", NULL), EXPOSITION_ALL_SEEN);
	cr_expect_eq(scrapers_seen(scrapers, "10.0.0.1P", "rometheus/2"),
		     EXPOSITION_ALL_SEEN);
}

Test(scrapers, need_no_user_agent)
{
	scrapers_shown(scrapers, "10.0.0.1", NULL, 3);
	cr_expect_eq(scrapers_seen(scrapers, "10.0.0.1", NULL), 3);
}

Test(scrapers, an_older_response_that_ends_later_takes_nothing_back)
{
	scrapers_shown(scrapers, "::1", "a", 9);
	scrapers_shown(scrapers, "::1", "a", 8);
	cr_expect_eq(scrapers_seen(scrapers, "::1", "a"), 9);
}

static void show_to(int number)
{
	char address[32];

	snprintf(address, sizeof(address), "10.0.0.%d", number);
	scrapers_shown(scrapers, address, "a", 100 + (uint64_t)number);
}

Test(scrapers, the_longest_silent_of_65_is_forgotten)
{
	for (int i = 0; i < 64; i++)
		show_to(i);
	scrapers_seen(scrapers, "10.0.0.0", "a");
	show_to(64);
	cr_expect_eq(scrapers_seen(scrapers, "10.0.0.1", "a"), EXPOSITION_ALL_SEEN);
	cr_expect_eq(scrapers_seen(scrapers, "10.0.0.0", "a"), 100);
	cr_expect_eq(scrapers_seen(scrapers, "10.0.0.2", "a"), 102);
	cr_expect_eq(scrapers_seen(scrapers, "10.0.0.64", "a"), 164);
}
