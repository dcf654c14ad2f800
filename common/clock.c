#include "common/clock.h"

#include <time.h>

static int64_t read_clock_ns(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * NS_PER_SECOND + ts.tv_nsec;
}

int64_t clock_monotonic_ns(void)
{
	return read_clock_ns(CLOCK_MONOTONIC);
}

int64_t clock_wall_ns(void)
{
	return read_clock_ns(CLOCK_REALTIME);
}

double clock_seconds(int64_t ns)
{
	int64_t ms = ns / NS_PER_MS;

	return (double)ms / 1e3;
}

int64_t clock_thread_cpu_ns(void)
{
	return read_clock_ns(CLOCK_THREAD_CPUTIME_ID);
}
