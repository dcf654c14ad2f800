#include "parsers/timestamp_cache.h"

/* A time in its parts: what is before the fraction's digits, they, what follows. */
struct parts {
	struct slice before, fraction, tail;
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static struct parts split(enum timestamp_fraction fraction, struct slice text)
{
	struct parts parts = {text, {NULL, 0}, {NULL, 0}};
	size_t end = text.len, at;

	if (fraction == TIMESTAMP_FRACTION_UNKNOWN || text.len == 0)
		return parts;
	if (fraction == TIMESTAMP_FRACTION_OR_ZONE && text.ptr[end - 1] == 'Z')
		end--;
	for (at = end; at > 0 && is_digit(text.ptr[at - 1]);)
		at--;
	if (at == 0 || at == end ||
	    (text.ptr[at - 1] != '.' && text.ptr[at - 1] != ','))
		return parts;
	parts.before.len = at;
	parts.fraction = (struct slice){text.ptr + at, end - at};
	parts.tail = (struct slice){text.ptr + end, text.len - end};
	return parts;
}

/* What is finer than a nanosecond is left out. */
static int64_t fraction_ns(struct slice digits)
{
	int64_t ns = 0;

	for (size_t i = 0; i < 9; i++)
		ns = ns * 10 + (i < digits.len ? digits.ptr[i] - '0' : 0);
	return ns;
}

static bool is_cached(const struct timestamp_cache *cache, const struct parts *parts)
{
	size_t before = cache->head_len - cache->tail_len;

	return cache->head_len > 0 && parts->before.len == before &&
	       parts->tail.len == cache->tail_len &&
	       (parts->fraction.len > 0) == cache->has_fraction &&
	       memcmp(parts->before.ptr, cache->head, before) == 0 &&
	       (cache->tail_len == 0 ||
		memcmp(parts->tail.ptr, cache->head + before, cache->tail_len) == 0);
}

static void keep(struct timestamp_cache *cache, const struct parts *parts, int64_t ns)
{
	size_t before = parts->before.len;

	cache->head_len = 0;
	if (before + parts->tail.len > sizeof(cache->head))
		return;
	memcpy(cache->head, parts->before.ptr, before);
	if (parts->tail.len > 0)
		memcpy(cache->head + before, parts->tail.ptr, parts->tail.len);
	cache->head_len = before + parts->tail.len;
	cache->tail_len = parts->tail.len;
	cache->has_fraction = parts->fraction.len > 0;
	cache->ns = ns;
}

bool timestamp_parse_cached(struct timestamp_cache *cache,
			    const struct timestamp_layout *layout, struct slice text,
			    int64_t now_ns, int64_t *ns)
{
	enum timestamp_fraction kind = timestamp_fraction(layout);
	struct parts parts = split(kind, text);
	int64_t fraction = fraction_ns(parts.fraction);

	if (is_cached(cache, &parts)) {
		*ns = cache->ns + fraction;
		return true;
	}
	if (!timestamp_parse(layout, text, now_ns, ns))
		return false;
	if (!timestamp_needs_now(layout))
		keep(cache, &parts, *ns - fraction);
	return true;
}
