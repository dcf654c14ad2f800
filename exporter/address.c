#include "exporter/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/slice.h"

static bool is_port(const char *text)
{
	size_t len = strlen(text);

	return len >= 1 && len <= 5 && strspn(text, "0123456789") == len &&
	       atoi(text) <= UINT16_MAX;
}

/* The host's part of the text; false if there is no port where one should be. */
static bool split_host(const char *text, struct slice *host, const char **port)
{
	const char *colon = strrchr(text, ':');

	if (!colon)
		return false;
	*host = (struct slice){text, (size_t)(colon - text)};
	*port = colon + 1;
	if (host->len >= 2 && text[0] == '[' && colon[-1] == ']') {
		*host = (struct slice){text + 1, host->len - 2};
		return true;
	}
	/* ::1:8001 could be read in two ways. */
	return !memchr(host->ptr, ':', host->len) && !memchr(host->ptr, '[', host->len);
}

bool address_parse(const char *text, struct address *address, struct error *err)
{
	struct slice host;
	const char *port;

	if (!split_host(text, &host, &port) || !is_port(port) ||
	    host.len >= sizeof(address->host))
		return error_set(err,
				 "\"%s\" is no address: write HOST:PORT, [HOST]:PORT "
				 "or :PORT",
				 text);
	memcpy(address->host, host.ptr, host.len);
	address->host[host.len] = '\0';
	snprintf(address->port, sizeof(address->port), "%s", port);
	return true;
}

/* Closes the socket on failure and leaves errno. */
static int listen_at(const struct addrinfo *at, bool every_interface)
{
	int on = 1, v6only = !every_interface;
	int fd = socket(at->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int saved;

	if (fd == -1)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (at->ai_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6only, sizeof(v6only));
	if (bind(fd, at->ai_addr, at->ai_addrlen) == 0 && listen(fd, SOMAXCONN) == 0)
		return fd;
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

/* Of this family; errno stays that of the last failure. */
static int listen_at_any(const struct addrinfo *found, int family, bool every_interface)
{
	int fd = -1;

	for (const struct addrinfo *at = found; at && fd == -1; at = at->ai_next)
		if (at->ai_family == family)
			fd = listen_at(at, every_interface);
	return fd;
}

/* 0 or what getaddrinfo() said. */
static int look_up(const struct address *address, struct addrinfo **found)
{
	const struct addrinfo hints = {
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_PASSIVE | AI_NUMERICSERV,
	};

	return getaddrinfo(address->host[0] ? address->host : NULL, address->port,
			   &hints, found);
}

static uint16_t bound_port(int fd)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} at;
	socklen_t len = sizeof(at);

	memset(&at, 0, sizeof(at));
	if (getsockname(fd, &at.any, &len) == -1)
		return 0;
	return ntohs(at.any.sa_family == AF_INET6 ? at.v6.sin6_port : at.v4.sin_port);
}

int address_listen(const char *text, uint16_t *port, struct error *err)
{
	struct address address = {0};
	struct addrinfo *found = NULL;
	bool every_interface;
	int fd, failure;

	if (!address_parse(text, &address, err))
		return -1;
	failure = look_up(&address, &found);
	if (failure) {
		error_set(err,
			  "cannot listen on %s: %s; choose another address with "
			  "--web.listen-address",
			  text, gai_strerror(failure));
		return -1;
	}
	/* An IPv6 socket without a host serves IPv4 too; not the other way round. */
	every_interface = address.host[0] == '\0';
	errno = EADDRNOTAVAIL;
	fd = listen_at_any(found, every_interface ? AF_INET6 : AF_INET,
			   every_interface);
	if (fd == -1 && errno != EADDRINUSE)
		fd = listen_at_any(found, every_interface ? AF_INET : AF_INET6, false);
	if (fd == -1)
		error_set(err,
			  "cannot listen on %s: %s; choose another address with "
			  "--web.listen-address",
			  text, strerror(errno));
	else
		*port = bound_port(fd);
	freeaddrinfo(found);
	return fd;
}
