/*
 * yaml_source.h - the text of a YAML file while it is being read.
 *
 * A private copy, so that a mistyped value can be mended and reading can go on
 * to the next error; positions remain those of the operator's file.
 * Internal to yaml.
 */
#ifndef PARSERS_YAML_SOURCE_H
#define PARSERS_YAML_SOURCE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/diag.h"
#include "common/slice.h"
#include "common/strbuf.h"

/* A place in the text; remembered because the next one is mostly further on. */
struct yaml_place {
	size_t index; /* in characters, as libyaml counts */
	size_t offset_bytes;
	int line, column; /* from 1 */
};

struct yaml_source {
	const char *file;
	struct strbuf text;
	/* For each byte: the columns it takes in the operator's file. */
	struct strbuf widths;
	struct yaml_place last;
};

/*
 * Copies `text` without a byte order mark.  What no YAML file may hold (control
 * characters, bytes that are not UTF-8) is reported and replaced by U+FFFD.
 * False if the text is UTF-16.
 */
bool yaml_source_init(struct yaml_source *source, const char *file, struct slice text,
		      struct diag *diag);
void yaml_source_finish(struct yaml_source *source);

/* Where libyaml's character `index` stands. */
struct yaml_place yaml_source_place(struct yaml_source *source, size_t index);

/* The same for a byte of the text. */
struct position yaml_source_position(struct yaml_source *source, size_t offset_bytes);

/* Replaces text[from, to) by `with`, which has no line break. */
void yaml_source_splice(struct yaml_source *source, size_t from, size_t to,
			struct slice with);

/* Appends `text` as a single-quoted YAML scalar. */
void yaml_quote(struct strbuf *out, struct slice text);

#endif
