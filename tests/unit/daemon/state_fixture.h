/*
 * state_fixture.h - a state directory, its database, and a person who looks into it.
 *
 * What is loaded is shown as text: `LABELS=VALUE`, `LABELS=VALUE[BUCKETS]<PANES>`,
 * separated by spaces, in the order in which it was visited.
 */
#ifndef TESTS_UNIT_DAEMON_STATE_FIXTURE_H
#define TESTS_UNIT_DAEMON_STATE_FIXTURE_H

#include <criterion/criterion.h>
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/strbuf.h"
#include "common/xalloc.h"
#include "daemon/state.h"
#include "exporter/number.h"

static char dir[64];
static struct state *state;
static enum state_found found;
static struct state_options options; /* for opening */
static struct error err;
static struct strbuf text = STRBUF_INIT;

static const struct state_family hits = {"hits_total", "counter", {"sig-hits", 8}};
static const struct state_family level = {"level", "gauge", {"sig-level", 9}};
static const struct state_family delay = {"delay_seconds", "summary", {"sig-delay", 9}};
static const struct state_family job = {
	"job", "state", {"sig-job", 7}, "[\"idle\",\"running\"]"};
static const struct state_family took = {"took_seconds", "histogram", {"s\0t", 3}};

static inline void start(void)
{
	snprintf(dir, sizeof(dir), "/tmp/state-XXXXXX");
	cr_assert(mkdtemp(dir));
	options = (struct state_options){.directory = dir};
	log_configure(LOG_LEVEL_ERROR, LOG_FORMAT_LOGFMT);
}

static inline int remove_one(const char *path, const struct stat *st, int type,
			     struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

static inline void stop(void)
{
	state_close(state);
	strbuf_finish(&text);
	nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* Borrowed until the fourth call after it. */
static inline const char *path_of(const char *name)
{
	static char paths[4][128];
	static unsigned next;
	char *path = paths[next++ % 4];

	snprintf(path, sizeof(paths[0]), "%s/%s", dir, name);
	return path;
}

static inline void open_state(void)
{
	state = state_open(&options, &found, &err);
	cr_assert(state, "%s", err.text);
}

static inline void close_state(void)
{
	state_close(state);
	state = NULL;
}

static inline void reopen(void)
{
	close_state();
	open_state();
}

/* ---- loading ---- */

static inline void show_series(void *ctx, const struct state_series *series)
{
	char number[NUMBER_MAX_BYTES];

	(void)ctx;
	strbuf_addf(&text, "%s%.*s=", text.len ? " " : "", SLICE_ARG(series->labels));
	strbuf_add(&text, number, number_format(number, series->value.value));
	for (size_t i = 0; i < series->value.bucket_count; i++) {
		strbuf_putc(&text, i == 0 ? '[' : ',');
		strbuf_add(&text, number,
			   number_format(number, series->value.buckets[i]));
	}
	if (series->value.bucket_count > 0)
		strbuf_putc(&text, ']');
	if (series->value.panes.len > 0)
		strbuf_addf(&text, "<%.*s>", SLICE_ARG(series->value.panes));
}

static inline uint64_t id_of(const struct state_family *family)
{
	uint64_t id = 0;

	strbuf_clear(&text);
	cr_assert(state_load_family(state, family, show_series, NULL, &id, &err), "%s",
		  err.text);
	return id;
}

static inline const char *loaded(const struct state_family *family)
{
	id_of(family);
	return text.ptr;
}

/* ---- saving ---- */

static inline void put_new(uint64_t id, uint32_t number, const char *labels,
			   double value)
{
	struct state_series series = {.number = number,
				      .labels = slice_of(labels),
				      .value = {.value = value}};

	state_put_series(state, id, &series);
}

static inline void put(uint64_t id, uint32_t number, double value)
{
	state_put_value(state, id, number, &(struct state_value){.value = value});
}

static inline void commit(void)
{
	cr_assert(state_commit(state, state_sequence(state) + 1, &err), "%s", err.text);
}

/* One of each kind: hits a=1 b=2, level (no labels) 3. */
static inline void save_some(void)
{
	uint64_t hits_id = id_of(&hits), level_id = id_of(&level);

	state_begin(state);
	state_put_family(state, hits_id, &hits);
	state_put_family(state, level_id, &level);
	put_new(hits_id, 0, "a", 1);
	put_new(hits_id, 1, "b", 2);
	put_new(level_id, 0, "", 3);
	commit();
}

/* Many series of `hits`, each of value 0. */
static inline uint64_t save_many(uint32_t count)
{
	uint64_t id = id_of(&hits);
	char labels[32];

	state_begin(state);
	state_put_family(state, id, &hits);
	for (uint32_t i = 0; i < count; i++) {
		snprintf(labels, sizeof(labels), "n=\"%u\"", i);
		put_new(id, i, labels, 0);
	}
	commit();
	return id;
}

/* ---- the person with sqlite3 ---- */

static inline int add_row(void *ctx, int count, char **columns, char **names)
{
	struct strbuf *out = ctx;

	(void)names;
	for (int i = 0; i < count; i++)
		strbuf_addf(out, "%s%s",
			    i          ? "|"
			    : out->len ? " "
				       : "",
			    columns[i] ? columns[i] : "");
	return 0;
}

static inline const char *query(const char *sql)
{
	sqlite3 *person;
	int code;

	strbuf_clear(&text);
	cr_assert_eq(sqlite3_open(path_of("state.db"), &person), SQLITE_OK);
	sqlite3_busy_timeout(person, 5000);
	code = sqlite3_exec(person, sql, add_row, &text, NULL);
	cr_assert_eq(code, SQLITE_OK, "%s", sqlite3_errmsg(person));
	sqlite3_close(person);
	return text.ptr;
}

static inline int64_t size_of(const char *name)
{
	struct stat st;

	return stat(path_of(name), &st) == 0 ? st.st_size : -1;
}

/* How many names of the directory begin so. */
static inline int names_with(const char *prefix)
{
	DIR *list = opendir(dir);
	int count = 0;

	for (struct dirent *entry; (entry = readdir(list));)
		count += strncmp(entry->d_name, prefix, strlen(prefix)) == 0;
	closedir(list);
	return count;
}

/* A summary with a window, whose one count is 3. */
static inline void put_delay(uint64_t id, uint32_t number, const char *panes,
			     bool is_new)
{
	static const double one_count[] = {3};
	struct state_series series = {.number = number,
				      .labels = slice_of(number ? "b" : "a"),
				      .value = {.value = 0.5,
						.time_ns = 7,
						.buckets = one_count,
						.bucket_count = 1,
						.panes = slice_of(panes)}};

	if (is_new)
		state_put_series(state, id, &series);
	else
		state_put_value(state, id, number, &series.value);
}

#endif
