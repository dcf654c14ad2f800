/*
 * Any name: what is taken off leaves a shorter name that is one, and what is
 * taken off does not depend on what it is taken from.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tailer/rotation.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define check(holds) ((holds) ? (void)0 : fail(__LINE__))

static void fail(int line)
{
	fprintf(stderr, "line %d does not hold\n", line);
	abort();
}

static int only_dots(struct slice name)
{
	size_t i = 0;

	while (i < name.len && name.ptr[i] == '.')
		i++;
	return i == name.len;
}

/* The part alone, behind another name. */
static void check_part(struct slice part)
{
	size_t len = part.len + 3, base_len = 0;
	char *name = malloc(len);

	memcpy(name, "log", 3);
	memcpy(name + 3, part.ptr, part.len);
	check(rotation_base((struct slice){name, len}, &base_len) && base_len == 3);
	free(name);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice name = {(const char *)data, size}, base = name;
	enum rotation_content content = rotation_content(name, &base.len);
	size_t was = size;

	check(content == ROTATION_PLAIN ? base.len == size : base.len < size);
	check(content == ROTATION_PLAIN || !only_dots(base));
	for (base = name; rotation_strip(&base); was = base.len) {
		check(base.len < was && !only_dots(base));
		check_part((struct slice){name.ptr + base.len, was - base.len});
		check(was < size || content != ROTATION_UNREADABLE);
	}
	check(base.len == was);
	return 0;
}
