/*
 * label.h - a label's value from a record: template, replace, map, lower,
 * default, hash, in that order.
 */
#ifndef PARSERS_LABEL_H
#define PARSERS_LABEL_H

#include <stdbool.h>
#include <stddef.h>

#include "common/hashmap.h"
#include "parsers/pseudonym.h"
#include "parsers/template.h"

struct label_replacement {
	struct regex *regex;
	struct slice with;
};

struct label_rule {
	const char *name;
	struct position at;
	struct template value;
	struct label_replacement *replace;
	size_t replace_count;
	struct hashmap *map;   /* text to (struct slice *), or NULL */
	bool lower;            /* ASCII */
	struct slice fallback; /* for an empty value */
	bool hash;             /* a pseudonym stands for a value that is not empty */
	/* Of a label that is a field and no more, as most are; else NULL. */
	const struct field *only;
};

/* Where one label's value is worked out: its own, so that others stay valid. */
struct label_scratch {
	struct strbuf now, next;
	struct pseudonyms *pseudonyms; /* borrowed; NULL where no label has `hash` */
	char pseudonym[PSEUDONYM_BYTES];
};

void label_scratch_finish(struct label_scratch *scratch);

enum label_result { LABEL_OK, LABEL_LIMIT };

/*
 * The value, borrowed from the record, the rule or `scratch`.  LABEL_LIMIT: a
 * replacement hit a match limit.
 */
enum label_result label_text(const struct label_rule *rule, struct record *record,
			     struct label_scratch *scratch, struct slice *value);

#endif
