/*
 * samples.h - compare what a test expects with what came out.
 */
#ifndef DAEMON_SAMPLES_H
#define DAEMON_SAMPLES_H

#include <stdbool.h>

#include "common/slice.h"
#include "common/strbuf.h"

/*
 * Both are samples of the text format.  The order of lines and labels does not
 * matter, nor how a number is written; a quantile is right to 1%.  Zeros that came out
 * need not be expected; of a histogram or summary _count and _sum are enough.  Appends
 * a difference and returns false if there is one: `~` before a series with another
 * value, `-` before what is missing, `+` before what was not expected.
 */
bool samples_compare(struct slice expected, struct slice got,
		     struct strbuf *difference);

#endif
