/*
 * field.h - the named texts of a record.
 *
 * A name is resolved once, when a patterns file is loaded, into the places
 * that can supply it; a record is then asked without a look-up by name.  The
 * order of precedence: built-ins (_file _path _time _line), the captures of
 * the rule's pattern, those of `line`, the fields of the format, the envelope
 * (`stream`) and the path of a container's log (`namespace`, `pod`, `container`), the
 * captures of path_pattern.
 */
#ifndef PARSERS_FIELD_H
#define PARSERS_FIELD_H

#include <stdbool.h>
#include <stddef.h>

#include "common/arena.h"
#include "common/slice.h"
#include "parsers/regex.h"

struct hashmap;
#include "parsers/wanted.h"

enum field_builtin {
	FIELD_NOT_BUILTIN,
	FIELD_FILE,
	FIELD_PATH,
	FIELD_TIME,
	FIELD_LINE
};

/* What is known of containers' logs only; any patterns file may name it. */
enum field_container {
	FIELD_NOT_OF_CONTAINER,
	FIELD_STREAM,
	FIELD_NAMESPACE,
	FIELD_POD,
	FIELD_CONTAINER
};

/* The groups of one regex that bear the name; the first that took part counts. */
struct field_groups {
	unsigned *numbers;
	size_t count;
};

struct field {
	const char *name;
	enum field_builtin builtin;
	/* One for each alternative of the rule's pattern. */
	struct field_groups *in_pattern;
	size_t pattern_count;
	struct field_groups in_line;
	bool in_format; /* a record may have it, by this number */
	size_t wanted;
	enum field_container of_container;
	int path_field; /* -1: none */
};

/* What can supply names at some place of a patterns file; NULL: not there. */
struct field_scope {
	struct regex *const *patterns;
	size_t pattern_count;
	const struct regex *line;
	/* Takes the names of fields that only records can supply: any name. */
	struct wanted *wanted;
	const char *const *path_fields;
	size_t path_field_count;
	struct hashmap *used; /* takes the names that are resolved; NULL: nobody asks */
	bool in_rule;         /* captures of a rule's pattern count here */
	/* A regex that would supply names has an error, which is told: which is
	 * unknown. */
	bool unsure;
};

/* NULL if nothing can supply the name.  The field lives in the arena. */
struct field *field_resolve(struct arena *arena, const struct field_scope *scope,
			    struct slice name);

/*
 * Likewise of a field that a record has by either name, the first one counting first;
 * other places supply `name` alone.
 */
struct field *field_resolve_either(struct arena *arena, const struct field_scope *scope,
				   struct slice name, struct slice otherwise);

/* The name among those that the scope supplies that is closest, or NULL. */
const char *field_closest(const struct field_scope *scope, const char *name);

/* True if the name has only letters, digits and `_`. */
bool field_is_plain_name(struct slice name);

struct record;

/*
 * The field's text in a record whose rule is being evaluated (record.h); ptr
 * is NULL if it is missing.  Borrowed until the record or the rule changes.
 */
struct slice field_text(const struct field *field, struct record *record);

#endif
