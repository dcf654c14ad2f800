/* Prints docs/metrics.md. */
#include <stdio.h>

#include "daemon/own_metrics.h"

int main(void)
{
	struct strbuf out = STRBUF_INIT;

	own_metrics_document(&out);
	fputs(out.ptr, stdout);
	strbuf_finish(&out);
	return 0;
}
