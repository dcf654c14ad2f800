#include <zlib.h>

#include "web_fixture.h"

/* ---- what is served ---- */

Test(web, a_scrape_shows_the_cut_and_the_tail)
{
	struct answer answer;

	start();
	count_error("429");
	app.tail_bytes = 1;
	answer = get("/metrics", "");
	cr_expect_eq(answer.status, 200);
	cr_expect_str_eq(header(&answer, "\nContent-Type"), EXPOSITION_CONTENT_TYPE);
	cr_expect_str_eq(header(&answer, "\nVary"), "Accept-Encoding");
	cr_expect_str_eq(header(&answer, "\nX-Content-Type-Options"), "nosniff");
	cr_expect_str_eq(header(&answer, "\nContent-Encoding"), "");
	cr_expect_str_eq(answer.body.ptr, "# HELP errors_total Errors.\n"
					  "# TYPE errors_total counter\n"
					  "errors_total{status=\"429\"} 1\n" TAIL_LINE);
	finish(&answer);
	stop();
}

Test(web, every_page_answers)
{
	struct answer answer;

	start();
	expect_answer("GET", "/-/healthy", 200, "healthy\n");
	expect_answer("GET", "/-/ready", 200, "ready\n");
	app.ready = false;
	expect_answer("GET", "/-/ready", 503, "catching up\n");
	expect_answer("POST", "/-/reload", 200, "reloaded\n");
	app.reloads = false;
	expect_answer("POST", "/-/reload", 500, "a.yml:1:2: one\nb.yml:3:4: two\n");
	expect_answer("GET", "/nothing", 404, "not found\n");
	answer = get("/", "");
	cr_expect_eq(answer.status, 200);
	cr_expect(strstr(answer.body.ptr, "href=\"/metrics\""));
	cr_expect(strstr(header(&answer, "\nContent-Security-Policy"), "'none'"));
	finish(&answer);
	stop();
}

Test(web, reload_is_off_unless_it_is_turned_on)
{
	start_with((struct web_options){.enable_lifecycle = false});
	expect_answer("POST", "/-/reload", 403,
		      "reload over HTTP is off: start with --web.enable-lifecycle\n");
	cr_expect_eq(app.reload_calls, 0);
	stop();
}

Test(web, wrong_methods_are_told_the_right_ones)
{
	struct answer answer;

	start();
	answer = get_as("POST", "/metrics", "Content-Length: 0\r\n");
	cr_expect_eq(answer.status, 405);
	cr_expect_str_eq(header(&answer, "\nAllow"), "GET, HEAD");
	finish(&answer);
	answer = get("/-/reload", "");
	cr_expect_eq(answer.status, 405);
	cr_expect_str_eq(header(&answer, "\nAllow"), "POST");
	finish(&answer);
	cr_expect_eq(app.scrapes, 0);
	cr_expect_eq(app.reload_calls, 0);
	stop();
}

Test(web, head_is_get_without_a_body)
{
	struct answer answer;
	int fd;

	start();
	fd = dial();
	ask(fd, "HEAD", "/-/ready", "");
	cr_expect(take(fd, &answer, false));
	cr_expect_eq(answer.status, 200);
	cr_expect_str_eq(header(&answer, "\nContent-Length"), "6");
	finish(&answer);
	ask(fd, "HEAD", "/metrics", "Accept-Encoding: gzip\r\n");
	cr_expect(take(fd, &answer, false), "nothing of a body lies in between");
	cr_expect_eq(answer.status, 200);
	cr_expect_str_eq(header(&answer, "\nContent-Encoding"), "gzip");
	cr_expect_not(receive(fd, &answer.body, 1), "%s", answer.body.ptr);
	finish(&answer);
	close(fd);
	stop();
}

static struct strbuf gunzip(const struct strbuf *file)
{
	struct strbuf plain = STRBUF_INIT;
	z_stream z = {.next_in = (Bytef *)file->ptr, .avail_in = (uInt)file->len};
	int rc = Z_OK;

	cr_assert_eq(inflateInit2(&z, MAX_WBITS + 16), Z_OK);
	while (rc == Z_OK) {
		z.next_out = (Bytef *)strbuf_room(&plain, 65536);
		z.avail_out = 65536;
		rc = inflate(&z, Z_NO_FLUSH);
		plain.len += 65536 - z.avail_out;
	}
	cr_expect_eq(rc, Z_STREAM_END);
	inflateEnd(&z);
	return plain;
}

Test(web, gzip_carries_the_same_body_in_fewer_bytes)
{
	struct answer plain, zipped;
	struct strbuf unzipped;

	start();
	count_error("500");
	app.tail_bytes = 500000;
	plain = get("/metrics", "Accept-Encoding: gzip;q=0\r\n");
	zipped = get("/metrics", "Accept-Encoding: deflate, gzip;q=0.5\r\n");
	cr_expect_str_eq(header(&plain, "\nContent-Encoding"), "");
	cr_expect_str_eq(header(&zipped, "\nContent-Encoding"), "gzip");
	cr_expect_lt(zipped.body.len, plain.body.len / 4);
	unzipped = gunzip(&zipped.body);
	cr_expect_eq(unzipped.len, plain.body.len);
	cr_expect_eq(memcmp(unzipped.ptr, plain.body.ptr, plain.body.len), 0);
	strbuf_finish(&unzipped);
	finish(&plain);
	finish(&zipped);
	stop();
}

Test(web, requests_on_one_connection_are_answered_in_order)
{
	struct answer answer;
	int fd;

	start();
	fd = dial();
	cr_expect(say(fd, "GET /-/healthy HTTP/1.1\r\nHost: h\r\n\r\n"
			  "GET /metrics HTTP/1.1\r\nHost: h\r\n\r\n"
			  "GET /-/ready HTTP/1.1\r\nHost: h\r\n\r\n"));
	cr_expect(take(fd, &answer, true));
	cr_expect_str_eq(answer.body.ptr, "healthy\n");
	finish(&answer);
	cr_expect(take(fd, &answer, true));
	cr_expect_str_eq(header(&answer, "\nContent-Type"), EXPOSITION_CONTENT_TYPE);
	finish(&answer);
	cr_expect(take(fd, &answer, true));
	cr_expect_str_eq(answer.body.ptr, "ready\n");
	finish(&answer);
	close(fd);
	stop();
}

Test(web, an_old_client_gets_the_whole_body_and_the_end)
{
	struct answer answer;
	int fd;

	start();
	app.tail_bytes = 300000;
	fd = dial();
	cr_expect(say(fd, "GET /metrics HTTP/1.0\r\n\r\n"));
	cr_expect(take(fd, &answer, true));
	cr_expect_geq(answer.body.len, 300000);
	cr_expect(strncmp(answer.body.ptr + answer.body.len - 10, "somewhere\n", 10) ==
		  0);
	finish(&answer);
	close(fd);
	stop();
}

Test(web, too_many_cuts_ask_to_come_again)
{
	struct answer answer;

	start();
	app.busy = true;
	answer = get("/metrics", PROMETHEUS);
	cr_expect_eq(answer.status, 503);
	cr_expect_str_eq(header(&answer, "\nRetry-After"), "1");
	finish(&answer);
	app.busy = false;
	expect_scrape_works();
	stop();
}

/* ---- the first event is visible ---- */

/*
 * Two Prometheus servers and a person look at a counter whose second series is
 * born after the first server's first scrape.
 */
Test(web, each_scraper_sees_a_birth_at_zero_once)
{
	const char *other = SCRAPER "User-Agent: Prometheus/3.0\r\n";

	start();
	count_error("429");
	cr_expect(shows(PROMETHEUS, "{status=\"429\"} 1\n"), "no history: as it is");
	count_error("500");
	cr_expect(shows("", "{status=\"500\"} 1\n"), "a person sees what is");
	cr_expect(shows(PROMETHEUS, "{status=\"500\"} 0\n"));
	cr_expect(shows(other, "{status=\"500\"} 1\n"), "no history of its own");
	cr_expect(shows(PROMETHEUS, "{status=\"500\"} 1\n"));
	count_error("503");
	cr_expect(shows(other, "{status=\"503\"} 0\n"));
	cr_expect(shows(other, "{status=\"503\"} 1\n"));
	cr_expect(shows(PROMETHEUS, "{status=\"503\"} 0\n"), "whatever others saw");
	cr_expect(shows(PROMETHEUS, "{status=\"429\"} 1\n"), "old ones stay");
	stop();
}

Test(web, scrapers_at_two_addresses_are_two)
{
	struct answer answer;
	int fd;

	start();
	expect_scrape_works();
	cr_expect_not(shows(PROMETHEUS, "500"));
	count_error("500");
	fd = dial_from("127.0.0.2", 0);
	ask(fd, "GET", "/metrics", PROMETHEUS);
	cr_expect(take(fd, &answer, true));
	cr_expect(strstr(answer.body.ptr, "{status=\"500\"} 1\n"));
	finish(&answer);
	close(fd);
	cr_expect(shows(PROMETHEUS, "{status=\"500\"} 0\n"));
	stop();
}

Test(web, only_a_get_that_was_sent_whole_counts_as_shown)
{
	struct answer answer;
	int fd;

	start();
	cr_expect_not(shows(PROMETHEUS, "500"));
	count_error("500");

	answer = get_as("HEAD", "/metrics", PROMETHEUS);
	cr_expect_eq(answer.status, 200);
	finish(&answer);

	app.tail_bytes = MANY_BYTES;
	fd = dial_from("127.0.0.1", 4096);
	ask(fd, "GET", "/metrics", PROMETHEUS);
	cr_expect(take(fd, &answer, false));
	close(fd);
	finish(&answer);
	wait_for_cuts(0);

	app.tail_bytes = 0;
	cr_expect(shows(PROMETHEUS, "{status=\"500\"} 0\n"));
	cr_expect(shows(PROMETHEUS, "{status=\"500\"} 1\n"));
	stop();
}

/* ---- start and end ---- */

Test(web, a_port_in_use_is_said)
{
	const struct web_ops ops = {scrape, is_ready, reload};
	struct web_options options = {.telemetry_path = "/metrics"};
	struct error err = {""};
	char address[32];

	start();
	snprintf(address, sizeof(address), "127.0.0.1:%u", web_port(web));
	options.listen_address = address;
	cr_expect_null(web_start(&options, &ops, NULL, &err));
	cr_expect(strstr(err.text, address), "%s", err.text);
	cr_expect(strstr(err.text, "Address already in use"), "%s", err.text);
	cr_expect(strstr(err.text, "--web.listen-address"), "%s", err.text);
	stop();
}

Test(web, it_stops_at_once_whoever_is_connected)
{
	int64_t start_ns;
	int slow, idle[50];

	start();
	app.tail_bytes = MANY_BYTES;
	slow = read_slowly();
	for (int i = 0; i < 50; i++)
		idle[i] = dial();
	start_ns = clock_monotonic_ns();
	stop();
	cr_expect_lt(clock_monotonic_ns() - start_ns, NS_PER_SECOND);
	close(slow);
	for (int i = 0; i < 50; i++)
		close(idle[i]);
}

Test(web, its_threads_leave_signals_to_the_main_thread)
{
	sigset_t term, got;

	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	start();
	pthread_sigmask(SIG_BLOCK, &term, NULL);
	kill(getpid(), SIGTERM);
	expect_scrape_works();
	sigpending(&got);
	cr_expect(sigismember(&got, SIGTERM));
	stop();
}

Test(web, hundreds_of_clients_at_once_are_all_served)
{
	int fds[30];
	struct answer answer;

	start();
	count_error("429");
	for (int round = 0; round < 20; round++) {
		for (int i = 0; i < 30; i++) {
			fds[i] = dial();
			ask(fds[i], "GET", "/metrics", "");
		}
		for (int i = 0; i < 30; i++) {
			cr_expect(take(fds[i], &answer, true));
			cr_expect(strstr(answer.body.ptr, "{status=\"429\"} 1\n"));
			finish(&answer);
			close(fds[i]);
		}
	}
	stop();
}
