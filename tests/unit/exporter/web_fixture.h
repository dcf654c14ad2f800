/*
 * The server with a daemon of one counter behind it, and clients, good and bad, that
 * speak to it through sockets.
 */
#ifndef WEB_FIXTURE_H
#define WEB_FIXTURE_H

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

static inline void add_tail(struct strbuf *tail, size_t bytes)
{
	strbuf_room(tail, bytes + sizeof(TAIL_LINE));
	while (tail->len < bytes)
		strbuf_add(tail, TAIL_LINE, strlen(TAIL_LINE));
}

static inline struct cut *scrape(void *ctx, struct strbuf *tail, bool *saved)
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

static inline bool is_ready(void *ctx, struct strbuf *why)
{
	(void)ctx;
	if (!app.ready)
		strbuf_puts(why, "catching up");
	return app.ready;
}

static inline bool reload(void *ctx, struct strbuf *why)
{
	(void)ctx;
	app.reload_calls++;
	if (!app.reloads)
		strbuf_puts(why, "a.yml:1:2: one\nb.yml:3:4: two");
	return app.reloads;
}

static inline void count_error(const char *status)
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

static inline void start_with(struct web_options options)
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

static inline void start(void)
{
	start_with((struct web_options){.enable_lifecycle = true});
}

static inline void stop(void)
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

static inline int dial_from(const char *from, int receive_bytes)
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

static inline int dial(void)
{
	return dial_from("127.0.0.1", 0);
}

static inline bool say(int fd, const char *text)
{
	size_t len = strlen(text);

	return send(fd, text, len, MSG_NOSIGNAL) == (ssize_t)len;
}

static inline void ask(int fd, const char *method, const char *path,
		       const char *headers)
{
	struct strbuf request = STRBUF_INIT;

	strbuf_addf(&request, "%s %s HTTP/1.1\r\nHost: h\r\n%s\r\n", method, path,
		    headers);
	cr_expect(say(fd, request.ptr));
	strbuf_finish(&request);
}

static inline bool receive(int fd, struct strbuf *out, size_t bytes)
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
static inline bool receive_until(int fd, struct strbuf *out, const char *text)
{
	size_t len = strlen(text);

	do {
		if (!receive(fd, out, 1))
			return false;
	} while (out->len < len || strcmp(out->ptr + out->len - len, text) != 0);
	return true;
}

static inline bool receive_chunks(int fd, struct strbuf *out)
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

static inline const char *header(const struct answer *answer, const char *name)
{
	static char value[256];
	const char *at = strcasestr(answer->head.ptr, name);

	if (!at)
		return "";
	at += strlen(name) + 2;
	snprintf(value, sizeof(value), "%.*s", (int)strcspn(at, "\r"), at);
	return value;
}

static inline bool receive_body(int fd, struct answer *answer)
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
static inline bool take(int fd, struct answer *answer, bool with_body)
{
	*answer = (struct answer){.head = STRBUF_INIT, .body = STRBUF_INIT};
	if (!receive_until(fd, &answer->head, "\r\n\r\n"))
		return false;
	sscanf(answer->head.ptr, "HTTP/1.%*d %d", &answer->status);
	return !with_body || receive_body(fd, answer);
}

static inline void finish(struct answer *answer)
{
	strbuf_finish(&answer->head);
	strbuf_finish(&answer->body);
}

/* One request on a connection of its own. */
static inline struct answer get_as(const char *method, const char *path,
				   const char *headers)
{
	struct answer answer;
	int fd = dial();

	ask(fd, method, path, headers);
	cr_expect(take(fd, &answer, strcmp(method, "HEAD") != 0), "%s %s", method,
		  path);
	close(fd);
	return answer;
}

static inline struct answer get(const char *path, const char *headers)
{
	return get_as("GET", path, headers);
}

static inline void expect_answer(const char *method, const char *path, int status,
				 const char *body)
{
	struct answer answer = get_as(method, path, "");

	cr_expect_eq(answer.status, status, "%s %s: %d", method, path, answer.status);
	cr_expect_str_eq(answer.body.ptr, body);
	cr_expect_str_eq(header(&answer, "\nX-Content-Type-Options"), "nosniff");
	finish(&answer);
}

static inline void expect_scrape_works(void)
{
	struct answer answer = get("/metrics", "");

	cr_expect_eq(answer.status, 200);
	finish(&answer);
}

static inline void wait_for_cuts(size_t count)
{
	int64_t until_ns = clock_monotonic_ns() + PATIENCE_MS * NS_PER_MS;

	while (cuts_alive() != count && clock_monotonic_ns() < until_ns)
		usleep(1000);
	cr_expect_eq(cuts_alive(), count);
}

/* What was shown is remembered once the server is done, which is when the cut goes. */
static inline bool shows(const char *headers, const char *line)
{
	struct answer answer = get("/metrics", headers);
	bool found = strstr(answer.body.ptr, line) != NULL;

	finish(&answer);
	wait_for_cuts(0);
	return found;
}

/* Waits for the end of the connection without reading what comes before. */
static inline void wait_for_reset(int fd)
{
	struct pollfd ended = {.fd = fd};

	cr_expect_eq(poll(&ended, 1, PATIENCE_MS), 1);
	cr_expect(ended.revents & (POLLERR | POLLHUP));
}

/* Asks for more than the kernel holds and takes 100 bytes of it. */
static inline int read_slowly(void)
{
	struct strbuf some = STRBUF_INIT;
	int fd = dial_from("127.0.0.1", 4096);

	ask(fd, "GET", "/metrics", "");
	cr_expect(receive(fd, &some, 100));
	strbuf_finish(&some);
	return fd;
}

static inline void raise_descriptor_limit(void)
{
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	cr_assert_geq(limit.rlim_cur, 3000);
}

static inline bool is_open(int fd)
{
	char byte;

	return recv(fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK) == -1 && errno == EAGAIN;
}

static inline size_t count_open(const int *fds, size_t count)
{
	size_t open = 0;

	for (size_t i = 0; i < count; i++)
		open += is_open(fds[i]);
	return open;
}

#endif
