#include "parsers/literals.h"

#include <stdlib.h>

#include "common/xalloc.h"
#include "parsers/literal_set.h"
#include "parsers/regex_items.h"

#define MOST_GROUPS 32 /* in one another */
#define LEAST_BITS 8   /* what is met more often finds nothing: rarity.h */

/* What is known of a group while its items go by. */
struct frame {
	enum item_kind opened_by;
	bool caseless;
	/* The present alternative: its last texts without a gap, its best ones. */
	struct literal_set run;
	bool is_whole; /* `run` is all of it */
	struct literal_set best;
	/* All before it: what one of them must contain; all that they can be. */
	struct literal_set any, whole;
	bool has_any, has_whole;
};

struct fold {
	struct frame frames[MOST_GROUPS];
	size_t depth;
	bool failed;
	struct set_text common; /* the rarest that is not rare enough */
	unsigned common_bits;   /* 0: none */
};

static void start_alternative(struct frame *f)
{
	set_start(&f->run);
	f->is_whole = true;
	f->best.count = 0;
}

static void open_group(struct fold *fold, const struct regex_item *item)
{
	bool caseless = fold->depth > 0 && fold->frames[fold->depth - 1].caseless;
	struct frame *f = &fold->frames[fold->depth];

	if (fold->depth == MOST_GROUPS) {
		fold->failed = true;
		return;
	}
	fold->depth++;
	f->opened_by = item->kind;
	f->caseless = item->sets_caseless ? item->caseless : caseless;
	f->any.count = f->whole.count = 0;
	f->has_any = f->has_whole = true;
	start_alternative(f);
}

static void consider(struct fold *fold, struct frame *f, const struct literal_set *set)
{
	unsigned bits = set_bits(set);

	if (bits < LEAST_BITS && bits > fold->common_bits) {
		fold->common_bits = bits;
		fold->common = set->texts[0];
	}
	if (bits >= LEAST_BITS && bits > set_bits(&f->best))
		f->best = *set;
}

static void break_run(struct fold *fold, struct frame *f)
{
	consider(fold, f, &f->run);
	set_start(&f->run);
	f->is_whole = false;
}

static void end_alternative(struct fold *fold, struct frame *f)
{
	f->has_whole = f->has_whole && f->is_whole && set_add_all(&f->whole, &f->run);
	consider(fold, f, &f->run);
	f->has_any = f->has_any && f->best.count > 0 && set_add_all(&f->any, &f->best);
	start_alternative(f);
}

static void add_group(struct fold *fold, struct frame *f, const struct frame *group,
		      const struct regex_item *end)
{
	bool once = group->opened_by == ITEM_OPEN && !end->optional && !end->repeated;

	if (once && group->has_whole && set_append_all(&f->run, &group->whole))
		return;
	break_run(fold, f);
	if (group->opened_by == ITEM_OPEN_DARK || end->optional)
		return;
	if (group->has_any)
		consider(fold, f, &group->any);
}

static void close_group(struct fold *fold, const struct regex_item *item)
{
	struct frame *group;

	if (fold->depth < 2) {
		fold->failed = true;
		return;
	}
	group = &fold->frames[--fold->depth];
	end_alternative(fold, group);
	add_group(fold, group - 1, group, item);
}

/* The Kelvin sign and the long s are a k and an s in either case. */
static bool has_other_cases(struct slice c)
{
	return (unsigned char)c.ptr[0] >= 0x80 || strchr("kKsS", c.ptr[0]);
}

static void add_text(struct fold *fold, struct frame *f, const struct regex_item *item)
{
	struct slice c = item->text;
	char lower = (char)(c.ptr[0] | 0x20);
	bool caseless = f->caseless && lower >= 'a' && lower <= 'z';

	if (item->optional || (f->caseless && has_other_cases(c))) {
		break_run(fold, f);
		return;
	}
	if (!set_append(&f->run, c.ptr, c.len, caseless)) {
		break_run(fold, f);
		set_append(&f->run, c.ptr, c.len, caseless);
	}
	if (!item->repeated)
		return;
	break_run(fold, f);
	set_append(&f->run, c.ptr, c.len, caseless);
}

static void on_item(void *ctx, const struct regex_item *item)
{
	struct fold *fold = ctx;
	struct frame *f = &fold->frames[fold->depth - 1];

	if (fold->failed)
		return;
	switch (item->kind) {
	case ITEM_TEXT:
		add_text(fold, f, item);
		break;
	case ITEM_NOTHING:
		break;
	case ITEM_BAR:
		end_alternative(fold, f);
		break;
	case ITEM_OPEN:
	case ITEM_OPEN_LOOK:
	case ITEM_OPEN_DARK:
		open_group(fold, item);
		break;
	case ITEM_CLOSE:
		close_group(fold, item);
		break;
	case ITEM_OPTIONS:
		f->caseless = item->sets_caseless ? item->caseless : f->caseless;
		break;
	default:
		break_run(fold, f);
	}
}

static struct literals take(const struct literal_set *set, struct arena *arena)
{
	struct literals found = {.count = set->count};

	found.list = arena_alloc(arena, set->count * sizeof(*found.list));
	for (size_t i = 0; i < set->count; i++) {
		struct slice text = {set->texts[i].bytes, set->texts[i].len};

		found.list[i].text = (struct slice){arena_copy(arena, text), text.len};
		found.list[i].caseless = set->texts[i].caseless;
	}
	return found;
}

static struct literals take_none(const struct fold *fold, struct arena *arena)
{
	struct slice common = {fold->common.bytes, fold->common.len};

	if (fold->common_bits == 0)
		return (struct literals){.lack = LITERALS_NO_TEXT};
	common.ptr = arena_copy(arena, common);
	return (struct literals){.lack = LITERALS_COMMON, .common = common};
}

struct literals literals_of(struct slice pattern, struct arena *arena)
{
	struct fold *fold = xmalloc(sizeof(*fold)); /* large, and little of it used */
	const struct regex_item whole = {.kind = ITEM_OPEN};
	struct literals found = {.lack = LITERALS_OPAQUE};

	fold->depth = 0;
	fold->failed = false;
	fold->common_bits = 0;
	open_group(fold, &whole);
	if (regex_items(pattern, on_item, fold) && !fold->failed && fold->depth == 1) {
		end_alternative(fold, &fold->frames[0]);
		found = fold->frames[0].has_any ? take(&fold->frames[0].any, arena)
						: take_none(fold, arena);
	}
	free(fold);
	return found;
}

struct literals literals_either(struct literals a, struct literals b,
				struct arena *arena)
{
	struct literals both = {.count = a.count + b.count};

	if (a.count == 0 || b.count == 0)
		return a.count == 0 ? a : b;
	if (both.count > LITERALS_MAX)
		return (struct literals){.lack = LITERALS_COMMON};
	both.list = arena_alloc(arena, both.count * sizeof(*both.list));
	memcpy(both.list, a.list, a.count * sizeof(*a.list));
	memcpy(both.list + a.count, b.list, b.count * sizeof(*b.list));
	return both;
}
