/*
 * rule.h - patterns files as the engine runs them.
 *
 * Made by the loader, immutable afterwards, shared by all workers.
 */
#ifndef PARSERS_RULE_H
#define PARSERS_RULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/diag.h"
#include "common/metric.h"
#include "common/slice.h"
#include "parsers/field.h"
#include "parsers/finding.h"
#include "parsers/format.h"
#include "parsers/grok.h"
#include "parsers/label.h"
#include "parsers/multiline.h"
#include "parsers/patterns.h"
#include "parsers/regex.h"
#include "parsers/scanner.h"
#include "parsers/template.h"
#include "parsers/timestamp.h"
#include "parsers/value.h"
#include "parsers/wanted.h"

/* One metric under a rule: how a match becomes an update. */
struct rule_metric {
	struct position at;
	size_t metric; /* index among the set's metrics */
	enum update_op op;
	bool has_value;
	struct template value;
	bool value_is_time;        /* its value comes from $_time */
	struct field *from;        /* UPDATE_SEE: whose text it is */
	const char *const *states; /* the value's text is one of them; else NULL */
	size_t state_count;
	enum value_as as;
	double scale;
	size_t base_after; /* UPDATE_TOTAL: as in struct update; patterns.h */
	bool first_counts;
	double divisor; /* instead of scale, where it is 1 / divisor; else 0 */
	/* In the order of the metric's labels. */
	struct label_rule *labels;
	size_t label_count;
};

/* A field must be one of some texts, or match. */
struct rule_where {
	struct field *field;
	struct slice *texts;
	size_t text_count;
	struct regex *matches; /* NULL: texts count */
};

struct rule {
	struct rule_info info;
	size_t index; /* among all rules of the set */
	struct rule_where *where;
	size_t where_count;
	struct field *in; /* what pattern and unless look at */
	struct regex **patterns;
	size_t pattern_count;
	struct regex **unless;
	size_t unless_count;
	bool stop;
	struct finding finding;
	const struct field *time_field; /* NULL: no time in the log */
	bool time_is_of_line; /* it does not depend on the pattern's captures */
	struct rule_metric *metrics;
	size_t metric_count;
};

struct patterns_file {
	const char *path; /* as given */
	const char *name; /* the `patterns` label */
	const char **files;
	size_t file_glob_count; /* 0: all files */
	enum format format;
	struct wanted *wanted; /* what rules ask of records; NULL: plain */
	const struct grok_definition *definitions;
	size_t definition_count;
	struct regex *line;              /* NULL: none */
	struct multiline *multiline;     /* NULL: each line is a record */
	struct timestamp_layout *layout; /* NULL: no time in the log */
	struct zone *zone;               /* the layout's */
	struct rule *rules;
	size_t rule_count;
	struct pattern_test *tests;
	size_t test_count;
};

/* Frees what does not lie in the set's arena. */
void rules_finish(struct rule *rules, size_t count);

/* The files of a set in path order. */
const struct patterns_file *patterns_file(const struct patterns *patterns,
					  size_t index);

/* What finds the rules that have literals; NULL if nothing can. */
const struct scanner *patterns_scanner(const struct patterns *patterns);

#endif
