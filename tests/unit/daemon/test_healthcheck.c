#include <criterion/criterion.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/healthcheck.h"
#include "exporter/address.h"
#include "exporter/web.h"

#define PATIENCE_MS 20000

static char address[64];

/* ---- against the real server ---- */

static struct cut *scrape(void *ctx, struct strbuf *tail, bool *saved)
{
	(void)ctx;
	(void)tail;
	*saved = false;
	return NULL;
}

static bool is_ready(void *ctx, struct strbuf *why)
{
	const char *reason = ctx;

	if (reason)
		strbuf_puts(why, reason);
	return !reason;
}

static struct web *serve(const char *listen_address, const char *why_not_ready)
{
	struct web_options options = {.listen_address = listen_address,
				      .telemetry_path = "/metrics"};
	const struct web_ops ops = {.scrape = scrape, .ready = is_ready};
	struct error err = {""};
	struct web *web = web_start(&options, &ops, (void *)why_not_ready, &err);

	cr_assert(web, "%s", err.text);
	snprintf(address, sizeof(address), "127.0.0.1:%u", web_port(web));
	return web;
}

Test(healthcheck, a_ready_daemon_passes_however_its_address_is_written)
{
	struct web *web = serve(":0", NULL);
	struct error err = {""};
	char text[100];

	cr_expect(healthcheck(address, PATIENCE_MS, &err), "%s", err.text);
	snprintf(text, sizeof(text), "http://%s", address);
	cr_expect(healthcheck(text, PATIENCE_MS, &err), "%s", err.text);
	snprintf(text, sizeof(text), "http://%s/metrics", address);
	cr_expect(healthcheck(text, PATIENCE_MS, &err), "%s", err.text);
	snprintf(text, sizeof(text), ":%u", web_port(web));
	cr_expect(healthcheck(text, PATIENCE_MS, &err), "%s", err.text);
	snprintf(text, sizeof(text), "localhost:%u", web_port(web));
	cr_expect(healthcheck(text, PATIENCE_MS, &err), "%s", err.text);
	web_stop(web);
}

Test(healthcheck, a_daemon_that_is_not_ready_fails_with_its_reason)
{
	struct web *web = serve("127.0.0.1:0", "catching up: 3 files to go");
	struct error err = {""};

	cr_expect_not(healthcheck(address, PATIENCE_MS, &err));
	cr_expect_str_eq(err.text, "not ready: 503 Service Unavailable: "
				   "catching up: 3 files to go");
	web_stop(web);
}

/* ---- against what is no daemon ---- */

struct stranger {
	int listen_fd;
	const char *answer; /* NULL: says nothing */
	bool drips;         /* a byte now and then, for ever */
	pthread_t thread;
};

static void drip(int fd)
{
	while (send(fd, "H", 1, MSG_NOSIGNAL) == 1)
		usleep(5000);
}

static void *stranger_main(void *ctx)
{
	struct stranger *stranger = ctx;
	char request[512];
	int fd = accept(stranger->listen_fd, NULL, NULL);

	if (fd == -1)
		return NULL;
	if (recv(fd, request, sizeof(request), 0) > 0) {
		if (stranger->answer)
			send(fd, stranger->answer, strlen(stranger->answer),
			     MSG_NOSIGNAL);
		else if (stranger->drips)
			drip(fd);
		else
			recv(fd, request, sizeof(request), 0);
	}
	close(fd);
	return NULL;
}

static void start_stranger(struct stranger *stranger)
{
	struct error err = {""};
	struct timeval patience = {.tv_sec = PATIENCE_MS / 1000};
	uint16_t port = 0;

	stranger->listen_fd = address_listen("127.0.0.1:0", &port, &err);
	cr_assert(stranger->listen_fd != -1, "%s", err.text);
	/* accept() has to wait. */
	cr_assert_eq(fcntl(stranger->listen_fd, F_SETFL, 0), 0);
	setsockopt(stranger->listen_fd, SOL_SOCKET, SO_RCVTIMEO, &patience,
		   sizeof(patience));
	snprintf(address, sizeof(address), "127.0.0.1:%u", port);
	pthread_create(&stranger->thread, NULL, stranger_main, stranger);
}

static struct error ask(struct stranger stranger, int timeout_ms)
{
	struct error err = {""};

	start_stranger(&stranger);
	cr_expect_not(healthcheck(address, timeout_ms, &err));
	pthread_join(stranger.thread, NULL);
	close(stranger.listen_fd);
	return err;
}

static void expect_error(const struct error *err, const char *before, const char *after)
{
	char expected[300];

	snprintf(expected, sizeof(expected), "%s%s%s", before, address, after);
	cr_expect_str_eq(err->text, expected);
}

Test(healthcheck, nobody_there_is_said)
{
	struct error err = {""};
	uint16_t port = 0;
	int fd = address_listen("127.0.0.1:0", &port, &err);

	snprintf(address, sizeof(address), "127.0.0.1:%u", port);
	close(fd);
	cr_expect_not(healthcheck(address, PATIENCE_MS, &err));
	expect_error(&err, "cannot connect to ", ": Connection refused");
}

Test(healthcheck, silence_ends_at_the_deadline)
{
	struct error err = ask((struct stranger){0}, 200);

	expect_error(&err, "no answer from ", " within 200 ms");
}

Test(healthcheck, the_deadline_is_for_the_whole_answer)
{
	struct error err = ask((struct stranger){.drips = true}, 200);

	expect_error(&err, "no answer from ", " within 200 ms");
}

Test(healthcheck, another_protocol_is_said)
{
	struct error err =
		ask((struct stranger){.answer = "SSH-2.0-x\r\n"}, PATIENCE_MS);

	expect_error(&err, "what listens at ", " does not speak HTTP");
	err = ask((struct stranger){.answer = ""}, PATIENCE_MS);
	expect_error(&err, "what listens at ", " does not speak HTTP");
}

Test(healthcheck, another_http_server_is_not_ready)
{
	struct error err = ask((struct stranger){.answer = "HTTP/1.0 404 Not Found\r\n"
							   "X: y\r\n\r\nno\x1b[31m"},
			       PATIENCE_MS);

	cr_expect_str_eq(err.text, "not ready: 404 Not Found: no");
	err = ask((struct stranger){.answer = "HTTP/1.1 204 \r\n\r\n"}, PATIENCE_MS);
	cr_expect_str_eq(err.text, "not ready: 204 ");
	err = ask((struct stranger){.answer = "HTTP/1.1 500"}, PATIENCE_MS);
	cr_expect_str_eq(err.text, "not ready: 500");
}

Test(healthcheck, what_is_no_address_is_said)
{
	struct error err = {""};

	cr_expect_not(healthcheck("localhost", PATIENCE_MS, &err));
	cr_expect(strstr(err.text, "\"localhost\" is no address"), "%s", err.text);
	cr_expect_not(healthcheck("http://", PATIENCE_MS, &err));
	cr_expect_not(healthcheck("https://localhost:1/", PATIENCE_MS, &err));
}
