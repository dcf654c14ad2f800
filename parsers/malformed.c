#include "parsers/malformed.h"

static const char *const names[MALFORMED_REASONS] = {
	[MALFORMED_JSON] = "json",
	[MALFORMED_LOGFMT] = "logfmt",
	[MALFORMED_DOCKER] = "docker",
	[MALFORMED_CRI] = "cri",
};

const char *malformed_name(enum malformed reason)
{
	return names[reason];
}

enum malformed malformed_of(enum format format)
{
	return format == FORMAT_JSON ? MALFORMED_JSON : MALFORMED_LOGFMT;
}
