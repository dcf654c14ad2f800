/*
 * web.h - the HTTP server.
 *
 * Knows paths, limits and formats; what a scrape shows and what a reload does
 * come from web_ops.  Every response is bounded: a connection lives at most
 * `deadline_ms` in one request, idle ones give way to new ones, and header size and
 * connections (in all and per client address) are limited.
 */
#ifndef EXPORTER_WEB_H
#define EXPORTER_WEB_H

#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"
#include "common/strbuf.h"
#include "exporter/cut.h"
#include "exporter/scrapers.h"

struct web;

/* Called by the server's threads, several at once. */
struct web_ops {
	/*
	 * The cut to show, a reference for the server; NULL: too many are alive
	 * (503).  Appends whole families to `tail`.  *saved: what the cut holds
	 * will be there after a crash, and so must be what scrapers were shown.
	 */
	struct cut *(*scrape)(void *ctx, struct strbuf *tail, bool *saved);
	/* False: /-/ready answers 503 with `why`. */
	bool (*ready)(void *ctx, struct strbuf *why);
	/* False: /-/reload answers 500 with `why`. */
	bool (*reload)(void *ctx, struct strbuf *why);
};

struct web_options {
	const char *listen_address; /* HOST:PORT, [HOST]:PORT or :PORT */
	const char *telemetry_path;
	const char *version;       /* on the landing page; may be NULL */
	struct scrapers *scrapers; /* outlive the server; NULL: it has its own */
	bool enable_lifecycle;
	int deadline_ms;      /* 0: 60 s; idle connections live 5 times that */
	unsigned connections; /* 0: 128 */
	unsigned connections_per_client; /* 0: 32 */
};

/*
 * Starts its threads, which take no signals.  The options are copied.  NULL if
 * it cannot listen; the text names the address.
 */
struct web *web_start(const struct web_options *options, const struct web_ops *ops,
		      void *ctx, struct error *err);

/* Ends responses in progress; waits for calls of web_ops.  NULL is accepted. */
void web_stop(struct web *web);

/* The port it listens on (for port 0). */
uint16_t web_port(const struct web *web);

#endif
