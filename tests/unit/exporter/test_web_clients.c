/* Clients that are slow, rude or too many: each is bounded, and the next scrape works.
 */
#include "web_fixture.h"

Test(web_clients, a_slow_reader_is_cut_at_the_deadline)
{
	int fd;

	start_with((struct web_options){.deadline_ms = 1000});
	app.tail_bytes = MANY_BYTES;
	fd = read_slowly();
	wait_for_reset(fd);
	wait_for_cuts(0);
	app.tail_bytes = 0;
	expect_scrape_works();
	close(fd);
	stop();
}

Test(web_clients, a_client_that_sends_its_request_slowly_is_cut_at_the_deadline)
{
	int64_t start_ns;
	int fd;

	start_with((struct web_options){.deadline_ms = 300});
	fd = dial();
	start_ns = clock_monotonic_ns();
	cr_expect(say(fd, "GET /metrics HTTP/1.1\r\nX: "));
	while (is_open(fd) &&
	       clock_monotonic_ns() - start_ns < PATIENCE_MS * NS_PER_MS) {
		say(fd, "x");
		usleep(10000);
	}
	cr_expect_not(is_open(fd));
	cr_expect_eq(app.scrapes, 0);
	expect_scrape_works();
	close(fd);
	stop();
}

Test(web_clients, a_connection_is_kept_between_scrapes)
{
	struct answer answer;
	int fd;

	start_with((struct web_options){.deadline_ms = 500});
	fd = dial();
	for (int i = 0; i < 3; i++) {
		ask(fd, "GET", "/metrics", PROMETHEUS);
		cr_expect(take(fd, &answer, true));
		cr_expect_eq(answer.status, 200);
		finish(&answer);
		usleep(600 * 1000);
	}
	close(fd);
	stop();
}

Test(web_clients, slow_readers_do_not_hold_up_others)
{
	int fds[4];

	start();
	app.tail_bytes = MANY_BYTES;
	for (int i = 0; i < 4; i++)
		fds[i] = read_slowly();
	app.tail_bytes = 0;
	for (int i = 0; i < 20; i++)
		expect_scrape_works();
	wait_for_cuts(4); /* the slow ones still read */
	for (int i = 0; i < 4; i++)
		close(fds[i]);
	stop();
}

Test(web_clients, a_client_that_leaves_does_no_harm)
{
	int fd;

	start();
	app.tail_bytes = MANY_BYTES;
	fd = read_slowly();
	close(fd);
	wait_for_cuts(0);
	app.tail_bytes = 0;
	expect_scrape_works();
	stop();
}

Test(web_clients, a_thousand_idle_connections_give_way_to_a_scrape)
{
	int fds[1000], other;
	struct answer answer;

	raise_descriptor_limit();
	start();
	other = dial_from("127.0.0.2", 0);
	for (int i = 0; i < 1000; i++)
		fds[i] = dial();
	expect_scrape_works();
	for (int i = 0; count_open(fds, 1000) > 32 && i < PATIENCE_MS; i++)
		usleep(1000);
	cr_expect_leq(count_open(fds, 1000), 32, "the limit of one client");
	cr_expect_gt(count_open(fds, 1000), 0);
	ask(other, "GET", "/metrics", "");
	cr_expect(take(other, &answer, true), "another client keeps its connection");
	finish(&answer);
	close(other);
	for (int i = 0; i < 1000; i++)
		close(fds[i]);
	stop();
}

Test(web_clients, a_response_in_progress_is_spared_when_connections_are_many)
{
	struct strbuf status = STRBUF_INIT;
	struct answer answer;
	int slow, fds[200];

	start();
	app.tail_bytes = MANY_BYTES;
	slow = dial_from("127.0.0.1", 4096);
	ask(slow, "GET", "/metrics", "");
	cr_expect(receive_until(slow, &status, "200 OK"));
	strbuf_finish(&status);
	for (int i = 0; i < 200; i++)
		fds[i] = dial();
	cr_expect(take(slow, &answer, false));
	cr_expect(receive_chunks(slow, &answer.body), "to its very end");
	cr_expect_geq(answer.body.len, MANY_BYTES);
	finish(&answer);
	close(slow);
	for (int i = 0; i < 200; i++)
		close(fds[i]);
	stop();
}

Test(web_clients, a_scrape_gets_in_though_all_connections_are_slow_readers)
{
	int fds[4];

	start_with((struct web_options){.connections_per_client = 4});
	app.tail_bytes = MANY_BYTES;
	for (int i = 0; i < 4; i++)
		fds[i] = read_slowly();
	app.tail_bytes = 0;
	expect_scrape_works();
	wait_for_cuts(3);
	for (int i = 0; i < 4; i++)
		close(fds[i]);
	stop();
}

Test(web_clients, long_headers_are_refused)
{
	struct strbuf headers = STRBUF_INIT;
	struct answer answer;

	start();
	strbuf_puts(&headers, "X: ");
	for (int i = 0; i < 40000; i++)
		strbuf_putc(&headers, 'x');
	strbuf_puts(&headers, "\r\n");
	answer = get("/metrics", headers.ptr);
	cr_expect_eq(answer.status, 431);
	finish(&answer);
	strbuf_finish(&headers);
	cr_expect_eq(app.scrapes, 0);
	stop();
}

Test(web_clients, endless_headers_end)
{
	char header_line[] = "X-Header: and another one, and another one\r\n";
	size_t lines = 0;
	int fd;

	start();
	fd = dial();
	cr_expect(say(fd, "GET /metrics HTTP/1.1\r\n"));
	while (say(fd, header_line) && lines < 3000000)
		lines++;
	cr_expect_lt(lines, 3000000);
	expect_scrape_works();
	close(fd);
	stop();
}

Test(web_clients, a_body_over_the_limit_is_refused)
{
	struct answer answer;

	start();
	answer = get_as("POST", "/-/reload", "Content-Length: 65537\r\n");
	cr_expect_eq(answer.status, 413);
	cr_expect_eq(app.reload_calls, 0);
	finish(&answer);
	stop();
}

Test(web_clients, a_body_of_unknown_length_ends_at_the_limit)
{
	struct answer answer;
	char chunk[1024 + 8];
	int fd;

	start();
	memset(chunk, 'x', sizeof(chunk));
	memcpy(chunk, "400\r\n", 5);
	memcpy(chunk + 5 + 1024, "\r\n", 3);
	fd = dial();
	ask(fd, "POST", "/-/reload", "Transfer-Encoding: chunked\r\n");
	for (int i = 0; i < 65; i++)
		say(fd, chunk);
	say(fd, "0\r\n\r\n");
	cr_expect_not(take(fd, &answer, true));
	cr_expect_eq(app.reload_calls, 0);
	finish(&answer);
	close(fd);
	stop();
}

Test(web_clients, a_small_body_is_taken_and_forgotten)
{
	struct answer answer;
	int fd;

	start();
	fd = dial();
	ask(fd, "POST", "/-/reload", "Content-Length: 5\r\n");
	cr_expect(say(fd, "hello"));
	cr_expect(take(fd, &answer, true));
	cr_expect_eq(answer.status, 200);
	cr_expect_eq(app.reload_calls, 1);
	finish(&answer);
	ask(fd, "GET", "/-/ready", "");
	cr_expect(take(fd, &answer, true));
	cr_expect_str_eq(answer.body.ptr, "ready\n");
	finish(&answer);
	close(fd);
	stop();
}

Test(web_clients, what_is_not_http_is_refused)
{
	struct answer answer;
	int fd;

	start();
	fd = dial();
	cr_expect(say(fd, "\x16\x03\x01 hello\r\n\r\n"));
	if (take(fd, &answer, false))
		cr_expect_geq(answer.status, 400);
	finish(&answer);
	close(fd);
	expect_scrape_works();
	stop();
}
