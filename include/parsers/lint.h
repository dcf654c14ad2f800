/*
 * lint.h - what patterns files may say, and their author may regret.
 *
 * Patterns that can take very many steps, or match anything, captures that nobody uses,
 * labels whose values nobody bounds, metrics without help, and names that Prometheus'
 * users would not expect.  All of them are warnings: the files work.
 *
 * Internal to the loader, which calls it when what is meant is loaded.
 */
#ifndef PARSERS_LINT_H
#define PARSERS_LINT_H

#include "parsers/loader.h"

/* Just compiled, in the file that is being loaded. */
void lint_regex(struct loader *l, const struct regex *regex);

/* A rule; `used` are the names that something in it asks for. */
void lint_rule(struct loader *l, const struct rule *rule, const struct hashmap *used);

/* After the last file, when each metric is known whole: labels of its rules. */
void lint_labels(struct loader *l, const struct patterns_file *file);

/* After the last file: its help and its name. */
void lint_metric(struct loader *l, const struct metric_slot *slot);

#endif
