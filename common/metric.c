#include "common/metric.h"

const char *metric_kind_name(enum metric_kind kind)
{
	static const char *const names[METRIC_KINDS] = {
		[METRIC_COUNTER] = "counter",     [METRIC_GAUGE] = "gauge",
		[METRIC_HISTOGRAM] = "histogram", [METRIC_SUMMARY] = "summary",
		[METRIC_UNIQUE] = "unique",       [METRIC_STATE] = "state",
	};

	return names[kind];
}
