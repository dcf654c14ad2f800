#include "exporter/web.h"

#include <microhttpd.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/xalloc.h"
#include "exporter/address.h"
#include "exporter/connections.h"
#include "exporter/exposition.h"
#include "exporter/gzip.h"
#include "exporter/pages.h"

/* A scrape may hold a thread for some 50 ms; a slow reader holds none. */
#define THREADS 4
/*
 * What a thread may hold beyond the limit until those who were sent away are
 * gone: at its own limit the library would stop accepting.
 */
#define SLACK 64
#define CONNECTIONS 128
#define CONNECTIONS_PER_CLIENT 32
#define DEADLINE_MS 60000
#define IDLE_DEADLINES 5
#define HEADER_BYTES ((size_t)32 * 1024)
#define BODY_BYTES ((size_t)64 * 1024)
#define BLOCK_BYTES ((size_t)64 * 1024)

struct web {
	struct pages pages;
	char *telemetry_path;
	char *version;
	struct scrapers *scrapers;
	struct scrapers *own_scrapers; /* NULL: they are somebody else's */
	struct connections *connections;
	struct MHD_Daemon *server;
	uint16_t port;
};

/* From its headers until the response is sent or given up. */
struct request {
	struct connection *connection;
	size_t body_bytes;
	/* Of the metrics; NULL, and what follows unused, for other pages. */
	struct exposition *exposition;
	struct gzip *gzip; /* NULL: sent as it is */
	bool read_to_end;
	uint64_t sequence;
	char *scraper; /* user agent; NULL: not one who is shown births */
};

static struct connection *connection_of(struct MHD_Connection *http)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(http, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info->socket_context;
}

static const char *header_of(struct MHD_Connection *http, const char *name)
{
	return MHD_lookup_connection_value(http, MHD_HEADER_KIND, name);
}

/* Releases the response. */
static enum MHD_Result queue(struct web *web, struct MHD_Connection *http,
			     unsigned status, struct MHD_Response *response)
{
	enum MHD_Result queued;

	MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
	connections_enter(web->connections, connection_of(http), CONNECTION_SENDING);
	queued = MHD_queue_response(http, status, response);
	MHD_destroy_response(response);
	return queued;
}

static enum MHD_Result queue_page(struct web *web, struct MHD_Connection *http,
				  struct page *page)
{
	struct MHD_Response *response = MHD_create_response_from_buffer(
		page->body.len, page->body.ptr, MHD_RESPMEM_MUST_COPY);

	strbuf_finish(&page->body);
	if (!response)
		return MHD_NO;
	MHD_add_response_header(response, "Content-Type", page->content_type);
	if (page->header)
		MHD_add_response_header(response, page->header, page->value);
	return queue(web, http, page->status, response);
}

static size_t read_exposition(void *ctx, char *out, size_t size_bytes)
{
	return exposition_read(ctx, out, size_bytes);
}

static ssize_t read_metrics(void *ctx, uint64_t position, char *out, size_t size_bytes)
{
	struct request *request = ctx;
	size_t n = request->gzip
			   ? gzip_read(request->gzip, out, size_bytes)
			   : exposition_read(request->exposition, out, size_bytes);

	(void)position;
	if (n > 0)
		return (ssize_t)n;
	request->read_to_end = true;
	return MHD_CONTENT_READER_END_OF_STREAM;
}

static enum MHD_Result queue_metrics(struct web *web, struct MHD_Connection *http,
				     struct request *request, bool is_head)
{
	struct MHD_Response *response = MHD_create_response_from_callback(
		MHD_SIZE_UNKNOWN, BLOCK_BYTES, read_metrics, request, NULL);

	if (!response)
		return MHD_NO;
	/* To HEAD the library (0.9.75) would send the end of a chunked body. */
	if (is_head)
		MHD_set_response_options(response, MHD_RF_HTTP_1_0_COMPATIBLE_STRICT,
					 MHD_RO_END);
	MHD_add_response_header(response, "Content-Type", EXPOSITION_CONTENT_TYPE);
	MHD_add_response_header(response, "Vary", "Accept-Encoding");
	if (request->gzip)
		MHD_add_response_header(response, "Content-Encoding", "gzip");
	return queue(web, http, MHD_HTTP_OK, response);
}

/* Prometheus says with each scrape how long it will wait; people do not. */
static uint64_t identify_scraper(struct web *web, struct MHD_Connection *http,
				 struct request *request, bool saved)
{
	const char *user_agent = header_of(http, "User-Agent");

	if (!header_of(http, "X-Prometheus-Scrape-Timeout-Seconds"))
		return EXPOSITION_ALL_SEEN;
	request->scraper = xstrdup(user_agent ? user_agent : "");
	return scrapers_seen(web->scrapers, connection_address(request->connection),
			     request->scraper, saved);
}

static enum MHD_Result answer_metrics(struct web *web, struct MHD_Connection *http,
				      struct request *request, bool is_head)
{
	struct strbuf tail = STRBUF_INIT;
	struct page busy = PAGE_INIT;
	bool saved;
	uint64_t seen;
	struct cut *cut = web->pages.ops.scrape(web->pages.ctx, &tail, &saved);

	if (!cut) {
		strbuf_finish(&tail);
		pages_answer_busy(&busy);
		return queue_page(web, http, &busy);
	}
	seen = identify_scraper(web, http, request, saved);
	request->sequence = cut_sequence(cut);
	request->exposition = exposition_create(cut, seen, strbuf_slice(&tail));
	if (gzip_accepted(header_of(http, "Accept-Encoding")))
		request->gzip = gzip_create(read_exposition, request->exposition);
	cut_unref(cut);
	strbuf_finish(&tail);
	return queue_metrics(web, http, request, is_head);
}

static enum MHD_Result answer(struct web *web, struct MHD_Connection *http,
			      const char *method, const char *path,
			      struct request *request)
{
	struct page page = PAGE_INIT;

	log_debug("http request", LOG_TEXT("method", method), LOG_TEXT("path", path),
		  LOG_TEXT("client", connection_address(request->connection)));
	if (strcmp(path, web->pages.telemetry_path) == 0 && pages_is_read(method))
		return answer_metrics(web, http, request, strcmp(method, "HEAD") == 0);
	pages_answer(&web->pages, method, path, &page);
	return queue_page(web, http, &page);
}

static bool announces_too_much(struct MHD_Connection *http)
{
	const char *length = header_of(http, "Content-Length");

	return length && strtoull(length, NULL, 10) > BODY_BYTES;
}

static enum MHD_Result refuse_body(struct web *web, struct MHD_Connection *http)
{
	struct page page = PAGE_INIT;

	page.status = MHD_HTTP_CONTENT_TOO_LARGE;
	strbuf_puts(&page.body, "request body too large\n");
	return queue_page(web, http, &page);
}

/*
 * The library calls once for the headers, then for each piece of the body,
 * which nobody here reads, and at last without one.
 */
static enum MHD_Result on_request(void *ctx, struct MHD_Connection *http,
				  const char *path, const char *method,
				  const char *version, const char *body,
				  size_t *body_bytes, void **request_ctx)
{
	struct web *web = ctx;
	struct request *request = *request_ctx;

	(void)version;
	(void)body;
	if (!request) {
		*request_ctx = request = xcalloc(1, sizeof(*request));
		request->connection = connection_of(http);
		return announces_too_much(http) ? refuse_body(web, http) : MHD_YES;
	}
	if (*body_bytes == 0)
		return answer(web, http, method, path, request);
	request->body_bytes += *body_bytes;
	*body_bytes = 0;
	return request->body_bytes > BODY_BYTES ? MHD_NO : MHD_YES;
}

static void *on_request_line(void *ctx, const char *uri, struct MHD_Connection *http)
{
	struct web *web = ctx;

	(void)uri;
	connections_enter(web->connections, connection_of(http), CONNECTION_RECEIVING);
	return NULL;
}

/* Comes before the response is destroyed, so it is the owner of what it reads. */
static void on_completed(void *ctx, struct MHD_Connection *http, void **request_ctx,
			 enum MHD_RequestTerminationCode how)
{
	struct web *web = ctx;
	struct request *request = *request_ctx;

	connections_enter(web->connections, connection_of(http), CONNECTION_IDLE);
	if (!request) /* its headers never ended */
		return;
	if (how == MHD_REQUEST_TERMINATED_COMPLETED_OK && request->read_to_end &&
	    request->scraper)
		scrapers_shown(web->scrapers, connection_address(request->connection),
			       request->scraper, request->sequence);
	gzip_destroy(request->gzip);
	exposition_destroy(request->exposition);
	free(request->scraper);
	free(request);
	*request_ctx = NULL;
}

static struct connection *add_connection(struct web *web, struct MHD_Connection *http)
{
	const union MHD_ConnectionInfo *fd, *peer;

	fd = MHD_get_connection_info(http, MHD_CONNECTION_INFO_CONNECTION_FD);
	peer = MHD_get_connection_info(http, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	return connections_add(web->connections, fd->connect_fd, peer->client_addr);
}

/* The library says CLOSED before it closes the descriptor. */
static void on_connection(void *ctx, struct MHD_Connection *http, void **connection,
			  enum MHD_ConnectionNotificationCode what)
{
	struct web *web = ctx;

	if (what == MHD_CONNECTION_NOTIFY_STARTED)
		*connection = add_connection(web, http);
	else
		connections_remove(web->connections, *connection);
}

__attribute__((format(printf, 2, 0))) static void on_log(void *ctx, const char *fmt,
							 va_list ap)
{
	char text[256];

	(void)ctx;
	if (!log_enabled(LOG_LEVEL_DEBUG))
		return;
	vsnprintf(text, sizeof(text), fmt, ap);
	text[strcspn(text, "\n")] = '\0';
	log_debug("http library", LOG_TEXT("text", text));
}

static unsigned or_default(unsigned chosen, unsigned usual)
{
	return chosen ? chosen : usual;
}

/* Takes the listening socket, whether it succeeds or not. */
static struct MHD_Daemon *start_server(struct web *web, unsigned connections,
				       int listen_fd)
{
	/* The logger has to be the first. */
	struct MHD_OptionItem items[] = {
		{MHD_OPTION_EXTERNAL_LOGGER, (intptr_t)on_log, NULL},
		{MHD_OPTION_LISTEN_SOCKET, listen_fd, NULL},
		{MHD_OPTION_THREAD_POOL_SIZE, THREADS, NULL},
		{MHD_OPTION_CONNECTION_LIMIT, THREADS * (connections + SLACK), NULL},
		{MHD_OPTION_CONNECTION_MEMORY_LIMIT, HEADER_BYTES, NULL},
		{MHD_OPTION_URI_LOG_CALLBACK, (intptr_t)on_request_line, web},
		{MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)on_completed, web},
		{MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)on_connection, web},
		{MHD_OPTION_END, 0, NULL},
	};

	return MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_INTERNAL_POLLING_THREAD |
					MHD_USE_ITC | MHD_USE_ERROR_LOG,
				0, NULL, NULL, on_request, web, MHD_OPTION_ARRAY, items,
				MHD_OPTION_END);
}

static struct connections_options limits_of(const struct web_options *options)
{
	int64_t deadline_ms = options->deadline_ms ? options->deadline_ms : DEADLINE_MS;

	return (struct connections_options){
		.total = or_default(options->connections, CONNECTIONS),
		.per_client = or_default(options->connections_per_client,
					 CONNECTIONS_PER_CLIENT),
		.deadline_ns = deadline_ms * NS_PER_MS,
		.idle_ns = IDLE_DEADLINES * deadline_ms * NS_PER_MS,
	};
}

static bool start_threads(struct web *web, const struct web_options *options,
			  struct error *err)
{
	struct connections_options limits = limits_of(options);
	int listen_fd = address_listen(options->listen_address, &web->port, err);

	if (listen_fd == -1)
		return false;
	web->connections = connections_create(&limits, err);
	if (!web->connections) {
		close(listen_fd);
		return false;
	}
	web->server = start_server(web, (unsigned)limits.total, listen_fd);
	return web->server || error_errno(err, "cannot start the HTTP server on %s",
					  options->listen_address);
}

static struct web *create(const struct web_options *options, const struct web_ops *ops,
			  void *ctx)
{
	struct web *web = xcalloc(1, sizeof(*web));

	web->telemetry_path = xstrdup(options->telemetry_path);
	web->version = options->version ? xstrdup(options->version) : NULL;
	web->own_scrapers = options->scrapers ? NULL : scrapers_create();
	web->scrapers = options->scrapers ? options->scrapers : web->own_scrapers;
	web->pages = (struct pages){
		.telemetry_path = web->telemetry_path,
		.version = web->version,
		.enable_lifecycle = options->enable_lifecycle,
		.ops = *ops,
		.ctx = ctx,
	};
	return web;
}

struct web *web_start(const struct web_options *options, const struct web_ops *ops,
		      void *ctx, struct error *err)
{
	struct web *web = create(options, ops, ctx);
	sigset_t all, before;
	bool ok;

	/* Threads inherit the mask, and signals are for the main thread. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	ok = start_threads(web, options, err);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (ok)
		return web;
	web_stop(web);
	return NULL;
}

void web_stop(struct web *web)
{
	if (!web)
		return;
	if (web->server)
		MHD_stop_daemon(web->server);
	connections_destroy(web->connections);
	scrapers_destroy(web->own_scrapers);
	free(web->telemetry_path);
	free(web->version);
	free(web);
}

uint16_t web_port(const struct web *web)
{
	return web->port;
}
