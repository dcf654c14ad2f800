/* Names and a record of logfmt. */
#include "format_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check_record(FORMAT_LOGFMT, data, size);
	return 0;
}
