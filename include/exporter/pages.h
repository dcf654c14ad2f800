/*
 * pages.h - what every path answers, except the metrics themselves.
 *
 * Knows paths, methods and status codes; not sockets.
 */
#ifndef EXPORTER_PAGES_H
#define EXPORTER_PAGES_H

#include "common/strbuf.h"
#include "exporter/web.h"

/* The fields are borrowed for as long as it is used. */
struct pages {
	const char *telemetry_path;
	const char *version; /* may be NULL */
	bool enable_lifecycle;
	struct web_ops ops;
	void *ctx;
};

struct page {
	unsigned status;
	const char *content_type;
	const char *header; /* one more header; NULL: none */
	const char *value;
	struct strbuf body;
};

#define PAGE_INIT                                                                \
	{                                                                        \
		.content_type = "text/plain; charset=utf-8", .body = STRBUF_INIT \
	}

/* Finish page->body. */
void pages_answer(const struct pages *pages, const char *method, const char *path,
		  struct page *page);

/* Too many readers of the metrics: come back. */
void pages_answer_busy(struct page *page);

/* GET and HEAD, which is answered as GET. */
bool pages_is_read(const char *method);

#endif
