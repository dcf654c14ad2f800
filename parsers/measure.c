#include "parsers/measure.h"

static struct slice value_text(const struct rule_metric *metric, struct record *record,
			       struct strbuf *scratch)
{
	strbuf_clear(scratch);
	return template_text(&metric->value, record, scratch);
}

static bool measure_number(const struct rule_metric *metric, struct record *record,
			   struct strbuf *scratch, double *value)
{
	*value = 1;
	if (metric->has_value &&
	    !value_parse(metric->as, value_text(metric, record, scratch), value))
		return false;
	*value =
		metric->divisor > 0 ? *value / metric->divisor : *value * metric->scale;
	return true;
}

static bool measure_state(const struct rule_metric *metric, struct slice text,
			  double *value)
{
	for (size_t i = 0; i < metric->state_count; i++) {
		if (!slice_is(text, metric->states[i]))
			continue;
		*value = (double)i;
		return true;
	}
	return false;
}

bool measure(const struct rule_metric *metric, struct record *record,
	     struct strbuf *scratch, struct update *update, enum rule_error *error)
{
	*error = metric->states ? RULE_ERROR_STATE : RULE_ERROR_VALUE;
	if (metric->from) {
		update->text = field_text(metric->from, record);
		return update->text.len > 0;
	}
	if (metric->states)
		return measure_state(metric, value_text(metric, record, scratch),
				     &update->value);
	return measure_number(metric, record, scratch, &update->value);
}
