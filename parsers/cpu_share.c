#include "parsers/cpu_share.h"

#include <stdlib.h>

#include "common/clock.h"
#include "common/xalloc.h"

/* One record in so many is timed. */
#define SAMPLE_EVERY 997

struct cpu_share {
	unsigned until_sample;
	int64_t unshared_ns;
	int64_t clock_cost_ns; /* what a look at the CPU clock takes itself */
	size_t rules;
	int64_t samples_ns[]; /* of the timed record; 0: the rule was not run */
};

/* The least of some: an interrupt would count as the clock's cost. */
static int64_t measure_clock(void)
{
	int64_t least_ns = INT64_MAX;

	for (int i = 0; i < 32; i++) {
		int64_t start_ns = clock_thread_cpu_ns();
		int64_t cost_ns = clock_thread_cpu_ns() - start_ns;

		least_ns = cost_ns < least_ns ? cost_ns : least_ns;
	}
	return least_ns;
}

struct cpu_share *cpu_share_create(size_t rules)
{
	struct cpu_share *share =
		xcalloc(1, sizeof(*share) + rules * sizeof(share->samples_ns[0]));

	share->rules = rules;
	share->until_sample = SAMPLE_EVERY;
	share->clock_cost_ns = measure_clock();
	return share;
}

void cpu_share_destroy(struct cpu_share *share)
{
	free(share);
}

bool cpu_share_is_due(struct cpu_share *share)
{
	if (--share->until_sample > 0)
		return false;
	share->until_sample = SAMPLE_EVERY;
	return true;
}

void cpu_share_sample(struct cpu_share *share, size_t rule, int64_t start_ns)
{
	int64_t cpu_ns = clock_thread_cpu_ns() - start_ns - share->clock_cost_ns;

	share->samples_ns[rule] = cpu_ns > 1 ? cpu_ns : 1;
}

void cpu_share_add(struct cpu_share *share, int64_t cpu_ns)
{
	share->unshared_ns += cpu_ns;
}

void cpu_share_out(struct cpu_share *share,
		   void (*tell)(void *ctx, size_t rule, double cpu_ns), void *ctx)
{
	int64_t sum_ns = 0;

	for (size_t i = 0; i < share->rules; i++)
		sum_ns += share->samples_ns[i];
	for (size_t i = 0; i < share->rules && sum_ns > 0; i++) {
		double part = (double)share->samples_ns[i] / (double)sum_ns;

		if (share->samples_ns[i] > 0)
			tell(ctx, i, (double)share->unshared_ns * part);
		share->samples_ns[i] = 0;
	}
	if (sum_ns > 0)
		share->unshared_ns = 0;
}
