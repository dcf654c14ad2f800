#include "daemon/own_metrics.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double start_time(void)
{
	struct strbuf out = STRBUF_INIT;
	const char *found;
	double seconds;

	own_metrics_process(&out);
	strbuf_putc(&out, '\0');
	found = strstr(out.ptr, "\nprocess_start_time_seconds ");
	cr_assert_not_null(found);
	seconds = strtod(found + strlen("\nprocess_start_time_seconds "), NULL);
	strbuf_finish(&out);
	return seconds;
}

Test(own_metrics, a_process_starts_once)
{
	double first = start_time();

	cr_assert_float_eq(first, (double)time(NULL), 60.0);
	for (int i = 0; i < 1000; i++)
		cr_assert(start_time() == first, "it moved by %g s",
			  start_time() - first);
}
