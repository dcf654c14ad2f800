#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/strbuf.h"
#include "tailer/links.h"

static char dir[] = "/tmp/logtally-links-XXXXXX";
static struct strbuf seen = STRBUF_INIT;

static void setup(void)
{
	cr_assert(mkdtemp(dir));
	cr_assert_eq(chdir(dir), 0);
}

static void teardown(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -r %s", dir);
	cr_assert_eq(system(command), 0);
	strbuf_finish(&seen);
}

TestSuite(links, .init = setup, .fini = teardown);

static void note(void *ctx, const char *directory, const char *name, bool final)
{
	(void)ctx;
	strbuf_addf(&seen, "%s/%s%s ", directory + strlen(dir), name, final ? "!" : "");
}

static bool follow(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return links_follow(path, note, NULL);
}

Test(links, every_link_on_the_way_and_the_end_are_visited)
{
	cr_assert_eq(mkdir("real", 0755) | mkdir("real/v1", 0755), 0);
	cr_assert_eq(close(creat("real/v1/app.log", 0644)), 0);
	cr_assert_eq(symlink("v1", "real/current"), 0);
	cr_assert_eq(symlink("./real/../real/current/app.log", "app.log"), 0);
	cr_expect(follow("app.log"));
	cr_expect_str_eq(seen.ptr, "/app.log /real/current /real/v1/app.log! ");
}

Test(links, one_that_leads_nowhere_ends_at_the_name_that_is_missing)
{
	cr_assert_eq(symlink("missing/app.log", "app.log"), 0);
	cr_expect(follow("app.log"));
	cr_expect_str_eq(seen.ptr, "/app.log /missing! ");
}

Test(links, a_loop_ends)
{
	cr_assert_eq(symlink("b", "a") | symlink("a", "b"), 0);
	cr_expect_not(follow("a"));
}
