/*
 * state_crash.c - a fixed course of commits, to be ended or made to fail anywhere.
 *
 *     state_crash DIRECTORY ACKNOWLEDGED
 *
 * Everything that commit number n holds follows from n.  The program opens what is
 * there, compares it with all that commit n made, n being the one that it says it is
 * and not before ACKNOWLEDGED, and prints "found N".  Then it goes on to the last
 * commit, prints "acked N" for each, and compares after closing and opening again.  Its
 * last line is "done".
 *
 * On its course: counters whose sum is the position in the file, births, a gauge with
 * a window, a histogram, a family that comes and goes and is forgotten, series that go
 * and leave their number to others, what series were before they came back, a file that
 * comes and goes, folds, checkpoints of the WAL, and a reopening in the middle.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "daemon/state.h"

#define COMMITS 16
#define REOPENED_AT 9
#define SERIES 40
#define OPENINGS 50  /* a daemon that is started again and again */
#define ATTEMPTS 100 /* of a commit, while the disk is full */
#define BUCKETS 3

struct model {
	uint64_t sequence; /* 0: nothing was committed */
	size_t series;
	double counts[SERIES];
	double level, sum, buckets[BUCKETS];
	uint64_t offset_bytes;
	bool second_file;
	bool guest;
	double past;      /* of the first counter, */
	uint64_t past_at; /* since this commit; 0: never */
};

struct run {
	struct state *state;
	struct model now, saved; /* what the next commit holds, what is there */
	uint64_t hits, level, took, guest, pods;
	bool guest_saved; /* its series are in the database */
	/* While comparing. */
	size_t visited, files, pasts;
	bool wrong;
};

static const struct state_family hits = {"hits_total", "counter", {"h", 1}};
static const struct state_family level = {"level", "gauge", {"l", 1}};
static const struct state_family took = {"took_seconds", "histogram", {"t", 1}};
static const struct state_family guest = {"guest_total", "counter", {"g", 1}};
static const struct state_family pods = {"pods", "gauge", {"p", 1}};
#define GUESTS 5
#define PODS 6

static void stop(const char *why)
{
	printf("FAILED: %s\n", why);
	fflush(stdout);
	_exit(1);
}

/* ---- the course ---- */

/* What happens between commit n - 1 and commit n. */
static void advance(struct model *m)
{
	uint64_t n = ++m->sequence;

	m->series = n * 2 + 4 < SERIES ? n * 2 + 4 : SERIES;
	for (size_t i = 0; i < m->series; i++) {
		if ((i * 7 + n * 3) % 5 > 2)
			continue;
		m->counts[i] += (double)(1 + (i + n) % 3);
		m->offset_bytes += 1 + (i + n) % 3;
	}
	m->level = n % 4 == 0 ? NAN : (double)n / 10;
	m->sum += 0.1;
	m->buckets[n % BUCKETS]++;
	m->second_file = n % 6 < 3;
	m->guest = n % 8 < 4;
	if (n % 3 == 0) {
		m->past = m->counts[0] / 2;
		m->past_at = n;
	}
}

/* A pod has its place for three commits, comes back with the last; then it is free. */
static uint64_t phase_of(uint64_t sequence, size_t place)
{
	return (sequence + place * 3) % 4;
}

static struct slice name_of_pod(char *text, size_t size, uint64_t sequence,
				size_t place)
{
	uint64_t pod = (sequence + place * 3) / 4;

	return (struct slice){
		text, (size_t)snprintf(text, size, "pod=\"%zu-%d\"", place, (int)pod)};
}

static struct model model_at(uint64_t sequence)
{
	struct model m = {0};

	while (m.sequence < sequence)
		advance(&m);
	return m;
}

/* ---- comparing ---- */

static bool same(double a, double b)
{
	return a == b || (isnan(a) && isnan(b));
}

static void check(struct run *r, bool right)
{
	r->wrong = r->wrong || !right;
}

static void visit_hits(void *ctx, const struct state_series *series)
{
	struct run *r = ctx;
	char labels[16];

	snprintf(labels, sizeof(labels), "n=\"%zu\"", r->visited);
	check(r, series->number == r->visited && series->number < r->now.series &&
			 slice_is(series->labels, labels) && series->born == 1 &&
			 series->value.value == r->now.counts[series->number]);
	r->visited++;
}

/* Of 1 to 40,000 bytes: within a page and over several. */
static struct slice panes_of(const struct model *m)
{
	static char bytes[40000];

	memset(bytes, (int)m->sequence, sizeof(bytes));
	return (struct slice){bytes, m->sequence % 5 * 9999 + 1};
}

static void visit_level(void *ctx, const struct state_series *series)
{
	struct run *r = ctx;

	r->visited++;
	check(r, same(series->value.value, r->now.level));
	check(r, slice_eq(series->value.panes, panes_of(&r->now)));
	check(r, series->value.time_ns == (int64_t)r->now.sequence);
}

static void visit_took(void *ctx, const struct state_series *series)
{
	struct run *r = ctx;

	r->visited++;
	check(r, series->value.value == r->now.sum &&
			 series->value.bucket_count == BUCKETS);
	for (size_t i = 0; i < BUCKETS && !r->wrong; i++)
		check(r, series->value.buckets[i] == r->now.buckets[i]);
}

static void visit_pod(void *ctx, const struct state_series *series)
{
	struct run *r = ctx;
	char text[32];
	struct slice name =
		name_of_pod(text, sizeof(text), r->now.sequence, r->visited);
	bool is_free = phase_of(r->now.sequence, r->visited) == 0;

	check(r, series->number == r->visited++ && series->is_free == is_free);
	check(r, slice_eq(series->labels, is_free ? (struct slice){"", 0} : name));
	check(r, series->value.value == (is_free ? 0 : (double)r->now.sequence));
}

static void visit_past(void *ctx, const struct state_past *past)
{
	struct run *r = ctx;

	r->pasts++;
	check(r, past->number == 0 && past->sequence == r->now.past_at &&
			 past->value.value == r->now.past);
}

static void visit_past_of_pod(void *ctx, const struct state_past *past)
{
	struct run *r = ctx;

	r->pasts++;
	check(r, phase_of(r->now.sequence, past->number) == 3 &&
			 past->value.value == (double)past->number);
}

static void visit_guest(void *ctx, const struct state_series *series)
{
	struct run *r = ctx;

	check(r, series->number == r->visited++ && series->value.value == 1);
}

static void visit_file(void *ctx, const struct checkpoint *file)
{
	struct run *r = ctx;

	r->files++;
	check(r, file->id == 1 ? file->offset_bytes == r->now.offset_bytes
			       : r->now.second_file && strcmp(file->path, "/b") == 0);
}

static void load(struct run *r, const struct state_family *family,
		 void (*visit)(void *ctx, const struct state_series *series),
		 uint64_t *id)
{
	struct error err;

	r->visited = 0;
	/* As a daemon that is started again after it failed to load. */
	for (int i = 0; i < ATTEMPTS; i++) {
		if (state_load_family(r->state, family, visit, r, id, &err))
			return;
		if (state_is_damaged(r->state))
			stop(err.text);
		r->visited = 0;
		r->wrong = false;
	}
	stop(err.text);
}

static size_t load_pasts(struct run *r, uint64_t id,
			 void (*visit)(void *ctx, const struct state_past *past))
{
	struct error err;

	for (int i = 0; i < ATTEMPTS; i++) {
		r->pasts = 0;
		if (state_load_pasts(r->state, id, visit, r, &err))
			return r->pasts;
	}
	stop(err.text);
	return 0;
}

static void compare_pods(struct run *r)
{
	size_t returned = 0;

	load(r, &pods, visit_pod, &r->pods);
	check(r, r->visited == (r->now.sequence > 0 ? PODS : 0));
	for (size_t i = 0; i < PODS && r->now.sequence > 0; i++)
		returned += phase_of(r->now.sequence, i) == 3;
	check(r, load_pasts(r, r->pods, visit_past_of_pod) == returned);
	check(r, load_pasts(r, r->hits, visit_past) == (r->now.past_at > 0));
}

static void compare_series(struct run *r)
{
	bool any = r->now.sequence > 0;

	load(r, &hits, visit_hits, &r->hits);
	check(r, r->visited == r->now.series);
	load(r, &level, visit_level, &r->level);
	check(r, r->visited == (any ? 1 : 0));
	load(r, &took, visit_took, &r->took);
	check(r, r->visited == (any ? 1 : 0));
	load(r, &guest, visit_guest, &r->guest);
	r->guest_saved = r->visited == GUESTS;
	/* It may be forgotten as soon as it is gone: all of it or nothing. */
	check(r, r->guest_saved || (r->visited == 0 && !r->now.guest));
}

static void compare_files(struct run *r)
{
	struct error err;

	for (int i = 0; i < ATTEMPTS; i++) {
		r->files = 0;
		if (state_each_checkpoint(r->state, visit_file, r, &err)) {
			check(r, r->files == (r->now.sequence > 0 ? 1u : 0u) +
						     r->now.second_file);
			return;
		}
	}
	stop(err.text);
}

static void compare(struct run *r)
{
	double total = 0;

	r->now = r->saved = model_at(state_sequence(r->state));
	r->wrong = false;
	compare_series(r);
	compare_pods(r);
	compare_files(r);
	for (size_t i = 0; i < SERIES; i++)
		total += r->now.counts[i];
	check(r, total == (double)r->now.offset_bytes);
	if (r->wrong)
		stop("what is there is not what was committed");
}

/* ---- going on ---- */

static void open_and_compare(struct run *r, const char *directory, uint64_t least)
{
	struct state_options options = {.directory = directory,
					.fold_rows = 60,
					.checkpoint_bytes = 48 << 10,
					.keep_seconds = -1};
	enum state_found found;
	struct error err;

	for (int i = 0; i < OPENINGS && !r->state; i++)
		r->state = state_open(&options, &found, &err);
	if (!r->state)
		stop(err.text);
	if (found == STATE_LOST)
		stop("it was taken for lost");
	if (state_sequence(r->state) < least)
		stop("an acknowledged commit is not there");
	compare(r);
}

static void put_hits(struct run *r)
{
	for (uint32_t i = 0; i < r->now.series; i++) {
		char labels[16];
		struct state_series series = {
			.number = i, .born = 1, .value = {.value = r->now.counts[i]}};

		snprintf(labels, sizeof(labels), "n=\"%u\"", i);
		series.labels = slice_of(labels);
		if (i >= r->saved.series)
			state_put_series(r->state, r->hits, &series);
		else if (r->now.counts[i] != r->saved.counts[i])
			state_put_value(r->state, r->hits, i, &series.value);
	}
}

static void put_single(struct run *r, uint64_t id, const struct state_value *value)
{
	if (r->saved.sequence == 0)
		state_put_series(r->state, id, &(struct state_series){.value = *value});
	else
		state_put_value(r->state, id, 0, value);
}

static void put_guest(struct run *r)
{
	if (!r->now.guest)
		return;
	state_put_family(r->state, r->guest, &guest);
	for (uint32_t i = 0; i < GUESTS && !r->guest_saved; i++)
		state_put_series(
			r->state, r->guest,
			&(struct state_series){.number = i, .value = {.value = 1}});
}

/* Commits in between may have failed. */
static bool changes_hands(uint64_t saved, uint64_t now, size_t place)
{
	return saved == 0 || phase_of(saved, place) == 0 || phase_of(now, place) == 0 ||
	       (saved + place * 3) / 4 != (now + place * 3) / 4;
}

static void put_pod(struct run *r, uint32_t place)
{
	uint64_t n = r->now.sequence, phase = phase_of(n, place);
	struct state_series pod = {.number = place, .is_free = phase == 0};
	struct state_past past = {place, n, {.value = place}};
	char text[32];

	if (phase > 0) {
		pod.labels = name_of_pod(text, sizeof(text), n, place);
		pod.value.value = (double)n;
	}
	if (changes_hands(r->saved.sequence, n, place))
		state_put_series(r->state, r->pods, &pod);
	else
		state_put_value(r->state, r->pods, place, &pod.value);
	if (phase == 3)
		state_put_past(r->state, r->pods, &past);
}

static void put_pasts(struct run *r)
{
	struct state_past past = {0, r->now.past_at, {.value = r->now.past}};

	for (uint32_t i = 0; i < PODS; i++)
		put_pod(r, i);
	if (r->now.past_at > r->saved.sequence)
		state_put_past(r->state, r->hits, &past);
}

static void put_files(struct run *r)
{
	struct checkpoint first = {.id = 1,
				   .path = "/a",
				   .offset_bytes = r->now.offset_bytes},
			  second = {.id = 2, .path = "/b"};

	state_put_checkpoint(r->state, &first);
	if (r->now.second_file)
		state_put_checkpoint(r->state, &second);
	else
		state_drop_checkpoint(r->state, 2);
}

static bool commit(struct run *r, struct error *err)
{
	struct state_scraper scraper = {{1}, r->now.sequence, r->now.sequence};
	struct state_value value = {.value = r->now.level,
				    .time_ns = (int64_t)r->now.sequence,
				    .panes = panes_of(&r->now)};

	state_begin(r->state);
	state_put_family(r->state, r->hits, &hits);
	state_put_family(r->state, r->level, &level);
	state_put_family(r->state, r->took, &took);
	state_put_family(r->state, r->pods, &pods);
	put_guest(r);
	put_hits(r);
	put_single(r, r->level, &value);
	value = (struct state_value){r->now.sum, 0, r->now.buckets, BUCKETS};
	put_single(r, r->took, &value);
	put_pasts(r);
	put_files(r);
	state_put_scrapers(r->state, &scraper, 1);
	state_put_root(r->state, "/");
	return state_commit(r->state, r->now.sequence, err);
}

/* When it comes back it is loaded, as a reload does. */
static void meet_guest(struct run *r)
{
	if (r->now.guest && !r->saved.guest) {
		r->wrong = false;
		load(r, &guest, visit_guest, &r->guest);
		r->guest_saved = r->visited == GUESTS;
		if (r->wrong || (r->visited != 0 && !r->guest_saved))
			stop("half of a removed family is there");
	}
}

static void go_on(struct run *r, uint64_t until)
{
	struct error err;
	int attempts = 0;

	while (r->saved.sequence < until) {
		if (r->now.sequence < until)
			advance(&r->now);
		meet_guest(r);
		if (commit(r, &err)) {
			r->saved = r->now;
			r->guest_saved = r->guest_saved || r->now.guest;
			printf("acked %llu\n", (unsigned long long)r->now.sequence);
			fflush(stdout);
		} else if (++attempts > ATTEMPTS || state_is_damaged(r->state)) {
			stop(err.text);
		}
		for (int i = 0; i < 200 && state_tidy(r->state); i++)
			;
	}
}

int main(int argc, char **argv)
{
	struct run r = {0};

	if (argc != 3)
		return 2;
	log_configure(LOG_LEVEL_ERROR, LOG_FORMAT_LOGFMT);
	open_and_compare(&r, argv[1], strtoull(argv[2], NULL, 10));
	printf("found %llu\n", (unsigned long long)r.saved.sequence);
	fflush(stdout);
	while (r.saved.sequence < COMMITS) {
		go_on(&r, r.saved.sequence < REOPENED_AT ? REOPENED_AT : COMMITS);
		state_close(r.state);
		r.state = NULL;
		open_and_compare(&r, argv[1], r.saved.sequence);
	}
	state_close(r.state);
	puts("done");
	return 0;
}
