#include "daemon/commands.h"

#include "daemon/healthcheck.h"

#define TIMEOUT_MS 5000

int command_healthcheck(const struct options *options)
{
	const char *address = options->argument_count > 0 ? options->arguments[0]
			      : options->listen_address   ? options->listen_address
							  : "127.0.0.1:8001";
	struct error err;

	if (healthcheck(address, TIMEOUT_MS, &err))
		return 0;
	fprintf(stderr, "logtally: %s\n", err.text);
	return 1;
}
