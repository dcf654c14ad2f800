#include "parsers/wanted.h"

#include <stdlib.h>

/* The most digits of the index of an array's element. */
#define MAX_INDEX_DIGITS 9

/* A node while names are still added: a list of children in no order. */
struct draft {
	struct slice key;
	size_t leaf; /* as numbered when it was added; renumbered at the end */
	struct draft *first_child, *next;
	size_t child_count;
};

struct name {
	struct slice text, otherwise; /* otherwise.ptr NULL: none */
	size_t *leaves;
	size_t leaf_count;
	struct name *next;
};

struct wanted {
	struct arena *arena;
	bool nested;
	struct draft draft;
	size_t leaf_count;
	struct name *names, **names_end;
	size_t name_count;
	/* Since wanted_finish(). */
	struct wanted_node root;
	struct name **by_number;
};

struct wanted *wanted_create(struct arena *arena, bool nested)
{
	struct wanted *wanted = arena_alloc(arena, sizeof(*wanted));

	wanted->arena = arena;
	wanted->nested = nested;
	wanted->draft.leaf = WANTED_NO_LEAF;
	wanted->names_end = &wanted->names;
	return wanted;
}

bool wanted_is_nested(const struct wanted *wanted)
{
	return wanted->nested;
}

static struct draft *child_of(struct wanted *wanted, struct draft *node,
			      struct slice key)
{
	struct draft *child;

	for (child = node->first_child; child; child = child->next)
		if (slice_eq(child->key, key))
			return child;
	child = arena_alloc(wanted->arena, sizeof(*child));
	child->key = key;
	child->leaf = WANTED_NO_LEAF;
	child->next = node->first_child;
	node->first_child = child;
	node->child_count++;
	return child;
}

static size_t leaf_of(struct wanted *wanted, struct draft *node)
{
	if (node->leaf == WANTED_NO_LEAF)
		node->leaf = wanted->leaf_count++;
	return node->leaf;
}

/* The rest as a key, then with its first part as a key and the rest below it. */
static void add_places(struct wanted *wanted, struct name *name, struct slice rest)
{
	struct draft *node = &wanted->draft;

	for (;;) {
		const char *dot =
			wanted->nested ? memchr(rest.ptr, '.', rest.len) : NULL;
		struct slice key = rest;

		name->leaves[name->leaf_count++] =
			leaf_of(wanted, child_of(wanted, node, rest));
		if (!dot)
			return;
		key.len = (size_t)(dot - rest.ptr);
		node = child_of(wanted, node, key);
		rest = (struct slice){dot + 1, rest.len - key.len - 1};
	}
}

static size_t count_places(const struct wanted *wanted, struct slice text)
{
	size_t count = 1;

	for (size_t i = 0; wanted->nested && i < text.len; i++)
		count += text.ptr[i] == '.';
	return count;
}

static bool same_text(struct slice a, struct slice b)
{
	return !a.ptr == !b.ptr && slice_eq(a, b);
}

static struct slice keep(struct wanted *wanted, struct slice text)
{
	return text.ptr ? (struct slice){arena_copy(wanted->arena, text), text.len}
			: text;
}

size_t wanted_add_either(struct wanted *wanted, struct slice text,
			 struct slice otherwise)
{
	size_t number = 0, places = count_places(wanted, text);
	struct name *name;

	for (name = wanted->names; name; name = name->next, number++)
		if (slice_eq(name->text, text) && same_text(name->otherwise, otherwise))
			return number;
	name = arena_alloc(wanted->arena, sizeof(*name));
	name->text = keep(wanted, text);
	name->otherwise = keep(wanted, otherwise);
	if (otherwise.ptr)
		places += count_places(wanted, otherwise);
	name->leaves = arena_alloc(wanted->arena, places * sizeof(*name->leaves));
	add_places(wanted, name, name->text);
	if (otherwise.ptr)
		add_places(wanted, name, name->otherwise);
	*wanted->names_end = name;
	wanted->names_end = &name->next;
	wanted->name_count++;
	return number;
}

size_t wanted_add(struct wanted *wanted, struct slice name)
{
	return wanted_add_either(wanted, name, (struct slice){NULL, 0});
}

/* -- the tree ------------------------------------------------------------- */

static int by_length(const void *a, const void *b)
{
	const struct draft *x = *(struct draft *const *)a;
	const struct draft *y = *(struct draft *const *)b;

	return (x->key.len > y->key.len) - (x->key.len < y->key.len);
}

static size_t place_of(size_t len)
{
	return len < WANTED_LENGTHS ? len : WANTED_LENGTHS - 1;
}

/* Behind the element that the key is the index of; 0 if it is none. */
static size_t end_of_index(struct slice key)
{
	size_t index = 0;

	if (key.len == 0 || key.len > MAX_INDEX_DIGITS ||
	    (key.len > 1 && key.ptr[0] == '0'))
		return 0;
	for (size_t i = 0; i < key.len; i++) {
		if (key.ptr[i] < '0' || key.ptr[i] > '9')
			return 0;
		index = index * 10 + (size_t)(key.ptr[i] - '0');
	}
	return index + 1;
}

/* Leaves are numbered anew, in the order of the tree: numbers[old] is the new one. */
static void lay_out(struct wanted *wanted, struct wanted_node *node,
		    const struct draft *draft, size_t *next_leaf, size_t *numbers)
{
	size_t count = draft->child_count, i = 0;
	struct draft **sorted =
		arena_alloc(wanted->arena, (count + 1) * sizeof(*sorted));

	node->key = draft->key;
	node->leaf = WANTED_NO_LEAF;
	node->first_leaf = *next_leaf;
	if (draft->leaf != WANTED_NO_LEAF)
		node->leaf = numbers[draft->leaf] = (*next_leaf)++;
	for (struct draft *child = draft->first_child; child; child = child->next)
		sorted[i++] = child;
	qsort(sorted, count, sizeof(struct draft *), by_length);
	if (count > 0)
		node->children =
			arena_alloc(wanted->arena, count * sizeof(*node->children));
	for (i = 0; i < count; i++) {
		size_t end = end_of_index(sorted[i]->key);

		node->end_index = end > node->end_index ? end : node->end_index;
		node->start[place_of(sorted[i]->key.len) + 1]++;
		lay_out(wanted, &node->children[i], sorted[i], next_leaf, numbers);
	}
	for (i = 0; i < WANTED_LENGTHS; i++)
		node->start[i + 1] += node->start[i];
	node->end_leaf = *next_leaf;
}

void wanted_finish(struct wanted *wanted)
{
	size_t *numbers =
		arena_alloc(wanted->arena, (wanted->leaf_count + 1) * sizeof(*numbers));
	size_t next_leaf = 0, number = 0;

	wanted->root = (struct wanted_node){0};
	lay_out(wanted, &wanted->root, &wanted->draft, &next_leaf, numbers);
	wanted->by_number = arena_alloc(wanted->arena, (wanted->name_count + 1) *
							       sizeof(struct name *));
	for (struct name *name = wanted->names; name; name = name->next) {
		wanted->by_number[number++] = name;
		for (size_t i = 0; i < name->leaf_count; i++)
			name->leaves[i] = numbers[name->leaves[i]];
	}
}

const struct wanted_node *wanted_root(const struct wanted *wanted)
{
	return &wanted->root;
}

size_t wanted_leaf_count(const struct wanted *wanted)
{
	return wanted->leaf_count;
}

size_t wanted_count(const struct wanted *wanted)
{
	return wanted->name_count;
}

const char *wanted_name(const struct wanted *wanted, size_t number)
{
	return wanted->by_number[number]->text.ptr;
}

const size_t *wanted_leaves(const struct wanted *wanted, size_t name, size_t *count)
{
	*count = wanted->by_number[name]->leaf_count;
	return wanted->by_number[name]->leaves;
}
