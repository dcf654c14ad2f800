#include "daemon/replay.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/clock.h"
#include "common/xalloc.h"
#include "daemon/input_reader.h"
#include "daemon/own_metrics.h"
#include "daemon/tally.h"

/* Each keeps values of its own: more would share the work better, for more memory. */
#define MAX_LANES 32
#define PROGRESS_MS 100
#define SEQUENCE 1 /* of the only cut */

/* Neighbouring inputs, which one thread reads. */
struct lane {
	size_t first, count;
	uint64_t bytes;
	struct part *part; /* once read */
};

struct replay {
	const struct replay_options *o;
	struct replay_result *results;
	int64_t now_ns;
	struct lane lanes[MAX_LANES];
	size_t lane_count;
	const struct lane *turns[MAX_LANES]; /* in which order they are begun */
	atomic_size_t next_turn;
	atomic_ullong done_bytes;

	pthread_mutex_t lock; /* what follows */
	pthread_cond_t ended;
	unsigned running;
};

/* What a thread has in hand. */
struct hand {
	struct replay *replay;
	struct tally *tally;
	struct source *source;
	struct replay_result *result; /* of the present input */
};

/* -- lanes ---------------------------------------------------------------- */

/* Streams, whose size nobody knows, may be long. */
static uint64_t weight_of(const struct input *input)
{
	return input->sized ? input->size_bytes + 1 : UINT32_MAX;
}

static void deal_out(struct replay *r)
{
	const struct inputs *inputs = r->o->inputs;
	uint64_t total = 0;

	for (size_t i = 0; i < inputs->count; i++)
		total += weight_of(&inputs->items[i]);
	for (size_t i = 0; i < inputs->count; i++) {
		const struct input *input = &inputs->items[i];
		struct lane *lane = r->lane_count ? &r->lanes[r->lane_count - 1] : NULL;
		bool same_path = i > 0 && strcmp(input->path, input[-1].path) == 0;

		if (!lane || (!same_path && (inputs->count <= MAX_LANES ||
					     lane->bytes >= total / MAX_LANES + 1))) {
			lane = &r->lanes[r->lane_count++];
			*lane = (struct lane){.first = i};
		}
		lane->count++;
		lane->bytes += weight_of(input);
	}
}

static int compare_size(const void *a, const void *b)
{
	const struct lane *x = *(const struct lane *const *)a;
	const struct lane *y = *(const struct lane *const *)b;

	if (x->bytes != y->bytes)
		return x->bytes > y->bytes ? -1 : 1;
	return x->first < y->first ? -1 : 1;
}

/* The longest first, so that nobody is left with one at the end. */
static void take_turns(struct replay *r)
{
	for (size_t i = 0; i < r->lane_count; i++)
		r->turns[i] = &r->lanes[i];
	if (r->o->workers > 1)
		qsort(r->turns, r->lane_count, sizeof(struct lane *), compare_size);
}

/* -- reading -------------------------------------------------------------- */

static void on_block(void *ctx, const struct block *block)
{
	struct hand *hand = ctx;
	struct engine_counts counts = {0};

	tally_feed(hand->tally, hand->source, block, &counts);
	hand->result->lines += counts.lines;
	hand->result->unmatched_lines += counts.unmatched_lines;
}

static void on_oversized(void *ctx)
{
	struct hand *hand = ctx;

	store_add(tally_store(hand->tally), OWN_OVERSIZED_LINES, 0, 1);
	hand->result->oversized_lines++;
}

static void on_progress(void *ctx, uint64_t file_bytes)
{
	struct hand *hand = ctx;

	atomic_fetch_add_explicit(&hand->replay->done_bytes, file_bytes,
				  memory_order_relaxed);
}

static const struct input_reader_ops reader_ops = {
	.block = on_block, .oversized = on_oversized, .progress = on_progress};

/* Its files, of which one goes on where the other ended, are read. */
static void finish_path(struct hand *hand)
{
	struct engine_counts counts = {0};

	tally_close(hand->tally, hand->source, INT64_MAX, &counts);
	hand->result->unmatched_lines += counts.unmatched_lines;
	source_destroy(hand->source);
	hand->source = NULL;
}

static void read_lane(struct hand *hand, struct lane *lane, struct input_reader *reader,
		      struct regex_scratch *scratch)
{
	const struct replay_options *o = hand->replay->o;

	hand->tally = tally_create(o->registry);
	tally_use(hand->tally, o->setup);
	for (size_t i = lane->first; i < lane->first + lane->count; i++) {
		const struct input *input = &o->inputs->items[i];

		hand->result = &hand->replay->results[i];
		if (!hand->source)
			hand->source = setup_source(o->setup, input->path, scratch);
		hand->result->failed = !input_read(reader, input, &hand->result->err);
		if (i + 1 == lane->first + lane->count ||
		    strcmp(input->path, input[1].path) != 0)
			finish_path(hand);
	}
	lane->part = store_cut(tally_store(hand->tally), SEQUENCE);
	tally_destroy(hand->tally);
}

static void *work(void *arg)
{
	struct replay *r = arg;
	const struct config_limits *limits = &r->o->setup->config->limits;
	struct regex_scratch *scratch =
		regex_scratch_create((uint32_t)limits->match_steps);
	struct hand hand = {.replay = r};
	struct input_reader *reader =
		input_reader_create(limits->line_bytes, r->now_ns, &reader_ops, &hand);
	size_t turn;

	while ((turn = atomic_fetch_add(&r->next_turn, 1)) < r->lane_count)
		read_lane(&hand, &r->lanes[r->turns[turn] - r->lanes], reader, scratch);
	input_reader_destroy(reader);
	regex_scratch_destroy(scratch);
	pthread_mutex_lock(&r->lock);
	r->running--;
	pthread_cond_signal(&r->ended);
	pthread_mutex_unlock(&r->lock);
	return NULL;
}

/* -- threads -------------------------------------------------------------- */

/* Under the lock. */
static void wait_a_little(struct replay *r)
{
	int64_t ns = clock_wall_ns() + PROGRESS_MS * NS_PER_MS;
	struct timespec until = {.tv_sec = (time_t)(ns / NS_PER_SECOND),
				 .tv_nsec = (long)(ns % NS_PER_SECOND)};

	pthread_cond_timedwait(&r->ended, &r->lock, &until);
}

static void watch(struct replay *r)
{
	bool running = true;

	while (running) {
		r->o->progress(r->o->ctx, atomic_load(&r->done_bytes));
		pthread_mutex_lock(&r->lock);
		if (r->running > 0)
			wait_a_little(r);
		running = r->running > 0;
		pthread_mutex_unlock(&r->lock);
	}
	r->o->progress(r->o->ctx, atomic_load(&r->done_bytes));
}

/* As many as there are lanes to read; fewer if the system has no more. */
static bool read_all(struct replay *r, struct error *err)
{
	size_t wanted = r->o->workers < r->lane_count ? r->o->workers : r->lane_count;
	pthread_t *threads = xcalloc(wanted, sizeof(*threads));
	size_t count = 0;

	r->running = (unsigned)wanted;
	while (count < wanted &&
	       (errno = pthread_create(&threads[count], NULL, work, r)) == 0)
		count++;
	if (count < wanted && count == 0 && wanted > 0)
		error_errno(err, "start a thread");
	pthread_mutex_lock(&r->lock);
	r->running -= (unsigned)(wanted - count);
	pthread_mutex_unlock(&r->lock);
	watch(r);
	for (size_t i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
	free(threads);
	return count > 0 || wanted == 0;
}

static struct cut *merge(struct replay *r)
{
	struct part *parts[MAX_LANES];

	for (size_t i = 0; i < r->lane_count; i++)
		parts[i] = r->lanes[i].part;
	return cut_create(SEQUENCE, r->o->setup->schema, parts, r->lane_count, false);
}

struct cut *replay_read(const struct replay_options *options,
			struct replay_result *results, struct error *err)
{
	struct replay *r = xcalloc(1, sizeof(*r));
	struct cut *cut = NULL;

	r->o = options;
	r->results = results;
	r->now_ns = clock_wall_ns();
	pthread_mutex_init(&r->lock, NULL);
	pthread_cond_init(&r->ended, NULL);
	deal_out(r);
	take_turns(r);
	if (read_all(r, err))
		cut = merge(r);
	pthread_cond_destroy(&r->ended);
	pthread_mutex_destroy(&r->lock);
	free(r);
	return cut;
}
