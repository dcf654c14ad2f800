#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "exporter/address.h"

Test(address, host_and_port_are_read_in_every_form)
{
	static const struct {
		const char *text, *host, *port;
	} rows[] = {
		{"127.0.0.1:8001", "127.0.0.1", "8001"},
		{"localhost:0", "localhost", "0"},
		{"[::1]:65535", "::1", "65535"},
		{":8001", "", "8001"},
		{"[::]:1", "::", "1"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct address address;
		struct error err = {""};

		cr_expect(address_parse(rows[i].text, &address, &err), "%s", err.text);
		cr_expect_str_eq(address.host, rows[i].host);
		cr_expect_str_eq(address.port, rows[i].port);
	}
}

Test(address, what_is_no_address_is_named_with_what_to_write)
{
	static const char *const texts[] = {
		"",     "localhost", "8001", "h:",    "h:http",    "h:65536", "h:-1",
		"h: 1", "::1:8001",  "[::1", "[::1]", "h:1000000", "[::1:9"};

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct address address;
		struct error err = {""};

		cr_expect_not(address_parse(texts[i], &address, &err), "%s", texts[i]);
		cr_expect(strstr(err.text, texts[i]) && strstr(err.text, "HOST:PORT"),
			  "%s", err.text);
	}
}

Test(address, a_host_of_any_length_is_refused_or_fits)
{
	struct address address;
	struct error err = {""};
	char text[2000];

	memset(text, 'h', sizeof(text));
	for (size_t len = 250; len < 1500; len++) {
		memcpy(text + len, ":80", 4);
		cr_expect_eq(address_parse(text, &address, &err), len < 256);
		text[len] = text[len + 1] = text[len + 2] = text[len + 3] = 'h';
	}
}

Test(address, a_port_in_use_gives_one_clear_line)
{
	struct error err = {""};
	uint16_t port = 0;
	char text[32], expected[200];
	int fd = address_listen("127.0.0.1:0", &port, &err);

	cr_assert(fd != -1, "%s", err.text);
	cr_assert(port != 0);
	snprintf(text, sizeof(text), "127.0.0.1:%u", port);
	snprintf(expected, sizeof(expected),
		 "cannot listen on %s: Address already in use; choose another address "
		 "with --web.listen-address",
		 text);
	cr_expect_eq(address_listen(text, &port, &err), -1);
	cr_expect_str_eq(err.text, expected);
	close(fd);
}

Test(address, an_unknown_host_is_named)
{
	struct error err = {""};
	uint16_t port;

	cr_expect_eq(address_listen("no-such-host.invalid:1", &port, &err), -1);
	cr_expect(strstr(err.text, "cannot listen on no-such-host.invalid:1: "), "%s",
		  err.text);
}

static bool can_connect(int family, const char *host, uint16_t port)
{
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
	int fd = socket(family, SOCK_STREAM, 0);
	int rc;

	if (family == AF_INET) {
		inet_pton(family, host, &v4.sin_addr);
		rc = connect(fd, (struct sockaddr *)&v4, sizeof(v4));
	} else {
		inet_pton(family, host, &v6.sin6_addr);
		rc = connect(fd, (struct sockaddr *)&v6, sizeof(v6));
	}
	close(fd);
	return rc == 0;
}

static bool has_ipv6(void)
{
	struct error err;
	uint16_t port;
	int fd = address_listen("[::1]:0", &port, &err);

	if (fd != -1)
		close(fd);
	return fd != -1;
}

Test(address, without_a_host_both_protocols_are_served)
{
	struct error err = {""};
	uint16_t port = 0;
	int fd = address_listen(":0", &port, &err);

	cr_assert(fd != -1, "%s", err.text);
	cr_expect(can_connect(AF_INET, "127.0.0.1", port));
	cr_expect_eq(can_connect(AF_INET6, "::1", port), has_ipv6());
	close(fd);
}

Test(address, a_name_listens_where_it_points)
{
	struct error err = {""};
	uint16_t port = 0;
	int fd = address_listen("localhost:0", &port, &err);

	cr_assert(fd != -1, "%s", err.text);
	cr_expect(can_connect(AF_INET, "127.0.0.1", port) ||
		  can_connect(AF_INET6, "::1", port));
	cr_expect_not(can_connect(AF_INET, "127.0.0.2", port));
	close(fd);
}
