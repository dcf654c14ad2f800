/*
 * wanted.h - which fields of a record the rules of a patterns file name.
 *
 * Collected while the rules are loaded, then laid out as a tree of keys, so that a
 * reader of a format goes once over a record and keeps what is in the tree.  Knows
 * nothing of the formats' syntax.
 *
 * A name may lead into nested values: `a.b.0` is first the key "a.b.0", then the key
 * "b.0" of the value of "a", then element 0 of its "b".  Each of these places is
 * a leaf of the tree; the first in this order that a record has is the field.
 */
#ifndef PARSERS_WANTED_H
#define PARSERS_WANTED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/slice.h"

struct wanted;

/* Keys of this length and more share a place in the look-up by length. */
#define WANTED_LENGTHS 32

#define WANTED_NO_LEAF SIZE_MAX

struct wanted_node {
	struct slice key;
	size_t leaf; /* WANTED_NO_LEAF: only values within are wanted */
	/* The leaves of the node and of all below it. */
	size_t first_leaf, end_leaf;
	/* By length; those of length n are children[start[n]] to [start[n + 1] - 1]. */
	struct wanted_node *children;
	uint32_t start[WANTED_LENGTHS + 1];
	/* The elements of an array that are wanted are below this. */
	size_t end_index;
};

/* `nested`: dots lead into values.  It lives in the arena. */
struct wanted *wanted_create(struct arena *arena, bool nested);

bool wanted_is_nested(const struct wanted *wanted);

/* Returns the name's number, the same for the same name. */
size_t wanted_add(struct wanted *wanted, struct slice name);

/* Of a field that is called `name` or, where that is missing, `otherwise`. */
size_t wanted_add_either(struct wanted *wanted, struct slice name,
			 struct slice otherwise);

/* After the last name, before what follows. */
void wanted_finish(struct wanted *wanted);

/* An object of records: not a leaf itself. */
const struct wanted_node *wanted_root(const struct wanted *wanted);
size_t wanted_leaf_count(const struct wanted *wanted);

/* In the order of their numbers. */
size_t wanted_count(const struct wanted *wanted);
const char *wanted_name(const struct wanted *wanted, size_t number);

/* The leaves that can supply a name, in the order of precedence. */
const size_t *wanted_leaves(const struct wanted *wanted, size_t name, size_t *count);

static inline const struct wanted_node *wanted_child(const struct wanted_node *node,
						     struct slice key)
{
	size_t n = key.len < WANTED_LENGTHS ? key.len : WANTED_LENGTHS - 1;

	/* The last bytes of keys differ more often than the first. */
	for (uint32_t i = node->start[n]; i < node->start[n + 1]; i++) {
		const struct slice *other = &node->children[i].key;

		if ((key.len == 0 ||
		     (other->len == key.len &&
		      other->ptr[key.len - 1] == key.ptr[key.len - 1])) &&
		    slice_eq(*other, key))
			return &node->children[i];
	}
	return NULL;
}

#endif
