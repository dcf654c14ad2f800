/*
 * state_bench.c - what a commit of 10,000 changes among 1,000,000 series costs.
 *
 *     state_bench DIRECTORY [SERIES [CHANGES [COMMITS]]]
 *
 * Between two commits everything is tidied that can be, one step after the other,
 * as an idle daemon does.  Time, CPU and bytes written are told for each part.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "common/clock.h"
#include "common/xalloc.h"
#include "daemon/state.h"

#define NAME "request_seconds_total"

struct cost {
	int64_t wall_ns, cpu_ns;
	uint64_t written_bytes; /* by the whole process */
};

struct bench {
	struct state *state;
	uint64_t family, sequence;
	uint32_t series;
	double *values;
	size_t visited;
	double sum;
	uint64_t random;
};

static const struct state_family family = {
	.name = NAME, .kind = "counter", .signature = {"counter " NAME, 8}};

static void stop(const struct error *err)
{
	fprintf(stderr, "state_bench: %s\n", err->text);
	exit(1);
}

static uint64_t written_bytes(void)
{
	FILE *f = fopen("/proc/self/io", "r");
	char line[128];
	unsigned long long bytes = 0;

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "wchar: %llu", &bytes) == 1)
			break;
	if (f)
		fclose(f);
	return bytes;
}

static int64_t process_cpu_ns(void)
{
	struct rusage use;

	getrusage(RUSAGE_SELF, &use);
	return (use.ru_utime.tv_sec + use.ru_stime.tv_sec) * NS_PER_SECOND +
	       (use.ru_utime.tv_usec + use.ru_stime.tv_usec) * 1000;
}

static struct cost start(void)
{
	return (struct cost){clock_monotonic_ns(), process_cpu_ns(), written_bytes()};
}

static struct cost since(struct cost from)
{
	struct cost now = start();

	return (struct cost){now.wall_ns - from.wall_ns, now.cpu_ns - from.cpu_ns,
			     now.written_bytes - from.written_bytes};
}

static double ms(int64_t ns)
{
	return (double)ns / 1e6;
}

static void print(const char *what, struct cost cost)
{
	printf("%-28s %9.2f ms  cpu %9.2f ms  written %8.2f MB\n", what,
	       ms(cost.wall_ns), ms(cost.cpu_ns), (double)cost.written_bytes / 1e6);
}

static uint32_t next_random(struct bench *b, uint32_t below)
{
	b->random ^= b->random << 13;
	b->random ^= b->random >> 7;
	b->random ^= b->random << 17;
	return (uint32_t)(b->random % below);
}

static void visit(void *ctx, const struct state_series *series)
{
	struct bench *b = ctx;

	b->visited++;
	b->sum += series->value.value;
}

static void open_state(struct bench *b, const char *directory)
{
	enum state_found found;
	struct error err;

	b->state = state_open(&(struct state_options){.directory = directory}, &found,
			      &err);
	if (!b->state)
		stop(&err);
	b->sequence = state_sequence(b->state);
}

static void load(struct bench *b)
{
	struct error err;

	b->visited = 0;
	b->sum = 0;
	if (!state_load_family(b->state, &family, visit, b, &b->family, &err))
		stop(&err);
}

static void give_birth(struct bench *b)
{
	struct error err;
	char labels[128];

	state_begin(b->state);
	state_put_family(b->state, b->family, &family);
	for (uint32_t i = 0; i < b->series; i++) {
		int len = snprintf(labels, sizeof(labels),
				   "participant=\"p%07u\",path=\"/v1/heart/%u\"", i,
				   i % 97);
		struct state_series series = {.number = i,
					      .labels = {labels, (size_t)len},
					      .born = 1};

		state_put_series(b->state, b->family, &series);
	}
	if (!state_commit(b->state, ++b->sequence, &err))
		stop(&err);
}

static void change(struct bench *b, uint32_t changes)
{
	struct checkpoint checkpoint = {
		.id = 1, .path = "/var/log/a.log", .offset_bytes = b->sequence};
	struct error err;

	state_begin(b->state);
	state_put_family(b->state, b->family, &family);
	for (uint32_t i = 0; i < changes; i++) {
		uint32_t number = next_random(b, b->series);
		struct state_value value = {.value = b->values[number] += 0.1};

		state_put_value(b->state, b->family, number, &value);
	}
	state_put_checkpoint(b->state, &checkpoint);
	if (!state_commit(b->state, ++b->sequence, &err))
		stop(&err);
}

static void add(struct cost *total, struct cost more)
{
	total->wall_ns += more.wall_ns;
	total->cpu_ns += more.cpu_ns;
	total->written_bytes += more.written_bytes;
}

static int by_size(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

static void print_percentiles(const char *what, int64_t *list, size_t count)
{
	if (count == 0)
		return;
	qsort(list, count, sizeof(*list), by_size);
	printf("%-28s median %.2f ms, 99%% %.2f ms, worst %.2f ms of %zu\n", what,
	       ms(list[count / 2]), ms(list[count * 99 / 100]), ms(list[count - 1]),
	       count);
}

/* Steps of folding: each keeps a commit waiting for at most so long. */
static void tidy(struct bench *b, int64_t **steps, size_t *count)
{
	bool more = true;

	while (more) {
		int64_t from_ns = clock_monotonic_ns();

		more = state_tidy(b->state);
		*steps = xgrow(*steps, *count, sizeof(**steps));
		(*steps)[(*count)++] = clock_monotonic_ns() - from_ns;
	}
}

static void steady(struct bench *b, uint32_t changes, size_t commits)
{
	struct cost commit = {0}, tidying = {0};
	int64_t *times = xcalloc(commits, sizeof(*times)), *steps = NULL;
	size_t step_count = 0;

	for (size_t i = 0; i < commits; i++) {
		struct cost from = start(), one;

		change(b, changes);
		one = since(from);
		times[i] = one.wall_ns;
		add(&commit, one);
		from = start();
		tidy(b, &steps, &step_count);
		add(&tidying, since(from));
	}
	commit.wall_ns /= (int64_t)commits;
	commit.cpu_ns /= (int64_t)commits;
	commit.written_bytes /= commits;
	tidying.wall_ns /= (int64_t)commits;
	tidying.cpu_ns /= (int64_t)commits;
	tidying.written_bytes /= commits;
	print("a commit, in the mean", commit);
	print_percentiles("a commit", times, commits);
	print("tidying for each commit", tidying);
	print_percentiles("a step of tidying", steps, step_count);
	free(times);
	free(steps);
}

static uint64_t size_of(const char *directory, const char *name)
{
	char *path = xasprintf("%s/%s", directory, name);
	struct stat st = {0};

	if (stat(path, &st) == -1)
		st.st_size = 0;
	free(path);
	return (uint64_t)st.st_size;
}

int main(int argc, char **argv)
{
	struct bench b = {.random = 88172645463325252};
	uint32_t changes = argc > 3 ? (uint32_t)atoi(argv[3]) : 10000;
	size_t commits = argc > 4 ? (size_t)atoi(argv[4]) : 100;
	struct cost from;

	if (argc < 2) {
		fputs("usage: state_bench DIRECTORY [SERIES [CHANGES [COMMITS]]]\n",
		      stderr);
		return 2;
	}
	b.series = argc > 2 ? (uint32_t)atoi(argv[2]) : 1000000;
	b.values = xcalloc(b.series, sizeof(*b.values));
	from = start();
	open_state(&b, argv[1]);
	load(&b);
	print("open a new one", since(from));
	from = start();
	give_birth(&b);
	print("birth of all series", since(from));
	steady(&b, changes, commits);
	printf("%-28s %.1f MB, WAL %.1f MB\n", "size",
	       (double)size_of(argv[1], "state.db") / 1e6,
	       (double)size_of(argv[1], "state.db-wal") / 1e6);
	from = start();
	state_close(b.state);
	print("close", since(from));
	from = start();
	open_state(&b, argv[1]);
	print("open again", since(from));
	from = start();
	load(&b);
	print("load all series", since(from));
	state_close(b.state);
	for (uint32_t i = 0; i < b.series; i++)
		b.sum -= b.values[i];
	printf("%zu series, the sum is off by %g\n", b.visited, fabs(b.sum));
	free(b.values);
	return b.visited == b.series && fabs(b.sum) < 1 ? 0 : 1;
}
