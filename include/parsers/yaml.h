/*
 * yaml.h - a YAML file as a tree in which every scalar is its source text.
 *
 * YAML 1.1 as libyaml reads it, less what surprises: no booleans, numbers or
 * null, no anchors, aliases, tags or further documents, no duplicate keys.
 * What people mistype when they put a regular expression into YAML gets a
 * message of its own, with the text to write instead.
 */
#ifndef PARSERS_YAML_H
#define PARSERS_YAML_H

#include <stdbool.h>
#include <stddef.h>

#include "common/arena.h"
#include "common/diag.h"
#include "common/slice.h"

enum yaml_kind { YAML_SCALAR, YAML_SEQUENCE, YAML_MAPPING };
enum yaml_style { YAML_PLAIN, YAML_SINGLE_QUOTED, YAML_DOUBLE_QUOTED, YAML_BLOCK };

struct yaml_node {
	enum yaml_kind kind;
	struct position at;
	enum yaml_style style; /* scalars */
	struct slice text;     /* scalars; NUL-terminated as well */
	int indent;            /* of the lines of a literal block; else 0 */
	bool cut_by_comment;   /* a plain scalar with ` #` and more behind it */
	struct slice uncut;    /* then: with what was cut off */
	/* Sequences: items.  Mappings: items[i] is the value of keys[i]. */
	struct yaml_node **items;
	struct yaml_node **keys; /* scalars */
	size_t count;
};

/*
 * Parses `text` (what stands in `file`; the name outlives the tree).  All errors
 * go to `diag`.  An empty file gives an empty mapping.  Returns NULL if no tree can be
 * built; after lesser errors (duplicate keys, say) the tree is returned all the same,
 * so that more can be checked.  The tree lives as long as the arena.
 */
struct yaml_node *yaml_parse(const char *file, struct slice text, struct arena *arena,
			     struct diag *diag);

/* As above; the file that cannot be read is an error too. */
struct yaml_node *yaml_load(const char *path, struct arena *arena, struct diag *diag);

/* The value of a key of a mapping, or NULL. */
struct yaml_node *yaml_get(const struct yaml_node *mapping, const char *key);

/*
 * Where line `line` (from 0) of a scalar's text begins: of a literal block, whose text
 * is as in the file, its own place; of others where the scalar begins.
 */
struct position yaml_line_position(const struct yaml_node *node, size_t line);

/*
 * Reports every key of the mapping that is not among `known`, with the
 * closest known key, or all of them where none is close.  `what` names the mapping ("a
 * rule").
 */
void yaml_check_keys(const struct yaml_node *mapping, const char *what,
		     const char *const *known, size_t known_count, struct diag *diag);

bool yaml_has_unknown_key(const struct yaml_node *mapping, const char *const *known,
			  size_t known_count);

/* False, and an error naming `what` ("rules must be a list, not text"), if of another
 * kind. */
bool yaml_expect(const struct yaml_node *node, enum yaml_kind kind, const char *what,
		 struct diag *diag);

/*
 * A scalar meant as a regular expression, template or glob: the final newline
 * of a block scalar is dropped; control characters (a "\b" in double quotes;
 * tab and newline are none), a plain scalar cut by a comment and one without
 * any text are errors, as is a node of another kind.  False after an error.
 */
bool yaml_pattern_text(const struct yaml_node *node, const char *what,
		       struct slice *text, struct diag *diag);

#endif
