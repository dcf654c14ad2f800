#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zlib.h>

#include "common/clock.h"
#include "common/strbuf.h"
#include "common/xalloc.h"
#include "exporter/cut.h"
#include "exporter/exposition.h"
#include "exporter/registry.h"
#include "exporter/store.h"
#include "exporter/web.h"

#define PATIENCE_MS 30000
#define SCRAPER "X-Prometheus-Scrape-Timeout-Seconds: 10\r\n"
#define PROMETHEUS SCRAPER "User-Agent: Prometheus/2.42.0\r\n"
#define MANY_BYTES (24 * 1024 * 1024)

/* A daemon of one worker and one counter, as far as the server sees it. */
static struct {
	pthread_mutex_t lock;
	struct registry *registry;
	struct schema *schema;
	struct store *store;
	uint64_t sequence;
	size_t tail_bytes;
	bool busy, ready, reloads;
	atomic_int scrapes, reload_calls;
} app = {.lock = PTHREAD_MUTEX_INITIALIZER, .ready = true, .reloads = true};

static struct web *web;

/* ---- the daemon ---- */

#define TAIL_LINE "# a line of a long tail, which ends somewhere\n"

static void add_tail(struct strbuf *tail, size_t bytes)
{
	strbuf_room(tail, bytes + sizeof(TAIL_LINE));
	while (tail->len < bytes)
		strbuf_add(tail, TAIL_LINE, strlen(TAIL_LINE));
}

static struct cut *scrape(void *ctx, struct strbuf *tail, bool *saved)
{
	struct part *part;
	struct cut *cut = NULL;

	(void)ctx;
	*saved = false;
	app.scrapes++;
	pthread_mutex_lock(&app.lock);
	if (!app.busy) {
		part = store_cut(app.store, ++app.sequence);
		cut = cut_create(app.sequence, app.schema, &part, 1, false);
		add_tail(tail, app.tail_bytes);
	}
	pthread_mutex_unlock(&app.lock);
	return cut;
}

static bool is_ready(void *ctx, struct strbuf *why)
{
	(void)ctx;
	if (!app.ready)
		strbuf_puts(why, "catching up");
	return app.ready;
}

static bool reload(void *ctx, struct strbuf *why)
{
	(void)ctx;
	app.reload_calls++;
	if (!app.reloads)
		strbuf_puts(why, "a.yml:1:2: one\nb.yml:3:4: two");
	return app.reloads;
}

static void count_error(const char *status)
{
	struct slice label = slice_of(status);
	struct update update = {.op = UPDATE_ADD,
				.value = 1,
				.time_ns = METRIC_NO_TIME,
				.labels = &label};

	pthread_mutex_lock(&app.lock);
	cr_assert_eq(store_update(app.store, &update), UPDATE_DONE);
	pthread_mutex_unlock(&app.lock);
}

static void start_with(struct web_options options)
{
	static const char *const labels[] = {"status"};
	static const struct metric_def errors = {.kind = METRIC_COUNTER,
						 .name = "errors_total",
						 .help = "Errors.",
						 .labels = labels,
						 .label_count = 1};
	const struct metric_def *defs[] = {&errors};
	const struct web_ops ops = {scrape, is_ready, reload};
	struct error err = {""};

	app.registry = registry_create(&(struct registry_options){0});
	app.schema = registry_bind(app.registry, defs, 1, 0, NULL, 0, 0, 0);
	app.store = store_create(app.registry);
	store_use(app.store, app.schema);
	options.listen_address = "127.0.0.1:0";
	options.telemetry_path = "/metrics";
	web = web_start(&options, &ops, NULL, &err);
	cr_assert(web, "%s", err.text);
}

static void start(void)
{
	start_with((struct web_options){.enable_lifecycle = true});
}

static void stop(void)
{
	web_stop(web);
	cr_expect_eq(cuts_alive(), 0, "every response gave its cut back");
	store_destroy(app.store);
	schema_unref(app.schema);
	registry_destroy(app.registry);
}

/* ---- clients ---- */

struct answer {
	int status;
	struct strbuf head, body;
};

static int dial_from(const char *from, int receive_bytes)
{
	struct timeval patience = {.tv_sec = PATIENCE_MS / 1000};
	struct sockaddr_in source = {.sin_family = AF_INET}, target = source;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	cr_assert(fd != -1);
	inet_pton(AF_INET, from, &source.sin_addr);
	inet_pton(AF_INET, "127.0.0.1", &target.sin_addr);
	target.sin_port = htons(web_port(web));
	if (receive_bytes)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_bytes,
			   sizeof(receive_bytes));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	cr_assert_eq(bind(fd, (struct sockaddr *)&source, sizeof(source)), 0);
	cr_assert_eq(connect(fd, (struct sockaddr *)&target, sizeof(target)), 0);
	return fd;
}

static int dial(void)
{
	return dial_from("127.0.0.1", 0);
}

static bool say(int fd, const char *text)
{
	size_t len = strlen(text);

	return send(fd, text, len, MSG_NOSIGNAL) == (ssize_t)len;
}

static void ask(int fd, const char *method, const char *path, const char *headers)
{
	struct strbuf request = STRBUF_INIT;

	strbuf_addf(&request, "%s %s HTTP/1.1\r\nHost: h\r\n%s\r\n", method, path,
		    headers);
	cr_expect(say(fd, request.ptr));
	strbuf_finish(&request);
}

static bool receive(int fd, struct strbuf *out, size_t bytes)
{
	size_t until = out->len + bytes;

	while (out->len < until) {
		ssize_t n = recv(fd, strbuf_room(out, until - out->len),
				 until - out->len, 0);

		if (n <= 0)
			return false;
		out->len += (size_t)n;
		out->ptr[out->len] = '\0';
	}
	return true;
}

/* Through the text, a byte at a time: nothing of the next answer is taken. */
static bool receive_until(int fd, struct strbuf *out, const char *text)
{
	size_t len = strlen(text);

	do {
		if (!receive(fd, out, 1))
			return false;
	} while (out->len < len || strcmp(out->ptr + out->len - len, text) != 0);
	return true;
}

static bool receive_chunks(int fd, struct strbuf *out)
{
	struct strbuf line = STRBUF_INIT;
	size_t bytes = 1;
	bool ok = true;

	while (ok && bytes > 0) {
		strbuf_clear(&line);
		ok = receive_until(fd, &line, "\r\n");
		bytes = ok ? strtoul(line.ptr, NULL, 16) : 0;
		ok = ok && receive(fd, out, bytes);
		strbuf_clear(&line);
		ok = ok && receive(fd, &line, 2);
	}
	strbuf_finish(&line);
	return ok;
}

static const char *header(const struct answer *answer, const char *name)
{
	static char value[256];
	const char *at = strcasestr(answer->head.ptr, name);

	if (!at)
		return "";
	at += strlen(name) + 2;
	snprintf(value, sizeof(value), "%.*s", (int)strcspn(at, "\r"), at);
	return value;
}

static bool receive_body(int fd, struct answer *answer)
{
	const char *length = header(answer, "\nContent-Length");

	if (*header(answer, "\nTransfer-Encoding"))
		return receive_chunks(fd, &answer->body);
	if (*length)
		return receive(fd, &answer->body, strtoul(length, NULL, 10));
	while (receive(fd, &answer->body, 1)) {
		/* HTTP/1.0: until the server closes. */
	}
	return true;
}

/* False if the connection ends first. */
static bool take(int fd, struct answer *answer, bool with_body)
{
	*answer = (struct answer){.head = STRBUF_INIT, .body = STRBUF_INIT};
	if (!receive_until(fd, &answer->head, "\r\n\r\n"))
		return false;
	sscanf(answer->head.ptr, "HTTP/1.%*d %d", &answer->status);
	return !with_body || receive_body(fd, answer);
}

static void finish(struct answer *answer)
{
	strbuf_finish(&answer->head);
	strbuf_finish(&answer->body);
}

/* One request on a connection of its own. */
static struct answer get_as(const char *method, const char *path, const char *headers)
{
	struct answer answer;
	int fd = dial();

	ask(fd, method, path, headers);
	cr_expect(take(fd, &answer, strcmp(method, "HEAD") != 0), "%s %s", method,
		  path);
	close(fd);
	return answer;
}

static struct answer get(const char *path, const char *headers)
{
	return get_as("GET", path, headers);
}

static void expect_answer(const char *method, const char *path, int status,
			  const char *body)
{
	struct answer answer = get_as(method, path, "");

	cr_expect_eq(answer.status, status, "%s %s: %d", method, path, answer.status);
	cr_expect_str_eq(answer.body.ptr, body);
	cr_expect_str_eq(header(&answer, "\nX-Content-Type-Options"), "nosniff");
	finish(&answer);
}

static void expect_scrape_works(void)
{
	struct answer answer = get("/metrics", "");

	cr_expect_eq(answer.status, 200);
	finish(&answer);
}

static void wait_for_cuts(size_t count)
{
	int64_t until_ns = clock_monotonic_ns() + PATIENCE_MS * NS_PER_MS;

	while (cuts_alive() != count && clock_monotonic_ns() < until_ns)
		usleep(1000);
	cr_expect_eq(cuts_alive(), count);
}

/* What was shown is remembered once the server is done, which is when the cut goes. */
static bool shows(const char *headers, const char *line)
{
	struct answer answer = get("/metrics", headers);
	bool found = strstr(answer.body.ptr, line) != NULL;

	finish(&answer);
	wait_for_cuts(0);
	return found;
}

/* Waits for the end of the connection without reading what comes before. */
static void wait_for_reset(int fd)
{
	struct pollfd ended = {.fd = fd};

	cr_expect_eq(poll(&ended, 1, PATIENCE_MS), 1);
	cr_expect(ended.revents & (POLLERR | POLLHUP));
}

/* Asks for more than the kernel holds and takes 100 bytes of it. */
static int read_slowly(void)
{
	struct strbuf some = STRBUF_INIT;
	int fd = dial_from("127.0.0.1", 4096);

	ask(fd, "GET", "/metrics", "");
	cr_expect(receive(fd, &some, 100));
	strbuf_finish(&some);
	return fd;
}

static void raise_descriptor_limit(void)
{
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	cr_assert_geq(limit.rlim_cur, 3000);
}

static bool is_open(int fd)
{
	char byte;

	return recv(fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK) == -1 && errno == EAGAIN;
}

static size_t count_open(const int *fds, size_t count)
{
	size_t open = 0;

	for (size_t i = 0; i < count; i++)
		open += is_open(fds[i]);
	return open;
}

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

/* ---- bad clients ---- */

Test(web, a_slow_reader_is_cut_at_the_deadline)
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

Test(web, a_client_that_sends_its_request_slowly_is_cut_at_the_deadline)
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

Test(web, a_connection_is_kept_between_scrapes)
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

Test(web, slow_readers_do_not_hold_up_others)
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

Test(web, a_client_that_leaves_does_no_harm)
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

Test(web, a_thousand_idle_connections_give_way_to_a_scrape)
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

Test(web, a_response_in_progress_is_spared_when_connections_are_many)
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

Test(web, a_scrape_gets_in_though_all_connections_are_slow_readers)
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

Test(web, long_headers_are_refused)
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

Test(web, endless_headers_end)
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

Test(web, a_body_over_the_limit_is_refused)
{
	struct answer answer;

	start();
	answer = get_as("POST", "/-/reload", "Content-Length: 65537\r\n");
	cr_expect_eq(answer.status, 413);
	cr_expect_eq(app.reload_calls, 0);
	finish(&answer);
	stop();
}

Test(web, a_body_of_unknown_length_ends_at_the_limit)
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

Test(web, a_small_body_is_taken_and_forgotten)
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

Test(web, what_is_not_http_is_refused)
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
