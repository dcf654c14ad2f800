/*
 * regex_code.h - PCRE2's compiled patterns, for those who look into them.
 * Internal to regex and regex_items.
 */
#ifndef PARSERS_REGEX_CODE_H
#define PARSERS_REGEX_CODE_H

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "common/slice.h"

/*
 * Compiles as every pattern is compiled here, with `more_options` of PCRE2's
 * besides; NULL with PCRE2's error and where it stands.
 */
pcre2_code *regex_code(struct slice pattern, uint32_t more_options, int *error,
		       size_t *offset);

#endif
