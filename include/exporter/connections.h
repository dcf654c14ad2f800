/*
 * connections.h - who is connected, and who has to go.
 *
 * A server's own timeout only sees silence: a client that sends or takes a
 * byte now and then would keep its connection for ever, and a thousand that
 * say nothing would keep everybody else out.  So a request has a total
 * deadline, which a thread of this module watches, and when there are too many
 * connections one of them gives way.
 *
 * It knows sockets and the clock, not HTTP, and closes nothing: who has to go
 * has the socket shut down, and its server, which sees that as the end of the
 * connection, closes it.  All calls: any thread.
 */
#ifndef EXPORTER_CONNECTIONS_H
#define EXPORTER_CONNECTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "common/error.h"

struct connections;
struct connection;

struct connections_options {
	size_t total;
	size_t per_client;   /* a client is an address, whatever its port */
	int64_t deadline_ns; /* of a request and its response */
	int64_t idle_ns;     /* between two requests */
};

enum connection_state {
	CONNECTION_RECEIVING, /* at first */
	CONNECTION_SENDING,
	CONNECTION_IDLE, /* the response went to the kernel */
};

/* Starts its thread.  NULL if that fails. */
struct connections *connections_create(const struct connections_options *options,
				       struct error *err);

/* Once every connection has been removed.  NULL is accepted. */
void connections_destroy(struct connections *connections);

/*
 * A connection was accepted.  If there are too many now, in all or from this
 * client, the one that has been idle or receiving longest gives way, or if all
 * others are sending the one that began longest ago.
 */
struct connection *connections_add(struct connections *connections, int fd,
				   const struct sockaddr *peer);

/* Before the descriptor is closed, so that no other socket with its number is hit. */
void connections_remove(struct connections *connections, struct connection *connection);

/*
 * What the connection does from now on.  The clock of a request starts at the
 * accept or, for later ones, at its first byte, and stops once the client's
 * kernel has all of the response.
 */
void connections_enter(struct connections *connections, struct connection *connection,
		       enum connection_state state);

/* The client's address without port, IPv4 in its own form; lives as long. */
const char *connection_address(const struct connection *connection);

/* Those that have not been told to go. */
size_t connections_count(struct connections *connections);

#endif
