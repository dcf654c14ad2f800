#include "daemon/positions.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

struct seen {
	struct checkpoint checkpoints[8];
	char paths[8][16];
	bool dropped[8];
	size_t count;
};

static void see(void *ctx, const struct checkpoint *checkpoint, bool dropped)
{
	struct seen *seen = ctx;
	size_t i = seen->count++;

	seen->checkpoints[i] = *checkpoint;
	snprintf(seen->paths[i], sizeof(seen->paths[i]), "%s", checkpoint->path);
	seen->dropped[i] = dropped;
}

static struct checkpoint example(uint64_t id, const char *path, size_t text_bytes)
{
	struct checkpoint c = {.id = id,
			       .path = path,
			       .state = CHECKPOINT_FINISHED,
			       .identity = {"0123456789abcdef"},
			       .inode = 7,
			       .offset_bytes = UINT64_MAX - 1,
			       .size_bytes = 9,
			       .mtime_ns = -10,
			       .copy_of = 8,
			       .head_bytes = (unsigned char)text_bytes,
			       .guard_bytes = (unsigned char)(text_bytes / 2)};

	memset(c.head, 'h', text_bytes);
	memset(c.guard, 'g', text_bytes / 2);
	return c;
}

static void expect_same(const struct checkpoint *a, const struct checkpoint *b)
{
	cr_expect_eq(a->id, b->id);
	cr_expect_eq(a->state, b->state);
	cr_expect(identity_eq(&a->identity, &b->identity));
	cr_expect_eq(a->inode, b->inode);
	cr_expect_eq(a->offset_bytes, b->offset_bytes);
	cr_expect_eq(a->size_bytes, b->size_bytes);
	cr_expect_eq(a->mtime_ns, b->mtime_ns);
	cr_expect_eq(a->copy_of, b->copy_of);
	cr_expect_eq(a->head_bytes, b->head_bytes);
	cr_expect_eq(a->guard_bytes, b->guard_bytes);
	cr_expect_eq(memcmp(a->head, b->head, sizeof(a->head)), 0);
	cr_expect_eq(memcmp(a->guard, b->guard, sizeof(a->guard)), 0);
}

Test(positions, come_out_as_they_went_in)
{
	struct positions positions = POSITIONS_INIT;
	struct checkpoint in[] = {example(1, "/a", 0), example(2, "", 1),
				  example(3, "/b/c", CHECKPOINT_HEAD_BYTES),
				  example(4, "/d", 17)};
	struct seen seen = {.count = 0};

	cr_expect(positions_is_empty(&positions));
	for (size_t i = 0; i < 4; i++)
		positions_add(&positions, &in[i], false);
	cr_expect_not(positions_is_empty(&positions));
	positions_each(&positions, see, &seen);
	cr_assert_eq(seen.count, 4);
	for (size_t i = 0; i < 4; i++) {
		expect_same(&seen.checkpoints[i], &in[i]);
		cr_expect_str_eq(seen.paths[i], in[i].path);
		cr_expect_not(seen.dropped[i]);
	}
	positions_finish(&positions);
	cr_expect(positions_is_empty(&positions));
}

Test(positions, a_dropped_one_is_its_id)
{
	struct positions positions = POSITIONS_INIT;
	struct checkpoint gone = example(5, NULL, 100), kept = example(6, "/x", 5);
	struct seen seen = {.count = 0};

	positions_add(&positions, &gone, true);
	positions_add(&positions, &kept, false);
	positions_each(&positions, see, &seen);
	cr_assert_eq(seen.count, 2);
	cr_expect_eq(seen.checkpoints[0].id, 5);
	cr_expect(seen.dropped[0]);
	expect_same(&seen.checkpoints[1], &kept);
	cr_expect_not(seen.dropped[1]);
	positions_finish(&positions);
}
