/*
 * yaml_repair.h - what people get wrong when they write regular expressions
 * into YAML.
 *
 * libyaml stops at the first place that it cannot read, with words about
 * tokens.  Here such a place is recognised, reported with the text to write
 * instead, mended in the private copy, and reading goes on.
 * Internal to yaml.
 */
#ifndef PARSERS_YAML_REPAIR_H
#define PARSERS_YAML_REPAIR_H

#include <stdbool.h>

#include "common/diag.h"
#include "parsers/yaml_source.h"

/* Reports all syntax errors; true if the text can now be read to its end. */
bool yaml_repair(struct yaml_source *source, struct diag *diag);

#endif
