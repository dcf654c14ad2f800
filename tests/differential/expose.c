/*
 * Renders series as a scrape shows them (exposition.py reads them back).  On stdin a
 * line each, with texts in hexadecimal:
 *
 *     help TEXT            of all metrics, before the others
 *     gauge A B NUMBER     texts of two labels
 *     counter A NUMBER
 *     histogram A NUMBER
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exporter/cut.h"
#include "exporter/exposition.h"
#include "exporter/registry.h"
#include "exporter/store.h"

static const char *const labels[] = {"a", "b"};
static const double bounds[] = {-1e300, -0.0001, 0, 5e-324, 0.1, 1, 123456.789, 1e22};

static char help[4096];

static const struct metric_def gauge = {.kind = METRIC_GAUGE,
					.name = "random_level",
					.help = help,
					.labels = labels,
					.label_count = 2};
static const struct metric_def counter = {.kind = METRIC_COUNTER,
					  .name = "random_total",
					  .help = help,
					  .labels = labels,
					  .label_count = 1};
static const struct metric_def histogram = {.kind = METRIC_HISTOGRAM,
					    .name = "random_spread",
					    .help = help,
					    .labels = labels,
					    .label_count = 1,
					    .buckets = bounds,
					    .bucket_count = 8};

static const struct {
	const char *name;
	size_t metric, labels;
	enum update_op op;
} lines[] = {
	{"gauge", 0, 2, UPDATE_SET},
	{"counter", 1, 1, UPDATE_ADD},
	{"histogram", 2, 1, UPDATE_OBSERVE},
};

/* In place. */
static struct slice unhex(char *text)
{
	size_t len = strlen(text) / 2;

	for (size_t i = 0; i < len; i++) {
		char digits[] = {text[2 * i], text[2 * i + 1], '\0'};

		text[i] = (char)strtoul(digits, NULL, 16);
	}
	return (struct slice){text, len};
}

static char *field(char **line)
{
	char *start = strsep(line, " ");

	if (!start)
		exit(1);
	return start;
}

static void update(struct store *store, size_t i, char *rest)
{
	struct slice texts[2];
	struct update u = {.metric = lines[i].metric,
			   .op = lines[i].op,
			   .time_ns = METRIC_NO_TIME,
			   .labels = texts};

	for (size_t j = 0; j < lines[i].labels; j++)
		texts[j] = unhex(field(&rest));
	u.value = strtod(field(&rest), NULL);
	if (store_update(store, &u) != UPDATE_DONE) {
		fprintf(stderr, "%s is refused\n", lines[i].name);
		exit(1);
	}
}

static void read_lines(struct store *store)
{
	char *line = NULL;
	size_t room = 0;
	ssize_t n;

	while ((n = getline(&line, &room, stdin)) > 0) {
		char *rest = line, *name;

		line[n - 1] = '\0';
		name = field(&rest);
		for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
			if (strcmp(name, lines[i].name) == 0)
				update(store, i, rest);
	}
	free(line);
}

static void read_help(void)
{
	char *line = NULL;
	size_t room = 0;
	ssize_t n = getline(&line, &room, stdin);
	struct slice text;

	if (n < 6)
		exit(1);
	line[n - 1] = '\0';
	text = unhex(line + 5);
	if (text.len >= sizeof(help))
		exit(1);
	memcpy(help, text.ptr, text.len);
	free(line);
}

static void print(struct store *store, struct schema *schema)
{
	struct part *part = store_cut(store, 1);
	struct cut *cut = cut_create(1, schema, &part, 1, false);
	struct exposition *text =
		exposition_create(cut, EXPOSITION_ALL_SEEN, (struct slice){"", 0});
	char piece[4096];
	size_t n;

	while ((n = exposition_read(text, piece, sizeof(piece))) > 0)
		fwrite(piece, 1, n, stdout);
	exposition_destroy(text);
	cut_unref(cut);
}

int main(void)
{
	static const struct metric_def *const defs[] = {&gauge, &counter, &histogram};
	struct registry *registry = registry_create(
		&(struct registry_options){.series_per_metric = 1000000});
	struct schema *schema;
	struct store *store;

	read_help();
	schema = registry_bind(registry, defs, 3, 0, NULL, 0, 0, 0);
	store = store_create(registry);
	store_use(store, schema);
	read_lines(store);
	print(store, schema);
	store_destroy(store);
	schema_unref(schema);
	registry_destroy(registry);
	return 0;
}
