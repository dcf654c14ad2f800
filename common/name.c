#include "common/name.h"

static bool is_name(struct slice name, bool colons)
{
	for (size_t i = 0; i < name.len; i++) {
		char c = name.ptr[i];
		bool digit = c >= '0' && c <= '9';

		if (!(c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		      (digit && i > 0) || (colons && c == ':')))
			return false;
	}
	return name.len > 0;
}

bool name_is_metric(struct slice name)
{
	return is_name(name, true);
}

bool name_is_label(struct slice name)
{
	return is_name(name, false) && !slice_starts(name, "__");
}

bool name_is_reserved_label(struct slice name)
{
	return slice_is(name, "le") || slice_is(name, "quantile");
}
