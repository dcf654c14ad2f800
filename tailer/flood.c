#include "tailer/flood.h"

#include "common/clock.h"

#define COUNT_NS (100 * NS_PER_MS)
#define MOST_WRITES 2000 /* in that time: a queue holds 16384 by default */

#define LOOK_NS (10 * NS_PER_MS)
#define LOOK_SHARE 10 /* looks take at most one part of so many of a core */

#define REST_NS NS_PER_SECOND
#define MAX_REST_NS (64 * NS_PER_SECOND)
#define SAME_NS (10 * NS_PER_SECOND) /* apart, and it is the same flood */

/* A write is a byte at least and mostly a line: less is no flood. */
#define CALM_BYTES_PER_SECOND (64 * 1024)

bool flood_write(struct flood *flood, int64_t now_ns)
{
	if (now_ns - flood->counted_since_ns > COUNT_NS) {
		flood->counted_since_ns = now_ns;
		flood->count = 0;
	}
	if (++flood->count < MOST_WRITES)
		return false;
	flood->count = 0;
	return true;
}

static void begin_rest(struct flood *flood, int64_t now_ns)
{
	flood->grown_bytes = 0;
	flood->judged_ns = now_ns + flood->rest_ns;
}

bool flood_begin(struct flood *flood, int64_t now_ns)
{
	bool same = flood->ended_ns > 0 && now_ns - flood->ended_ns < SAME_NS;

	flood->rest_ns = same ? 2 * flood->rest_ns : REST_NS;
	if (flood->rest_ns > MAX_REST_NS)
		flood->rest_ns = MAX_REST_NS;
	flood->due_ns = now_ns + LOOK_NS;
	begin_rest(flood, now_ns);
	return !same;
}

bool flood_looked(struct flood *flood, int64_t now_ns, int64_t took_ns,
		  uint64_t grown_bytes)
{
	int64_t wait_ns = LOOK_SHARE * took_ns;
	bool calm;

	flood->due_ns = now_ns + (wait_ns > LOOK_NS ? wait_ns : LOOK_NS);
	flood->grown_bytes += grown_bytes;
	if (now_ns < flood->judged_ns)
		return false;
	calm = flood->grown_bytes <
	       CALM_BYTES_PER_SECOND * (uint64_t)(flood->rest_ns / NS_PER_SECOND);
	begin_rest(flood, now_ns);
	return calm;
}

void flood_end(struct flood *flood, int64_t now_ns)
{
	flood->due_ns = 0;
	flood->count = 0;
	flood->ended_ns = now_ns;
}
