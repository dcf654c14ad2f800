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
 * matter, nor how a number is written.  Zeros that came out need not be
 * expected; of a histogram _count and _sum are enough.  Appends a difference, line by
 * line, and returns false if there is one.
 */
bool samples_compare(struct slice expected, struct slice got,
		     struct strbuf *difference);

#endif
