#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "exporter/address.h"
#include "exporter/connections.h"

#define PATIENCE_MS 20000
#define LONG_NS (3600 * NS_PER_SECOND)

static struct connections *connections;
static int listen_fd;
static uint16_t port;

/* Both ends of one connection, as the server would have it. */
struct pair {
	int client, server;
	struct connection *connection;
};

static void start(size_t total, size_t per_client, int64_t deadline_ns, int64_t idle_ns)
{
	struct connections_options options = {total, per_client, deadline_ns, idle_ns};
	struct error err = {""};

	connections = connections_create(&options, &err);
	cr_assert(connections, "%s", err.text);
	listen_fd = address_listen("127.0.0.1:0", &port, &err);
	cr_assert(listen_fd != -1, "%s", err.text);
}

static struct sockaddr_in at(const char *host, uint16_t at_port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_port = htons(at_port)};

	inet_pton(AF_INET, host, &address.sin_addr);
	return address;
}

static struct pair open_pair(const char *from)
{
	struct sockaddr_in source = at(from, 0), target = at("127.0.0.1", port), peer;
	socklen_t len = sizeof(peer);
	struct pollfd ready = {.fd = listen_fd, .events = POLLIN};
	int small = 4096;
	struct pair pair = {.client = socket(AF_INET, SOCK_STREAM, 0)};

	setsockopt(pair.client, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	cr_assert_eq(bind(pair.client, (struct sockaddr *)&source, sizeof(source)), 0);
	cr_assert_eq(connect(pair.client, (struct sockaddr *)&target, sizeof(target)),
		     0);
	cr_assert_eq(poll(&ready, 1, PATIENCE_MS), 1);
	pair.server = accept4(listen_fd, (struct sockaddr *)&peer, &len, SOCK_NONBLOCK);
	cr_assert(pair.server != -1);
	pair.connection =
		connections_add(connections, pair.server, (struct sockaddr *)&peer);
	cr_expect_str_eq(connection_address(pair.connection), from);
	return pair;
}

static void close_pair(struct pair *pair)
{
	connections_remove(connections, pair->connection);
	close(pair->server);
	close(pair->client);
}

static void stop(struct pair *pairs, size_t count)
{
	for (size_t i = 0; i < count; i++)
		close_pair(&pairs[i]);
	connections_destroy(connections);
	close(listen_fd);
}

/* The server's end reads as ended, which no client did. */
static bool is_sent_away(const struct pair *pair)
{
	char byte;

	return recv(pair->server, &byte, 1, MSG_DONTWAIT | MSG_PEEK) == 0;
}

static int64_t wait_until_sent_away(const struct pair *pair)
{
	int64_t start_ns = clock_monotonic_ns();
	struct pollfd ended = {.fd = pair->server};

	cr_expect_eq(poll(&ended, 1, PATIENCE_MS), 1);
	cr_expect(ended.revents & POLLHUP);
	return clock_monotonic_ns() - start_ns;
}

static void enter(struct pair *pair, enum connection_state state)
{
	connections_enter(connections, pair->connection, state);
}

Test(connections, the_longest_silent_of_a_client_gives_way_to_its_next)
{
	struct pair pairs[5];

	start(100, 3, LONG_NS, LONG_NS);
	pairs[0] = open_pair("127.0.0.2");
	for (int i = 1; i < 4; i++)
		pairs[i] = open_pair("127.0.0.1");
	enter(&pairs[1], CONNECTION_IDLE);
	cr_expect_eq(connections_count(connections), 4);
	pairs[4] = open_pair("127.0.0.1");
	cr_expect_not(is_sent_away(&pairs[0]), "another client");
	cr_expect_not(is_sent_away(&pairs[1]), "said something since");
	cr_expect(is_sent_away(&pairs[2]));
	cr_expect_not(is_sent_away(&pairs[3]));
	cr_expect_not(is_sent_away(&pairs[4]), "the newest");
	cr_expect_eq(connections_count(connections), 4);
	stop(pairs, 5);
}

Test(connections, the_total_is_kept_whoever_comes)
{
	struct pair pairs[20];
	char from[32];

	start(5, 3, LONG_NS, LONG_NS);
	for (int i = 0; i < 20; i++) {
		snprintf(from, sizeof(from), "127.0.0.%d", i + 1);
		pairs[i] = open_pair(from);
		cr_expect_not(is_sent_away(&pairs[i]));
		cr_expect_leq(connections_count(connections), 5);
	}
	for (int i = 0; i < 20; i++)
		cr_expect_eq(is_sent_away(&pairs[i]), i < 15);
	stop(pairs, 20);
}

Test(connections, a_response_is_interrupted_only_when_all_others_are_responses_too)
{
	struct pair pairs[5];

	start(3, 3, LONG_NS, LONG_NS);
	for (int i = 0; i < 3; i++)
		pairs[i] = open_pair("127.0.0.1");
	enter(&pairs[0], CONNECTION_SENDING);
	enter(&pairs[1], CONNECTION_SENDING);
	pairs[3] = open_pair("127.0.0.1");
	cr_expect_not(is_sent_away(&pairs[0]));
	cr_expect_not(is_sent_away(&pairs[1]));
	cr_expect(is_sent_away(&pairs[2]));
	enter(&pairs[3], CONNECTION_SENDING);
	pairs[4] = open_pair("127.0.0.1");
	cr_expect(is_sent_away(&pairs[0]), "the oldest response");
	cr_expect_not(is_sent_away(&pairs[1]));
	cr_expect_not(is_sent_away(&pairs[4]));
	stop(pairs, 5);
}

Test(connections, a_request_ends_at_its_deadline_however_busy_the_client)
{
	struct pair pair;
	int64_t start_ns;

	start(10, 10, 300 * NS_PER_MS, LONG_NS);
	pair = open_pair("127.0.0.1");
	start_ns = clock_monotonic_ns();
	while (!(recv(pair.server, &(char){0}, 1, MSG_DONTWAIT) == 0)) {
		send(pair.client, "x", 1, MSG_NOSIGNAL);
		usleep(5000);
		cr_assert_lt(clock_monotonic_ns() - start_ns, PATIENCE_MS * NS_PER_MS);
	}
	cr_expect_geq(clock_monotonic_ns() - start_ns, 300 * NS_PER_MS);
	stop(&pair, 1);
}

Test(connections, silence_between_requests_has_a_limit_of_its_own)
{
	struct pair pair;

	start(10, 10, 500 * NS_PER_MS, 1500 * NS_PER_MS);
	pair = open_pair("127.0.0.1");
	enter(&pair, CONNECTION_IDLE);
	cr_expect_geq(wait_until_sent_away(&pair), 1000 * NS_PER_MS);
	stop(&pair, 1);
}

Test(connections, the_clock_of_a_later_request_starts_at_its_first_byte)
{
	struct pair pair;

	start(10, 10, 500 * NS_PER_MS, LONG_NS);
	pair = open_pair("127.0.0.1");
	enter(&pair, CONNECTION_IDLE);
	usleep(700 * 1000);
	cr_expect_not(is_sent_away(&pair));
	cr_expect_eq(send(pair.client, "G", 1, 0), 1);
	cr_expect_geq(wait_until_sent_away(&pair), 450 * NS_PER_MS);
	stop(&pair, 1);
}

/* A response that fits into the kernel is done for the server. */
Test(connections, a_response_that_nobody_takes_is_not_idleness)
{
	struct pair pair;
	static char response[100000];

	start(10, 10, 1000 * NS_PER_MS, LONG_NS);
	pair = open_pair("127.0.0.1");
	enter(&pair, CONNECTION_SENDING);
	cr_expect_gt(send(pair.server, response, sizeof(response), 0), 50000);
	enter(&pair, CONNECTION_IDLE);
	wait_until_sent_away(&pair);
	stop(&pair, 1);
}

Test(connections, what_the_kernel_still_held_goes_with_the_connection)
{
	static char response[100000];
	struct pollfd ended;
	struct pair pair;

	start(10, 1, LONG_NS, LONG_NS);
	pair = open_pair("127.0.0.1");
	cr_expect_gt(send(pair.server, response, sizeof(response), 0), 50000);
	ended = (struct pollfd){.fd = pair.client};
	struct pair next = open_pair("127.0.0.1");

	connections_remove(connections, pair.connection);
	close(pair.server);
	cr_expect_eq(poll(&ended, 1, PATIENCE_MS), 1,
		     "a reset, though nothing was read");
	cr_expect(ended.revents & POLLERR);
	close(pair.client);
	stop(&next, 1);
}

Test(connections, an_ipv4_client_is_the_same_on_a_dual_stack_socket)
{
	struct sockaddr_in6 peer = {.sin6_family = AF_INET6};
	struct connection *mapped, *v6;

	start(10, 10, LONG_NS, LONG_NS);
	inet_pton(AF_INET6, "::ffff:10.1.2.3", &peer.sin6_addr);
	mapped = connections_add(connections, listen_fd, (struct sockaddr *)&peer);
	inet_pton(AF_INET6, "2001:db8::7", &peer.sin6_addr);
	v6 = connections_add(connections, listen_fd, (struct sockaddr *)&peer);
	cr_expect_str_eq(connection_address(mapped), "10.1.2.3");
	cr_expect_str_eq(connection_address(v6), "2001:db8::7");
	connections_remove(connections, mapped);
	connections_remove(connections, v6);
	stop(NULL, 0);
}
