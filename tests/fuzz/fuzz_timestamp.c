/*
 * A zone, a layout and a text, a line each: no layout is ISO 8601, and a zone that
 * begins with ! stands in TZ.  A time does not depend on what was read before it, and
 * of two moments of reading the later gives no earlier time.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/xalloc.h"
#include "parsers/timestamp_cache.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define check(holds) ((holds) ? (void)0 : fail(__LINE__))

static void fail(int line)
{
	fprintf(stderr, "line %d does not hold\n", line);
	abort();
}

static char *take_line(struct slice *rest)
{
	const char *newline = rest->len > 0 ? memchr(rest->ptr, '\n', rest->len) : NULL;
	size_t len = newline ? (size_t)(newline - rest->ptr) : rest->len;
	char *line = xstrndup(rest->len > 0 ? rest->ptr : "", len);

	rest->ptr += newline ? len + 1 : len;
	rest->len -= newline ? len + 1 : len;
	return line;
}

static struct zone *load(const char *name)
{
	struct error err;
	struct zone *zone;

	if (*name == '!')
		setenv("TZ", name + 1, 1);
	zone = zone_load(*name == '!' ? "local" : name, &err);
	check(zone || *err.text);
	return zone;
}

static void parse(const struct timestamp_layout *layout, struct slice text)
{
	struct timestamp_cache cache = {.head_len = 0};
	struct slice other = {text.ptr, text.len > 0 ? text.len - 1 : 0};
	int64_t last = INT64_MIN;

	for (int64_t year = -300; year < 300; year += 60) {
		int64_t now_ns = (year * 365 * 86400 + 77) * (NS_PER_SECOND / 2);
		int64_t ns = 0, cached = 0;
		bool ok = timestamp_parse(layout, text, now_ns, &ns);

		timestamp_parse_cached(&cache, layout, other, now_ns, &cached);
		for (int i = 0; i < 2; i++) {
			cached = 0;
			check(timestamp_parse_cached(&cache, layout, text, now_ns,
						     &cached) == ok);
			check(cached == ns);
		}
		check(!ok || ns >= last);
		last = ok ? ns : last;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice rest = {(const char *)data, size};
	char *zone_name = take_line(&rest), *layout_text = take_line(&rest);
	struct zone *zone = load(zone_name);
	struct error err = {""};
	struct timestamp_layout *layout =
		timestamp_compile(*layout_text ? layout_text : NULL, zone, &err);

	check(layout || *err.text);
	if (layout)
		parse(layout, rest);
	timestamp_destroy(layout);
	zone_destroy(zone);
	free(zone_name);
	free(layout_text);
	return 0;
}
