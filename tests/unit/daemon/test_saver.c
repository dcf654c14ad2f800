/* Workers that follow a log, a state, and the saver between them: no HTTP. */
#include "daemon/saver.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/xalloc.h"
#include "daemon/crew.h"
#include "daemon/own_metrics.h"

#define DEADLINE_NS (20 * NS_PER_SECOND)

static char top[] = "/tmp/logtally-saver-XXXXXX";
static char *logs, *patterns, *data;
static struct setup *setup_of_run;
static struct resumed resumed;
static struct crew *crew;
static struct saver *saver; /* its */
static struct error err;

static void write_file(const char *path, const char *text, int flags)
{
	int fd = open(path, O_WRONLY | O_CREAT | flags, 0644);

	cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

static void append_lines(int count)
{
	char *path = xasprintf("%s/a.log", logs);

	for (int i = 0; i < count; i++)
		write_file(path, "line\n", O_APPEND);
	free(path);
}

/* ---- a daemon without a web server ---- */

static void ignore_backlog(void *ctx)
{
	(void)ctx;
}

static void ignore_fallback(void *ctx, const char *reason)
{
	(void)ctx;
	(void)reason;
}

static const struct crew_ops ops = {ignore_backlog, ignore_fallback, NULL};

static void load_setup(const char *storage_path)
{
	const char *log_paths[] = {logs}, *pattern_paths[] = {patterns};
	struct options options = {.logs = log_paths,
				  .log_count = 1,
				  .patterns = pattern_paths,
				  .pattern_count = 1,
				  .storage_path = storage_path,
				  .workers = "2"};
	struct diag *diag = diag_create();

	setup_of_run = setup_load(&options, diag);
	cr_assert(setup_of_run);
	diag_destroy(diag);
}

static void start_quietly(const char *storage_path, int live_after_ms)
{
	load_setup(storage_path);
	if (*storage_path)
		mkdir(storage_path, 0755);
	cr_assert(resume(&resumed, setup_of_run, &err), "%s", err.text);
	crew = crew_create(setup_of_run, &resumed, &ops, live_after_ms, &err);
	cr_assert(crew, "%s", err.text);
	saver = crew_saver(crew);
	cr_assert(crew_start(crew, &err) && crew_follow(crew, &err), "%s", err.text);
	while (!crew_has_caught_up(crew))
		usleep(1000);
}

static void start(const char *storage_path, int live_after_ms)
{
	start_quietly(storage_path, live_after_ms);
	saver_caught_up(saver);
}

static void stop(void)
{
	cr_expect(crew_stop(crew, 5000));
	crew_destroy(crew);
	setup_destroy(setup_of_run);
	resumed_finish(&resumed);
	cr_expect_eq(cuts_alive(), 0, "every cut is released");
}

static void make_files(void)
{
	cr_assert(mkdtemp(top));
	logs = xasprintf("%s/logs", top);
	patterns = xasprintf("%s/p.yml", top);
	data = xasprintf("%s/data", top);
	mkdir(logs, 0755);
	write_file(patterns,
		   "rules:\n  - name: all\n    metrics:\n"
		   "      - counter: all_total\n        help: Lines.\n",
		   0);
	append_lines(1);
}

static void remove_files(void)
{
	char *command = xasprintf("rm -r %s", top);

	cr_expect_eq(system(command), 0);
	free(command);
	free(logs);
	free(patterns);
	free(data);
}

TestSuite(saver, .init = make_files, .fini = remove_files);

/* ---- what a scrape shows ---- */

static double value_of(const struct cut *cut)
{
	double value = -1;

	cut_value(cut, OWN_STORED, 0, &value);
	return value;
}

static double scrape(bool *saved)
{
	struct cut *cut = saver_scrape(saver, saved);
	double value = value_of(cut);

	cut_unref(cut);
	return value;
}

static void wait_for(double expected, bool expected_saved)
{
	int64_t until_ns = clock_monotonic_ns() + DEADLINE_NS;
	bool saved;
	double value;

	while ((value = scrape(&saved)) != expected || saved != expected_saved) {
		cr_assert_lt(clock_monotonic_ns(), until_ns, "%g, not %g", value,
			     expected);
		usleep(1000);
	}
}

/* SQLite cannot write: as on a full disk. */
static void allow_bytes(rlim_t most)
{
	struct rlimit limit;

	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &limit);
	limit.rlim_cur = most;
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

Test(saver, what_was_shown_once_is_shown_by_the_next_run)
{
	start_quietly(data, 0);
	wait_for(1, true);
	stop(); /* before anybody said that all was read */
	start_quietly(data, 0);
	cr_expect(state_is_caught_up(resumed.state));
	stop();
}

Test(saver, a_scrape_shows_what_is_saved)
{
	start(data, 0);
	wait_for(1, true);
	append_lines(4);
	wait_for(5, true);
	cr_expect_eq(saver_facts(saver).errors, 0);
	stop();
	append_lines(1);
	start(data, 0);
	wait_for(6, true);
	stop();
}

Test(saver, without_state_a_scrape_shows_what_is_there)
{
	start("", 0);
	wait_for(1, false);
	append_lines(4);
	wait_for(5, false);
	cr_expect(saver_save(saver, 0), "there is nothing to wait for");
	stop();
}

Test(saver, what_is_not_saved_is_not_shown)
{
	bool saved;

	start(data, 0);
	wait_for(1, true);
	append_lines(4);
	allow_bytes(0);
	for (int i = 0; i < 50; i++) {
		cr_expect_eq(scrape(&saved), 1);
		cr_expect(saved);
	}
	cr_expect_not(saver_save(saver, 5000));
	cr_expect_gt(saver_facts(saver).errors, 0);
	allow_bytes(RLIM_INFINITY);
	cr_expect(saver_save(saver, 5000));
	wait_for(5, true);
	stop();
}

Test(saver, after_a_time_without_commits_it_is_shown_and_never_taken_back)
{
	double last = 0;
	bool saved = false;

	start(data, 300);
	wait_for(1, true);
	append_lines(4);
	allow_bytes(0);
	wait_for(5, false);
	allow_bytes(RLIM_INFINITY);
	append_lines(4);
	while (last < 9 || !saved) {
		double value = scrape(&saved);

		cr_expect_geq(value, 5);
		cr_expect_geq(value, last);
		last = value;
	}
	stop();
}

/* Each of the readers would hold another cut: so many are not kept. */
static void expect_few_cuts(const char *storage_path)
{
	struct cut *held[20];
	bool saved;

	start(storage_path, 0);
	wait_for(1, *storage_path != '\0');
	for (int i = 0; i < 20; i++) {
		append_lines(1);
		usleep(10000);
		held[i] = saver_scrape(saver, &saved);
		cr_assert(held[i]);
		cr_expect_leq(cuts_alive(), 6, "%zu", cuts_alive());
	}
	cr_expect_gt(cuts_alive(), 3, "some are kept");
	for (int i = 0; i < 20; i++)
		cut_unref(held[i]);
	wait_for(21, *storage_path != '\0');
	stop();
}

Test(saver, slow_readers_hold_few_cuts)
{
	expect_few_cuts(data);
}

Test(saver, slow_readers_hold_few_cuts_without_state)
{
	expect_few_cuts("");
}

/* What expired could not be given up while a cut is kept that holds it. */
Test(saver, without_scrapes_no_old_cut_is_kept)
{
	struct cut *cut;
	uint64_t scraped;
	bool saved;

	start(data, 0);
	wait_for(1, true);
	cut = saver_scrape(saver, &saved);
	scraped = cut_sequence(cut);
	cut_unref(cut);
	for (int i = 0; i < 500 && cuts_oldest() <= scraped; i++) {
		append_lines(1);
		usleep(5000);
		cr_expect(saver_save(saver, 5000));
	}
	cr_expect_gt(cuts_oldest(), scraped);
	stop();
}

static void *scrape_often(void *arg)
{
	double last = 0;
	bool saved;

	for (int i = 0; i < 200; i++) {
		double value = scrape(&saved);

		if (value < last)
			*(bool *)arg = true;
		last = value;
	}
	return NULL;
}

Test(saver, many_at_once_share_commits_and_never_see_less)
{
	pthread_t threads[8];
	bool went_back = false;
	struct saver_facts facts;
	uint64_t commits = 0;

	start(data, 0);
	for (int i = 0; i < 8; i++)
		pthread_create(&threads[i], NULL, scrape_often, &went_back);
	append_lines(2000);
	for (int i = 0; i < 8; i++)
		pthread_join(threads[i], NULL);
	wait_for(2001, true);
	facts = saver_facts(saver);
	for (int i = 0; i <= SAVER_BUCKETS; i++)
		commits += facts.durations[i];
	cr_expect_not(went_back);
	cr_expect_lt(commits, 8 * 200);
	stop();
}
