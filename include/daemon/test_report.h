/*
 * test_report.h - what `logtally test` says, to people and to CI.
 *
 * To standard output as it goes, one line for each test and what differs below it; at
 * the end to a file in JUnit's form, which Jenkins, GitLab and others read:
 * testsuites, a testsuite for each patterns file, a testcase for each test.
 */
#ifndef DAEMON_TEST_REPORT_H
#define DAEMON_TEST_REPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "common/diag.h"
#include "common/error.h"

struct test_report;

struct test_report *test_report_create(void);
void test_report_destroy(struct test_report *report); /* NULL is accepted */

/* What comes next is of this patterns file. */
void test_report_file(struct test_report *report, const char *path);

/* details: whole lines for a test that failed; NULL: it passed. */
void test_report_case(struct test_report *report, const char *name, struct position at,
		      double seconds, const char *details);

/* Nothing could be run; details are errors that were printed already. */
void test_report_broken(struct test_report *report, const char *details);

size_t test_report_passed(const struct test_report *report);
size_t test_report_failed(const struct test_report *report);

/* False if the file cannot be written. */
bool test_report_write_junit(const struct test_report *report, const char *file,
			     struct error *err);

#endif
