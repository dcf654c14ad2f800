#include "exporter/connections.h"

#include <arpa/inet.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>

#include "common/clock.h"
#include "common/xalloc.h"

#define TICK_MIN_NS (5 * NS_PER_MS)
#define TICK_MAX_NS NS_PER_SECOND

struct connection {
	struct connection *next;
	int fd;
	enum connection_state state;
	bool leaving;             /* the socket is shut down */
	int64_t request_ns;       /* when the present or last request began */
	int64_t state_ns;         /* when it entered its state */
	uint64_t bytes_when_idle; /* received until it became idle */
	char address[INET6_ADDRSTRLEN];
};

struct connections {
	struct connections_options options;
	pthread_t sweeper;
	pthread_mutex_t lock; /* of all below, and of every connection */
	pthread_cond_t changed;
	bool stopping;
	struct connection *first; /* the newest */
};

static uint64_t received_bytes(int fd)
{
	struct tcp_info info = {0};
	socklen_t len = sizeof(info);

	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) == -1)
		return 0;
	return info.tcpi_bytes_received;
}

/* True while the peer has not acknowledged all that was sent. */
static bool has_unsent(int fd)
{
	int unsent = 0;

	return ioctl(fd, SIOCOUTQ, &unsent) == 0 && unsent > 0;
}

static void begin_request(struct connection *connection, int64_t now_ns)
{
	connection->state = CONNECTION_RECEIVING;
	connection->request_ns = now_ns;
	connection->state_ns = now_ns;
}

/*
 * A reset rather than a farewell: a peer that reads 100 bytes a second would
 * keep what the kernel still has to send to it for hours.
 */
static void send_away(struct connection *connection)
{
	struct linger at_once = {.l_onoff = 1, .l_linger = 0};

	connection->leaving = true;
	setsockopt(connection->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	shutdown(connection->fd, SHUT_RDWR);
}

static bool is_overdue(const struct connections *connections,
		       struct connection *connection, int64_t now_ns)
{
	bool idle = connection->state == CONNECTION_IDLE && !has_unsent(connection->fd);

	if (idle && received_bytes(connection->fd) > connection->bytes_when_idle) {
		begin_request(connection, now_ns);
		idle = false;
	}
	if (idle)
		return now_ns - connection->state_ns > connections->options.idle_ns;
	return now_ns - connection->request_ns > connections->options.deadline_ns;
}

static void sweep(struct connections *connections)
{
	int64_t now_ns = clock_monotonic_ns();

	for (struct connection *c = connections->first; c; c = c->next)
		if (!c->leaving && is_overdue(connections, c, now_ns))
			send_away(c);
}

/* Often enough for the deadline, once a second at most for the usual one. */
static int64_t tick_ns(const struct connections *connections)
{
	int64_t tick = connections->options.deadline_ns / 10;

	if (tick < TICK_MIN_NS)
		return TICK_MIN_NS;
	return tick > TICK_MAX_NS ? TICK_MAX_NS : tick;
}

static void wait_for_tick(struct connections *connections)
{
	int64_t at_ns = clock_monotonic_ns() + tick_ns(connections);
	struct timespec at = {.tv_sec = at_ns / NS_PER_SECOND,
			      .tv_nsec = at_ns % NS_PER_SECOND};

	pthread_cond_timedwait(&connections->changed, &connections->lock, &at);
}

static void *sweeper_main(void *ctx)
{
	struct connections *connections = ctx;

	pthread_mutex_lock(&connections->lock);
	while (!connections->stopping) {
		if (connections->first)
			wait_for_tick(connections);
		else
			pthread_cond_wait(&connections->changed, &connections->lock);
		sweep(connections);
	}
	pthread_mutex_unlock(&connections->lock);
	return NULL;
}

static void init_condition(pthread_cond_t *condition)
{
	pthread_condattr_t attr;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(condition, &attr);
	pthread_condattr_destroy(&attr);
}

static void release(struct connections *connections)
{
	pthread_cond_destroy(&connections->changed);
	pthread_mutex_destroy(&connections->lock);
	free(connections);
}

struct connections *connections_create(const struct connections_options *options,
				       struct error *err)
{
	struct connections *connections = xcalloc(1, sizeof(*connections));
	int failure;

	connections->options = *options;
	pthread_mutex_init(&connections->lock, NULL);
	init_condition(&connections->changed);
	failure =
		pthread_create(&connections->sweeper, NULL, sweeper_main, connections);
	if (failure) {
		error_set(err, "cannot start a thread: %s", strerror(failure));
		release(connections);
		return NULL;
	}
	return connections;
}

void connections_destroy(struct connections *connections)
{
	if (!connections)
		return;
	pthread_mutex_lock(&connections->lock);
	connections->stopping = true;
	pthread_cond_signal(&connections->changed);
	pthread_mutex_unlock(&connections->lock);
	pthread_join(connections->sweeper, NULL);
	release(connections);
}

static void write_address(char *out, const struct sockaddr *peer)
{
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)peer;
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)peer;

	if (peer->sa_family == AF_INET)
		inet_ntop(AF_INET, &v4->sin_addr, out, INET6_ADDRSTRLEN);
	else if (peer->sa_family != AF_INET6)
		snprintf(out, INET6_ADDRSTRLEN, "unknown");
	else if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr))
		inet_ntop(AF_INET, &v6->sin6_addr.s6_addr[12], out, INET6_ADDRSTRLEN);
	else
		inet_ntop(AF_INET6, &v6->sin6_addr, out, INET6_ADDRSTRLEN);
}

/* True if `a` has to go rather than `b`, which may be NULL. */
static bool goes_before(const struct connection *a, const struct connection *b)
{
	if (!b)
		return true;
	if ((a->state == CONNECTION_SENDING) != (b->state == CONNECTION_SENDING))
		return b->state == CONNECTION_SENDING;
	return a->state_ns <= b->state_ns;
}

/*
 * Counts those that stay, of one client or (address NULL) of all, and finds
 * who has to go first; never the newest.
 */
static size_t count_and_choose(const struct connections *connections,
			       const char *address, struct connection **victim)
{
	size_t count = 0;

	*victim = NULL;
	for (struct connection *c = connections->first; c; c = c->next) {
		if (c->leaving || (address && strcmp(c->address, address) != 0))
			continue;
		count++;
		if (c != connections->first && goes_before(c, *victim))
			*victim = c;
	}
	return count;
}

static void make_room(struct connections *connections, const char *address,
		      size_t limit)
{
	struct connection *victim;

	if (count_and_choose(connections, address, &victim) > limit && victim)
		send_away(victim);
}

struct connection *connections_add(struct connections *connections, int fd,
				   const struct sockaddr *peer)
{
	struct connection *connection = xcalloc(1, sizeof(*connection));

	connection->fd = fd;
	write_address(connection->address, peer);
	begin_request(connection, clock_monotonic_ns());

	pthread_mutex_lock(&connections->lock);
	if (!connections->first)
		pthread_cond_signal(&connections->changed);
	connection->next = connections->first;
	connections->first = connection;
	make_room(connections, connection->address, connections->options.per_client);
	make_room(connections, NULL, connections->options.total);
	pthread_mutex_unlock(&connections->lock);
	return connection;
}

void connections_remove(struct connections *connections, struct connection *connection)
{
	struct connection **link = &connections->first;

	pthread_mutex_lock(&connections->lock);
	while (*link != connection)
		link = &(*link)->next;
	*link = connection->next;
	pthread_mutex_unlock(&connections->lock);
	free(connection);
}

void connections_enter(struct connections *connections, struct connection *connection,
		       enum connection_state state)
{
	int64_t now_ns = clock_monotonic_ns();

	pthread_mutex_lock(&connections->lock);
	if (state == CONNECTION_RECEIVING && connection->state == CONNECTION_IDLE)
		connection->request_ns = now_ns;
	if (state == CONNECTION_IDLE)
		connection->bytes_when_idle = received_bytes(connection->fd);
	connection->state = state;
	connection->state_ns = now_ns;
	pthread_mutex_unlock(&connections->lock);
}

const char *connection_address(const struct connection *connection)
{
	return connection->address;
}

size_t connections_count(struct connections *connections)
{
	struct connection *unused;
	size_t count;

	pthread_mutex_lock(&connections->lock);
	count = count_and_choose(connections, NULL, &unused);
	pthread_mutex_unlock(&connections->lock);
	return count;
}
