#include "parsers/line_votes.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/xalloc.h"

void line_votes_finish(struct line_votes *votes)
{
	free(votes->list);
	*votes = (struct line_votes){0};
}

uint64_t line_votes_add(struct line_votes *votes, uint32_t weight, uint32_t records)
{
	votes->list = xgrow(votes->list, votes->count, sizeof(*votes->list));
	votes->list[votes->count] = (struct line_vote){weight, records, false};
	return votes->first + votes->count++;
}

void line_votes_cast(struct line_votes *votes, uint64_t first, size_t count,
		     bool matched)
{
	struct line_vote *line = votes->list + (first - votes->first);

	assert(first - votes->first + count <= votes->count);
	for (size_t i = 0; i < count; i++, line++) {
		line->left--;
		line->matched |= matched;
	}
}

uint64_t line_votes_settle(struct line_votes *votes)
{
	uint64_t unmatched = 0;
	size_t settled = 0;

	for (; settled < votes->count && votes->list[settled].left == 0; settled++)
		if (!votes->list[settled].matched)
			unmatched += votes->list[settled].weight;
	if (settled == 0)
		return 0;
	votes->count -= settled;
	votes->first += settled;
	if (votes->count == 0) {
		free(votes->list);
		votes->list = NULL;
	} else {
		memmove(votes->list, votes->list + settled,
			votes->count * sizeof(*votes->list));
	}
	return unmatched;
}

uint32_t *line_votes_pack(const struct line_votes *votes, size_t count)
{
	uint32_t *packed = xcalloc(count, sizeof(*packed));

	assert(count <= votes->count);
	for (size_t i = 0; i < count; i++) {
		const struct line_vote *line = &votes->list[votes->count - count + i];

		packed[i] = line->weight << 1 | line->matched;
	}
	return packed;
}

/* Lines before those that are known; they were settled when these were saved. */
static void prepend(struct line_votes *votes, const uint32_t *packed, size_t count)
{
	size_t capacity = 1;
	struct line_vote *list;

	while (capacity < votes->count + count) /* as xgrow() has it */
		capacity *= 2;
	list = xcalloc(capacity, sizeof(*list));
	for (size_t i = 0; i < count; i++)
		list[i] = (struct line_vote){packed[i] >> 1, 0, packed[i] & 1};
	if (votes->count > 0)
		memcpy(list + count, votes->list, votes->count * sizeof(*list));
	free(votes->list);
	votes->list = list;
	votes->count += count;
	votes->first -= count;
}

uint64_t line_votes_unpack(struct line_votes *votes, const uint32_t *packed,
			   size_t count)
{
	if (votes->count < count)
		prepend(votes, packed, count - votes->count);
	for (size_t i = 0; i < count; i++)
		votes->list[votes->count - count + i].left++;
	return votes->first + votes->count - count;
}
