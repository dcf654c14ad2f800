/*
 * malformed.h - in what ways a line can be other than its envelope or format is.
 */
#ifndef PARSERS_MALFORMED_H
#define PARSERS_MALFORMED_H

#include "parsers/format.h"

/* Label values of logtally_malformed_lines_total. */
enum malformed {
	MALFORMED_JSON,
	MALFORMED_LOGFMT,
	MALFORMED_DOCKER,
	MALFORMED_CRI,
	MALFORMED_REASONS
};

const char *malformed_name(enum malformed reason);

/* Of a format that can be malformed: not of plain. */
enum malformed malformed_of(enum format format);

#endif
