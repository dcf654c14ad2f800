/*
 * template.h - texts with $name, ${any key} and $$; $a.b.0 where values are nested.
 */
#ifndef PARSERS_TEMPLATE_H
#define PARSERS_TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/arena.h"
#include "common/diag.h"
#include "common/slice.h"
#include "common/strbuf.h"
#include "parsers/field.h"
#include "parsers/record.h"

struct template_part {
	struct slice text; /* if field is NULL */
	const struct field *field;
};

struct template
{
	struct template_part *parts;
	size_t count;
};

/*
 * Parses `text`, which stands at `at`.  A name that nothing in the scope can
 * supply is an error with the closest one.  False after an error.
 */
bool template_parse(struct template *t, struct slice text, struct position at,
		    struct arena *arena, const struct field_scope *scope,
		    struct diag *diag);

bool template_is_constant(const struct template *t);

/*
 * The text for a record; missing fields are empty.  Borrowed from the record
 * where it is one field, else from `scratch`, to which it is appended.
 */
struct slice template_text(const struct template *t, struct record *record,
			   struct strbuf *scratch);

#endif
