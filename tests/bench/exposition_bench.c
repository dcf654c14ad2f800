/*
 * exposition_bench - what many series cost in the exporter alone.
 *
 *     exposition_bench [SERIES]
 *
 * One worker's counters with two labels: memory a series, rendering, gzip, and
 * for how long a cut keeps the worker from its lines.  Prints a Markdown table.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/clock.h"
#include "exporter/exposition.h"
#include "exporter/gzip.h"
#include "exporter/store.h"

#define RUNS 11
#define PIECE_BYTES ((size_t)64 * 1024)

static struct registry *registry;
static struct schema *schema;
static struct store *store;
static uint64_t sequence;
static char piece[PIECE_BYTES];

static void begin(size_t series)
{
	static const char *const labels[] = {"id", "zone"};
	const struct metric_def def = {.kind = METRIC_COUNTER,
				       .name = "seen_total",
				       .help = "Seen.",
				       .labels = labels,
				       .label_count = 2,
				       .max_series = series};
	const struct metric_def *defs[] = {&def};

	registry = registry_create(&(struct registry_options){.series = series});
	schema = registry_bind(registry, defs, 1, 0, NULL, 0, 0, 0);
	store = store_create(registry);
	store_use(store, schema);
}

static void update(size_t i, double value)
{
	char id[16], zone[8];
	struct slice labels[] = {
		{id, (size_t)snprintf(id, sizeof(id), "%08zx", i)},
		{zone, (size_t)snprintf(zone, sizeof(zone), "z%zu", i % 10)}};
	struct update u = {.op = UPDATE_ADD,
			   .value = value,
			   .time_ns = METRIC_NO_TIME,
			   .labels = labels};

	store_update(store, &u);
}

static struct cut *make_cut(int64_t *stall_ns)
{
	int64_t start_ns = clock_monotonic_ns();
	struct part *part = store_cut(store, ++sequence);

	*stall_ns = clock_monotonic_ns() - start_ns;
	return cut_create(sequence, schema, &part, 1, false);
}

static size_t render(struct cut *cut)
{
	struct exposition *e =
		exposition_create(cut, EXPOSITION_ALL_SEEN, (struct slice){"", 0});
	size_t bytes = 0, n;

	while ((n = exposition_read(e, piece, sizeof(piece))) > 0)
		bytes += n;
	exposition_destroy(e);
	return bytes;
}

static size_t read_exposition(void *ctx, char *out, size_t size_bytes)
{
	return exposition_read(ctx, out, size_bytes);
}

static size_t render_packed(struct cut *cut)
{
	struct exposition *e =
		exposition_create(cut, EXPOSITION_ALL_SEEN, (struct slice){"", 0});
	struct gzip *gzip = gzip_create(read_exposition, e);
	size_t bytes = 0, n;

	while ((n = gzip_read(gzip, piece, sizeof(piece))) > 0)
		bytes += n;
	gzip_destroy(gzip);
	exposition_destroy(e);
	return bytes;
}

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static double median_ms(int64_t *ns)
{
	qsort(ns, RUNS, sizeof(*ns), compare);
	return (double)ns[RUNS / 2] / NS_PER_MS;
}

static double longest_ms(const int64_t *ns)
{
	int64_t longest = 0;

	for (size_t i = 0; i < RUNS; i++)
		longest = ns[i] > longest ? ns[i] : longest;
	return (double)longest / NS_PER_MS;
}

static void row(const char *what, double figure, const char *unit)
{
	printf("| %s | %.4g %s |\n", what, figure, unit);
}

static void measure_memory(size_t series)
{
	size_t before = mallinfo2().uordblks + mallinfo2().hblkhd;
	size_t text = sizeof("id=\"00000000\",zone=\"z0\"") - 1;
	int64_t start_ns = clock_thread_cpu_ns();
	size_t bytes;

	for (size_t i = 0; i < series; i++)
		update(i, 1.5);
	row("birth and first update",
	    (double)(clock_thread_cpu_ns() - start_ns) / series, "ns");
	bytes = mallinfo2().uordblks + mallinfo2().hblkhd - before;
	row("memory a series, without its label text", (double)bytes / series - text,
	    "bytes");
}

static void measure_rendering(const char *what, size_t (*way)(struct cut *))
{
	int64_t times_ns[RUNS], stall_ns;
	struct cut *cut = make_cut(&stall_ns);
	size_t bytes = 0;
	char text[64];

	for (size_t i = 0; i < RUNS; i++) {
		int64_t start_ns = clock_thread_cpu_ns();

		bytes = way(cut);
		times_ns[i] = clock_thread_cpu_ns() - start_ns;
	}
	cut_unref(cut);
	snprintf(text, sizeof(text), "%s, CPU", what);
	row(text, median_ms(times_ns), "ms");
	snprintf(text, sizeof(text), "%s, size", what);
	row(text, (double)bytes / 1e6, "MB");
}

/* Every series changes after every cut, while the former one is held. */
static void measure_stalls(size_t series)
{
	int64_t cut_ns[RUNS], after_ns[RUNS], held_ns[RUNS];
	struct cut *held = NULL;

	for (size_t run = 0; run < RUNS; run++) {
		struct cut *cut = make_cut(&cut_ns[run]);
		int64_t start_ns;

		cut_unref(held);
		held = cut;
		start_ns = clock_thread_cpu_ns();
		for (size_t i = 0; i < series; i++)
			update(i, 1);
		held_ns[run] = clock_thread_cpu_ns() - start_ns;
		start_ns = clock_thread_cpu_ns();
		for (size_t i = 0; i < series; i++)
			update(i, 1);
		after_ns[run] = clock_thread_cpu_ns() - start_ns;
	}
	cut_unref(held);
	row("a cut keeps the worker from its lines, median", median_ms(cut_ns), "ms");
	row("a cut keeps the worker from its lines, longest", longest_ms(cut_ns), "ms");
	row("an update", median_ms(after_ns) * NS_PER_MS / series, "ns");
	row("the first update of a series after a cut",
	    median_ms(held_ns) * NS_PER_MS / series, "ns");
}

int main(int argc, char **argv)
{
	size_t series = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000000;

	if (series == 0)
		return 2;
	begin(series);
	printf("### The exporter alone, %zu series\n\n| what | figure |\n|---|---|\n",
	       series);
	measure_memory(series);
	measure_rendering("rendering", render);
	measure_rendering("rendering and gzip", render_packed);
	measure_stalls(series);
	store_destroy(store);
	schema_unref(schema);
	registry_destroy(registry);
	return 0;
}
