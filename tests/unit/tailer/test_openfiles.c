#include <criterion/criterion.h>

#include "tailer/openfiles.h"

static struct openfiles *open_files;
static struct openfiles_link links[3];

static void setup(void)
{
	open_files = openfiles_create(3);
	for (size_t i = 0; i < 3; i++) {
		cr_assert(openfiles_reserve(open_files));
		openfiles_add(open_files, &links[i]);
	}
}

static void teardown(void)
{
	openfiles_destroy(open_files);
}

TestSuite(openfiles, .init = setup, .fini = teardown);

Test(openfiles, are_bounded)
{
	cr_expect_not(openfiles_reserve(open_files));
	openfiles_remove(open_files, &links[1]);
	cr_expect(openfiles_reserve(open_files));
	cr_expect_not(openfiles_reserve(open_files));
	openfiles_cancel(open_files);
	cr_expect(openfiles_reserve(open_files));
}

Test(openfiles, the_longest_idle_comes_first)
{
	struct openfiles_link *link = openfiles_oldest(open_files);

	cr_expect_eq(link, &links[0]);
	openfiles_touch(open_files, &links[0]);
	link = openfiles_oldest(open_files);
	cr_expect_eq(link, &links[1]);
	cr_expect_eq(link->newer, &links[2]);
	cr_expect_eq(link->newer->newer, &links[0]);
	openfiles_remove(open_files, &links[1]);
	cr_expect_eq(openfiles_oldest(open_files), &links[2]);
}
