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
	cr_expect_eq(scrapers_seen(scrapers, "::1", "Prometheus/2", false),
		     EXPOSITION_ALL_SEEN);
	scrapers_shown(scrapers, "::1", "Prometheus/2", 7);
	cr_expect_eq(scrapers_seen(scrapers, "::1", "Prometheus/2", false), 7);
}

Test(scrapers, are_told_apart_by_address_and_user_agent)
{
	scrapers_shown(scrapers, "10.0.0.1", "Prometheus/2", 7);
	cr_expect_eq(scrapers_seen(scrapers, "10.0.0.2", "Prometheus/2", false),
		     EXPOSITION_ALL_SEEN);
	cr_expect_eq(scrapers_seen(scrapers, "10.0.0.1", "vmagent", false),
		     EXPOSITION_ALL_SEEN);
	cr_expect_eq(scrapers_seen(scrapers, "10.0.0.1", NULL, false),
		     EXPOSITION_ALL_SEEN);
	cr_expect_eq(scrapers_seen(scrapers, "10.0.0.1P", "rometheus/2", false),
		     EXPOSITION_ALL_SEEN);
}

Test(scrapers, need_no_user_agent)
{
	scrapers_shown(scrapers, "10.0.0.1", NULL, 3);
	cr_expect_eq(scrapers_seen(scrapers, "10.0.0.1", NULL, false), 3);
}

Test(scrapers, an_older_response_that_ends_later_takes_nothing_back)
{
	scrapers_shown(scrapers, "::1", "a", 9);
	scrapers_shown(scrapers, "::1", "a", 8);
	cr_expect_eq(scrapers_seen(scrapers, "::1", "a", false), 9);
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
	scrapers_seen(scrapers, "10.0.0.0", "a", false);
	show_to(64);
	cr_expect_eq(scrapers_seen(scrapers, "10.0.0.1", "a", false),
		     EXPOSITION_ALL_SEEN);
	cr_expect_eq(scrapers_seen(scrapers, "10.0.0.0", "a", false), 100);
	cr_expect_eq(scrapers_seen(scrapers, "10.0.0.2", "a", false), 102);
	cr_expect_eq(scrapers_seen(scrapers, "10.0.0.64", "a", false), 164);
}

/* -- saved ------------------------------------------------------------------ */

static struct scraper_record records[SCRAPERS_MAX];
static size_t record_count;

static bool save(void)
{
	bool changed;

	record_count = scrapers_collect(scrapers, records, &changed);
	scrapers_saved(scrapers);
	return changed;
}

static void restart(void)
{
	scrapers_destroy(scrapers);
	scrapers = scrapers_create();
	for (size_t i = 0; i < record_count; i++)
		scrapers_restore(scrapers, &records[i]);
}

Test(scrapers, what_is_not_saved_does_not_count_yet)
{
	scrapers_shown(scrapers, "::1", "a", 7);
	cr_expect(save());
	scrapers_shown(scrapers, "::1", "a", 9);
	cr_expect_eq(scrapers_seen(scrapers, "::1", "a", true), 7);
	cr_expect_eq(scrapers_seen(scrapers, "::1", "a", false), 9);
	cr_expect(save());
	cr_expect_eq(scrapers_seen(scrapers, "::1", "a", true), 9);
	cr_expect_not(save(), "nothing changed");
}

Test(scrapers, one_that_was_never_saved_counts_as_it_is)
{
	scrapers_shown(scrapers, "::1", "a", 7);
	cr_expect_eq(scrapers_seen(scrapers, "::1", "a", true), 7);
}

Test(scrapers, what_is_shown_while_it_is_being_saved_counts_later)
{
	bool changed;

	scrapers_shown(scrapers, "::1", "a", 7);
	save();
	scrapers_shown(scrapers, "::1", "a", 8);
	scrapers_collect(scrapers, records, &changed);
	scrapers_shown(scrapers, "::1", "a", 9);
	scrapers_saved(scrapers);
	cr_expect_eq(scrapers_seen(scrapers, "::1", "a", true), 8);
	cr_expect(save());
}

Test(scrapers, come_back_with_what_they_were_shown_and_their_order)
{
	for (int i = 0; i < 64; i++)
		show_to(i);
	scrapers_seen(scrapers, "10.0.0.0", "a", false);
	save();
	restart();
	cr_expect_not(save());
	show_to(64);
	cr_expect_eq(scrapers_seen(scrapers, "10.0.0.1", "a", true),
		     EXPOSITION_ALL_SEEN, "the longest silent");
	cr_expect_eq(scrapers_seen(scrapers, "10.0.0.0", "a", true), 100);
	cr_expect_eq(scrapers_seen(scrapers, "10.0.0.63", "a", true), 163);
}
