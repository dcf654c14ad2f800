/*
 * address.h - HOST:PORT, as flags spell it, and the socket that listens there.
 */
#ifndef EXPORTER_ADDRESS_H
#define EXPORTER_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"

struct address {
	char host[256]; /* a name or number without brackets; "": every interface */
	char port[6];   /* decimal, at most 65535 */
};

/* HOST:PORT, [HOST]:PORT or :PORT.  Nothing is looked up. */
bool address_parse(const char *text, struct address *address, struct error *err);

/*
 * Opens a socket that listens at the address; the caller closes it.  Without a
 * host it takes IPv6 and IPv4 where the kernel has both.  A name that has
 * several addresses listens at the first that works, IPv4 before IPv6.  *port
 * is the port really used.  -1 on failure.
 */
int address_listen(const char *text, uint16_t *port, struct error *err);

#endif
