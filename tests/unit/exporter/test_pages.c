#include <criterion/criterion.h>
#include <string.h>

#include "exporter/landing.h"
#include "exporter/pages.h"

struct daemon {
	bool ready, reloads;
	int reload_calls;
};

static bool is_ready(void *ctx, struct strbuf *why)
{
	struct daemon *daemon = ctx;

	if (!daemon->ready)
		strbuf_puts(why, "catching up: 3 files to go");
	return daemon->ready;
}

static bool reload(void *ctx, struct strbuf *why)
{
	struct daemon *daemon = ctx;

	daemon->reload_calls++;
	if (!daemon->reloads)
		strbuf_puts(why, "a.yml:1:2: this\nb.yml:3:4: that");
	return daemon->reloads;
}

static struct pages pages_of(struct daemon *daemon)
{
	return (struct pages){.telemetry_path = "/metrics",
			      .version = "1.2",
			      .enable_lifecycle = true,
			      .ops = {.ready = is_ready, .reload = reload},
			      .ctx = daemon};
}

static void expect(const struct pages *pages, const char *method, const char *path,
		   unsigned status, const char *body)
{
	struct page page = PAGE_INIT;

	pages_answer(pages, method, path, &page);
	cr_expect_eq(page.status, status, "%s %s: %u", method, path, page.status);
	cr_expect_str_eq(page.body.ptr, body);
	strbuf_finish(&page.body);
}

Test(pages, status_and_text_follow_the_daemon)
{
	struct daemon daemon = {.ready = false, .reloads = false};
	struct pages pages = pages_of(&daemon);

	expect(&pages, "GET", "/-/healthy", 200, "healthy\n");
	expect(&pages, "GET", "/-/ready", 503, "catching up: 3 files to go\n");
	expect(&pages, "POST", "/-/reload", 500, "a.yml:1:2: this\nb.yml:3:4: that\n");
	daemon = (struct daemon){.ready = true, .reloads = true};
	expect(&pages, "GET", "/-/ready", 200, "ready\n");
	expect(&pages, "POST", "/-/reload", 200, "reloaded\n");
	cr_expect_eq(daemon.reload_calls, 1);
}

Test(pages, reload_needs_the_flag_which_the_refusal_names)
{
	struct daemon daemon = {.reloads = true};
	struct pages pages = pages_of(&daemon);

	pages.enable_lifecycle = false;
	expect(&pages, "POST", "/-/reload", 403,
	       "reload over HTTP is off: start with --web.enable-lifecycle\n");
	cr_expect_eq(daemon.reload_calls, 0);
}

Test(pages, a_method_that_does_not_fit_is_told_which_does)
{
	static const struct {
		const char *method, *path, *allow;
	} rows[] = {
		{"POST", "/metrics", "GET, HEAD"},   {"PUT", "/", "GET, HEAD"},
		{"DELETE", "/-/ready", "GET, HEAD"}, {"GET", "/-/reload", "POST"},
		{"HEAD", "/-/reload", "POST"},       {"get", "/-/healthy", "GET, HEAD"},
	};
	struct daemon daemon = {.reloads = true};
	struct pages pages = pages_of(&daemon);

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct page page = PAGE_INIT;

		pages_answer(&pages, rows[i].method, rows[i].path, &page);
		cr_expect_eq(page.status, 405);
		cr_expect_str_eq(page.header, "Allow");
		cr_expect_str_eq(page.value, rows[i].allow);
		strbuf_finish(&page.body);
	}
	cr_expect_eq(daemon.reload_calls, 0);
}

Test(pages, unknown_paths_are_not_found)
{
	struct daemon daemon = {.ready = true};
	struct pages pages = pages_of(&daemon);

	expect(&pages, "GET", "/metrics/", 404, "not found\n");
	expect(&pages, "POST", "/favicon.ico", 404, "not found\n");
	expect(&pages, "GET", "", 404, "not found\n");
}

Test(pages, the_landing_page_escapes_what_it_is_given)
{
	struct daemon daemon = {.ready = true};
	struct pages pages = pages_of(&daemon);
	struct page page = PAGE_INIT;

	pages.telemetry_path = "/<script>\"'&";
	pages_answer(&pages, "GET", "/", &page);
	cr_expect_eq(page.status, 200);
	cr_expect_str_eq(page.header, "Content-Security-Policy");
	cr_expect(strstr(page.body.ptr, "href=\"/&lt;script&gt;&quot;&#39;&amp;\""));
	cr_expect(strstr(page.body.ptr, "href=\"/-/ready\""));
	cr_expect(strstr(page.body.ptr, "href=\"/-/healthy\""));
	cr_expect(strstr(page.body.ptr, "logtally 1.2<"));
	cr_expect_not(strstr(page.body.ptr, "<script"));
	strbuf_finish(&page.body);
}
