/*
 * format.h - records that hold named fields: JSON and logfmt.
 *
 * A record is gone over once, when the first of its fields is asked for; what is
 * wanted (wanted.h) is kept as a piece of the record, and its escapes are
 * decoded when it is itself asked for.  Knows nothing of rules.
 */
#ifndef PARSERS_FORMAT_H
#define PARSERS_FORMAT_H

#include <stdbool.h>
#include <stddef.h>

#include "common/slice.h"
#include "parsers/wanted.h"

enum format { FORMAT_PLAIN, FORMAT_JSON, FORMAT_LOGFMT, FORMATS };

const char *format_name(enum format format);

/* Do dots in a name lead into nested values? */
bool format_is_nested(enum format format);

/*
 * A text that is a field's value without standing in the record, or NULL.  Any other
 * value of a record without a backslash is a piece of it.
 */
const char *format_implied_value(enum format format);

/* A value as it stands in the record. */
struct format_value {
	struct slice text; /* ptr NULL: missing */
	bool has_escapes;
};

/* One record's fields; its memory serves one record after the other. */
struct format_fields;

struct format_fields *format_fields_create(void);
void format_fields_destroy(struct format_fields *fields); /* NULL is accepted */

/*
 * Begins a record, whose text is borrowed.  False if it is malformed: then all its
 * fields are missing.
 */
bool format_read(struct format_fields *fields, enum format format,
		 const struct wanted *wanted, struct slice text);

/* Of a malformed record: the byte from which on it is none of the format. */
size_t format_malformed_at(const struct format_fields *fields);

/* A field of the record by its number in `wanted`; ptr NULL: it is missing.  Borrowed
 * until the next record. */
struct slice format_field(struct format_fields *fields, size_t name);

#endif
