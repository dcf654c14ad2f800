/*
 * format_fields FORMAT NAME...: for each record on stdin (its length in decimal, a newline, its
 * bytes), a line: `malformed`, or for each name its text in hexadecimal, `-` if it is missing,
 * and `s` before the text if it stands in the record as it is.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/xalloc.h"
#include "parsers/format.h"

static enum format format_called(const char *name)
{
	for (int i = 0; i < FORMATS; i++)
		if (strcmp(format_name((enum format)i), name) == 0)
			return (enum format)i;
	fprintf(stderr, "no format %s\n", name);
	exit(2);
}

static void print_field(struct slice field, struct slice record)
{
	if (!field.ptr) {
		fputs("- ", stdout);
		return;
	}
	if (field.ptr >= record.ptr && field.ptr <= record.ptr + record.len)
		putchar('s');
	putchar('x');
	for (size_t i = 0; i < field.len; i++)
		printf("%02x", (unsigned char)field.ptr[i]);
	putchar(' ');
}

/* In memory of exactly its size, so that a sanitizer sees a step beyond. */
static struct slice read_record(size_t len)
{
	char *bytes = xmalloc(len > 0 ? len : 1);

	if (fread(bytes, 1, len, stdin) != len)
		exit(2);
	return (struct slice){bytes, len};
}

int main(int argc, char **argv)
{
	enum format format = format_called(argc > 1 ? argv[1] : "");
	struct arena *arena = arena_create();
	struct wanted *wanted = wanted_create(arena, format_is_nested(format));
	struct format_fields *fields = format_fields_create();
	size_t len;

	for (int i = 2; i < argc; i++)
		wanted_add(wanted, slice_of(argv[i]));
	wanted_finish(wanted);
	while (scanf("%zu", &len) == 1 && getchar() == '\n') {
		struct slice record = read_record(len);

		if (!format_read(fields, format, wanted, record))
			fputs("malformed", stdout);
		else
			for (int i = 2; i < argc; i++)
				print_field(format_field(fields, (size_t)i - 2), record);
		putchar('\n');
		free((void *)record.ptr);
	}
	format_fields_destroy(fields);
	arena_destroy(arena);
	return 0;
}
