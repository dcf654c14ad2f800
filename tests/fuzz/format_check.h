/*
 * format_check.h - what holds for the fields of any record.
 *
 * The input: names with blanks between, a newline, the record.
 */
#ifndef TESTS_FUZZ_FORMAT_CHECK_H
#define TESTS_FUZZ_FORMAT_CHECK_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/xalloc.h"
#include "parsers/format.h"

#define MAX_NAMES 16

#define check(holds) ((holds) ? (void)0 : fail(__LINE__))

static void fail(int line)
{
	fprintf(stderr, "line %d does not hold\n", line);
	abort();
}

static size_t add_names(struct wanted *wanted, struct slice names)
{
	const char *p = names.ptr, *end = names.ptr + names.len;
	size_t count = 0;

	while (p < end && count < MAX_NAMES) {
		const char *blank = memchr(p, ' ', (size_t)(end - p));
		size_t len = (size_t)((blank ? blank : end) - p);
		size_t number = wanted_add(wanted, (struct slice){p, len});

		check(number <= count);
		count += number == count;
		p += len + 1;
	}
	return count;
}

static bool is_within(struct slice piece, struct slice text)
{
	return piece.ptr >= text.ptr && piece.ptr + piece.len <= text.ptr + text.len;
}

/*
 * Malformed: nothing is there.  Without a backslash a field is a piece of the record,
 * which the scan relies on; decoded it is not longer than all of it.  It stays as it is
 * until the next record.
 */
static void check_fields(struct format_fields *fields, enum format format, size_t names,
			 struct slice record, bool ok)
{
	const char *implied = format_implied_value(format);
	bool has_escapes = memchr(record.ptr, '\\', record.len);
	struct slice found[MAX_NAMES];

	check(ok || format_malformed_at(fields) <= record.len);

	for (size_t i = 0; i < names; i++) {
		struct slice field = found[i] = format_field(fields, i);

		check(ok || !field.ptr);
		if (!field.ptr || (implied && slice_is(field, implied)))
			continue;
		check(has_escapes || is_within(field, record));
		check(field.len <= record.len);
	}
	for (size_t i = 0; i < names; i++) {
		struct slice again = format_field(fields, i);

		check(again.ptr == found[i].ptr && again.len == found[i].len);
	}
}

/* A copy of exactly its size: a sanitizer sees a step beyond. */
static void check_record(enum format format, const uint8_t *data, size_t size)
{
	static struct format_fields *fields;
	const char *bytes = (const char *)data;
	const char *newline = size > 0 ? memchr(bytes, '\n', size) : NULL;
	struct arena *arena;
	struct wanted *wanted;
	struct slice record;
	size_t names;
	char *copy;

	if (!newline)
		return;
	if (!fields)
		fields = format_fields_create();
	arena = arena_create();
	wanted = wanted_create(arena, format_is_nested(format));
	names = add_names(wanted, (struct slice){bytes, (size_t)(newline - bytes)});
	wanted_finish(wanted);
	record.len = size - (size_t)(newline + 1 - bytes);
	record.ptr = copy = xmalloc(record.len);
	memcpy(copy, newline + 1, record.len);
	check_fields(fields, format, names, record,
		     format_read(fields, format, wanted, record));
	free(copy);
	arena_destroy(arena);
}

#endif
