/*
 * measure.h - what a match says to one metric: a number, a text, or which state.
 *
 * Internal to the parsers.  Labels are label.h's affair.
 */
#ifndef PARSERS_MEASURE_H
#define PARSERS_MEASURE_H

#include <stdbool.h>

#include "common/strbuf.h"
#include "parsers/engine.h"
#include "parsers/record.h"
#include "parsers/rule.h"

/*
 * Fills in the update's value or text, which borrows from the record.  False, and
 * *error says why: it has none, and updates nothing.
 */
bool measure(const struct rule_metric *metric, struct record *record,
	     struct strbuf *scratch, struct update *update, enum rule_error *error);

#endif
