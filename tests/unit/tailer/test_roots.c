#include <criterion/criterion.h>
#include <stdio.h>

#include "tailer/roots.h"

#define ROOTS(...)                                                          \
	roots_create((const struct discovery_root[]){__VA_ARGS__},          \
		     sizeof((const struct discovery_root[]){__VA_ARGS__}) / \
			     sizeof(struct discovery_root))

/* Walks the path: the root that follows it as a file, -1 if none does. */
static int root_of(const struct roots *roots, const char *path)
{
	struct places places = roots_start(roots);
	char so_far[256] = "";
	const char *at = path;
	int root = -1;

	while (*at) {
		size_t len = strcspn(at + 1, "/");
		char name[64];
		struct wanted wanted;

		snprintf(name, sizeof(name), "%.*s", (int)len, at + 1);
		strcat(strcat(so_far, "/"), name);
		wanted = roots_match(roots, &places, so_far, name);
		places_finish(&places);
		places = wanted.below;
		root = wanted.root;
		at += len + 1;
	}
	places_finish(&places);
	return root;
}

static const struct {
	const char *pattern, *path;
	bool follows;
} cases[] = {
	/* a directory, recursively; only its *.log */
	{"/var/log", "/var/log/a.log", true},
	{"/var/log", "/var/log/x/y/a.log", true},
	{"/var/log", "/var/log/a.txt", false},
	{"/var/log", "/var/log/.hidden/a.log", false},
	{"/var/log", "/var/lib/a.log", false},
	{"/", "/a.log", true},
	/* a file, whatever it is called */
	{"/var/log/syslog", "/var/log/syslog", true},
	{"/var/log/syslog", "/var/log/syslog.1", false},
	{"//var/./log/x/../syslog/", "/var/log/syslog", true},
	/* a glob: files only, of any name that matches */
	{"/var/*/a*", "/var/log/a.txt", true},
	{"/var/*/a*", "/var/log/apache/a.log", false},
	{"/var/*/a*", "/var/.log/a.txt", false},
	{"/var/log/*.log*", "/var/log/a.log.1", true},
	{"/var/log/*.log*", "/var/log/a.log.1.gz", false},
	{"/var/log/a.log.1.gz", "/var/log/a.log.1.gz", true},
	/* any depth, none included */
	{"/srv/**/app.log", "/srv/app.log", true},
	{"/srv/**/app.log", "/srv/x/y/app.log", true},
	{"/srv/**/app.log", "/srv/x/.y/app.log", false},
	{"/srv/**/app.log", "/srv/x/other.log", false},
	{"/srv/**/a/**/*.log", "/srv/1/a/2/3/x.log", true},
	{"/srv/**/a/**/*.log", "/srv/1/2/3/x.log", false},
	{"/srv/**", "/srv/x/y/anything", true},
	/* a plain last name that is a directory */
	{"/srv/*/log", "/srv/x/log/y/a.log", true},
	{"/srv/*/log", "/srv/x/log/y/a.txt", false},
};

Test(roots, follow_what_their_path_says)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct roots *roots = ROOTS({.path = cases[i].pattern});

		cr_expect_eq(root_of(roots, cases[i].path), cases[i].follows ? 0 : -1,
			     "%s and %s", cases[i].pattern, cases[i].path);
		roots_destroy(roots);
	}
}

Test(roots, include_replaces_the_default_and_exclude_wins)
{
	const char *include[] = {"*.txt", "deep/*.out"};
	const char *exclude[] = {"debug-*", "old"};
	struct roots *roots = ROOTS({.path = "/log",
				     .include = include,
				     .include_count = 2,
				     .exclude = exclude,
				     .exclude_count = 2});

	cr_expect_eq(root_of(roots, "/log/a.txt"), 0);
	cr_expect_eq(root_of(roots, "/log/a.log"), -1);
	cr_expect_eq(root_of(roots, "/log/deep/a.out"), 0);
	cr_expect_eq(root_of(roots, "/log/flat/a.out"), -1);
	cr_expect_eq(root_of(roots, "/log/debug-a.txt"), -1);
	cr_expect_eq(root_of(roots, "/log/old/a.txt"), -1, "not even entered");
	roots_destroy(roots);
}

Test(roots, exclude_does_not_bar_the_way_to_the_root)
{
	const char *exclude[] = {"log"};
	struct roots *roots =
		ROOTS({.path = "/var/log", .exclude = exclude, .exclude_count = 1});

	cr_expect_eq(root_of(roots, "/var/log/a.log"), 0);
	cr_expect_eq(root_of(roots, "/var/log/log/a.log"), -1);
	roots_destroy(roots);
}

Test(roots, the_first_that_matches_has_the_file)
{
	struct roots *roots = ROOTS({.path = "/log/*/b.log"}, {.path = "/log"},
				    {.path = "/log/a/b.log"});

	cr_expect_eq(root_of(roots, "/log/a/b.log"), 0);
	cr_expect_eq(root_of(roots, "/log/a.log"), 1);
	roots_destroy(roots);
}

Test(roots, only_globs_and_whole_directories_need_a_listing)
{
	struct roots *roots = ROOTS({.path = "/var/*", .poll = true});
	struct places top = roots_start(roots);
	struct wanted var = roots_match(roots, &top, "/var", "var");

	cr_expect_eq(roots_needs(roots, &top), 0);
	cr_expect_str_eq(roots_name_at(roots, &top.items[0]), "var");
	cr_expect_eq(roots_needs(roots, &var.below), PLACES_LIST | PLACES_FILES);
	places_finish(&top);
	places_finish(&var.below);
	roots_destroy(roots);
}

Test(roots, say_why_they_skip)
{
	struct roots *roots = ROOTS({.path = "/log"});
	struct places top = roots_start(roots);
	struct wanted log = roots_match(roots, &top, "/log", "log");
	struct wanted name = roots_match(roots, &log.below, "/log/a.txt", "a.txt");

	cr_expect_eq(name.root, -1);
	cr_expect_str_eq(name.skipped, "matches no include pattern");
	places_finish(&top);
	places_finish(&log.below);
	places_finish(&name.below);
	roots_destroy(roots);
}
