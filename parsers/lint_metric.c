#include <stdio.h>
#include <stdlib.h>

#include "common/strbuf.h"
#include "common/xalloc.h"
#include "parsers/lint.h"

#define MOST_WORDS 32

/* The words of a name between underscores. */
struct words {
	struct slice list[MOST_WORDS];
	size_t count;
};

static const struct {
	const char *unit, *base, *how; /* how: a factor to `scale` by, or NULL */
} units[] = {
	{"ms", "seconds", "scale: 0.001"},
	{"msec", "seconds", "scale: 0.001"},
	{"msecs", "seconds", "scale: 0.001"},
	{"millis", "seconds", "scale: 0.001"},
	{"milliseconds", "seconds", "scale: 0.001"},
	{"usec", "seconds", "scale: 1e-6"},
	{"usecs", "seconds", "scale: 1e-6"},
	{"micros", "seconds", "scale: 1e-6"},
	{"microseconds", "seconds", "scale: 1e-6"},
	{"nanos", "seconds", "scale: 1e-9"},
	{"nanoseconds", "seconds", "scale: 1e-9"},
	{"sec", "seconds", NULL},
	{"secs", "seconds", NULL},
	{"minutes", "seconds", "scale: 60"},
	{"hours", "seconds", "scale: 3600"},
	{"kb", "bytes", "scale: 1000"},
	{"kib", "bytes", "scale: 1024"},
	{"kilobytes", "bytes", "scale: 1000"},
	{"mb", "bytes", "scale: 1e6"},
	{"mib", "bytes", "scale: 1048576"},
	{"megabytes", "bytes", "scale: 1e6"},
	{"gb", "bytes", "scale: 1e9"},
	{"gib", "bytes", "scale: 1073741824"},
	{"gigabytes", "bytes", "scale: 1e9"},
	{"percent", "ratio", "scale: 0.01"},
	{"percentage", "ratio", "scale: 0.01"},
	{"pct", "ratio", "scale: 0.01"},
};
#define UNIT_COUNT (sizeof(units) / sizeof(units[0]))

static const char *const base_units[] = {"seconds", "bytes", "ratio", "celsius",
					 "meters"};
#define BASE_UNIT_COUNT (sizeof(base_units) / sizeof(base_units[0]))

/* These may follow a unit. */
static const char *const closings[] = {"total", "info", "sum", "count", "bucket"};
#define CLOSING_COUNT (sizeof(closings) / sizeof(closings[0]))

static struct words words_of(const char *name)
{
	struct words words = {.count = 0};

	while (*name && words.count < MOST_WORDS) {
		size_t len = strcspn(name, "_:");

		if (len > 0)
			words.list[words.count++] = (struct slice){name, len};
		name += len + (name[len] != '\0');
	}
	return words;
}

static bool is_among(struct slice word, const char *const *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (slice_is(word, list[i]))
			return true;
	return false;
}

/* Words before _total and the like. */
static size_t without_closings(const struct words *words)
{
	size_t count = words->count;

	while (count > 0 && is_among(words->list[count - 1], closings, CLOSING_COUNT))
		count--;
	return count;
}

/* The name with one word in the place of another, or moved before the closing. */
static char *with_word(const struct words *words, size_t which, const char *instead,
		       bool to_end)
{
	struct strbuf out = STRBUF_INIT;
	size_t end = without_closings(words);
	char *text;

	for (size_t i = 0; i < words->count; i++) {
		if (i == which && to_end)
			continue;
		strbuf_puts(&out, out.len > 0 ? "_" : "");
		if (i == which)
			strbuf_puts(&out, instead);
		else
			strbuf_add_slice(&out, words->list[i]);
		if (to_end && i + 1 == end)
			strbuf_addf(&out, "_%s", instead);
	}
	text = xstrdup(out.ptr);
	strbuf_finish(&out);
	return text;
}

static void lint_unit(struct loader *l, const struct metric_slot *slot,
		      const struct words *words)
{
	for (size_t i = 0; i < words->count; i++) {
		for (size_t u = 0; u < UNIT_COUNT; u++) {
			char *name, *instead;

			if (!slice_is(words->list[i], units[u].unit))
				continue;
			name = with_word(words, i, units[u].base, false);
			instead = units[u].how ? xasprintf("call it %s, with %s", name,
							   units[u].how)
					       : xasprintf("call it %s", name);
			diag_warning(l->diag, slot->at, instead,
				     "%s: Prometheus' unit for this is %s",
				     slot->def.name, units[u].base);
			free(instead);
			free(name);
			return;
		}
	}
}

/* Behind the unit of a counter stands _total alone. */
static void lint_unit_place(struct loader *l, const struct metric_slot *slot,
			    const struct words *words)
{
	size_t end = without_closings(words);

	for (size_t i = 0; i + 1 < end; i++) {
		char *name, *instead;
		struct slice last = words->list[end - 1];
		char unit[16];

		if (!is_among(words->list[i], base_units, BASE_UNIT_COUNT) ||
		    is_among(last, base_units, BASE_UNIT_COUNT))
			continue;
		snprintf(unit, sizeof(unit), "%.*s", SLICE_ARG(words->list[i]));
		name = with_word(words, i, unit, true);
		instead = xasprintf("call it %s", name);
		diag_warning(l->diag, slot->at, instead,
			     "%s: a unit stands at the end of a name", slot->def.name);
		free(instead);
		free(name);
		return;
	}
}

static bool is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

static void lint_case(struct loader *l, const struct metric_slot *slot)
{
	const char *name = slot->def.name;
	struct strbuf out = STRBUF_INIT;
	bool any = false;

	strbuf_puts(&out, "call it ");
	for (size_t i = 0; name[i]; i++) {
		bool starts = is_upper(name[i]) && i > 0 && !is_upper(name[i - 1]) &&
			      name[i - 1] != '_';

		any |= is_upper(name[i]);
		if (starts)
			strbuf_putc(&out, '_');
		strbuf_putc(&out, is_upper(name[i]) ? (char)(name[i] | 0x20) : name[i]);
	}
	if (any)
		diag_warning(l->diag, slot->at, out.ptr,
			     "%s: names of metrics are in snake_case", name);
	strbuf_finish(&out);
}

static void lint_ending(struct loader *l, const struct metric_slot *slot,
			const struct words *words)
{
	static const char *const parts[] = {"count", "sum", "bucket"};
	static const char *const types[] = {"counter", "gauge", "histogram", "summary"};
	struct slice last = words->list[words->count - 1];

	if (words->count < 2)
		return;
	if (is_among(last, parts, sizeof(parts) / sizeof(parts[0])))
		diag_warning(l->diag, slot->at, "choose another ending",
			     "%s: _%.*s is the ending of a histogram's own series",
			     slot->def.name, SLICE_ARG(last));
	else if (is_among(last, types, sizeof(types) / sizeof(types[0])))
		diag_warning(l->diag, slot->at, "leave it out",
			     "%s: a name does not say the metric's kind",
			     slot->def.name);
}

void lint_metric(struct loader *l, const struct metric_slot *slot)
{
	struct words words = words_of(slot->def.name);

	if (slot->def.is_base || words.count == 0)
		return;
	if (!slot->has_help)
		diag_warning(l->diag, slot->at,
			     "add help: and a sentence that says what it counts",
			     "%s has no help", slot->def.name);
	if (strchr(slot->def.name, ':'))
		diag_warning(l->diag, slot->at, "write _",
			     "%s: colons are for the names of recording rules",
			     slot->def.name);
	lint_case(l, slot);
	lint_unit(l, slot, &words);
	lint_unit_place(l, slot, &words);
	lint_ending(l, slot, &words);
}
