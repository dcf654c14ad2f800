/*
 * patterns.h - load patterns files: what the operator wrote, checked whole.
 *
 * A set of patterns is immutable once loaded and may be used by many threads.
 */
#ifndef PARSERS_PATTERNS_H
#define PARSERS_PATTERNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/diag.h"
#include "common/error.h"
#include "common/metric.h"
#include "common/slice.h"
#include "parsers/envelope.h"

struct patterns;

struct patterns_options {
	/* Files, and directories whose *.yml and *.yaml are taken. */
	const char *const *paths;
	size_t path_count;
	/* Names that the configuration's path_pattern captures supply. */
	const char *const *path_fields;
	size_t path_field_count;
	/* Labels on every metric: no metric may have one of these names. */
	const char *const *global_labels;
	size_t global_label_count;
	/* Warn of what works and may be regretted (lint.h). */
	bool lint;
	/* A file's tests may supply fields of their own (`fields`). */
	bool tests_supply_fields;
	/* Where a timestamp names no zone; NULL: the process's. */
	const char *default_zone;
	/* Of labels with `hash`, copied.  Empty: such a label is an error. */
	struct slice hash_key;
	/* Such a label is a warning: it would be an error if the key were no stand-in.
	 */
	bool hash_key_is_test;
};

/*
 * Loads all files; every error of every file goes to `diag`.  NULL if there
 * was one.
 */
struct patterns *patterns_load(const struct patterns_options *options,
			       struct diag *diag);
void patterns_destroy(struct patterns *patterns); /* NULL is accepted */

/* Empty if no label has `hash`. */
struct slice patterns_hash_key(const struct patterns *patterns);

size_t patterns_file_count(const struct patterns *patterns);

/*
 * The metrics of all files; borrowed.  One that is fed by running totals has another
 * right after it, somewhere, that keeps them: its name and ":base".
 */
const struct metric_def *const *patterns_metrics(const struct patterns *patterns,
						 size_t *count);

/* Field names from paths: those of the options, then those of tests. */
const char *const *patterns_path_fields(const struct patterns *patterns, size_t *count);

struct rule_info {
	const char *patterns; /* the file's name without directory and extension */
	const char *name;
	struct position at;
};

size_t patterns_rule_count(const struct patterns *patterns);
const struct rule_info *patterns_rule(const struct patterns *patterns, size_t index);

/* A test that a patterns file carries. */
struct pattern_test {
	const char *name;
	struct position at;
	struct slice lines;
	const char *file; /* the path that the lines seem to come from */
	const char **field_names;
	const char **field_values;
	size_t field_count;
	int64_t now_ns;   /* 0: the real time */
	const char *zone; /* NULL: the file's own */
	enum envelope envelope;
	struct slice expect; /* samples, one a line, blank lines and comments */
};

#endif
