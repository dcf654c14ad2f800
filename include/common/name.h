/*
 * name.h - which names Prometheus' data model allows.
 */
#ifndef COMMON_NAME_H
#define COMMON_NAME_H

#include <stdbool.h>

#include "common/slice.h"

/* [a-zA-Z_:][a-zA-Z0-9_:]* */
bool name_is_metric(struct slice name);

/* [a-zA-Z_][a-zA-Z0-9_]*, not beginning with __, which is Prometheus' own. */
bool name_is_label(struct slice name);

/* le and quantile: labels that Prometheus' metric kinds have themselves. */
bool name_is_reserved_label(struct slice name);

#endif
