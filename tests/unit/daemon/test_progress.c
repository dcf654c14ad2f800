#include <criterion/criterion.h>

#include "common/clock.h"
#include "daemon/progress.h"

static struct strbuf line = STRBUF_INIT;

static const char *show(uint64_t total_bytes, uint64_t done_bytes, double seconds)
{
	struct progress progress = {.total_bytes = total_bytes};

	strbuf_clear(&line);
	progress_render(&progress, done_bytes, (int64_t)(seconds * NS_PER_SECOND),
			&line);
	return line.ptr;
}

static void finish(void)
{
	strbuf_finish(&line);
}

TestSuite(progress, .fini = finish);

Test(progress, bytes_rate_and_time_left)
{
	cr_expect_str_eq(show(8000000000, 2000000000, 20),
			 "[======>                 ]  25%  2.0 GB of 8.0 GB  100 "
			 "MB/s  1:00 left");
	cr_expect_str_eq(show(3600000, 100, 0.1),
			 "[>                       ]   0%  100 B of 3.6 MB  1.0 "
			 "kB/s  1:00:00 left");
	cr_expect_str_eq(show(500, 500, 2),
			 "[========================] 100%  500 B of 500 B  250 B/s  "
			 "0:00 left");
}

Test(progress, at_the_start_there_is_no_rate)
{
	cr_expect_str_eq(show(500, 0, 0),
			 "[>                       ]   0%  0 B of 500 B");
}

Test(progress, of_a_stream_there_is_no_end_to_tell)
{
	cr_expect_str_eq(show(0, 12345678, 61), "12 MB  202 kB/s  1:01 so far");
}

/* A file that is written to while it is read. */
Test(progress, never_more_than_all)
{
	cr_expect(strstr(show(500, 700, 1), "] 100%  500 B of 500 B"));
}
