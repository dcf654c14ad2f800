#include "daemon/live_metrics.h"

#include <stdlib.h>

#include "common/clock.h"
#include "common/xalloc.h"
#include "daemon/own_metrics.h"
#include "daemon/version.h"
#include "exporter/exposition.h"

#define MAX_FILES 1000

static void labelled(enum own_metric metric, const char *value, double number,
		     struct strbuf *out)
{
	struct strbuf labels = STRBUF_INIT;

	exposition_add_label(&labels, own_metric(metric)->labels[0], slice_of(value));
	own_metric_sample(metric, labels.ptr, number, out);
	strbuf_finish(&labels);
}

/* -- files ---------------------------------------------------------------- */

static int by_interest(const void *a, const void *b)
{
	const struct file_report *const *x = a, *const *y = b;

	if ((*x)->lag_bytes != (*y)->lag_bytes)
		return (*x)->lag_bytes > (*y)->lag_bytes ? -1 : 1;
	if ((*x)->last_line_ns != (*y)->last_line_ns)
		return (*x)->last_line_ns > (*y)->last_line_ns ? -1 : 1;
	return strcmp((*x)->path, (*y)->path);
}

static int by_path(const void *a, const void *b)
{
	const struct file_report *const *x = a, *const *y = b;

	return strcmp((*x)->path, (*y)->path);
}

/* Cardinality is bounded: those that lag most, then those written last. */
static const struct file_report **choose(const struct file_report *files, size_t *count)
{
	const struct file_report **chosen = xcalloc(*count, sizeof(*chosen));

	for (size_t i = 0; i < *count; i++)
		chosen[i] = &files[i];
	if (*count > MAX_FILES) {
		qsort(chosen, *count, sizeof(*chosen), by_interest);
		*count = MAX_FILES;
	}
	qsort(chosen, *count, sizeof(*chosen), by_path);
	return chosen;
}

static void render_states(const struct file_report *files, size_t count,
			  struct strbuf *out)
{
	size_t open = 0;

	for (size_t i = 0; i < count; i++)
		open += files[i].open;
	own_metric_header(OWN_FILES, out);
	labelled(OWN_FILES, "open", (double)open, out);
	labelled(OWN_FILES, "closed", (double)(count - open), out);
}

static void render_files(void *ctx, const struct file_report *files, size_t count)
{
	struct strbuf *out = ctx;
	const struct file_report **chosen;

	render_states(files, count, out);
	chosen = choose(files, &count);
	if (count > 0) {
		own_metric_header(OWN_FILE_LAG, out);
		for (size_t i = 0; i < count; i++)
			labelled(OWN_FILE_LAG, chosen[i]->path,
				 (double)chosen[i]->lag_bytes, out);
		own_metric_header(OWN_FILE_LAST_LINE, out);
		for (size_t i = 0; i < count; i++)
			labelled(OWN_FILE_LAST_LINE, chosen[i]->path,
				 clock_seconds(chosen[i]->last_line_ns), out);
	}
	free(chosen);
}

/* -- the rest ------------------------------------------------------------- */

static double live_series(const struct family *family)
{
	return (double)family_live_series(family);
}

static double overflows(const struct family *family)
{
	return (double)family_overflows(family);
}

static double forgotten(const struct family *family)
{
	return (double)family_forgotten(family);
}

/* A counter's running totals go by its name. */
static double with_base(const struct schema *schema, const struct family *family,
			double (*number)(const struct family *family))
{
	size_t length = strlen(family_name(family));
	double sum = number(family);

	for (size_t i = OWN_STORED; i < schema_count(schema); i++) {
		const struct family *base = schema_family(schema, i);

		if (family_is_base(base) &&
		    strncmp(family_name(base), family_name(family), length) == 0 &&
		    family_name(base)[length] == ':')
			sum += number(base);
	}
	return sum;
}

static void render_series(const struct schema *schema, struct strbuf *out)
{
	static const struct {
		enum own_metric metric;
		double (*number)(const struct family *family);
	} rows[] = {{OWN_SERIES, live_series},
		    {OWN_SERIES_OVERFLOW, overflows},
		    {OWN_SERIES_FORGOTTEN, forgotten}};
	size_t count = schema_count(schema);

	for (size_t r = 0; count > OWN_STORED && r < sizeof(rows) / sizeof(*rows);
	     r++) {
		own_metric_header(rows[r].metric, out);
		for (size_t i = OWN_STORED; i < count; i++) {
			const struct family *family = schema_family(schema, i);

			if (!family_is_base(family))
				labelled(rows[r].metric, family_name(family),
					 with_base(schema, family, rows[r].number),
					 out);
		}
	}
}

void live_facts_begin(struct live_facts *facts)
{
	static const char *const reasons[] = {
		"filesystem", "flood",    "no_instances", "no_permission",
		"no_watches", "overflow", "poll",         "unwatchable"};

	for (size_t i = 0; i < sizeof(reasons) / sizeof(*reasons); i++)
		facts->fallbacks[facts->fallback_count++].reason = reasons[i];
}

static void render_fallbacks(const struct live_facts *facts, struct strbuf *out)
{
	own_metric_header(OWN_WATCH_FALLBACKS, out);
	for (size_t i = 0; i < facts->fallback_count; i++)
		labelled(OWN_WATCH_FALLBACKS, facts->fallbacks[i].reason,
			 (double)facts->fallbacks[i].count, out);
}

static void render_commits(const struct saver_facts *facts, struct strbuf *out)
{
	if (!facts->saves)
		return;
	own_metric_histogram(OWN_COMMIT_DURATION, facts->durations,
			     facts->duration_sum_seconds, out);
	own_metric_single(OWN_COMMIT_LAST_SUCCESS,
			  clock_seconds(facts->last_success_ns), out);
	own_metric_single(OWN_COMMIT_ERRORS, (double)facts->errors, out);
}

void live_metrics_render(const struct live_facts *facts, struct cutter *cutter,
			 struct strbuf *out)
{
	own_metric_header(OWN_BUILD_INFO, out);
	labelled(OWN_BUILD_INFO, LOGTALLY_VERSION, 1, out);
	own_metric_single(OWN_CATCHING_UP, facts->catching_up, out);
	cutter_files(cutter, render_files, out);
	render_series(facts->schema, out);
	render_fallbacks(facts, out);
	render_commits(&facts->saver, out);
	own_metric_single(OWN_RELOAD_SUCCESSFUL, facts->reload_successful, out);
	own_metric_single(OWN_RELOAD_SUCCESS_TIME,
			  clock_seconds(facts->reload_success_ns), out);
	own_metrics_process(out);
}
