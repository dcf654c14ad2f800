/*
 * quantity.h - numbers with units: durations, sizes, percent.
 *
 * What is written is rounded once, at the end: 0.1ms is the double closest to
 * 0.0001, and 1.1 GiB the one closest to 1181116006.4.  No space is skipped at either
 * end.  False: not such a text.
 */
#ifndef PARSERS_QUANTITY_H
#define PARSERS_QUANTITY_H

#include <stdbool.h>

#include "common/slice.h"

/*
 * Seconds.  1h30m, 1m 30s, 2.5 ms, 1 hour, 5 minutes (the larger unit first, each
 * once); 01:30, 00:01:30.5; 1 day, 2:03:04 (a clock behind days has its own sign).
 */
bool duration_parse(struct slice text, double *seconds);

/*
 * Bytes.  KiB and Ki are 1024, kB is 1000, k and K alone are 1024; no unit is
 * bytes; commas between groups of three are read over.
 */
bool bytes_parse(struct slice text, double *bytes);

/* A ratio: 97.5%, 97.5 % and 97.5 are 0.975. */
bool percent_parse(struct slice text, double *ratio);

/* 1,440 or 1,234,567.8, as 1440: groups of three. */
bool grouped_parse(struct slice text, double *value);

#endif
