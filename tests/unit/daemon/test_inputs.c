#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/strbuf.h"
#include "daemon/inputs.h"

static char top[] = "/tmp/logtally-inputs-XXXXXX";
static struct inputs inputs;
static struct error err;
static struct strbuf text = STRBUF_INIT;

static void begin(void)
{
	cr_assert(mkdtemp(top));
	cr_assert(chdir(top) == 0);
}

static void end(void)
{
	char command[64];

	inputs_finish(&inputs);
	strbuf_finish(&text);
	snprintf(command, sizeof(command), "rm -r %s", top);
	cr_expect(system(command) == 0);
}

TestSuite(inputs, .init = begin, .fini = end);

/* Later ones are newer. */
static void make(const char *name)
{
	static int made;
	struct timespec times[2] = {{.tv_sec = 1000 + made}, {.tv_sec = 1000 + made}};
	FILE *f = fopen(name, "w");

	cr_assert(f);
	fputs(name, f);
	fclose(f);
	made++;
	cr_assert(utimensat(AT_FDCWD, name, times, 0) == 0);
}

static bool wants_logs(void *ctx, const char *path)
{
	(void)ctx;
	return slice_ends(slice_of(path), ".log");
}

static bool wants_all(void *ctx, const char *path)
{
	(void)ctx;
	(void)path;
	return true;
}

static void add_all(const char *const *arguments)
{
	for (; *arguments; arguments++)
		cr_expect(inputs_add(&inputs, *arguments, &err), "%s", err.text);
}

/* "FILE as PATH" for each, without the directory. */
static const char *resolved(const char *as, bool (*wants)(void *, const char *))
{
	inputs_resolve(&inputs, as, wants, NULL);
	for (size_t i = 0; i < inputs.count; i++) {
		const struct input *input = &inputs.items[i];

		strbuf_addf(&text, "%s%s as %s", i ? ", " : "",
			    input->file ? input->file + sizeof(top) : "-",
			    strncmp(input->path, top, sizeof(top) - 1) == 0
				    ? input->path + sizeof(top)
				    : input->path);
	}
	return text.ptr;
}

#define ADD(...) add_all((const char *const[]){__VA_ARGS__, NULL})

Test(inputs, rotated_files_come_before_what_they_were_rotated_from)
{
	make("a.log.2.gz");
	make("a.log.1");
	make("b.log");
	make("a.log");
	ADD(".");
	cr_expect_str_eq(resolved(NULL, wants_all),
			 "a.log.2.gz as a.log, a.log.1 as a.log, a.log as a.log, "
			 "b.log as b.log");
}

Test(inputs, a_rotated_file_alone_counts_as_what_the_patterns_want)
{
	make("a.log-20261124.gz");
	ADD("a.log-20261124.gz");
	cr_expect_str_eq(resolved(NULL, wants_logs), "a.log-20261124.gz as a.log");
}

/* Nothing says that it was rotated: a report of that day may be called so. */
Test(inputs, a_name_that_is_wanted_stays)
{
	make("report-20261124");
	ADD("report-20261124");
	cr_expect_str_eq(resolved(NULL, wants_all),
			 "report-20261124 as report-20261124");
}

Test(inputs, of_a_directory_logs_are_read_below_it_too)
{
	cr_assert(mkdir("d", 0700) == 0 && mkdir("d/e", 0700) == 0 &&
		  mkdir("d/.h", 0700) == 0 && symlink("..", "d/e/loop") == 0);
	make("d/e/x.log");
	make("d/y.txt");
	make("d/.z.log");
	make("d/.h/x.log");
	ADD("d");
	cr_expect_str_eq(resolved(NULL, wants_all), "d/e/x.log as d/e/x.log");
}

Test(inputs, a_root_says_what_is_included)
{
	static const char *const include[] = {"*.out"}, *const exclude[] = {"x*"};
	struct discovery_root root = {.path = top,
				      .include = include,
				      .include_count = 1,
				      .exclude = exclude,
				      .exclude_count = 1};

	make("a.log");
	make("b.out");
	make("x.out");
	make("b.out.1");
	cr_expect(inputs_add_root(&inputs, &root, &err));
	cr_expect_str_eq(resolved(NULL, wants_all), "b.out as b.out, b.out.1 as b.out");
}

Test(inputs, globs_reach_as_deep_as_they_say)
{
	cr_assert(mkdir("d", 0700) == 0 && mkdir("d/e", 0700) == 0);
	make("d/a.txt");
	make("d/e/a.txt");
	make("a.txt");
	ADD("*/a.txt");
	cr_expect_str_eq(resolved(NULL, wants_all), "d/a.txt as d/a.txt");
	inputs_finish(&inputs);
	strbuf_clear(&text);
	ADD("d/**/a.txt");
	cr_expect_str_eq(resolved(NULL, wants_all),
			 "d/a.txt as d/a.txt, d/e/a.txt as d/e/a.txt");
}

Test(inputs, each_file_counts_once)
{
	make("a.log");
	cr_assert(symlink("a.log", "b.log") == 0 && link("a.log", "c.log") == 0);
	ADD("c.log", ".", "a.log", "*.log", "-", "-");
	cr_expect_str_eq(resolved(NULL, wants_all), "- as /dev/stdin, a.log as a.log");
}

Test(inputs, as_is_the_path_of_all)
{
	make("a.txt");
	ADD("a.txt", "-");
	cr_expect_str_eq(resolved("/x/./y/../api.log", wants_all),
			 "a.txt as /x/api.log, - as /x/api.log");
}

Test(inputs, what_is_not_there_is_an_error)
{
	cr_expect_not(inputs_add(&inputs, "none.log", &err));
	cr_expect_str_eq(err.text, "none.log: No such file or directory");
	cr_expect_not(inputs_add(&inputs, ".", &err));
	cr_expect(strstr(err.text, "holds no file called *.log"));
	cr_expect_not(inputs_add(&inputs, "no*.log", &err));
	cr_expect(strstr(err.text, "no*.log: no file matches"));
	cr_expect_eq(inputs.count, 0);
}
