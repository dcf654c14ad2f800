#include "parsers/multiline.h"

enum multiline_action multiline_next(const struct multiline *m,
				     struct regex_scratch *scratch, struct slice line,
				     unsigned *state)
{
	for (size_t i = 0; i < m->step_count; i++) {
		const struct multiline_step *step = &m->steps[i];

		if (!(step->states >> (*state & 31) & 1) ||
		    (step->regex &&
		     regex_match(step->regex, scratch, line) != REGEX_MATCH))
			continue;
		*state = step->next;
		return step->action;
	}
	*state = 0;
	return MULTILINE_BEGIN;
}
