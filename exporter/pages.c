#include "exporter/pages.h"

#include <string.h>

#include "exporter/landing.h"

static void answer(struct page *page, unsigned status, const char *text)
{
	page->status = status;
	strbuf_puts(&page->body, text);
	strbuf_putc(&page->body, '\n');
}

static void answer_landing(const struct pages *pages, struct page *page)
{
	page->status = 200;
	page->content_type = "text/html; charset=utf-8";
	page->header = "Content-Security-Policy";
	page->value = LANDING_SECURITY_POLICY;
	landing_add_page(&page->body, pages->telemetry_path, pages->version);
}

static void answer_healthy(const struct pages *pages, struct page *page)
{
	(void)pages;
	answer(page, 200, "healthy");
}

static void answer_ready(const struct pages *pages, struct page *page)
{
	struct strbuf why = STRBUF_INIT;

	if (pages->ops.ready(pages->ctx, &why))
		answer(page, 200, "ready");
	else
		answer(page, 503, why.ptr);
	strbuf_finish(&why);
}

static void answer_reload(const struct pages *pages, struct page *page)
{
	struct strbuf why = STRBUF_INIT;

	if (!pages->enable_lifecycle)
		answer(page, 403,
		       "reload over HTTP is off: start with --web.enable-lifecycle");
	else if (pages->ops.reload(pages->ctx, &why))
		answer(page, 200, "reloaded");
	else
		answer(page, 500, why.ptr);
	strbuf_finish(&why);
}

#define READ_METHODS "GET, HEAD"

static const struct route {
	const char *path;
	const char *methods; /* as Allow lists them */
	void (*answer)(const struct pages *pages, struct page *page);
} routes[] = {
	{"/", READ_METHODS, answer_landing},
	{"/-/healthy", READ_METHODS, answer_healthy},
	{"/-/ready", READ_METHODS, answer_ready},
	{"/-/reload", "POST", answer_reload},
};

bool pages_is_read(const char *method)
{
	return strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
}

static bool allows(const struct route *route, const char *method)
{
	return strcmp(route->methods, method) == 0 ||
	       (strcmp(route->methods, READ_METHODS) == 0 && pages_is_read(method));
}

static void answer_not_allowed(struct page *page, const char *methods)
{
	page->header = "Allow";
	page->value = methods;
	answer(page, 405, "method not allowed");
}

static const struct route *find_route(const char *path)
{
	for (size_t i = 0; i < sizeof(routes) / sizeof(*routes); i++)
		if (strcmp(routes[i].path, path) == 0)
			return &routes[i];
	return NULL;
}

void pages_answer(const struct pages *pages, const char *method, const char *path,
		  struct page *page)
{
	const struct route *route = find_route(path);

	if (strcmp(path, pages->telemetry_path) == 0)
		answer_not_allowed(page, READ_METHODS);
	else if (!route)
		answer(page, 404, "not found");
	else if (!allows(route, method))
		answer_not_allowed(page, route->methods);
	else
		route->answer(pages, page);
}

void pages_answer_busy(struct page *page)
{
	page->header = "Retry-After";
	page->value = "1";
	answer(page, 503, "too many slow readers of the metrics: try again");
}
