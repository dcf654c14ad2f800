#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "tailer/writers.h"

Test(writers, are_seen_until_the_last_has_closed)
{
	char path[] = "/tmp/logtally-writers-XXXXXX";
	int first = mkstemp(path);
	int second = open(path, O_WRONLY);
	int fd = open(path, O_RDONLY);

	cr_expect_eq(writers_of(fd), WRITERS_SOME);
	close(first);
	cr_expect_eq(writers_of(fd), WRITERS_SOME);
	close(second);
	cr_expect_eq(writers_of(fd), WRITERS_NONE);
	second = open(path, O_WRONLY | O_NONBLOCK);
	cr_expect_neq(second, -1, "no lease is left behind");
	close(second);
	close(fd);
	unlink(path);
}

Test(writers, of_what_is_no_file_are_unknown)
{
	int ends[2];

	cr_assert_eq(pipe(ends), 0);
	cr_expect_eq(writers_of(ends[0]), WRITERS_UNKNOWN);
	close(ends[0]);
	close(ends[1]);
}
