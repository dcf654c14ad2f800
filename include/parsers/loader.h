/*
 * loader.h - what the parts of the patterns loader share.
 *
 * Internal to the parsers: patterns.c has the set, load_file.c reads one file,
 * load_rule.c rules, load_metric.c metrics, with load_label.c, load_bucket.c,
 * load_op.c, load_value.c and load_window.c, load_names.c how metrics are called,
 * load_test.c and load_expect.c tests, load_multiline.c `multiline`.  Each reports all
 * errors that it finds and leaves something usable behind, so that the next part can go
 * on.
 */
#ifndef PARSERS_LOADER_H
#define PARSERS_LOADER_H

#include "common/arena.h"
#include "common/diag.h"
#include "common/hashmap.h"
#include "parsers/grok.h"
#include "parsers/rule.h"
#include "parsers/yaml.h"

/* A metric while the files that name it are being merged. */
struct metric_slot {
	struct metric_def def;
	size_t index;             /* among the loader's */
	struct metric_slot *base; /* of a counter with running totals, or NULL */
	struct position at;       /* where it was named first */
	bool has_help;
	uint32_t unbounded_labels; /* bit by bit: it was told */
};

struct loader {
	struct arena *arena; /* becomes the set's */
	struct diag *diag;
	const struct patterns_options *options;
	struct regex **regexes; /* all, to be destroyed with the set */
	size_t regex_count;
	struct metric_slot **metrics;
	size_t metric_count;
	struct hashmap *metric_names; /* to the slots */
	const char **path_fields;
	size_t path_field_count;
	const char *hash_key_id; /* NULL before the first hashed label */

	/* The file being loaded. */
	struct patterns_file *file;
	struct grok_definition *definitions;
	size_t definition_count;
	struct field_scope file_scope; /* before any pattern has matched */
	struct yaml_node *time_from;   /* NULL: no timestamp */
	struct field *line_time;       /* NULL: no rule so far takes the line's time */
};

/* NULL after an error.  `what` names the key ("pattern"). */
struct regex *load_regex(struct loader *l, const struct yaml_node *node,
			 const char *what);

/* A scalar or a list of scalars as nodes; NULL and 0 after an error. */
struct yaml_node *const *load_scalars(struct loader *l, struct yaml_node *const *node,
				      const char *what, size_t *count);

/* The name that a scalar gives: `name`, `$name` or `${name}`. */
struct slice load_field_name(const struct yaml_node *node);

/* A name as above; an error if nothing in the scope supplies it. */
struct field *load_field(struct loader *l, const struct field_scope *scope,
			 const struct yaml_node *node, const char *what);

/* The file's `multiline`. */
void load_multiline(struct loader *l, const struct yaml_node *node);

/* The file that is being loaded, whose path and name are set. */
void load_file(struct loader *l);

void load_rules(struct loader *l, const struct yaml_node *rules);

/*
 * After the rules.  If these had errors they are not `sure`, and nothing is said of
 * names that they would make.
 */
void load_tests(struct loader *l, const struct yaml_node *tests, bool sure);

/* The names of all series that the file's rules can make. */
struct expected_names;
struct expected_names *load_expected_names(struct loader *l);
void expected_names_destroy(struct expected_names *names); /* NULL is accepted */

/* Each line of a test's `expect` is a sample, of one of the names unless NULL. */
void load_check_expect(struct loader *l, const struct yaml_node *expect,
		       const struct expected_names *names);

/* The names that tests' `fields` supply join the path fields. */
void load_test_fields(struct loader *l, const struct yaml_node *tests);

/* One entry of a rule's `metrics`. */
void load_metric(struct loader *l, const struct yaml_node *node,
		 const struct field_scope *scope, struct rule_metric *metric);

/* Keys that metrics of this kind do not take. */
void load_check_keys(struct loader *l, const struct yaml_node *metric,
		     enum metric_kind kind);

/*
 * The parts of a metric, in this order.  `earlier`: what another rule said of it
 * before, or NULL.
 */
void load_op(struct loader *l, const struct yaml_node *metric, struct metric_def *def,
	     struct rule_metric *out);
void load_mode(struct loader *l, const struct yaml_node *metric, enum metric_kind kind,
	       struct rule_metric *out);
void load_window(struct loader *l, const struct yaml_node *metric,
		 const struct metric_def *earlier, struct metric_def *def);
void load_states(struct loader *l, const struct yaml_node *metric,
		 const struct metric_def *earlier, struct metric_def *def);
void load_labels(struct loader *l, const struct yaml_node *metric,
		 const struct field_scope *scope, enum metric_kind kind,
		 struct rule_metric *out);
/* After load_labels(): which are hashed; an error for each without a key. */
void load_hashes(struct loader *l, struct metric_def *def,
		 const struct rule_metric *metric);
void load_declare(struct loader *l, const struct yaml_node *metric,
		  struct metric_def *def);
void load_buckets(struct loader *l, const struct yaml_node *metric,
		  struct metric_def *def);

/* After the labels. */
void load_check_state_label(struct loader *l, struct position at,
			    const struct metric_def *def,
			    const struct rule_metric *out);
void load_value(struct loader *l, const struct yaml_node *metric,
		const struct field_scope *scope, const struct metric_def *def,
		struct rule_metric *out);

bool load_same_quantiles(const struct metric_def *a, const struct metric_def *b);
bool load_same_states(const struct metric_def *a, const struct metric_def *b);

/* False after an error: not a finite number, or not a whole one from 1 to `max`. */
bool load_number(struct loader *l, const struct yaml_node *node, const char *what,
		 double *value);
/* `true`; false if the key is left out, is `false`, or neither, which is an error. */
bool load_flag(struct loader *l, const struct yaml_node *mapping, const char *key);
bool load_count(struct loader *l, const struct yaml_node *node, const char *what,
		size_t max, size_t *count);

/* After the last file: as many running totals are kept as their counter has series. */
void load_base_limits(struct loader *l);

/* By its name; NULL: no rule so far has it. */
struct metric_slot *load_find_metric(const struct loader *l, const char *name);

/* Under its name, which is no other's, unless it is a base; sets its index. */
void load_add_metric(struct loader *l, struct metric_slot *slot);

/* What the names of a metric's series have behind its own: "" for its own.  The count.
 */
#define LOAD_MAX_SUFFIXES 4
size_t load_series_suffixes(const struct metric_def *def,
			    const char *suffixes[LOAD_MAX_SUFFIXES]);

/* What a base has behind the name of its counter. */
#define LOAD_BASE_SUFFIX ":base"

/* After the last file: names that clash across metrics. */
void load_check_metric_names(struct loader *l);

#endif
