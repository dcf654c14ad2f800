/* clock.h - the two clocks, in nanoseconds. */
#ifndef COMMON_CLOCK_H
#define COMMON_CLOCK_H

#include <stdint.h>

#define NS_PER_SECOND INT64_C(1000000000)
#define NS_PER_MS INT64_C(1000000)

/* For durations and deadlines: never goes back, not related to the date. */
int64_t clock_monotonic_ns(void);

/* Since 1970-01-01 00:00:00 UTC; may jump. */
int64_t clock_wall_ns(void);

/* Seconds, cut to whole milliseconds: exact enough to print short. */
double clock_seconds(int64_t ns);

/* CPU time that the calling thread has used. */
int64_t clock_thread_cpu_ns(void);

#endif
